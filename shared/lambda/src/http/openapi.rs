//! The OpenAPI 3.1 document, made from the route tables (OpenAPI 3.1.1, JSON Schema 2020-12).
//!
//! Requests are described by the code that reads them ([`super::fields`]), answers by their types (schemars), errors by the one table of
//! statuses, so the document cannot say what the code does not do. The order is that of the paths, then of the methods: the same tables
//! give the same bytes, whatever order the functions are named in.

mod links;
pub(super) mod operation;
pub mod schema;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::error::ErrorBody;
use super::idempotency;
use super::route::RouteSpec;

/// What the document says about the API as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Info {
    /// Its name.
    pub title: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Where its owner serves it.
    pub server: &'static str,
}

/// Where a document is served from that came from `/api/openapi.json`, whatever the host and the stage before that path: server URLs may be
/// relative to the document (OpenAPI 3.1.1 §4.6.5).
const SAME_DEPLOYMENT: &str = "..";

/// Where components are.
const SCHEMAS: &str = "#/components/schemas/";

/// The document about `routes`.
pub fn document(info: &Info, routes: &[RouteSpec]) -> Value {
    let mut components = Components::new();
    let mut routes: Vec<_> = routes.iter().collect();
    routes.sort_by_key(|spec| (spec.path, method_order(spec)));
    let mut paths = BTreeMap::<_, Map<String, Value>>::new();
    for spec in &routes {
        paths.entry(spec.path).or_default().insert(
            spec.method.as_str().to_ascii_lowercase(),
            operation::describe(spec, &routes, &mut components),
        );
    }
    let mut tags: Vec<_> = routes.iter().map(|spec| spec.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    json!({
        "openapi": "3.1.1",
        "info": { "title": info.title, "version": info.version, "description": info.description },
        "servers": [
            { "url": SAME_DEPLOYMENT, "description": "The deployment that this document came from, its stage included." },
            { "url": info.server, "description": "The public deployment." },
        ],
        "security": [{ "apiKey": [] }],
        "tags": tags.iter().map(|tag| json!({ "name": tag })).collect::<Vec<_>>(),
        "paths": paths,
        "components": components.into_value(),
    })
}

/// Reading before writing before removing, as the reference lists them.
fn method_order(spec: &RouteSpec) -> usize {
    let order = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    order
        .iter()
        .position(|method| *method == spec.method.as_str())
        .unwrap_or(order.len())
}

/// The parts that operations share.
struct Components {
    generator: SchemaGenerator,
    requests: BTreeMap<String, Value>,
}

impl Components {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .for_serialize()
            .with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            });
        let mut generator = settings.into_generator();
        generator.subschema_for::<ErrorBody<'static>>();
        Self {
            generator,
            requests: BTreeMap::new(),
        }
    }

    /// The schema of an answer.
    fn answer(&mut self, schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
        schema(&mut self.generator).to_value()
    }

    /// The names of the fields of an answer that is an object.
    fn fields_of(&self, answer: &Value) -> Vec<String> {
        let name = answer.get("$ref").and_then(Value::as_str);
        let definition = name.and_then(|name| {
            self.generator
                .definitions()
                .get(name.strip_prefix(SCHEMAS)?)
        });
        let properties = definition.unwrap_or(answer).get("properties");
        let properties = properties.and_then(Value::as_object);
        properties
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect()
    }

    /// A reference to the schema of an operation's request.
    fn request(&mut self, operation: &str, schema: Value) -> Value {
        let mut name: String = operation
            .chars()
            .take(1)
            .flat_map(char::to_uppercase)
            .collect();
        name.extend(operation.chars().skip(1));
        name.push_str("Request");
        let reference = json!({ "$ref": format!("{SCHEMAS}{name}") });
        self.requests.insert(name, schema);
        reference
    }

    fn into_value(mut self) -> Value {
        let mut schemas: BTreeMap<String, Value> =
            self.generator.take_definitions(true).into_iter().collect();
        schemas.extend(self.requests);
        json!({
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "aw_ and 32 letters and digits",
                    "description": "An API key, 35 characters in all: `Authorization: Bearer aw_YOUR_API_KEY`.",
                },
            },
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": false,
                    "description": idempotency::PROMISE,
                    "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$" },
                },
            },
            "headers": {
                "RateLimitLimit": count("Requests a minute and key."),
                "RateLimitRemaining": count("Requests left in this minute."),
                "RateLimitReset": count("Seconds until the next minute begins."),
                "RetryAfter": count("Seconds after which trying again makes sense."),
            },
        })
    }
}

fn count(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "integer", "minimum": 0 } })
}

#[cfg(test)]
mod tests;
