//! Least privilege, held locally: what a function's statements in `template.yaml` grant, and what its requests need.
//!
//! The emulator checks no permissions. So each hosted function has an SDK client of its own whose interceptor ([`Gate`]) works out from the
//! request, as it is about to leave, which actions it needs on which resources, and refuses what the function's own statements do
//! not grant. The [`Ledger`] remembers refusals and uses, so that a test can fail on the first and report grants that nothing uses.

use serde_json::Value;

use crate::template::functions::list;

mod gate;
mod ledger;
mod request;

pub use gate::{Gate, Observer};
pub use ledger::{Ledger, Refusal};
pub use request::{Need, Scope};

/// One statement of a policy: an unconditional grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its name.
    pub sid: String,
    /// Actions, possibly with `*`.
    pub actions: Vec<String>,
    /// Resources, possibly with `*`.
    pub resources: Vec<String>,
}

impl Statement {
    /// Reads a resolved statement. What is not a plain grant is refused with what was expected, since it could not be judged here.
    pub fn parse(statement: &Value) -> Result<Self, &'static str> {
        let fields = statement.as_object().ok_or("a statement")?;
        for key in fields.keys() {
            if !matches!(key.as_str(), "Sid" | "Effect" | "Action" | "Resource") {
                return Err("a statement of Sid, Effect, Action and Resource only");
            }
        }
        if fields.get("Effect").and_then(Value::as_str) != Some("Allow") {
            return Err("Effect: Allow");
        }
        let texts = |key: &str| -> Result<Vec<String>, &'static str> {
            list(fields.get(key))
                .into_iter()
                .map(|value| match value {
                    Value::String(text) => Ok(text),
                    _ => Err("actions and resources as text"),
                })
                .collect()
        };
        Ok(Self {
            sid: fields
                .get("Sid")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            actions: texts("Action")?,
            resources: texts("Resource")?,
        })
    }

    /// Whether this statement grants what is needed.
    pub fn grants(&self, need: &Need) -> bool {
        let action = self
            .actions
            .iter()
            .any(|granted| glob(granted, &need.action));
        action
            && match &need.resource {
                Some(resource) => self.resources.iter().any(|granted| glob(granted, resource)),
                None => !self.resources.is_empty(),
            }
    }
}

/// IAM's wildcards: `*` is any text, `?` one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stood, and up to where the text is taken to be covered by it.
    let mut retry: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at, seen));
                at += 1;
            }
            Some(byte) if *byte == b'?' || text.get(seen) == Some(byte) => {
                at += 1;
                seen += 1;
            }
            _ => match retry {
                Some((star, covered)) => {
                    retry = Some((star, covered + 1));
                    at = star + 1;
                    seen = covered + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn need(action: &str, resource: &str) -> Need {
        Need {
            action: action.to_owned(),
            resource: Some(resource.to_owned()),
        }
    }

    #[test]
    fn a_grant_covers_its_actions_on_its_resources_only() {
        let statement = Statement::parse(&json!({
            "Sid": "Entities", "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:Put*"], "Resource": "arn:aws:dynamodb:r:a:table/entities",
        }))
        .unwrap();
        assert!(statement.grants(&need(
            "dynamodb:GetItem",
            "arn:aws:dynamodb:r:a:table/entities"
        )));
        assert!(statement.grants(&need(
            "dynamodb:PutItem",
            "arn:aws:dynamodb:r:a:table/entities"
        )));
        assert!(!statement.grants(&need(
            "dynamodb:Query",
            "arn:aws:dynamodb:r:a:table/entities"
        )));
        assert!(!statement.grants(&need(
            "dynamodb:GetItem",
            "arn:aws:dynamodb:r:a:table/entities/index/x"
        )));
        assert!(!statement.grants(&need(
            "dynamodb:GetItem",
            "arn:aws:dynamodb:r:a:table/activity"
        )));
    }

    #[test]
    fn what_is_no_plain_grant_is_refused() {
        for statement in [
            json!({"Effect": "Deny", "Action": "*", "Resource": "*"}),
            json!({"Effect": "Allow", "NotAction": "x:y", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "x:y", "Resource": "*", "Condition": {}}),
            json!({"Effect": "Allow", "Action": [1], "Resource": "*"}),
            json!("Allow"),
        ] {
            assert!(Statement::parse(&statement).is_err(), "{statement}");
        }
    }

    #[test]
    fn wildcards_are_those_of_iam() {
        for (pattern, text, matches) in [
            ("*", "anything", true),
            ("a*c*e", "abcde", true),
            ("a*c", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("", "", true),
            ("a*", "a", true),
            ("*b", "aab", true),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_with_pieces_cut_out_matches(text in "[a-z:/]{0,24}", cuts in prop::collection::vec(0_usize..24, 0..4)) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut pattern = String::new();
            let mut at = 0;
            for pair in cuts.chunks_exact(2) {
                pattern.push_str(&text[at..pair[0]]);
                pattern.push('*');
                at = pair[1];
            }
            pattern.push_str(&text[at..]);
            prop_assert!(glob(&pattern, &text));
        }
    }
}
