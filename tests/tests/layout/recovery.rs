//! What outlives the stack ↔ how it is taken up again (docs/operations.md, "Recovery"). A resource that is left out there would stand in the
//! next deployment's way, on a day when nobody has the time to find out why.

use serde_json::Value;

/// The retained resources of a template's `document` that `recipe` does not import, or that cannot be imported without others.
pub(crate) fn complaints(document: &Value, recipe: &str) -> Vec<String> {
    let mut found = Vec::new();
    let copied = recipe
        .lines()
        .find(|line| line.contains("awk "))
        .unwrap_or_default();
    let resources = document.get("Resources").and_then(Value::as_object);
    let retained = resources.into_iter().flatten().filter(|(_, resource)| {
        resource.get("DeletionPolicy").and_then(Value::as_str) == Some("Retain")
    });
    for (id, resource) in retained {
        let copies = copied.split(['(', ')', '|']).any(|name| name == id);
        if !copies || !recipe.contains(&format!(r#""LogicalResourceId": "{id}""#)) {
            found.push(format!(
                "docs/operations.md: {id} is retained: add it to import.yaml and import.json of \"Taking it up again\"."
            ));
        }
        if resource.get("Properties").is_some_and(refers) {
            found.push(format!(
                "template.yaml: {id} is retained and refers to a resource or a parameter: it is imported without them, so write the value itself."
            ));
        }
    }
    found
}

/// Whether anything but AWS's pseudo parameters is referred to.
fn refers(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().any(|(key, value)| match key.as_str() {
            "Ref" | "Fn::Sub" => {
                let text = value.to_string().replace("${AWS::", "");
                text.contains("${") || (key == "Ref" && !text.starts_with("\"AWS::"))
            }
            "Fn::GetAtt" => true,
            _ => refers(value),
        }),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use agentwarm_local::template::document;

    const RECIPE: &str = r#"
  awk '/^  (Kept):/' template.yaml
[{"LogicalResourceId": "Kept"}]"#;

    fn complaints(name: &str, recipe: &str) -> String {
        let template = format!(
            "
Resources:
  Kept:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties: {{TableName: {name}}}
  Gone:
    Type: AWS::SQS::Queue
"
        );
        super::complaints(&document(&template).expect("a template"), recipe).join("\n")
    }

    #[test]
    fn what_is_kept_is_imported_and_stands_alone() {
        let name = "!Sub '${AWS::StackName}-kept'";
        assert_eq!(complaints(name, RECIPE), "");
        assert_eq!(complaints("!Ref AWS::StackName", RECIPE), "");
        for recipe in [
            "",
            &RECIPE.replace("(Kept)", "(Other)"),
            &RECIPE.replace("\"Kept\"", "\"Other\""),
        ] {
            assert!(
                complaints(name, recipe).contains("Kept is retained: add it"),
                "{recipe}"
            );
        }
        for name in ["!Ref Gone", "!GetAtt Gone.QueueName", "!Sub '${Gone}-kept'"] {
            assert!(
                complaints(name, RECIPE).contains("Kept is retained and refers"),
                "{name}"
            );
        }
    }
}
