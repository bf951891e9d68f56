//! What functions can be told ↔ what the template tells them. A setting that nobody sets is its default for ever, whatever a parameter says.

use std::collections::BTreeSet;

use agentwarm_local::template::Template;
use serde_json::{Map, Value};

/// The settings of `catalog` that no function is given. Lambda sets its own.
pub(crate) fn complaints(template: &Template, catalog: &[(&str, &str)]) -> Vec<String> {
    let mut set = names(&template.function_globals);
    for (_, function) in template.of_kind("AWS::Serverless::Function") {
        set.extend(names(&function.properties));
    }
    catalog
        .iter()
        .filter(|(name, _)| !name.starts_with("AWS_LAMBDA_") && !set.contains(*name))
        .map(|(name, meaning)| {
            format!("template.yaml: no function is given {name} ({meaning}): set it where it is read, or take it out of CATALOG.")
        })
        .collect()
}

/// What Lambda takes of a function's environment, names and values together, in bytes.
const ENVIRONMENT_MAX: u64 = 4096;

/// More than a name, an address or an ARN of ours has: the longest are a key's ARN and a queue's URL.
const COMPUTED: u64 = 90;

/// More than a number or a choice has.
const SHORT: u64 = 10;

/// The functions of a template's `document` whose environment could grow too large by its parameters, and the parameters that say no bound:
/// CloudFormation would find out in the middle of a deployment.
pub(crate) fn too_large(document: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    let variables = |function: Option<&Value>| {
        let variables = function.and_then(|it| it.pointer("/Environment/Variables")?.as_object());
        variables.cloned().unwrap_or_default()
    };
    let globals = variables(document.pointer("/Globals/Function"));
    let resources = document.get("Resources").and_then(Value::as_object);
    for (id, resource) in resources.into_iter().flatten() {
        if resource.get("Type").and_then(Value::as_str) != Some("AWS::Serverless::Function") {
            continue;
        }
        let mut bytes = 0;
        for (name, value) in globals.iter().chain(&variables(resource.get("Properties"))) {
            bytes += name.len() as u64;
            bytes += longest(document, value).unwrap_or_else(|parameter| {
                found.insert(format!(
                    "template.yaml: {parameter} is set for functions and may be of any length: give it a MaxLength."
                ));
                COMPUTED
            });
        }
        if bytes > ENVIRONMENT_MAX {
            found.insert(format!(
                "template.yaml: the environment of {id} may have {bytes} bytes, and Lambda takes {ENVIRONMENT_MAX}: lower a parameter's MaxLength."
            ));
        }
    }
    found.into_iter().collect()
}

/// The length that a variable's value may have; the parameter that does not say.
fn longest<'t>(document: &Value, value: &'t Value) -> Result<u64, &'t str> {
    if let Some(text) = value.as_str() {
        return Ok(text.len() as u64);
    }
    let parameter = value.get("Ref").and_then(Value::as_str).unwrap_or_default();
    let Some(declared) = document.pointer(&format!("/Parameters/{parameter}")) else {
        return Ok(COMPUTED);
    };
    let says = |key| declared.get(key);
    if let Some(length) = says("MaxLength").and_then(Value::as_u64) {
        return Ok(length);
    }
    let is_text = says("Type").and_then(Value::as_str) == Some("String");
    if is_text && says("AllowedValues").is_none() {
        return Err(parameter);
    }
    Ok(SHORT)
}

fn names(function: &Map<String, Value>) -> BTreeSet<String> {
    let environment = function.get("Environment");
    let variables = environment.and_then(|it| it.get("Variables")?.as_object());
    variables.into_iter().flat_map(Map::keys).cloned().collect()
}

#[cfg(test)]
mod tests {
    use agentwarm_local::template::document;

    use super::*;

    #[test]
    fn a_setting_that_nobody_sets_is_named() {
        let template = Template::parse(
            "
Globals:
  Function:
    Environment: {Variables: {LOG_LEVEL: info}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {TEST_MODE: 'false'}}
",
        );
        let complaints = complaints(
            &template.expect("a template"),
            &[
                ("AWS_LAMBDA_FUNCTION_NAME", "set by Lambda"),
                ("LOG_LEVEL", "error or info"),
                ("MAX_VISITS", "at most"),
                ("TEST_MODE", "true or false"),
            ],
        );
        let [unset] = &complaints[..] else {
            panic!("{complaints:?}");
        };
        assert!(unset.contains("given MAX_VISITS (at most)"), "{unset}");
    }

    #[test]
    fn an_environment_fits_however_long_its_parameters_are() {
        let complaints = |bound: &str| {
            let document = document(&format!(
                "
Parameters:
  Ca: {{Type: String{bound}}}
  Rate: {{Type: Number}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {{Variables: {{CA: !Ref Ca, RATE: !Ref Rate, TABLE: !Ref Table}}}}
"
            ));
            too_large(&document.expect("a template")).join("\n")
        };
        assert_eq!(complaints(", MaxLength: 3000"), "");
        assert!(complaints(", MaxLength: 4000").contains("environment of F may have 4"));
        assert!(complaints("").contains("Ca is set for functions and may be of any length"));
    }
}
