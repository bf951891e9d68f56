use agentwarm_core::account::AccountStatus;
use agentwarm_core::ids::AccountId;
use agentwarm_core::rate::Rate;
use agentwarm_core::warmup::diagnosis::Remedy;
use agentwarm_lambda::http::Endpoint;
use agentwarm_testkit::memory::health::Condition;
use agentwarm_tests::operations::{document, template_of};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::accounts::create;
use super::client::{Api, json as body};
use crate::world::now;

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn nothing_is_wrong_with_no_accounts() {
    let api = Api::new().await;
    let status = api.get("/api/agent/status", 200).await;
    insta::assert_json_snapshot!(status, @r#"
    {
      "overview": {
        "domains": {
          "total": 0,
          "ready": 0,
          "warming": 0,
          "blocked": 0,
          "degraded": 0
        },
        "accounts": {
          "total": 0,
          "warming": 0,
          "active": 0,
          "paused": 0,
          "error": 0,
          "suspended": 0
        },
        "todayEmails": {
          "sent": 0,
          "received": 0,
          "bounced": 0,
          "spammed": 0
        },
        "systemHealth": "healthy"
      },
      "domains": [],
      "issues": [],
      "recommendations": [],
      "nextActions": []
    }
    "#);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_each_action_can_be_sent_as_it_is_given() {
    let api = Api::new().await;
    let new = create(&api, "new@example.com").await;
    let bouncing = create(&api, "bouncing@example.com").await;
    let failing = create(&api, "failing@example.com").await;
    for path in [&bouncing, &failing] {
        api.post(&format!("/api/warmup/start/{}", id(path)), Value::Null, 200)
            .await;
    }
    let account = |path: &str| id(path).parse().unwrap();
    api.world
        .change(account(&bouncing), |account| {
            account.bounce_rate = Rate::per_mille(82);
        })
        .await;
    api.world
        .change(account(&failing), |account| {
            account.status = AccountStatus::Error;
            account.status_reason = Some("The mail server has refused the login.".to_owned());
        })
        .await;

    let status = api.get("/api/agent/status", 200).await;
    assert_eq!(status["overview"]["accounts"]["total"], 3);
    insta::assert_json_snapshot!(status["issues"], { "[].accountId" => "uuid" }, @r#"
    [
      {
        "severity": "critical",
        "type": "connection_error",
        "accountId": "uuid",
        "message": "The mail server has refused the login.",
        "action": "check_credentials"
      },
      {
        "severity": "warning",
        "type": "high_bounce_rate",
        "accountId": "uuid",
        "message": "Bounce rate 8.2% exceeds 5% threshold",
        "action": "review_bounces"
      }
    ]
    "#);
    let actions = status["nextActions"].as_array().unwrap();
    let said: Vec<_> = actions
        .iter()
        .map(|action| action["action"].as_str().unwrap())
        .collect();
    let expected = [
        "Test the connection of failing@example.com",
        "Pause bouncing@example.com",
        "Start to warm new@example.com",
    ];
    let (mut said, mut expected) = (said, expected.to_vec());
    said.sort_unstable();
    expected.sort_unstable();
    assert_eq!(said, expected);
    for action in actions {
        let endpoint = &action["endpoint"];
        let method: Method = endpoint["method"].as_str().unwrap().parse().unwrap();
        let href = endpoint["href"].as_str().unwrap();
        let answer = api.send(method, href, Some(&api.key), "").await;
        assert_eq!(answer.status(), 200, "{action}: {}", body(&answer));
    }
    assert_eq!(api.get(&new, 200).await["status"], "warming");
    assert_eq!(api.get(&bouncing, 200).await["status"], "paused");
}

#[tokio::test]
async fn a_scheduler_that_is_late_is_told() {
    let api = Api::new().await;
    let health = async |behind: i64| {
        let at = now(&api.world) - SignedDuration::from_mins(behind);
        api.world.probes.set(Condition {
            handed_out_to: Some(at),
            ..Condition::default()
        });
        api.get("/api/agent/status", 200).await["overview"]["systemHealth"].clone()
    };
    assert_eq!(health(5).await, "healthy");
    assert_eq!(health(6).await, "degraded");
    api.world.probes.set(Condition {
        database_down: true,
        ..Condition::default()
    });
    let status = api.get("/api/agent/status", 200).await;
    assert_eq!(status["overview"]["systemHealth"], "degraded");
}

#[tokio::test]
async fn a_diagnosis_says_what_keeps_an_account_and_how_to_change_that() {
    let api = Api::new().await;
    let path = create(&api, "hello@example.com").await;
    let diagnose = format!("/api/warmup/diagnose/{}", id(&path));
    let found = api.get(&diagnose, 200).await;
    insta::assert_json_snapshot!(found, { ".accountId" => "uuid", ".blockedBy[].endpoint.href" => "…" }, @r#"
    {
      "accountId": "uuid",
      "sendingToday": false,
      "plannedToday": 0,
      "sentToday": 0,
      "blockedBy": [
        {
          "code": "NEVER_STARTED",
          "severity": "blocking",
          "message": "Warmup was never started.",
          "action": "start_warmup",
          "endpoint": {
            "method": "POST",
            "href": "…"
          }
        }
      ],
      "reasons": []
    }
    "#);
    let endpoint = &found["blockedBy"][0]["endpoint"];
    assert_eq!(endpoint["href"], format!("/api/warmup/start/{}", id(&path)));
    api.post(endpoint["href"].as_str().unwrap(), Value::Null, 200)
        .await;
    let found = api.get(&diagnose, 200).await;
    assert_eq!(found["blockedBy"][0]["code"], "NOT_PLANNED_YET");
    let none = "/api/warmup/diagnose/none";
    api.refused(Method::GET, none, Value::Null, "ACCOUNT_NOT_FOUND")
        .await;
}

/// An agent sends it as it is given.
#[test]
fn every_remedy_is_a_documented_request_without_a_body() {
    let id: AccountId = "550e8400-e29b-41d4-a716-446655440000".parse().unwrap();
    for remedy in Remedy::ALL {
        let endpoint = serde_json::to_value(Endpoint::of(*remedy, id)).unwrap();
        let template = template_of(endpoint["href"].as_str().unwrap()).unwrap();
        let method = endpoint["method"].as_str().unwrap().to_lowercase();
        let operation = &document()["paths"][template][&method];
        assert!(operation.is_object(), "{endpoint}");
        assert!(operation.get("requestBody").is_none(), "{endpoint}");
    }
}

#[tokio::test]
async fn a_status_says_since_when() {
    let api = Api::new().await;
    let path = create(&api, "hello@example.com").await;
    let created = api.get(&path, 200).await;
    assert_eq!(created["statusSince"], created["createdAt"]);
    api.world.clock.advance(SignedDuration::from_hours(2));
    let paused = api.patch(&path, json!({ "status": "paused" }), 200).await;
    assert_eq!(paused["statusSince"], "2026-03-13T11:00:00Z");
}

#[tokio::test]
async fn a_pool_that_is_too_small_is_told_and_filled_as_proposed() {
    let api = Api::new().await;
    let alone = create(&api, "alone@example.com").await;
    let spare = create(&api, "spare@example.org").await;
    let pools = api.get("/api/warmup/pools", 200).await;
    let pool = pools["pools"][0]["id"].as_str().unwrap();
    let member = format!("/api/warmup/pools/{pool}/accounts/{}", id(&spare));
    api.delete(&member, 204).await;
    api.post(
        &format!("/api/warmup/start/{}", id(&alone)),
        Value::Null,
        200,
    )
    .await;

    let status = api.get("/api/agent/status", 200).await;
    insta::assert_json_snapshot!(status["issues"], { "[].poolId" => "uuid" }, @r#"
    [
      {
        "severity": "warning",
        "type": "pool_too_small",
        "poolId": "uuid",
        "message": "Pool Default Pool: 1 account has nobody to write to",
        "action": "add_accounts_to_pool"
      }
    ]
    "#);
    insta::assert_json_snapshot!(status["nextActions"], { "[].endpoint.href" => "…" }, @r#"
    [
      {
        "priority": "recommended",
        "action": "Add spare@example.org to pool Default Pool",
        "reason": "1 account has nobody to write to",
        "endpoint": {
          "method": "POST",
          "href": "…"
        }
      }
    ]
    "#);
    let endpoint = &status["nextActions"][0]["endpoint"];
    assert_eq!(endpoint["href"], member);
    api.post(endpoint["href"].as_str().unwrap(), Value::Null, 200)
        .await;
    let status = api.get("/api/agent/status", 200).await;
    assert_eq!(status["issues"], json!([]));

    let empty = json!({ "name": "Nobody's" });
    api.post("/api/warmup/pools", empty, 201).await;
    let status = api.get("/api/agent/status", 200).await;
    assert_eq!(
        status["recommendations"],
        json!(["Pool Nobody's is empty — add accounts to it"])
    );
}
