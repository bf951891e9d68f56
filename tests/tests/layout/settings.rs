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

fn names(function: &Map<String, Value>) -> BTreeSet<String> {
    let environment = function.get("Environment");
    let variables = environment.and_then(|it| it.get("Variables")?.as_object());
    variables.into_iter().flat_map(Map::keys).cloned().collect()
}

#[cfg(test)]
mod tests {
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
}
