//! What is the same for all routes, seen from outside.

use agentwarm_tests::operations;
use http::Method;
use serde_json::{Value, json};

use super::client::{Api, json as body, paths};

/// What anybody may ask (API reference §1, decision 3).
const PUBLIC: [&str; 8] = [
    "/api/agent/capabilities",
    "/api/docs",
    "/api/health",
    "/api/healthz",
    "/api/openapi.json",
    "/llms-full.txt",
    "/llms.txt",
    "/metrics",
];

#[tokio::test]
async fn what_is_public_is_listed_and_all_else_needs_a_key() {
    let api = Api::new().await;
    for operation in operations::all() {
        let (method, path) = (operation.method, operation.template);
        let answer = api.send(method.clone(), &path, None, "").await;
        let refused = answer.status() == 401;
        let is_public = method == Method::GET && PUBLIC.contains(&path.as_str());
        assert_eq!(refused, !is_public, "{method} {path}");
        assert_eq!(
            operation.spec["security"] == json!([]),
            is_public,
            "{method} {path}"
        );
    }
}

/// Else one of them would be refused without a word of what is wrong with the other (decision 6).
#[test]
fn no_operation_has_both_a_query_and_a_body() {
    for operation in operations::all() {
        let (method, path) = (&operation.method, &operation.template);
        let parameters = operation.spec["parameters"].as_array();
        let in_query = |parameter: &Value| parameter["in"] == "query";
        let has_query = parameters.is_some_and(|all| all.iter().any(in_query));
        let has_body = operation.spec["requestBody"].is_object();
        assert!(!(has_query && has_body), "{method} {path}");
    }
}

#[tokio::test]
async fn a_path_and_a_query_are_refused_together() {
    let api = Api::new().await;
    let path = "/api/analytics/crm/person/no*id?crmSource=no*source";
    let refused = api
        .refused(Method::GET, path, Value::Null, "VALIDATION_FAILED")
        .await;
    assert_eq!(paths(&refused), ["personId", "crmSource"]);
}

/// A cursor of a list that is narrowed by what accounts are linked to means nothing in the list of all.
#[tokio::test]
async fn a_cursor_goes_on_in_its_own_list_alone() {
    let api = Api::new().await;
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        super::accounts::create(&api, email).await;
    }
    let first = api
        .get("/api/accounts?limit=1&domain=example.com", 200)
        .await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let next = format!("/api/accounts?domain=example.com&limit=2&cursor={cursor}");
    let next = api.get(&next, 200).await;
    assert_eq!(next["accounts"].as_array().unwrap().len(), 2);
    for elsewhere in [
        "/api/accounts?",
        "/api/accounts?domain=example.org&",
        "/api/accounts?domain=example.com&status=active&",
        "/api/accounts?crmPersonId=p-1&",
        "/api/audit-log?",
    ] {
        let path = format!("{elsewhere}cursor={cursor}");
        let refused = api
            .refused(Method::GET, &path, Value::Null, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), ["cursor"], "{elsewhere}");
    }
}

#[tokio::test]
async fn nobody_learns_without_a_key_which_paths_exist() {
    let api = Api::new().await;
    for path in ["/api/accounts", "/api/nothing/here", "/", "/wp-login.php"] {
        let code = async |key| body(&api.send(Method::GET, path, key, "").await)["code"].clone();
        assert_eq!(code(None).await, "AUTH_MISSING_HEADER", "{path}");
        assert_eq!(code(Some("sk_123")).await, "AUTH_INVALID_FORMAT");
        assert_eq!(
            code(Some("aw_0123456789abcdefghijklmnopqrstuv")).await,
            "AUTH_INVALID_KEY"
        );
    }
    let missing = api
        .send(Method::GET, "/api/nothing/here", Some(&api.key), "")
        .await;
    assert_eq!(body(&missing)["code"], "NOT_FOUND");
    let wrong = api
        .send(Method::PATCH, "/api/accounts", Some(&api.key), "")
        .await;
    assert_eq!(body(&wrong)["code"], "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn bodies_that_are_no_json_are_400_and_large_ones_413() {
    let api = Api::new().await;
    let deep = "[".repeat(100_000);
    for text in ["{", "name=x", deep.as_str(), "\u{0}"] {
        let response = api
            .send(Method::POST, "/api/keys", Some(&api.key), text)
            .await;
        assert_eq!(body(&response)["code"], "VALIDATION_FAILED");
    }
    let large = vec![b' '; 2 * 1024 * 1024];
    let response = api
        .send(Method::POST, "/api/keys", Some(&api.key), large)
        .await;
    assert_eq!(
        (response.status().as_u16(), &body(&response)["code"]),
        (413, &json!("PAYLOAD_TOO_LARGE"))
    );
}

#[tokio::test]
async fn an_outage_of_the_store_is_503_and_says_nothing_of_it() {
    let api = Api::new().await;
    let fault = agentwarm_testkit::memory::Fault::Unavailable;
    api.world.store.fail_next("accounts.list", fault);
    let response = api
        .send(Method::GET, "/api/accounts", Some(&api.key), "")
        .await;
    let answer = body(&response);
    assert_eq!(
        (response.status().as_u16(), &answer["action"]),
        (503, &json!("retry_later"))
    );
    assert!(!answer.to_string().contains("accounts.list"));
}
