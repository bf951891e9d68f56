use http::Method;
use serde_json::{Value, json};

use super::accounts::{create, new_account};
use super::client::{Api, paths};

/// How much of a batch went well, and how much did not.
fn counts(answer: &Value) -> (u64, u64) {
    let count = |name: &str| answer[name].as_u64().unwrap();
    (count("successCount"), count("failureCount"))
}

#[tokio::test]
async fn a_batch_creates_what_it_can_and_says_what_it_could_not() {
    let api = Api::new().await;
    let batch = json!({ "accounts": [new_account("a@example.com"), new_account("b@example.com")] });
    let all = api.post("/api/accounts/batch", batch, 201).await;
    insta::assert_json_snapshot!(all, { ".results[].accountId" => "uuid" }, @r#"
    {
      "results": [
        {
          "email": "a@example.com",
          "accountId": "uuid",
          "success": true
        },
        {
          "email": "b@example.com",
          "accountId": "uuid",
          "success": true
        }
      ],
      "successCount": 2,
      "failureCount": 0
    }
    "#);
    let mut nameless = new_account("d@example.com");
    nameless["displayName"] = 5.into();
    let mut here = new_account("e@example.com");
    here["credentials"]["imapHost"] = "127.0.0.1".into();
    let batch = json!({ "accounts": [new_account("c@example.com"), new_account("b@example.com"), nameless, here, 7] });
    let some = api.post("/api/accounts/batch", batch, 207).await;
    let codes: Vec<_> = some["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| &result["code"])
        .collect();
    let invalid = &json!("VALIDATION_FAILED");
    assert_eq!(
        codes,
        [
            &Value::Null,
            &json!("ACCOUNT_ALREADY_EXISTS"),
            invalid,
            invalid,
            invalid
        ]
    );
    assert_eq!(some["results"][2]["errors"][0]["path"], "displayName");
    assert_eq!(
        some["results"][3]["errors"][0]["path"],
        "credentials.imapHost"
    );
    assert_eq!(some["results"][4]["email"], "");
    insta::assert_json_snapshot!(some, { ".results" => "[…]" }, @r#"
    {
      "results": "[…]",
      "successCount": 1,
      "failureCount": 4,
      "code": "BATCH_PARTIAL_FAILURE",
      "statusCode": 207,
      "action": "check_individual_results"
    }
    "#);
    assert_eq!(api.get("/api/accounts", 200).await["total"], 3);
}

#[tokio::test]
async fn a_batch_over_the_plan_fails_from_there_on() {
    let api = Api::on_plan(agentwarm_core::plan::Plan::Free).await;
    let accounts: Vec<_> = (0..5)
        .map(|n| new_account(&format!("u{n}@example.com")))
        .collect();
    let some = api
        .post("/api/accounts/batch", json!({ "accounts": accounts }), 207)
        .await;
    assert_eq!(counts(&some), (3, 2));
    assert_eq!(some["results"][3]["details"]["max"], 3);
}

#[tokio::test]
async fn batches_have_a_size() {
    let api = Api::new().await;
    let too_many: Vec<_> = (0..51)
        .map(|n| new_account(&format!("u{n}@example.com")))
        .collect();
    for accounts in [json!([]), json!(too_many), json!("all"), Value::Null] {
        let body = json!({ "accounts": accounts });
        let refused = api
            .refused(
                Method::POST,
                "/api/accounts/batch",
                body,
                "VALIDATION_FAILED",
            )
            .await;
        assert_eq!(paths(&refused), ["accounts"]);
    }
    for path in [
        "/api/accounts/batch/test-connection",
        "/api/warmup/batch/start",
        "/api/warmup/batch/pause",
    ] {
        for ids in [json!([]), json!(vec!["x"; 101]), json!([5])] {
            let body = json!({ "accountIds": ids });
            let refused = api
                .refused(Method::POST, path, body, "VALIDATION_FAILED")
                .await;
            assert!(paths(&refused)[0].starts_with("accountIds"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_batch_of_connection_tests_counts_what_cannot_be_used() {
    let api = Api::new().await;
    let good = create(&api, "good@example.com").await;
    let bad = create(&api, "bad@example.com").await;
    let office = &api.world.office;
    office.open_mailbox("good@example.com", "app-password");
    office.open_mailbox("bad@example.com", "another");
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let body = json!({ "accountIds": [id(&good), id(&bad), "none"] });
    let some = api
        .post("/api/accounts/batch/test-connection", body, 207)
        .await;
    insta::assert_json_snapshot!(some, { ".results[].accountId" => "uuid" }, @r#"
    {
      "results": [
        {
          "accountId": "uuid",
          "email": "good@example.com",
          "imap": {
            "success": true,
            "latencyMs": 0
          },
          "smtp": {
            "success": true,
            "latencyMs": 0
          },
          "testedAt": "2026-03-13T09:00:00Z",
          "success": true
        },
        {
          "accountId": "uuid",
          "email": "bad@example.com",
          "imap": {
            "success": false,
            "error": "Authentication failed: invalid credentials"
          },
          "smtp": {
            "success": false,
            "error": "Authentication failed: invalid credentials"
          },
          "testedAt": "2026-03-13T09:00:00Z",
          "success": false,
          "error": "Authentication failed: invalid credentials",
          "code": "ACCOUNT_CONNECTION_FAILED"
        },
        {
          "accountId": "uuid",
          "success": false,
          "error": "Account not found",
          "code": "ACCOUNT_NOT_FOUND"
        }
      ],
      "successCount": 1,
      "failureCount": 2,
      "code": "BATCH_PARTIAL_FAILURE",
      "statusCode": 207,
      "action": "check_individual_results"
    }
    "#);
    let body = json!({ "accountIds": [id(&good)] });
    let all = api
        .post("/api/accounts/batch/test-connection", body, 200)
        .await;
    assert_eq!(counts(&all), (1, 0));
}

#[tokio::test]
async fn warmups_are_started_and_paused_by_the_batch() {
    let api = Api::new().await;
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        let path = create(&api, &format!("{name}@example.com")).await;
        ids.push(path.rsplit('/').next().unwrap().to_owned());
    }
    api.post(&format!("/api/warmup/start/{}", ids[1]), Value::Null, 200)
        .await;
    ids.push("nobody".to_owned());
    let body = json!({ "accountIds": ids });
    let started = api.post("/api/warmup/batch/start", body.clone(), 207).await;
    insta::assert_json_snapshot!(started, { ".results[].accountId" => "uuid" }, @r#"
    {
      "results": [
        {
          "accountId": "uuid",
          "success": true
        },
        {
          "accountId": "uuid",
          "success": false,
          "error": "Not possible: the account is already warming",
          "code": "ACCOUNT_ALREADY_WARMING"
        },
        {
          "accountId": "uuid",
          "success": false,
          "error": "Account not found",
          "code": "ACCOUNT_NOT_FOUND"
        }
      ],
      "successCount": 1,
      "failureCount": 2,
      "code": "BATCH_PARTIAL_FAILURE",
      "statusCode": 207,
      "action": "check_individual_results"
    }
    "#);
    let paused = api
        .post(
            "/api/warmup/batch/pause",
            json!({ "accountIds": ids[..2] }),
            200,
        )
        .await;
    assert_eq!(counts(&paused), (2, 0));
    for id in &ids[..2] {
        assert_eq!(
            api.get(&format!("/api/accounts/{id}"), 200).await["status"],
            "paused"
        );
    }
}
