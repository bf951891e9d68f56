//! `template.yaml`, read: the one truth about resources.
//!
//! [`Template::parse`] reads the file, [`Resolver`] computes intrinsic functions against deployed resources, and [`functions`] gives the
//! typed view of what each function is woken by, configured with and allowed to do. What the reader does not understand is an error
//! that names the place: a template that is only half obeyed locally would prove nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub mod functions;
pub mod mappings;
mod resolve;
mod yaml;

pub use resolve::{Deployed, Physical, Resolver};

/// A template could not be read or resolved.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is not YAML as CloudFormation reads it.
    #[error("template.yaml: {0}")]
    Syntax(String),
    /// A place holds something else than expected.
    #[error("template.yaml: {place}: expected {expected}")]
    Unexpected {
        /// Where, as a path of keys.
        place: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A name refers to nothing that is deployed, declared or given.
    #[error("template.yaml: {0} is not known here")]
    Unknown(String),
}

impl TemplateError {
    pub(crate) fn unexpected(place: impl Into<String>, expected: &'static str) -> Self {
        Self::Unexpected {
            place: place.into(),
            expected,
        }
    }
}

/// The template as written, intrinsic functions in their long form.
#[derive(Debug, Clone)]
pub struct Template {
    /// Each parameter's default, where it has one.
    pub parameters: BTreeMap<String, Option<Value>>,
    /// Conditions by name.
    pub conditions: BTreeMap<String, Value>,
    /// What SAM adds to each function's properties.
    pub function_globals: Map<String, Value>,
    /// Resources by logical id.
    pub resources: BTreeMap<String, Resource>,
}

/// A resource as written.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Such as `AWS::SQS::Queue`.
    pub kind: String,
    /// Its properties.
    pub properties: Map<String, Value>,
}

/// A template's text as JSON, which CloudFormation's tools take too, with the long forms of intrinsic functions.
pub fn document(text: &str) -> Result<Value, TemplateError> {
    yaml::parse(text)
}

impl Template {
    /// Reads a template's text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let document = document(text)?;
        Ok(Self {
            parameters: parameters(&document)?,
            conditions: object(&document, "Conditions")?.into_iter().collect(),
            function_globals: match document.pointer("/Globals/Function") {
                None => Map::new(),
                Some(Value::Object(globals)) => globals.clone(),
                Some(_) => return Err(TemplateError::unexpected("Globals.Function", "a mapping")),
            },
            resources: resources(&document)?,
        })
    }

    /// The resources of one type, in order of their logical ids.
    pub fn of_kind<'t>(&'t self, kind: &'t str) -> impl Iterator<Item = (&'t str, &'t Resource)> {
        self.resources
            .iter()
            .filter(move |(_, resource)| resource.kind == kind)
            .map(|(id, resource)| (id.as_str(), resource))
    }
}

fn object(document: &Value, key: &str) -> Result<Map<String, Value>, TemplateError> {
    match document.get(key) {
        None => Ok(Map::new()),
        Some(Value::Object(entries)) => Ok(entries.clone()),
        Some(_) => Err(TemplateError::unexpected(key, "a mapping")),
    }
}

fn parameters(document: &Value) -> Result<BTreeMap<String, Option<Value>>, TemplateError> {
    Ok(object(document, "Parameters")?
        .into_iter()
        .map(|(name, declaration)| (name, declaration.get("Default").cloned()))
        .collect())
}

fn resources(document: &Value) -> Result<BTreeMap<String, Resource>, TemplateError> {
    object(document, "Resources")?
        .into_iter()
        .map(|(id, body)| {
            let kind = body
                .get("Type")
                .and_then(Value::as_str)
                .ok_or_else(|| TemplateError::unexpected(format!("Resources.{id}.Type"), "a type"))?
                .to_owned();
            let properties = object(&body, "Properties")?;
            Ok((id, Resource { kind, properties }))
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The template of this repository.
    pub(crate) fn ours() -> Template {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        Template::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    #[test]
    fn our_template_is_read_whole() {
        let template = ours();
        assert_eq!(template.of_kind("AWS::DynamoDB::Table").count(), 3);
        assert_eq!(
            template.resources["SendQueue"].properties["MessageRetentionPeriod"],
            86_400
        );
        assert_eq!(
            template.parameters["WarmupFolder"],
            Some(Value::from("Warmup"))
        );
    }

    #[test]
    fn a_resource_without_a_type_is_named() {
        let error = Template::parse("Resources:\n  Odd: {Properties: {}}\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "template.yaml: Resources.Odd.Type: expected a type"
        );
    }
}
