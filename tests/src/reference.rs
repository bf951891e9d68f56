//! The examples of the API reference.
//!
//! `tests/fixtures/reference-examples` has them as they stand there, a file for each section. Where an example has something in the place
//! of a value (`uuid`, `...`), `instead` says by which value it is replaced, by its JSON pointer; where it is no JSON, `note` says what was
//! made of it. Operations that the reference does not have are `ours`, with why.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test that is surprised should stop"
)]

use std::collections::BTreeMap;
use std::path::Path;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

/// One example, or an operation without one, with what stands for something replaced.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its method.
    pub method: Method,
    /// Its path as the document writes it, as in `/api/accounts/{id}`.
    pub template: String,
    /// What is sent, if something is.
    pub request: Option<Value>,
    /// What is answered.
    pub status: Option<u16>,
    /// With which body.
    pub response: Option<Value>,
    /// Why the operation is there, if the reference does not have it.
    pub ours: Option<String>,
}

/// One as it is written down.
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

/// All of them.
pub fn examples() -> Vec<Example> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference-examples");
    let mut examples = Vec::new();
    for file in std::fs::read_dir(directory).expect("the examples' folder") {
        let path = file.expect("a file of it").path();
        let text = std::fs::read_to_string(path).expect("its text");
        let entries: Vec<Entry> = serde_json::from_str(&text).expect("a list of examples");
        examples.extend(entries.into_iter().map(Example::from));
    }
    examples
}

impl From<Entry> for Example {
    fn from(entry: Entry) -> Self {
        let mut example = json!({ "request": entry.request, "response": entry.response });
        for (pointer, value) in entry.instead {
            put(&mut example, &pointer, value);
        }
        let mut taken = |name: &str| Some(example[name].take()).filter(|value| !value.is_null());
        let (request, response) = (taken("request"), taken("response"));
        let (method, path) = entry.operation.split_once(' ').expect("method and path");
        let path: Vec<_> = path
            .split('/')
            .map(|part| match part.strip_prefix(':') {
                Some(name) => format!("{{{name}}}"),
                None => part.to_owned(),
            })
            .collect();
        Self {
            method: method.parse().expect("a method"),
            template: path.join("/"),
            request,
            status: entry.status,
            response,
            ours: entry.ours,
        }
    }
}

/// Puts `value` where `pointer` says; its last step may be new.
fn put(example: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match example.pointer_mut(parent).expect("what it points at") {
        Value::Array(items) => items[name.parse::<usize>().expect("a number")] = value,
        object => object[name] = value,
    }
}
