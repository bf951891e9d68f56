use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::client::{Api, json as body, paths};

const LIST: &str = "/api/warmup/suppression";

async fn suppress(api: &Api, email: &str) -> Value {
    api.post(LIST, json!({ "email": email }), 201).await
}

fn emails(listed: &Value) -> Vec<&str> {
    let entries = listed["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["email"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_address_is_suppressed_and_listed() {
    let api = Api::new().await;
    let documented = json!({
        "email": "Bad@Example.com", "reason": "manual", "expiresAt": "2026-06-13T00:00:00Z",
    });
    let created = api.post(LIST, documented, 201).await;
    insta::assert_json_snapshot!(created, { ".id" => "uuid" }, @r#"
    {
      "id": "uuid",
      "email": "bad@example.com",
      "reason": "manual",
      "suppressedAt": "2026-03-13T09:00:00Z",
      "expiresAt": "2026-06-13T00:00:00Z",
      "createdAt": "2026-03-13T09:00:00Z"
    }
    "#);
    let listed = api.get(LIST, 200).await;
    assert_eq!(listed["entries"], json!([created]));
    insta::assert_json_snapshot!(listed, { ".entries" => "above" }, @r#"
    {
      "entries": "above",
      "total": 1,
      "limit": 100,
      "offset": 0,
      "nextCursor": null
    }
    "#);
}

#[tokio::test]
async fn suppressing_again_renews_the_entry() {
    let api = Api::new().await;
    let first = suppress(&api, "a@example.com").await;
    api.world.clock.advance(SignedDuration::from_hours(1));
    let again = json!({ "email": "A@EXAMPLE.COM", "reason": "complaint", "expiresAt": null });
    let again = api.post(LIST, again, 201).await;
    assert_eq!(again["id"], first["id"]);
    assert_eq!(again["createdAt"], first["createdAt"]);
    assert_eq!(again["suppressedAt"], "2026-03-13T10:00:00Z");
    assert_eq!(again["reason"], "complaint");
    assert_eq!(api.get(LIST, 200).await["total"], 1);
}

#[tokio::test]
async fn what_has_expired_is_hidden_unless_asked_for() {
    let api = Api::new().await;
    let for_an_hour = json!({ "email": "a@example.com", "expiresAt": "2026-03-13T10:00:00Z" });
    api.post(LIST, for_an_hour, 201).await;
    suppress(&api, "b@example.com").await;
    api.world.clock.advance(SignedDuration::from_hours(1));
    let listed = api.get(LIST, 200).await;
    assert_eq!(
        (emails(&listed), &listed["total"]),
        (vec!["b@example.com"], &json!(1))
    );
    let everything = format!("{LIST}?includeExpired=true");
    assert_eq!(api.get(&everything, 200).await["total"], 2);
    api.delete(&format!("{LIST}/a@example.com"), 204).await;
    assert_eq!(api.get(&everything, 200).await["total"], 1);
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let api = Api::new().await;
    for n in 1..=3 {
        suppress(&api, &format!("m{n}@example.com")).await;
        api.world.clock.advance(SignedDuration::from_secs(1));
    }
    let complaint = json!({ "email": "c@example.com", "reason": "complaint" });
    api.post(LIST, complaint, 201).await;
    let complaints = api.get(&format!("{LIST}?reason=complaint"), 200).await;
    assert_eq!(emails(&complaints), ["c@example.com"]);
    let first = api.get(&format!("{LIST}?reason=manual&limit=2"), 200).await;
    assert_eq!(emails(&first), ["m3@example.com", "m2@example.com"]);
    assert_eq!(first["total"], 3);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = format!("{LIST}?reason=manual&limit=2&cursor={cursor}");
    let second = api.get(&second, 200).await;
    assert_eq!(
        (emails(&second), &second["nextCursor"]),
        (vec!["m1@example.com"], &Value::Null)
    );
    let skipped = api
        .get(&format!("{LIST}?reason=manual&offset=2"), 200)
        .await;
    assert_eq!(emails(&skipped), ["m1@example.com"]);
}

#[tokio::test]
async fn an_address_is_taken_off_whatever_its_case_and_encoding() {
    let api = Api::new().await;
    for path in [
        "bad%40example.com",
        "BAD@Example.com",
        "%62ad%40EXAMPLE.com",
    ] {
        suppress(&api, "bad@example.com").await;
        assert_eq!(
            api.delete(&format!("{LIST}/{path}"), 204).await,
            Value::Null
        );
        assert_eq!(api.get(LIST, 200).await["total"], 0, "{path}");
    }
    for path in [
        "bad@example.com",
        "other@example.com",
        "nonsense",
        "a%0ab@c.example",
    ] {
        let path = format!("{LIST}/{path}");
        api.refused(Method::DELETE, &path, Value::Null, "SUPPRESSION_NOT_FOUND")
            .await;
    }
}

#[tokio::test]
async fn bad_input_is_named() {
    let api = Api::new().await;
    for (wrong, path) in [
        (json!({}), "email"),
        (json!({ "email": "nobody" }), "email"),
        (
            json!({ "email": "a@example.com", "reason": "dislike" }),
            "reason",
        ),
        (
            json!({ "email": "a@example.com", "expiresAt": "tomorrow" }),
            "expiresAt",
        ),
        (
            json!({ "email": "a@example.com", "expiresAt": "2026-03-13T09:00:00Z" }),
            "expiresAt",
        ),
    ] {
        let refused = api
            .refused(Method::POST, LIST, wrong, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), [path]);
    }
    let query = format!("{LIST}?limit=501&offset=10001&reason=x&includeExpired=maybe");
    let refused = api
        .refused(Method::GET, &query, Value::Null, "VALIDATION_FAILED")
        .await;
    let mut named = paths(&refused);
    named.sort_unstable();
    assert_eq!(named, ["includeExpired", "limit", "offset", "reason"]);
    assert_eq!(api.get(LIST, 200).await["total"], 0);
}

#[tokio::test]
async fn a_stranger_neither_sees_nor_changes_my_list() {
    let api = Api::new().await;
    suppress(&api, "a@example.com").await;
    let stranger = api.stranger().await;
    let listed = api.send(Method::GET, LIST, Some(&stranger), "").await;
    assert_eq!(body(&listed)["entries"], json!([]));
    let path = format!("{LIST}/a@example.com");
    let refused = api.send(Method::DELETE, &path, Some(&stranger), "").await;
    assert_eq!(body(&refused)["code"], "SUPPRESSION_NOT_FOUND");
    assert_eq!(api.get(LIST, 200).await["total"], 1);
}
