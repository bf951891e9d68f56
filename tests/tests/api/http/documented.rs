//! What `docs/openapi.json` says about an answer, so that no test of an operation can pass against the document.

use agentwarm_lambda::http::Response;
use http::Method;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// The document.
pub(crate) fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Complains about an answer that the document does not have: a path, method or status that is not there, a body that is not of its
/// schema. Paths that are nobody's need not be there.
pub(crate) fn check(method: &Method, path: &str, response: &Response) {
    let document = document();
    let Some(template) = template_of(&document, path) else {
        return;
    };
    let method = method.as_str().to_lowercase();
    let operation = &document["paths"][&template][&method];
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
    let place = format!("{}/schema", place_of(&template, &method, status));
    let body = serde_json::from_slice(response.body()).unwrap();
    let problems = problems(&document, &place, &body);
    assert!(
        problems.is_empty(),
        "{method} {template} {status}: {problems:#?}\n{body:#}"
    );
}

/// What is wrong with `value` as the schema at `place` in the document.
pub(crate) fn problems(document: &Value, place: &str, value: &Value) -> Vec<String> {
    let mut schema = document.pointer(place).unwrap().clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
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

/// The documented path that `path` is meant by; a name beats a parameter.
fn template_of(document: &Value, path: &str) -> Option<String> {
    let mut fitting: Vec<_> = document["paths"]
        .as_object()?
        .keys()
        .filter(|template| fits(template, path))
        .collect();
    fitting.sort_by_key(|template| template.matches('{').count());
    fitting.first().map(ToString::to_string)
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(want, have)| want.starts_with('{') || want == have)
}
