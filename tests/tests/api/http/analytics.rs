use agentwarm_core::warmup::day::DayFigures;
use http::Method;
use jiff::SignedDuration;
use jiff::civil::date;
use serde_json::Value;

use super::client::{Api, paths};

/// An account on its twelfth day.
async fn account(api: &Api) -> String {
    let id = api.world.warming("hello@example.com").await;
    api.world.clock.advance(SignedDuration::from_hours(11 * 24));
    let figures = DayFigures {
        sent: 6,
        received: 4,
        opened: 3,
        replied: 2,
        ..DayFigures::default()
    };
    api.world.day(id, date(2026, 3, 24), figures).await;
    id.to_string()
}

#[tokio::test]
async fn the_system_has_the_documented_fields() {
    let api = Api::new().await;
    account(&api).await;
    insta::assert_json_snapshot!(api.get("/api/analytics/system", 200).await, @r#"
    {
      "totalAccounts": 1,
      "warmingAccounts": 1,
      "activeAccounts": 0,
      "pausedAccounts": 0,
      "errorAccounts": 0,
      "suspendedAccounts": 0,
      "todayEmailsSent": 6,
      "todayEmailsReceived": 4,
      "averageReputationScore": 50.0,
      "averageInboxPlacementRate": 1.0,
      "connectionPoolStats": {
        "total": 0,
        "active": 0,
        "idle": 0
      }
    }
    "#);
}

#[tokio::test]
async fn an_overview_has_the_documented_fields() {
    let api = Api::new().await;
    let path = format!("/api/analytics/accounts/{}", account(&api).await);
    insta::assert_json_snapshot!(api.get(&path, 200).await, { ".accountId" => "uuid" }, @r#"
    {
      "accountId": "uuid",
      "email": "hello@example.com",
      "provider": "imap_smtp",
      "status": "warming",
      "warmupPhase": "ramp_up",
      "daysSinceStart": 12,
      "currentDailyLimit": 2,
      "reputationScore": 50.0,
      "totalSent": 6,
      "totalReceived": 4,
      "todayStats": {
        "sent": 6,
        "received": 4,
        "opened": 3,
        "replied": 2,
        "bounced": 0,
        "spammed": 0
      }
    }
    "#);
}

#[tokio::test]
async fn progress_has_the_documented_fields() {
    let api = Api::new().await;
    let path = format!("/api/analytics/accounts/{}/progress", account(&api).await);
    insta::assert_json_snapshot!(api.get(&path, 200).await, { ".accountId" => "uuid" }, @r#"
    {
      "accountId": "uuid",
      "email": "hello@example.com",
      "phase": "ramp_up",
      "dayNumber": 12,
      "totalDays": 45,
      "progressPercent": 26.7,
      "dailyMetrics": [
        {
          "date": "2026-03-24",
          "sent": 6,
          "received": 4,
          "inboxPlacementRate": 1.0,
          "openRate": 0.75,
          "replyRate": 0.5,
          "reputationScore": 50.0,
          "limit": 8,
          "bounced": 0,
          "spammed": 0,
          "opened": 3,
          "replied": 2,
          "rescued": 0,
          "markedImportant": 0
        }
      ],
      "retentionDays": 90
    }
    "#);
    for days in ["0", "366", "ten", "-1"] {
        let path = format!("{path}?days={days}");
        let refused = api
            .refused(Method::GET, &path, Value::Null, "VALIDATION_FAILED")
            .await;
        assert_eq!(paths(&refused), ["days"]);
    }
}
