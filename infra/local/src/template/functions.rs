//! The functions of the template: what each is woken by, configured with and allowed to do.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Resolver, Template, TemplateError};
use crate::policy::Statement;

/// A function as the template declares it, before anything is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionShape {
    /// Its logical id, such as `ApiAccounts`.
    pub logical_id: String,
    /// Where its archive is expected, such as `target/lambda/api-accounts/bootstrap.zip`.
    pub code_uri: String,
    /// The paths that it answers.
    pub http: Vec<HttpEvent>,
    /// The schedules that wake it, such as `rate(1 minute)`.
    pub schedules: Vec<String>,
}

/// One path of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpEvent {
    /// As API Gateway spells it, such as `/api/accounts/{proxy+}`.
    pub path: String,
    /// A method, or `ANY`.
    pub method: String,
}

/// What a function runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionConfig {
    /// Its environment, resolved.
    pub environment: BTreeMap<String, String>,
    /// What it may do.
    pub statements: Vec<Statement>,
    /// How long it may run.
    pub timeout: Duration,
    /// Its memory, in MB.
    pub memory_mb: u32,
}

impl FunctionShape {
    /// The folder of `functions/` that this is: the folder that its archive is in.
    pub fn folder(&self) -> &str {
        self.code_uri.rsplit('/').nth(1).unwrap_or_default()
    }
}

/// The functions of a template, in order of their logical ids.
pub fn shapes(template: &Template) -> Result<Vec<FunctionShape>, TemplateError> {
    template
        .of_kind("AWS::Serverless::Function")
        .map(|(id, resource)| {
            let mut shape = FunctionShape {
                logical_id: id.to_owned(),
                code_uri: text(&resource.properties, id, "CodeUri")?.to_owned(),
                http: Vec::new(),
                schedules: Vec::new(),
            };
            if let Some(events) = resource.properties.get("Events").and_then(Value::as_object) {
                for (name, event) in events {
                    add_event(&mut shape, &format!("{id}.Events.{name}"), event)?;
                }
            }
            Ok(shape)
        })
        .collect()
}

fn add_event(shape: &mut FunctionShape, place: &str, event: &Value) -> Result<(), TemplateError> {
    let properties = event
        .get("Properties")
        .and_then(Value::as_object)
        .ok_or_else(|| TemplateError::unexpected(place, "an event with properties"))?;
    match event.get("Type").and_then(Value::as_str) {
        Some("Api") => shape.http.push(HttpEvent {
            path: text(properties, place, "Path")?.to_owned(),
            method: text(properties, place, "Method")?.to_uppercase(),
        }),
        Some("Schedule") => shape
            .schedules
            .push(text(properties, place, "Schedule")?.to_owned()),
        // Sources that are polled are `AWS::Lambda::EventSourceMapping`s here: SAM's events would grant more than they need.
        _ => {
            return Err(TemplateError::unexpected(
                format!("{place}.Type"),
                "Api or Schedule",
            ));
        }
    }
    Ok(())
}

/// What the function `logical_id` runs with.
pub fn config(
    template: &Template,
    resolver: &Resolver<'_>,
    logical_id: &str,
) -> Result<FunctionConfig, TemplateError> {
    let properties = &template
        .resources
        .get(logical_id)
        .ok_or_else(|| TemplateError::Unknown(format!("function {logical_id}")))?
        .properties;
    Ok(FunctionConfig {
        environment: environment(template, resolver, properties)?,
        statements: statements(resolver, logical_id, properties)?,
        timeout: Duration::from_secs(number(template, properties, "Timeout", 3)),
        memory_mb: u32::try_from(number(template, properties, "MemorySize", 128)).unwrap_or(128),
    })
}

fn environment(
    template: &Template,
    resolver: &Resolver<'_>,
    properties: &Map<String, Value>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let variables = |properties: &Map<String, Value>| {
        properties
            .get("Environment")
            .and_then(|environment| environment.get("Variables"))
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    variables(&template.function_globals)
        .into_iter()
        .chain(variables(properties))
        .map(|(name, value)| Ok((name, resolver.text(&value)?)))
        .collect()
}

fn statements(
    resolver: &Resolver<'_>,
    logical_id: &str,
    properties: &Map<String, Value>,
) -> Result<Vec<Statement>, TemplateError> {
    let mut statements = Vec::new();
    for (index, policy) in list(properties.get("Policies")).iter().enumerate() {
        let place = format!("{logical_id}.Policies[{index}]");
        let written = policy
            .get("Statement")
            .ok_or_else(|| TemplateError::unexpected(&place, "explicit statements"))?;
        for statement in list(Some(&resolver.resolve(written)?)) {
            statements.push(
                Statement::parse(&statement)
                    .map_err(|expected| TemplateError::unexpected(&place, expected))?,
            );
        }
    }
    Ok(statements)
}

/// A value that may stand alone or in a list.
pub(crate) fn list(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(single) => vec![single.clone()],
    }
}

fn number(template: &Template, properties: &Map<String, Value>, key: &str, otherwise: u64) -> u64 {
    properties
        .get(key)
        .or_else(|| template.function_globals.get(key))
        .and_then(Value::as_u64)
        .unwrap_or(otherwise)
}

fn text<'v>(
    properties: &'v Map<String, Value>,
    place: &str,
    key: &str,
) -> Result<&'v str, TemplateError> {
    properties
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| TemplateError::unexpected(format!("{place}.{key}"), "text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::ours;

    #[test]
    fn a_function_knows_its_folder_and_its_paths() {
        let shapes = shapes(&ours()).unwrap();
        let accounts = shapes
            .iter()
            .find(|shape| shape.logical_id == "ApiAccounts")
            .unwrap();
        assert_eq!(accounts.folder(), "api-accounts");
        assert_eq!(
            accounts.http,
            [("/api/accounts", "ANY"), ("/api/accounts/{proxy+}", "ANY")].map(|(path, method)| {
                HttpEvent {
                    path: path.to_owned(),
                    method: method.to_owned(),
                }
            })
        );
        let tick = shapes
            .iter()
            .find(|shape| shape.logical_id == "JobSchedulerTick")
            .unwrap();
        assert_eq!(tick.schedules, ["rate(1 minute)"]);
    }

    #[test]
    fn an_event_that_grants_by_itself_is_refused() {
        let template = Template::parse(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: target/lambda/f/\n      Events:\n        Q: {Type: SQS, Properties: {Queue: x}}\n",
        )
        .unwrap();
        assert!(
            shapes(&template)
                .unwrap_err()
                .to_string()
                .contains("F.Events.Q.Type")
        );
    }
}
