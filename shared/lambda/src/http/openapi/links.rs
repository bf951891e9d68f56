//! What can be done with something new (OpenAPI 3.1.1 §4.8.20, Link Object): its id leads to every operation that takes it.
//!
//! Which those are follows from the route tables. What `POST /api/pools` makes is what stands behind `/api/pools/{poolId}`, whatever the
//! parameter's name; elsewhere it is meant by the name that says so, `{poolId}`. A parameter that is called like a field of the answer is that
//! field, as in `/api/suppression/{email}`. What a route itself says of a parameter is no id of ours.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::http::route::RouteSpec;

/// The links of an operation that makes something with these fields, by the names of the operations that they lead to.
pub(super) fn links(
    maker: &RouteSpec,
    fields: &[String],
    routes: &[&RouteSpec],
) -> BTreeMap<String, Value> {
    let mut links = BTreeMap::new();
    for target in routes
        .iter()
        .filter(|spec| spec.operation != maker.operation)
    {
        let parameters = parameters(maker, fields, target);
        let leads = parameters.values().any(|value| value.starts_with(RESPONSE));
        if leads {
            let link = json!({ "operationId": target.operation, "parameters": parameters });
            links.insert(target.operation.to_owned(), link);
        }
    }
    links
}

/// Whether an answer of this operation is of something that it made.
pub(super) fn makes(spec: &RouteSpec, status: StatusCode) -> bool {
    spec.method == Method::POST && status == StatusCode::CREATED
}

const RESPONSE: &str = "$response.body#/";

/// Which of the target's parameters are known, as runtime expressions (OpenAPI 3.1.1 §4.8.20.4).
fn parameters(
    maker: &RouteSpec,
    fields: &[String],
    target: &RouteSpec,
) -> BTreeMap<String, String> {
    let described = target.path_fields.map(|fields| fields().properties);
    let described = described.unwrap_or_default();
    let has = |name: &str| fields.iter().any(|field| field == name);
    let mut known = BTreeMap::new();
    let mut before = String::new();
    for segment in target.path.split('/').skip(1) {
        if let Some(name) = parameter(segment) {
            let same_place = maker.path.starts_with(&format!("{before}/{segment}/"));
            let made_here = before == maker.path || is_named(name, maker.path);
            let value = if same_place {
                Some(format!("$request.path.{name}"))
            } else if described.contains_key(name) {
                None
            } else if before == maker.path && has(name) {
                Some(format!("{RESPONSE}{name}"))
            } else if made_here && has("id") {
                Some(format!("{RESPONSE}id"))
            } else {
                None
            };
            known.extend(value.map(|value| (name.to_owned(), value)));
        }
        before.push('/');
        before.push_str(segment);
    }
    known
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Whether a parameter is called after what a collection holds: `poolId` after `/api/pools`.
fn is_named(parameter: &str, collection: &str) -> bool {
    let plural = collection.rsplit('/').next().unwrap_or_default();
    let thing = plural.strip_suffix('s');
    thing.is_some_and(|thing| parameter.strip_suffix("Id") == Some(thing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::rules::crm_id;
    use crate::http::{Fields, FromFields, Invalid, Response, Route, Routes};

    struct Foreign;

    impl FromFields for Foreign {
        fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
            fields.required("poolId", crm_id()).map(|_| Self)
        }
    }

    fn route(method: Method, path: &'static str) -> Route<()> {
        let answer = |_, _, _| async { Response::no_content() };
        Route::new(method, path, answer).named(path, "")
    }

    /// What the answer of the first leads to, and with which parameters.
    fn leads(maker: &'static str, fields: &[&str], others: &[&'static str]) -> Vec<String> {
        let routes = Routes::new("").with(route(Method::POST, maker));
        let others = others.iter().map(|path| route(Method::GET, path));
        let mut specs = others.fold(routes, Routes::with).specs();
        for spec in &mut specs {
            spec.path_fields = spec
                .path
                .starts_with("/api/crm/")
                .then_some(crate::http::fields::schema_of::<Foreign>);
        }
        let all: Vec<&RouteSpec> = specs.iter().collect();
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let links = links(all[0], &fields, &all);
        links
            .values()
            .map(|link| {
                format!(
                    "{} {}",
                    link["operationId"].as_str().unwrap(),
                    link["parameters"]
                )
            })
            .collect()
    }

    #[test]
    fn an_id_is_good_for_what_stands_behind_its_collection_or_bears_its_name() {
        let others = [
            "/api/pools",
            "/api/pools/{id}",
            "/api/pools/{id}/members/{memberId}",
            "/api/start/{poolId}",
            "/api/crm/{poolId}",
            "/api/accounts/{id}",
            "/api/pools/by-name/{id}",
        ];
        assert_eq!(
            leads("/api/pools", &["id", "name"], &others),
            [
                r#"/api/pools/{id} {"id":"$response.body#/id"}"#,
                r#"/api/pools/{id}/members/{memberId} {"id":"$response.body#/id"}"#,
                r#"/api/start/{poolId} {"poolId":"$response.body#/id"}"#,
            ]
        );
        assert!(leads("/api/pools", &["name"], &others).is_empty());
    }

    #[test]
    fn what_is_made_within_something_is_found_there() {
        assert_eq!(
            leads(
                "/api/pools/{poolId}/members",
                &["id"],
                &["/api/pools/{poolId}", "/api/pools/{poolId}/members/{any}"]
            ),
            [
                r#"/api/pools/{poolId}/members/{any} {"any":"$response.body#/id","poolId":"$request.path.poolId"}"#
            ]
        );
    }

    #[test]
    fn a_parameter_may_be_a_field_of_the_answer() {
        assert_eq!(
            leads(
                "/api/blocked",
                &["id", "email"],
                &["/api/blocked/{email}", "/api/x/{email}"]
            ),
            [r#"/api/blocked/{email} {"email":"$response.body#/email"}"#]
        );
    }
}
