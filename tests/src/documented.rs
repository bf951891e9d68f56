//! What `docs/openapi.json` says about an answer, so that no test of an operation can pass against the document.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test that is surprised should stop"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Method, StatusCode};
use jsonschema::Validator;
use serde_json::Value;

use crate::operations::{self, Operation};

/// Made once: some tests ask hundreds of times.
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// Complains about an answer that the document does not have: a path, method or status that is not there, a body that is not of its
/// schema. Paths that are nobody's need not be there.
pub fn check(method: &Method, path: &str, status: StatusCode, body: &[u8]) {
    if let Some(template) = operations::template_of(path) {
        check_answer(method, template, status, body);
    }
}

/// The same of an answer of the operation `method` at `template`, if there is one.
pub fn check_answer(method: &Method, template: &str, status: StatusCode, body: &[u8]) {
    let document = operations::document();
    let method = method.as_str().to_lowercase();
    let operation = &document["paths"][template][&method];
    if operation.is_null() {
        return;
    }
    let status = status.as_u16();
    let answer = &operation["responses"][status.to_string()];
    assert!(
        answer.is_object(),
        "{method} {template}: {status} is not documented"
    );
    if answer["content"]["application/json"].is_null() {
        return;
    }
    let place = format!("{}/schema", place_of(template, &method, status));
    let body = serde_json::from_slice(body).expect("an answer's JSON");
    let problems = complaints(&validator_of(&place), &body);
    assert!(
        problems.is_empty(),
        "{method} {template} {status}: {problems:#?}\n{body:#}"
    );
}

/// What every answer carries, and every refusal says (decisions 4, 5, 7; API reference §21).
pub fn carries_what_all_do(status: StatusCode, headers: &HeaderMap, body: &[u8]) {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    assert_eq!(header("access-control-allow-origin"), Some("*"));
    assert!(header("x-request-id").is_some());
    assert!(header("cache-control").is_some());
    if status.is_client_error() {
        let told: Value = serde_json::from_slice(body).expect("a refusal's JSON");
        for key in ["error", "code", "action"] {
            assert!(told[key].is_string(), "{key}: {told}");
        }
        assert_eq!(told["statusCode"], status.as_u16(), "{told}");
        // What is answered again names the request that was carried out.
        if !headers.contains_key("idempotent-replayed") {
            assert_eq!(told["requestId"].as_str(), header("x-request-id"), "{told}");
        }
        let of_key = matches!(status.as_u16(), 401 | 403);
        let is_counted = header("ratelimit-limit").is_some();
        assert_eq!(is_counted, !of_key, "{told}");
    }
}

/// The document's example of an answer's JSON.
pub fn example(operation: &Operation, status: u16) -> Option<&'static Value> {
    let method = operation.method.as_str().to_lowercase();
    let place = place_of(&operation.template, &method, status) + "/example";
    operations::document().pointer(&place)
}

/// The pointers of what `answer` lacks of what the document's example of it has: members, items of lists, values that are not null. Of a
/// list the first item is looked at.
pub fn lacks(operation: &Operation, status: u16, answer: &Value) -> Vec<String> {
    let mut lacks = Vec::new();
    if let Some(example) = example(operation, status) {
        compare(example, answer, "", &mut lacks);
    }
    lacks
}

fn compare(example: &Value, answer: &Value, at: &str, lacks: &mut Vec<String>) {
    match (example, answer) {
        (Value::Null, _) => {}
        (Value::Object(example), Value::Object(answer)) => {
            for (name, shown) in example {
                let given = answer.get(name).unwrap_or(&Value::Null);
                compare(shown, given, &format!("{at}/{name}"), lacks);
            }
        }
        (Value::Array(example), Value::Array(answer)) => {
            if let Some(shown) = example.first() {
                let given = answer.first().unwrap_or(&Value::Null);
                compare(shown, given, &format!("{at}/0"), lacks);
            }
        }
        (_, Value::Null) => lacks.push(at.to_owned()),
        _ => {}
    }
}

/// What is wrong with `value` as the schema at `place` in the document.
pub fn problems(document: &Value, place: &str, value: &Value) -> Vec<String> {
    complaints(&validator(document, place), value)
}

fn validator_of(place: &str) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().expect("no test of this process panicked");
    let of_place = known.entry(place.to_owned());
    Arc::clone(of_place.or_insert_with(|| Arc::new(validator(operations::document(), place))))
}

fn validator(document: &Value, place: &str) -> Validator {
    let mut schema = document.pointer(place).expect("a schema").clone();
    schema["components"] = document["components"].clone();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).expect("a schema that can be used")
}

fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Where the document has the JSON of an answer, as a JSON pointer.
pub fn place_of(template: &str, method: &str, status: u16) -> String {
    let template = template.replace('/', "~1");
    format!("/paths/{template}/{method}/responses/{status}/content/application~1json")
}

/// Where the document has the JSON of a request.
pub fn body_of(template: &str, method: &str) -> String {
    let template = template.replace('/', "~1");
    format!("/paths/{template}/{method}/requestBody/content/application~1json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_example_has_and_an_answer_lacks_is_named() {
        let example = json!({ "a": [{ "b": 1, "c": null }], "d": [], "e": "f" });
        let mut lacking = Vec::new();
        for answer in [
            json!({ "a": [{ "b": 2 }], "d": [], "e": "g", "more": 1 }),
            json!({ "a": [{ "b": null, "c": 1 }], "d": [1], "e": "g" }),
            json!({ "a": [] }),
        ] {
            let mut lacks = Vec::new();
            compare(&example, &answer, "", &mut lacks);
            lacking.push(lacks);
        }
        assert_eq!(lacking[0], Vec::<String>::new());
        assert_eq!(lacking[1], ["/a/0/b"]);
        assert_eq!(lacking[2], ["/a/0", "/d", "/e"]);
    }
}
