use http::Method;
use serde_json::{Value, json};

use super::client::{Api, json as body, paths};

#[tokio::test]
async fn a_key_is_shown_whole_once() {
    let api = Api::new().await;
    let created = api
        .post("/api/keys", json!({ "name": "My Agent Key" }), 201)
        .await;
    assert!(created["key"].as_str().unwrap().starts_with("aw_"));
    insta::assert_json_snapshot!(created, { ".id" => "uuid", ".key" => "aw_…", ".keyPrefix" => "aw_…..." }, @r#"
    {
      "id": "uuid",
      "name": "My Agent Key",
      "key": "aw_…",
      "keyPrefix": "aw_…...",
      "createdAt": "2026-03-13T09:00:00Z"
    }
    "#);
    let listed = api.get("/api/keys", 200).await;
    insta::assert_json_snapshot!(listed["keys"][0], { ".id" => "uuid", ".keyPrefix" => "aw_…..." }, @r#"
    {
      "id": "uuid",
      "name": "My Agent Key",
      "keyPrefix": "aw_…...",
      "lastUsedAt": null,
      "createdAt": "2026-03-13T09:00:00Z"
    }
    "#);
    let secret = created["key"].as_str().unwrap();
    assert!(!listed.to_string().contains(secret));
    assert_eq!(created["keyPrefix"], format!("{}...", &secret[..8]));
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_from_the_next_request_on() {
    let api = Api::new().await;
    let created = api.post("/api/keys", json!({ "name": "x" }), 201).await;
    let key = created["key"].as_str().unwrap();
    let with_key = async || body(&api.send(Method::GET, "/api/keys", Some(key), "").await);
    assert!(with_key().await["keys"].is_array());

    let path = format!("/api/keys/{}", created["id"].as_str().unwrap());
    assert_eq!(api.delete(&path, 200).await, json!({ "deleted": true }));
    assert_eq!(with_key().await["code"], "AUTH_INVALID_KEY");
    api.refused(Method::DELETE, &path, Value::Null, "API_KEY_NOT_FOUND")
        .await;
}

#[tokio::test]
async fn names_are_checked_and_ids_need_not_be_ids() {
    let api = Api::new().await;
    for name in [
        json!(""),
        json!("a\nb"),
        json!(5),
        json!("x".repeat(101)),
        Value::Null,
    ] {
        let refused = json!({ "name": name });
        let refused = api
            .refused(Method::POST, "/api/keys", refused, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), ["name"]);
    }
    api.refused(
        Method::DELETE,
        "/api/keys/nonsense",
        Value::Null,
        "API_KEY_NOT_FOUND",
    )
    .await;
}

#[tokio::test]
async fn a_key_is_rotated_on_any_plan_and_the_old_one_opens_nothing() {
    let api = Api::on_plan(agentwarm_core::plan::Plan::Free).await;
    let listed = api.get("/api/keys", 200).await;
    let old = listed["keys"][0].clone();
    let path = format!("/api/keys/{}/rotate", old["id"].as_str().unwrap());
    let new = api.post(&path, Value::Null, 201).await;
    assert_eq!(new["name"], old["name"]);
    assert_ne!(new["id"], old["id"]);

    let refused = api.send(Method::GET, "/api/me", Some(&api.key), "").await;
    assert_eq!(body(&refused)["code"], "AUTH_INVALID_KEY");
    let key = new["key"].as_str();
    let me = body(&api.send(Method::GET, "/api/me", key, "").await);
    assert_eq!(me["usage"]["apiKeys"], 1);
    let again = api.send(Method::POST, &path, key, "").await;
    assert_eq!(body(&again)["code"], "API_KEY_NOT_FOUND");
}

#[tokio::test]
async fn a_key_of_another_user_is_not_there() {
    let api = Api::new().await;
    let id = api.get("/api/keys", 200).await["keys"][0]["id"].clone();
    let stranger = api.stranger().await;
    let path = format!("/api/keys/{}/rotate", id.as_str().unwrap());
    let refused = api.send(Method::POST, &path, Some(&stranger), "").await;
    assert_eq!(body(&refused)["code"], "API_KEY_NOT_FOUND");
    api.refused(
        Method::POST,
        "/api/keys/none/rotate",
        Value::Null,
        "API_KEY_NOT_FOUND",
    )
    .await;
}

#[tokio::test]
async fn i_am_shown_my_plan_and_what_i_have_taken_of_it() {
    let api = Api::new().await;
    super::accounts::create(&api, "hello@example.com").await;
    let me = api.get("/api/me", 200).await;
    insta::assert_json_snapshot!(me, { ".user.id" => "uuid" }, @r#"
    {
      "user": {
        "id": "uuid",
        "createdAt": "2026-03-13T09:00:00Z"
      },
      "plan": "pro",
      "limits": {
        "accounts": 50,
        "apiKeys": 5,
        "dailyEmailsPerAccount": 40,
        "dailyEmailsTotal": null,
        "retentionDays": 90
      },
      "usage": {
        "accounts": 1,
        "apiKeys": 1
      }
    }
    "#);
}
