//! One operation of the document.

use std::collections::BTreeMap;

use agentwarm_core::error::ErrorCode;
use serde_json::{Map, Value, json};

use super::links::{links, makes};
use super::{Components, SCHEMAS};
use crate::http::error::status_of;
use crate::http::fields::with_keyword;
use crate::http::route::{Access, AnswerSpec, Content, RouteSpec};

pub(super) fn describe(
    spec: &RouteSpec,
    routes: &[&RouteSpec],
    components: &mut Components,
) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), spec.operation.into());
    operation.insert("summary".to_owned(), spec.summary.into());
    if let Some(description) = spec.description {
        operation.insert("description".to_owned(), description.into());
    }
    operation.insert("tags".to_owned(), json!([spec.tag]));
    if spec.access == Access::Public {
        operation.insert("security".to_owned(), json!([]));
    }
    let parameters = parameters(spec);
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(schema) = spec.body {
        let schema = components.request(spec.operation, schema().into_value());
        let content = content(&schema, spec.body_example);
        operation.insert(
            "requestBody".to_owned(),
            json!({ "required": true, "content": { "application/json": content } }),
        );
    }
    operation.insert(
        "responses".to_owned(),
        json!(responses(spec, routes, components)),
    );
    operation.into()
}

fn parameters(spec: &RouteSpec) -> Vec<Value> {
    let mut parameters = path_parameters(spec);
    if let Some(query) = spec.query {
        let query = query();
        for (name, mut schema) in query.properties {
            let description = schema
                .as_object_mut()
                .and_then(|schema| schema.remove("description"));
            let parameter = json!({
                "name": name, "in": "query", "required": query.required.contains(&name), "schema": schema,
            });
            parameters.push(match description {
                Some(description) => with_keyword(parameter, "description", description),
                None => parameter,
            });
        }
    }
    if spec.is_idempotent() {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    parameters
}

/// The `{names}` of a path. By the reference's convention what ends in `id` is a UUID, unless the route says what it is.
fn path_parameters(spec: &RouteSpec) -> Vec<Value> {
    let known = spec.path_fields.map(|fields| fields().properties);
    let known = known.unwrap_or_default();
    spec.path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = if let Some(schema) = known.get(name) {
                schema.clone()
            } else if name.to_ascii_lowercase().ends_with("id") {
                json!({ "type": "string", "format": "uuid" })
            } else {
                json!({ "type": "string", "minLength": 1 })
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect()
}

fn responses(
    spec: &RouteSpec,
    routes: &[&RouteSpec],
    components: &mut Components,
) -> BTreeMap<String, Value> {
    let mut responses: BTreeMap<_, _> = spec
        .answers
        .iter()
        .map(|answer| {
            let described = success(spec, answer, routes, components);
            (answer.status.as_str().to_owned(), described)
        })
        .collect();
    let mut by_status = BTreeMap::<u16, Vec<ErrorCode>>::new();
    for code in errors(spec) {
        by_status
            .entry(status_of(code).as_u16())
            .or_default()
            .push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), failure(&codes));
    }
    responses
}

fn success(
    spec: &RouteSpec,
    answer: &AnswerSpec,
    routes: &[&RouteSpec],
    components: &mut Components,
) -> Value {
    let mut response = json!({ "description": answer.description });
    if spec.access == Access::Key {
        let headers = json!({
            "RateLimit-Limit": { "$ref": "#/components/headers/RateLimitLimit" },
            "RateLimit-Remaining": { "$ref": "#/components/headers/RateLimitRemaining" },
            "RateLimit-Reset": { "$ref": "#/components/headers/RateLimitReset" },
        });
        response = with_keyword(response, "headers", headers);
    }
    let (media_type, schema) = match answer.content {
        Content::Nothing => return response,
        Content::Json(schema) => ("application/json", components.answer(schema)),
        Content::Text(media_type) => (media_type, json!({ "type": "string" })),
    };
    let content = json!({ media_type: content(&schema, answer.example) });
    response = with_keyword(response, "content", content);
    if makes(spec, answer.status) {
        let links = links(spec, &components.fields_of(&schema), routes);
        if !links.is_empty() {
            response = with_keyword(response, "links", json!(links));
        }
    }
    response
}

fn content(schema: &Value, example: Option<fn() -> Value>) -> Value {
    let content = json!({ "schema": schema });
    match example {
        Some(example) => with_keyword(content, "example", example()),
        None => content,
    }
}

fn failure(codes: &[ErrorCode]) -> Value {
    let described: Vec<_> = codes
        .iter()
        .map(|code| format!("`{code}`: try `{}`.", code.action()))
        .collect();
    let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let response = json!({
        "description": described.join(" "),
        "content": { "application/json": { "schema": {
            "allOf": [{ "$ref": format!("{SCHEMAS}Error") }],
            "properties": { "code": { "enum": names } },
        } } },
    });
    let retryable = [
        ErrorCode::RateLimitExceeded,
        ErrorCode::IdempotencyInProgress,
    ];
    if codes.iter().any(|code| retryable.contains(code)) {
        let headers = json!({ "Retry-After": { "$ref": "#/components/headers/RetryAfter" } });
        with_keyword(response, "headers", headers)
    } else {
        response
    }
}

/// What every operation that needs a key can answer before its handler runs.
pub(in crate::http) const OF_KEYS: [ErrorCode; 5] = [
    ErrorCode::AuthMissingHeader,
    ErrorCode::AuthInvalidFormat,
    ErrorCode::AuthInvalidKey,
    ErrorCode::RateLimitExceeded,
    ErrorCode::ProviderUnavailable,
];

/// What every operation can answer besides that may have a body.
pub(in crate::http) const OF_BODIES: [ErrorCode; 2] =
    [ErrorCode::PayloadTooLarge, ErrorCode::ValidationFailed];

/// What every operation can answer besides that takes an `Idempotency-Key`.
pub(in crate::http) const OF_IDEMPOTENCY: [ErrorCode; 2] = [
    ErrorCode::IdempotencyInProgress,
    ErrorCode::IdempotencyKeyReuse,
];

/// All codes that an operation can answer with: the pipeline's, in the order of its steps, then its own.
fn errors(spec: &RouteSpec) -> Vec<ErrorCode> {
    let mut codes = Vec::new();
    if spec.access == Access::Key {
        codes.extend(OF_KEYS);
    }
    if spec.path.contains('{') {
        // A parameter that holds a slash is another path.
        codes.push(ErrorCode::NotFound);
    }
    if spec.may_have_body() {
        codes.extend(OF_BODIES);
    }
    if spec.query.is_some() {
        codes.push(ErrorCode::ValidationFailed);
    }
    if spec.is_idempotent() {
        codes.extend(OF_IDEMPOTENCY);
    }
    codes.extend(spec.errors.iter().copied());
    codes.push(ErrorCode::InternalError);
    let mut seen = std::collections::BTreeSet::new();
    codes.retain(|code| seen.insert(*code));
    codes
}
