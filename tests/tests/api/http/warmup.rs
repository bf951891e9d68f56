use agentwarm_app::ports::days::Plans;
use http::Method;
use jiff::civil::date;
use serde_json::{Value, json};

use super::client::{Api, json as body, paths};
use crate::world::day_plan;

async fn account(api: &Api) -> String {
    api.world.account("hello@example.com").await.to_string()
}

#[tokio::test]
async fn start_pause_and_resume_answer_as_documented() {
    let api = Api::new().await;
    let id = account(&api).await;
    let redacted = |mut answer: Value| {
        answer["accountId"] = "uuid".into();
        answer
    };
    let started = api
        .post(&format!("/api/warmup/start/{id}"), Value::Null, 200)
        .await;
    insta::assert_json_snapshot!(redacted(started), @r#"
    {
      "message": "Warmup started",
      "accountId": "uuid",
      "phase": "ramp_up",
      "initialDailyLimit": 2,
      "plannedToday": 2
    }
    "#);
    let paused = api
        .post(&format!("/api/warmup/pause/{id}"), Value::Null, 200)
        .await;
    insta::assert_json_snapshot!(redacted(paused), @r#"
    {
      "message": "Warmup paused",
      "accountId": "uuid"
    }
    "#);
    let resumed = api
        .post(&format!("/api/warmup/resume/{id}"), Value::Null, 200)
        .await;
    insta::assert_json_snapshot!(redacted(resumed), @r#"
    {
      "message": "Warmup resumed",
      "accountId": "uuid",
      "phase": "ramp_up",
      "status": "warming"
    }
    "#);
}

#[tokio::test]
async fn refusals_have_their_codes_and_say_where_the_account_stands() {
    let api = Api::new().await;
    let id = account(&api).await;
    let refused = async |operation: &str, code| {
        let path = format!("/api/warmup/{operation}/{id}");
        api.refused(Method::POST, &path, Value::Null, code).await
    };
    refused("resume", "ACCOUNT_NEVER_WARMED").await;
    let pools = api.get("/api/warmup/pools", 200).await;
    let pool = pools["pools"][0]["id"].as_str().unwrap().to_owned();
    let member = format!("/api/warmup/pools/{pool}/accounts/{id}");
    api.delete(&member, 204).await;
    refused("start", "ACCOUNT_NOT_IN_POOL").await;
    api.post(&member, Value::Null, 200).await;
    api.post(&format!("/api/warmup/start/{id}"), Value::Null, 200)
        .await;
    refused("start", "ACCOUNT_ALREADY_WARMING").await;
    let invalid = refused("resume", "ACCOUNT_INVALID_STATUS_TRANSITION").await;
    assert_eq!(invalid["details"]["status"], "warming");
    let path = format!("/api/warmup/start/{id}?restart=maybe");
    let invalid = api
        .refused(Method::POST, &path, Value::Null, "VALIDATION_FAILED")
        .await;
    assert_eq!(paths(&invalid), ["restart"]);
    let path = "/api/warmup/start/nonsense";
    api.refused(Method::POST, path, Value::Null, "ACCOUNT_NOT_FOUND")
        .await;
}

#[tokio::test]
async fn a_schedule_has_the_documented_fields() {
    let api = Api::new().await;
    let id = api.world.account("hello@example.com").await;
    let account = api.world.stored(id).await;
    let plan = day_plan(&account, date(2026, 3, 13), &[(9, id)]);
    let plans: &dyn Plans = api.world.store.as_ref();
    let _ = plans.create(&plan).await.unwrap();

    let schedule = api.get(&format!("/api/warmup/schedule/{id}"), 200).await;
    let redactions = ["id", "accountId"];
    let mut shown = schedule.clone();
    for field in redactions {
        shown[field] = "uuid".into();
    }
    shown["sendSlots"][0]["targetAccountId"] = "uuid".into();
    insta::assert_json_snapshot!(shown, @r#"
    {
      "id": "uuid",
      "accountId": "uuid",
      "date": "2026-03-13",
      "plannedSendCount": 8,
      "actualSendCount": 0,
      "plannedReceiveCount": 0,
      "actualReceiveCount": 0,
      "sendSlots": [
        {
          "scheduledAt": "2026-03-13T09:00:00Z",
          "targetAccountId": "uuid",
          "executed": false,
          "executedAt": null,
          "kind": "thread",
          "state": "planned",
          "skippedReason": null
        }
      ],
      "dayNumber": 1,
      "phase": "ramp_up",
      "replyBudget": 3,
      "reasons": [
        {
          "rule": "ramp",
          "volume": 8,
          "because": "day 7 of the ramp"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn dates_must_exist_and_have_a_schedule() {
    let api = Api::new().await;
    let path = format!("/api/warmup/schedule/{}", account(&api).await);
    for date in [
        "2026-02-30",
        "2026-3-1",
        "yesterday",
        "",
        "2026-03-13T00:00:00Z",
    ] {
        let path = format!("{path}?date={date}");
        let refused = api
            .refused(Method::GET, &path, json!(null), "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), ["date"], "{date}");
    }
    let path = format!("{path}?date=2026-03-12");
    api.refused(Method::GET, &path, Value::Null, "WARMUP_SCHEDULE_NOT_FOUND")
        .await;
}

const TEST_MODE: &str = "/api/warmup/test-mode";

#[tokio::test]
async fn test_mode_is_the_deployments_until_its_user_says_otherwise() {
    let api = Api::new().await;
    let before = api.get(TEST_MODE, 200).await;
    insta::assert_json_snapshot!(before, @r#"
    {
      "enabled": false,
      "maxDailyEmails": 20,
      "source": "env"
    }
    "#);
    let five = json!({ "enabled": true, "maxDailyEmails": 5 });
    let set = api.post(TEST_MODE, five, 200).await;
    insta::assert_json_snapshot!(set, @r#"
    {
      "enabled": true,
      "maxDailyEmails": 5,
      "source": "runtime"
    }
    "#);
    assert_eq!(api.get(TEST_MODE, 200).await, set);
    let off = api.post(TEST_MODE, json!({ "enabled": false }), 200).await;
    let kept = json!({ "enabled": false, "maxDailyEmails": 5, "source": "runtime" });
    assert_eq!(off, kept);
    let stranger = api.stranger().await;
    let theirs = api.send(Method::GET, TEST_MODE, Some(&stranger), "").await;
    assert_eq!(body(&theirs), before);
}

#[tokio::test]
async fn a_test_mode_that_makes_no_sense_is_named() {
    let api = Api::new().await;
    for (wrong, path) in [
        (json!({}), "enabled"),
        (json!({ "maxDailyEmails": 5 }), "enabled"),
        (json!({ "enabled": "yes" }), "enabled"),
        (
            json!({ "enabled": true, "maxDailyEmails": 0 }),
            "maxDailyEmails",
        ),
        (
            json!({ "enabled": true, "maxDailyEmails": 50_001 }),
            "maxDailyEmails",
        ),
        (
            json!({ "enabled": true, "maxDailyEmails": 2.5 }),
            "maxDailyEmails",
        ),
        (
            json!({ "enabled": true, "maxDailyEmails": null }),
            "maxDailyEmails",
        ),
    ] {
        let refused = api.refused(Method::POST, TEST_MODE, wrong, "VALIDATION_FAILED");
        assert_eq!(paths(&refused.await), [path]);
    }
    assert_eq!(api.get(TEST_MODE, 200).await["source"], "env");
}
