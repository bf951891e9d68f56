//! Event filters of mappings: the part of EventBridge's pattern language that our template uses.
//!
//! A pattern is an object of the event's shape whose leaves are lists of alternatives: a literal, `{"prefix": …}`, `{"exists": …}`,
//! `{"anything-but": […]}`. All keys of a pattern must match. Any other operator is refused when the template is read.

use serde_json::{Map, Value};

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Map<String, Value>);

/// A pattern that is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a filter pattern of this kind is not understood")]
pub struct UnknownPattern;

impl Filter {
    /// Reads a pattern, refusing what [`Filter::matches`] could not judge.
    pub fn parse(pattern: &str) -> Result<Self, UnknownPattern> {
        let Ok(Value::Object(pattern)) = serde_json::from_str(pattern) else {
            return Err(UnknownPattern);
        };
        if pattern.values().all(understood) {
            Ok(Self(pattern))
        } else {
            Err(UnknownPattern)
        }
    }

    /// Whether an event is handed over.
    pub fn matches(&self, event: &Value) -> bool {
        object_matches(&self.0, Some(event))
    }
}

fn understood(pattern: &Value) -> bool {
    match pattern {
        Value::Object(nested) => nested.values().all(understood),
        Value::Array(alternatives) => alternatives.iter().all(|alternative| match alternative {
            Value::Object(operator) => {
                operator.len() == 1
                    && operator.iter().all(|(name, _)| {
                        matches!(name.as_str(), "prefix" | "exists" | "anything-but")
                    })
            }
            Value::Array(_) => false,
            _ => true,
        }),
        _ => false,
    }
}

fn object_matches(pattern: &Map<String, Value>, event: Option<&Value>) -> bool {
    pattern.iter().all(|(key, wanted)| {
        let found = event.and_then(|event| event.get(key));
        match wanted {
            Value::Object(nested) => object_matches(nested, found),
            Value::Array(alternatives) => alternatives.iter().any(|one| leaf_matches(one, found)),
            _ => false,
        }
    })
}

fn leaf_matches(alternative: &Value, found: Option<&Value>) -> bool {
    match alternative {
        Value::Object(operator) => operator.iter().all(|(name, argument)| match name.as_str() {
            "prefix" => match (found, argument) {
                (Some(Value::String(text)), Value::String(prefix)) => {
                    text.starts_with(prefix.as_str())
                }
                _ => false,
            },
            "exists" => argument == &Value::Bool(is_leaf(found)),
            "anything-but" => found.is_some_and(|found| match argument {
                Value::Array(excluded) => !excluded.contains(found),
                excluded => excluded != found,
            }),
            _ => false,
        }),
        literal => found == Some(literal),
    }
}

/// `exists` speaks of leaves only, as on AWS.
fn is_leaf(found: Option<&Value>) -> bool {
    found.is_some_and(|found| !found.is_object() && !found.is_array())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(pattern: &Value, event: &Value) -> bool {
        Filter::parse(&pattern.to_string()).unwrap().matches(event)
    }

    #[test]
    fn every_key_must_match_and_any_alternative_will_do() {
        let pattern = json!({"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "slot#"}]}}}});
        let record = |name: &str, sk: &str| json!({"eventName": name, "dynamodb": {"Keys": {"sk": {"S": sk}}}});
        assert!(matches(&pattern, &record("INSERT", "slot#1")));
        assert!(!matches(&pattern, &record("REMOVE", "slot#1")));
        assert!(!matches(&pattern, &record("INSERT", "rcpt#1")));
    }

    #[test]
    fn exists_speaks_of_leaves() {
        let pattern = json!({"NewImage": {"eventVersion": {"N": [{"exists": true}]}}});
        assert!(matches(
            &pattern,
            &json!({"NewImage": {"eventVersion": {"N": "4"}}})
        ));
        assert!(!matches(&pattern, &json!({"NewImage": {}})));
        assert!(!matches(
            &json!({"NewImage": [{"exists": true}]}),
            &json!({"NewImage": {"a": 1}})
        ));
        assert!(matches(
            &json!({"OldImage": [{"exists": false}]}),
            &json!({})
        ));
    }

    #[test]
    fn other_operators_are_refused() {
        assert!(Filter::parse(r#"{"a": [{"numeric": [">", 1]}]}"#).is_err());
        assert!(Filter::parse(r#"{"a": 1}"#).is_err());
        assert!(Filter::parse("[]").is_err());
    }
}
