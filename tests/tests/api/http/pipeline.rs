//! What is the same for all routes, seen from outside.

use http::Method;
use serde_json::json;

use super::client::{Api, json as body};

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
