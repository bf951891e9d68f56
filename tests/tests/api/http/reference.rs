//! The examples of the API reference are of the document's schemas.

use std::collections::BTreeSet;

use agentwarm_tests::documented::{body_of, place_of, problems};
use agentwarm_tests::operations::{self, document};
use agentwarm_tests::reference::examples;
use serde_json::Value;

#[test]
fn every_example_of_the_reference_is_of_its_schema() {
    let document = document();
    let mut wrong = Vec::new();
    for example in examples() {
        let (method, path) = (example.method.as_str().to_lowercase(), &example.template);
        let mut check = |place: &str, shown: &Value| {
            if document.pointer(place).is_none() {
                wrong.push(format!("{place} is not documented"));
                return;
            }
            let problems = problems(document, &format!("{place}/schema"), shown);
            wrong.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("{place}: {problem}")),
            );
        };
        if let Some(request) = &example.request {
            check(&body_of(path, &method), request);
        }
        match (example.status, &example.response) {
            (Some(status), Some(response)) => check(&place_of(path, &method, status), response),
            (Some(status), None) => {
                let answer = &document["paths"][path][&method]["responses"][status.to_string()];
                if answer.is_null() {
                    wrong.push(format!("{method} {path}: no {status} is documented"));
                }
            }
            (None, _) => assert!(example.ours.is_some() || example.request.is_some()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_operation_is_of_the_reference_or_said_to_be_ours() {
    let known: BTreeSet<_> = examples()
        .iter()
        .map(|example| format!("{} {}", example.method, example.template))
        .collect();
    let documented: BTreeSet<_> = operations::all()
        .iter()
        .map(operations::Operation::line)
        .collect();
    let differ: Vec<_> = known.symmetric_difference(&documented).collect();
    assert!(
        differ.is_empty(),
        "these stand either in fixtures/reference-examples or in the document, not in both: {differ:#?}"
    );
}
