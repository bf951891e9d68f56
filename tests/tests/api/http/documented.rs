//! What `docs/openapi.json` says about an answer, so that no test of an operation can pass against the document.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use agentwarm_lambda::http::Response;
use agentwarm_tests::operations;
use http::Method;
use jsonschema::Validator;
use serde_json::Value;

/// Made once: some tests ask hundreds of times.
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// The document.
pub(crate) fn document() -> Value {
    operations::document().clone()
}

/// Complains about an answer that the document does not have: a path, method or status that is not there, a body that is not of its
/// schema. Paths that are nobody's need not be there.
pub(crate) fn check(method: &Method, path: &str, response: &Response) {
    let document = operations::document();
    let Some(template) = operations::template_of(path) else {
        return;
    };
    let method = method.as_str().to_lowercase();
    let operation = &document["paths"][template][&method];
    if operation.is_null() {
        return;
    }
    let status = response.status().as_u16();
    let answer = &operation["responses"][status.to_string()];
    assert!(
        answer.is_object(),
        "{method} {template}: {status} is not documented"
    );
    if answer["content"]["application/json"].is_null() {
        return;
    }
    let place = format!("{}/schema", place_of(template, &method, status));
    let body = serde_json::from_slice(response.body()).unwrap();
    let problems = complaints(&validator_of(&place), &body);
    assert!(
        problems.is_empty(),
        "{method} {template} {status}: {problems:#?}\n{body:#}"
    );
}

/// What is wrong with `value` as the schema at `place` in the document.
pub(crate) fn problems(document: &Value, place: &str, value: &Value) -> Vec<String> {
    complaints(&validator(document, place), value)
}

fn validator_of(place: &str) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap();
    let of_place = known.entry(place.to_owned());
    Arc::clone(of_place.or_insert_with(|| Arc::new(validator(operations::document(), place))))
}

fn validator(document: &Value, place: &str) -> Validator {
    let mut schema = document.pointer(place).unwrap().clone();
    schema["components"] = document["components"].clone();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Where the document has the JSON of an answer, as a JSON pointer.
pub(crate) fn place_of(template: &str, method: &str, status: u16) -> String {
    let template = template.replace('/', "~1");
    format!("/paths/{template}/{method}/responses/{status}/content/application~1json")
}

/// Where the document has the JSON of a request.
pub(crate) fn body_of(template: &str, method: &str) -> String {
    let template = template.replace('/', "~1");
    format!("/paths/{template}/{method}/requestBody/content/application~1json")
}
