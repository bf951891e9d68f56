//! YAML with CloudFormation's short tags, as JSON with its long forms.
//!
//! `!Ref X` becomes `{"Ref": "X"}`, `!GetAtt A.B` becomes `{"Fn::GetAtt": ["A", "B"]}`, any other `!Name v` becomes
//! `{"Fn::Name": v}`: what `AWS::LanguageExtensions` and SAM do too, so the rest of this crate meets one spelling only.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use super::TemplateError;

/// Parses one YAML document.
pub(super) fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents =
        Yaml::load_from_str(text).map_err(|error| TemplateError::Syntax(error.to_string()))?;
    match documents.as_slice() {
        [document] => to_json(document),
        other => Err(TemplateError::Syntax(format!(
            "expected one document, found {}",
            other.len()
        ))),
    }
}

fn to_json(yaml: &Yaml<'_>) -> Result<Value, TemplateError> {
    match yaml {
        Yaml::Value(scalar) => Ok(scalar_to_json(scalar)),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => entries
            .iter()
            .map(|(key, value)| Ok((key_text(key)?, to_json(value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        Yaml::Tagged(tag, inner) => Ok(intrinsic(&tag.suffix, &to_json(inner)?)),
        Yaml::Representation(text, _, Some(tag)) => Ok(intrinsic(&tag.suffix, &json!(text))),
        Yaml::Representation(text, _, None) => Ok(json!(text)),
        Yaml::Alias(_) => Err(TemplateError::Syntax(
            "CloudFormation knows no aliases: write the value out".to_owned(),
        )),
        Yaml::BadValue => Err(TemplateError::Syntax("an unreadable value".to_owned())),
    }
}

fn scalar_to_json(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => json!(value),
        Scalar::Integer(value) => json!(value),
        Scalar::FloatingPoint(value) => json!(value.into_inner()),
        Scalar::String(value) => json!(value),
    }
}

fn key_text(key: &Yaml<'_>) -> Result<String, TemplateError> {
    match to_json(key)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(TemplateError::Syntax(format!("a key is {other}"))),
    }
}

fn intrinsic(name: &str, argument: &Value) -> Value {
    match (name, argument) {
        ("Ref" | "Condition", _) => json!({ name: argument }),
        ("GetAtt", Value::String(path)) => match path.split_once('.') {
            Some((resource, attribute)) => json!({ "Fn::GetAtt": [resource, attribute] }),
            None => json!({ "Fn::GetAtt": argument }),
        },
        _ => json!({ format!("Fn::{name}"): argument }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_long_forms() {
        let parsed = parse(
            "a: !Ref X\nb: !GetAtt Table.Arn\nc: !Sub '${X}-y'\nd: !If [C, [!Ref X], !Ref AWS::NoValue]\ne: {Condition: C}\n",
        )
        .unwrap();
        assert_eq!(
            parsed,
            json!({
                "a": {"Ref": "X"},
                "b": {"Fn::GetAtt": ["Table", "Arn"]},
                "c": {"Fn::Sub": "${X}-y"},
                "d": {"Fn::If": ["C", [{"Ref": "X"}], {"Ref": "AWS::NoValue"}]},
                "e": {"Condition": "C"},
            })
        );
    }

    #[test]
    fn scalars_keep_their_types() {
        assert_eq!(
            parse("a: 1\nb: '1'\nc: true\nd: '2012-10-17'\n413: x\n").unwrap(),
            json!({"a": 1, "b": "1", "c": true, "d": "2012-10-17", "413": "x"})
        );
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        assert!(parse("a: [1\n").is_err());
        assert!(parse("").is_err());
        assert!(parse("a: 1\n---\nb: 1\n").is_err());
    }
}
