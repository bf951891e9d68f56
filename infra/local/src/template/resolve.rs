//! CloudFormation's intrinsic functions, as far as our template uses them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Template, TemplateError};

/// A deployed resource: what `!Ref` gives, and its attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Physical {
    /// The value of `!Ref`.
    pub reference: String,
    /// The values of `!GetAtt`.
    pub attributes: BTreeMap<String, String>,
}

impl Physical {
    /// A resource with a reference and an ARN.
    pub fn with_arn(reference: impl Into<String>, arn: impl Into<String>) -> Self {
        Self {
            reference: reference.into(),
            attributes: BTreeMap::from([("Arn".to_owned(), arn.into())]),
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn and(mut self, attribute: &str, value: impl Into<String>) -> Self {
        self.attributes.insert(attribute.to_owned(), value.into());
        self
    }
}

/// Deployed resources by logical id.
pub type Deployed = BTreeMap<String, Physical>;

/// Computes values of a template for one stack.
#[derive(Debug, Clone)]
pub struct Resolver<'t> {
    template: &'t Template,
    /// Parameters, pseudo parameters: every `!Ref` that is no resource.
    values: BTreeMap<String, Value>,
    deployed: Deployed,
}

impl<'t> Resolver<'t> {
    /// A resolver for the stack `stack`; `overrides` are parameters with other values than their defaults.
    pub fn new(
        template: &'t Template,
        stack: &str,
        region: &str,
        account: &str,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let mut values = BTreeMap::from(
            [
                ("AWS::StackName", stack),
                ("AWS::Region", region),
                ("AWS::AccountId", account),
                ("AWS::Partition", "aws"),
                ("AWS::URLSuffix", "amazonaws.com"),
            ]
            .map(|(name, value)| (name.to_owned(), Value::from(value))),
        );
        for (name, default) in &template.parameters {
            let given = overrides.get(name).cloned().map(Value::from);
            let value = given
                .or_else(|| default.clone())
                .ok_or_else(|| TemplateError::Unknown(format!("a value for parameter {name}")))?;
            values.insert(name.clone(), value);
        }
        if let Some(stray) = overrides
            .keys()
            .find(|name| !template.parameters.contains_key(*name))
        {
            return Err(TemplateError::Unknown(format!("parameter {stray}")));
        }
        Ok(Self {
            template,
            values,
            deployed: Deployed::new(),
        })
    }

    /// Makes a deployed resource known.
    pub fn deployed(&mut self, logical_id: &str, physical: Physical) {
        self.deployed.insert(logical_id.to_owned(), physical);
    }

    /// What is deployed.
    pub fn resources(&self) -> &Deployed {
        &self.deployed
    }

    /// Computes every intrinsic function in `value`. Keys whose value is `AWS::NoValue` disappear.
    pub fn resolve(&self, value: &Value) -> Result<Value, TemplateError> {
        Ok(self.compute(value)?.unwrap_or(Value::Null))
    }

    /// Computes a value that must be text (numbers and booleans are, in CloudFormation).
    pub fn text(&self, value: &Value) -> Result<String, TemplateError> {
        match self.resolve(value)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            other => Err(TemplateError::unexpected(other.to_string(), "text")),
        }
    }

    /// `None` is `AWS::NoValue`.
    fn compute(&self, value: &Value) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Object(entries) => match single(entries) {
                Some((name, argument)) if is_intrinsic(name) => self.intrinsic(name, argument),
                _ => Ok(Some(Value::Object(self.object(entries)?))),
            },
            Value::Array(items) => {
                let computed: Result<Vec<_>, _> =
                    items.iter().map(|item| self.compute(item)).collect();
                Ok(Some(computed?.into_iter().flatten().collect()))
            }
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn object(&self, entries: &Map<String, Value>) -> Result<Map<String, Value>, TemplateError> {
        let mut computed = Map::new();
        for (key, value) in entries {
            if let Some(value) = self.compute(value)? {
                computed.insert(key.clone(), value);
            }
        }
        Ok(computed)
    }

    fn intrinsic(&self, name: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        match (name, argument) {
            ("Ref", Value::String(target)) if target == "AWS::NoValue" => Ok(None),
            ("Ref", Value::String(target)) => self.reference(target).map(Some),
            ("Fn::GetAtt", Value::Array(path)) => match path.as_slice() {
                [Value::String(resource), Value::String(attribute)] => {
                    self.attribute(resource, attribute).map(Some)
                }
                _ => Err(TemplateError::unexpected(
                    argument.to_string(),
                    "a resource and an attribute",
                )),
            },
            ("Fn::Sub", Value::String(pattern)) => self.substitute(pattern).map(Some),
            ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(condition), then, otherwise] => {
                    self.compute(if self.condition(condition)? {
                        then
                    } else {
                        otherwise
                    })
                }
                _ => Err(TemplateError::unexpected(
                    argument.to_string(),
                    "a condition and two values",
                )),
            },
            _ => Err(TemplateError::Unknown(format!("{name} with {argument}"))),
        }
    }

    fn reference(&self, target: &str) -> Result<Value, TemplateError> {
        if let Some(value) = self.values.get(target) {
            return Ok(value.clone());
        }
        self.deployed
            .get(target)
            .map(|physical| Value::from(physical.reference.clone()))
            .ok_or_else(|| TemplateError::Unknown(format!("!Ref {target}")))
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value, TemplateError> {
        self.deployed
            .get(resource)
            .and_then(|physical| physical.attributes.get(attribute))
            .map(|value| Value::from(value.clone()))
            .ok_or_else(|| TemplateError::Unknown(format!("!GetAtt {resource}.{attribute}")))
    }

    fn substitute(&self, pattern: &str) -> Result<Value, TemplateError> {
        let mut text = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, remainder) = after
                .split_once('}')
                .ok_or_else(|| TemplateError::unexpected(pattern, "a closing brace"))?;
            text.push_str(before);
            text.push_str(&match name.split_once('.') {
                Some((resource, attribute)) => self.text(&self.attribute(resource, attribute)?)?,
                None => self.text(&self.reference(name)?)?,
            });
            rest = remainder;
        }
        text.push_str(rest);
        Ok(Value::from(text))
    }

    fn condition(&self, name: &str) -> Result<bool, TemplateError> {
        let condition = self
            .template
            .conditions
            .get(name)
            .ok_or_else(|| TemplateError::Unknown(format!("condition {name}")))?;
        self.truth(condition)
    }

    fn truth(&self, condition: &Value) -> Result<bool, TemplateError> {
        match condition.as_object().and_then(single) {
            Some(("Condition", Value::String(name))) => self.condition(name),
            Some(("Fn::Not", Value::Array(parts))) => match parts.as_slice() {
                [inner] => Ok(!self.truth(inner)?),
                _ => Err(TemplateError::unexpected(
                    condition.to_string(),
                    "one condition",
                )),
            },
            Some(("Fn::Equals", Value::Array(parts))) => match parts.as_slice() {
                [left, right] => Ok(self.text(left)? == self.text(right)?),
                _ => Err(TemplateError::unexpected(
                    condition.to_string(),
                    "two values",
                )),
            },
            _ => Err(TemplateError::Unknown(format!("condition {condition}"))),
        }
    }
}

fn single(entries: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut iterator = entries.iter();
    match (iterator.next(), iterator.next()) {
        (Some((name, argument)), None) => Some((name, argument)),
        _ => None,
    }
}

fn is_intrinsic(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str = "
Parameters:
  Rate: {Type: Number, Default: 100}
  Topic: {Type: String, Default: ''}
Conditions:
  HasTopic: !Not [!Equals [!Ref Topic, '']]
Resources: {}
";

    fn resolver<'t>(template: &'t Template, overrides: &[(&str, &str)]) -> Resolver<'t> {
        let overrides = overrides
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut resolver =
            Resolver::new(template, "aw", "us-east-1", "000000000000", &overrides).unwrap();
        resolver.deployed("Table", Physical::with_arn("aw-table", "arn:table"));
        resolver
    }

    #[test]
    fn references_attributes_and_patterns_are_computed() {
        let template = Template::parse(TEXT).unwrap();
        let resolver = resolver(&template, &[]);
        let written = json!({
            "RATE": {"Ref": "Rate"},
            "TABLE": {"Ref": "Table"},
            "ARN": {"Fn::GetAtt": ["Table", "Arn"]},
            "NAME": {"Fn::Sub": "${AWS::StackName}-x/${Table.Arn}/${Rate}"},
        });
        assert_eq!(
            resolver.resolve(&written).unwrap(),
            json!({"RATE": 100, "TABLE": "aw-table", "ARN": "arn:table", "NAME": "aw-x/arn:table/100"})
        );
    }

    #[test]
    fn no_value_removes_its_key_and_conditions_choose() {
        let template = Template::parse(TEXT).unwrap();
        let written = json!({"Actions": {"Fn::If": ["HasTopic", [{"Ref": "Topic"}], {"Ref": "AWS::NoValue"}]}});
        assert_eq!(
            resolver(&template, &[]).resolve(&written).unwrap(),
            json!({})
        );
        assert_eq!(
            resolver(&template, &[("Topic", "arn:t")])
                .resolve(&written)
                .unwrap(),
            json!({"Actions": ["arn:t"]})
        );
    }

    #[test]
    fn what_is_unknown_is_an_error_with_its_name() {
        let template = Template::parse(TEXT).unwrap();
        let resolver = resolver(&template, &[]);
        for (written, complaint) in [
            (json!({"Ref": "Nobody"}), "!Ref Nobody"),
            (
                json!({"Fn::GetAtt": ["Table", "StreamArn"]}),
                "!GetAtt Table.StreamArn",
            ),
            (json!({"Fn::Select": [0, []]}), "Fn::Select"),
        ] {
            let error = resolver.resolve(&written).unwrap_err().to_string();
            assert!(error.contains(complaint), "{error}");
        }
        let stray = BTreeMap::from([("Rat".to_owned(), "1".to_owned())]);
        assert!(Resolver::new(&template, "aw", "r", "a", &stray).is_err());
    }
}
