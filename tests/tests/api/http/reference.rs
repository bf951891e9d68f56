//! The examples of the API reference are of the document's schemas.
//!
//! `tests/fixtures/reference-examples` has them as they stand there, a file for each section. Where an example has something in the place
//! of a value (`uuid`, `...`), `instead` says by which value it is replaced, by its JSON pointer; where it is no JSON, `note` says what was
//! made of it. Operations that the reference does not have are `ours`, with why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::documented::{body_of, document, place_of, problems};

/// One example, or an operation without one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Method and path, as the reference writes them.
    operation: String,
    request: Option<Value>,
    status: Option<u16>,
    response: Option<Value>,
    #[serde(default)]
    instead: BTreeMap<String, Value>,
    ours: Option<String>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

impl Entry {
    /// Method and path in the document, and the example with what stands for something replaced.
    fn read(mut self) -> (String, String, Self) {
        let mut example = json!({ "request": self.request, "response": self.response });
        for (pointer, value) in std::mem::take(&mut self.instead) {
            put(&mut example, &pointer, value);
        }
        let mut taken = |name: &str| Some(example[name].take()).filter(|value| !value.is_null());
        (self.request, self.response) = (taken("request"), taken("response"));
        let (method, path) = self.operation.split_once(' ').unwrap();
        let path: Vec<_> = path
            .split('/')
            .map(|part| match part.strip_prefix(':') {
                Some(name) => format!("{{{name}}}"),
                None => part.to_owned(),
            })
            .collect();
        (method.to_lowercase(), path.join("/"), self)
    }
}

/// Puts `value` where `pointer` says; its last step may be new.
fn put(example: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = example.pointer_mut(parent);
    match parent.unwrap_or_else(|| panic!("there is nothing at {pointer}")) {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        object => object[name] = value,
    }
}

fn entries() -> Vec<Entry> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference-examples");
    let mut entries = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        entries.extend(serde_json::from_str::<Vec<Entry>>(&text).unwrap());
    }
    entries
}

#[test]
fn every_example_of_the_reference_is_of_its_schema() {
    let document = document();
    let mut wrong = Vec::new();
    for (method, path, entry) in entries().into_iter().map(Entry::read) {
        let mut check = |place: &str, example: &Value| {
            if document.pointer(place).is_none() {
                wrong.push(format!("{}: {place} is not documented", entry.operation));
                return;
            }
            let problems = problems(&document, &format!("{place}/schema"), example);
            wrong.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("{place}: {problem}")),
            );
        };
        if let Some(request) = &entry.request {
            check(&body_of(&path, &method), request);
        }
        match (entry.status, &entry.response) {
            (Some(status), Some(response)) => check(&place_of(&path, &method, status), response),
            (Some(status), None) => {
                let answer = &document["paths"][&path][&method]["responses"][status.to_string()];
                if answer.is_null() {
                    wrong.push(format!("{}: no {status} is documented", entry.operation));
                }
            }
            (None, _) => assert!(entry.ours.is_some() || entry.request.is_some()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_operation_is_of_the_reference_or_said_to_be_ours() {
    let known: BTreeSet<_> = entries()
        .into_iter()
        .map(|entry| {
            let (method, path, _) = entry.read();
            format!("{method} {path}")
        })
        .collect();
    let document = document();
    let documented: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(move |method| format!("{method} {path}"))
        })
        .collect();
    let differ: Vec<_> = known.symmetric_difference(&documented).collect();
    assert!(
        differ.is_empty(),
        "these stand either in fixtures/reference-examples or in the document, not in both: {differ:#?}"
    );
}
