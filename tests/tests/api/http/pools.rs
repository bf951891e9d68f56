use http::Method;
use serde_json::{Value, json};

use super::client::{Api, json as body, paths};

async fn pool(api: &Api) -> String {
    let new = json!({ "name": "Sales Team Pool", "description": "Pool for sales team accounts" });
    let created = api.post("/api/warmup/pools", new, 201).await;
    format!("/api/warmup/pools/{}", created["id"].as_str().unwrap())
}

#[tokio::test]
async fn pools_are_created_and_listed_in_snake_case() {
    let api = Api::new().await;
    pool(&api).await;
    let listed = api.get("/api/warmup/pools", 200).await;
    insta::assert_json_snapshot!(listed, { ".pools[].id" => "uuid" }, @r#"
    {
      "pools": [
        {
          "id": "uuid",
          "name": "Sales Team Pool",
          "description": "Pool for sales team accounts",
          "member_count": 0,
          "created_at": "2026-03-13T09:00:00Z",
          "updated_at": "2026-03-13T09:00:00Z"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_configuration_is_merged_and_keeps_what_was_overridden() {
    let api = Api::new().await;
    let path = format!("{}/config", pool(&api).await);
    let before = api.get(&path, 200).await;
    insta::assert_json_snapshot!(before, { ".poolId" => "uuid" }, @r#"
    {
      "poolId": "uuid",
      "config": {
        "minDailyEmails": 2,
        "maxDailyEmails": 40,
        "rampUpDays": 45,
        "replyRate": 0.7,
        "openRate": 0.95,
        "markImportantRate": 0.3,
        "workingHoursStart": 8,
        "workingHoursEnd": 18,
        "sendOnWeekends": false,
        "maxDailyVolumeIncrease": 1.5,
        "maxPerPartnerPerDay": 10
      },
      "overrides": {}
    }
    "#);
    let after = api
        .put(
            &path,
            json!({ "maxDailyEmails": 30, "replyRate": 0.8 }),
            200,
        )
        .await;
    assert_eq!(
        after["overrides"],
        json!({ "maxDailyEmails": 30, "replyRate": 0.8 })
    );
    assert_eq!(
        (
            &after["config"]["maxDailyEmails"],
            &after["config"]["minDailyEmails"]
        ),
        (&json!(30), &json!(2))
    );
}

/// DynamoDB refuses to keep such a number.
#[tokio::test]
async fn a_rate_that_is_next_to_nothing_is_nothing() {
    let api = Api::new().await;
    let path = format!("{}/config", pool(&api).await);
    let after = api.put(&path, json!({ "replyRate": 1e-200 }), 200).await;
    assert_eq!(after["overrides"], json!({ "replyRate": 0.0 }));
    let below = json!({ "replyRate": -1e-200 });
    api.refused(Method::PUT, &path, below, "WARMUP_CONFIG_INVALID")
        .await;
}

#[tokio::test]
async fn ranges_are_the_configurations_code_and_types_are_validations() {
    let api = Api::new().await;
    let path = format!("{}/config", pool(&api).await);
    let refused = async |changes, code| api.refused(Method::PUT, &path, changes, code).await;
    for (field, value) in [
        ("minDailyEmails", json!(0)),
        ("minDailyEmails", json!(-1)),
        ("maxDailyEmails", json!(201)),
        ("rampUpDays", json!(181)),
        ("replyRate", json!(1.01)),
        ("openRate", json!(-0.1)),
        ("workingHoursStart", json!(24)),
        ("workingHoursEnd", json!(-3)),
        ("maxDailyVolumeIncrease", json!(5.1)),
        ("maxPerPartnerPerDay", json!(1e30)),
    ] {
        let answer = refused(json!({ field: value }), "WARMUP_CONFIG_INVALID").await;
        assert_eq!(paths(&answer), [field], "{value}");
    }
    for (field, value) in [
        ("minDailyEmails", json!("2")),
        ("minDailyEmails", json!(2.5)),
        ("replyRate", json!("high")),
        ("sendOnWeekends", json!("yes")),
        ("sendOnWeekends", Value::Null),
    ] {
        let answer = refused(json!({ field: value }), "VALIDATION_FAILED").await;
        assert_eq!(paths(&answer), [field], "{value}");
    }
    refused(json!({ "workingHoursStart": 18 }), "WARMUP_CONFIG_INVALID").await;
    assert_eq!(api.get(&path, 200).await["overrides"], json!({}));
}

#[tokio::test]
async fn accounts_come_and_go_as_often_as_asked() {
    let api = Api::new().await;
    let pool = pool(&api).await;
    let account = api.world.account("a@example.com").await;
    let member = format!("{pool}/accounts/{account}");
    for _ in 0..2 {
        let added = api.post(&member, Value::Null, 200).await;
        assert_eq!(added, json!({ "message": "Account added to pool" }));
    }
    for _ in 0..2 {
        assert_eq!(api.delete(&member, 204).await, Value::Null);
    }
    let no_account = format!("{pool}/accounts/nonsense");
    api.refused(Method::POST, &no_account, Value::Null, "ACCOUNT_NOT_FOUND")
        .await;
    let no_pool = format!("/api/warmup/pools/nonsense/accounts/{account}");
    api.refused(
        Method::DELETE,
        &no_pool,
        Value::Null,
        "WARMUP_POOL_NOT_FOUND",
    )
    .await;
}

#[tokio::test]
async fn names_and_descriptions_are_checked() {
    let api = Api::new().await;
    for (new, path) in [
        (json!({}), "name"),
        (json!({ "name": "\u{202e}x" }), "name"),
        (json!({ "name": "x", "description": "a\nb" }), "description"),
        (
            json!({ "name": "x", "description": "y".repeat(501) }),
            "description",
        ),
    ] {
        let refused = api
            .refused(Method::POST, "/api/warmup/pools", new, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), [path]);
    }
}

#[tokio::test]
async fn a_stranger_finds_nothing_of_mine() {
    let api = Api::new().await;
    let pool = pool(&api).await;
    let account = api.world.account("a@example.com").await;
    let stranger = api.stranger().await;
    for (method, path) in [
        (Method::GET, format!("{pool}/config")),
        (Method::POST, format!("{pool}/accounts/{account}")),
        (Method::DELETE, format!("{pool}/accounts/{account}")),
    ] {
        let response = api.send(method, &path, Some(&stranger), "").await;
        assert_eq!(body(&response)["code"], "WARMUP_POOL_NOT_FOUND", "{path}");
    }
    let response = api
        .send(
            Method::PUT,
            &format!("{pool}/config"),
            Some(&stranger),
            "{}",
        )
        .await;
    assert_eq!(body(&response)["code"], "WARMUP_POOL_NOT_FOUND");
    let listed = api
        .send(Method::GET, "/api/warmup/pools", Some(&stranger), "")
        .await;
    assert_eq!(body(&listed)["pools"], json!([]));
}
