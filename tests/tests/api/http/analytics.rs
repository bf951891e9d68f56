use agentwarm_app::ports::days::Slots;
use agentwarm_app::ports::{Created, Replaced};
use agentwarm_core::account::Provider;
use agentwarm_core::ids::{AccountId, SlotId, ThreadId};
use agentwarm_core::mail::slot::{Slot, SlotKind, SlotState, ThreadPosition};
use agentwarm_core::warmup::day::DayFigures;
use http::Method;
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

use super::client::{Api, json as body, paths};

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

/// A mail that was planned at noon of a day.
async fn mail(api: &Api, sender: AccountId, to: AccountId, day: Date, state: SlotState) -> Slot {
    let sender = api.world.stored(sender).await;
    let at = sender.zone.instant(day, 12);
    let stored = api.world.store.look().slots().count();
    let slot = Slot {
        id: SlotId::new(at, stored as u128),
        user: sender.user,
        sender: sender.id,
        recipient: to,
        date: day,
        kind: SlotKind::Thread,
        scheduled_at: at,
        message_id: "a@b.example".to_owned(),
        message_date: at,
        position: ThreadPosition {
            thread: ThreadId::new(at, 1),
            conversation: "garden-plans".to_owned(),
            turn: 0,
            references: Vec::new(),
        },
        state,
        spammed_at: None,
        complained_at: None,
        version: 0,
    };
    let slots: &dyn Slots = api.world.store.as_ref();
    assert_eq!(slots.create(&slot).await.unwrap(), Created::Done);
    slot
}

/// An account with mails of every fate to a domain, to a provider's service, and to one that was deleted.
async fn given_a_week_of_mail(api: &Api) -> AccountId {
    let sender = api.world.warming("hello@example.com").await;
    let near = api.world.account("near@acorn.example").await;
    let far = api.world.account("far@corporate.example").await;
    api.world
        .change(far, |account| account.provider = Provider::Gmail)
        .await;
    let gone = api.world.account("gone@birch.example").await;
    let (today, before) = (date(2026, 3, 13), date(2026, 3, 7));
    let at = api.world.stored(sender).await.zone.instant(today, 12);
    let accepted = || SlotState::Accepted { at };
    mail(api, sender, near, today, accepted()).await;
    for day in [today, before, before] {
        mail(api, sender, far, day, accepted()).await;
    }
    let refused = SlotState::Rejected {
        at,
        reply: 550,
        bounced: true,
        reason: String::new(),
    };
    mail(api, sender, gone, today, refused).await;
    let slots: &dyn Slots = api.world.store.as_ref();
    let spammed = mail(api, sender, far, today, accepted()).await;
    let spammed = Slot {
        spammed_at: Some(at),
        version: 1,
        ..spammed
    };
    assert_eq!(
        slots.replace(&spammed, Vec::new()).await.unwrap(),
        Replaced::Done
    );
    // Too old, and to nobody's account.
    mail(api, sender, near, date(2026, 3, 6), accepted()).await;
    api.world
        .delete()
        .delete(&api.world.tenant, gone)
        .await
        .unwrap();
    sender
}

#[tokio::test]
async fn deliverability_has_the_documented_fields() {
    let api = Api::new().await;
    let sender = given_a_week_of_mail(&api).await;
    let path = format!("/api/analytics/accounts/{sender}/deliverability");
    insta::assert_json_snapshot!(api.get(&path, 200).await, @r#"
    {
      "overall": {
        "inboxRate": 0.6,
        "spamRate": 0.2,
        "bounceRate": 0.2,
        "sent": 5
      },
      "byProvider": [
        {
          "provider": "gmail.com",
          "inboxRate": 0.75,
          "spamRate": 0.25,
          "bounceRate": 0.0,
          "sent": 4
        },
        {
          "provider": "acorn.example",
          "inboxRate": 1.0,
          "spamRate": 0.0,
          "bounceRate": 0.0,
          "sent": 1
        },
        {
          "provider": "unknown",
          "inboxRate": 0.0,
          "spamRate": 0.0,
          "bounceRate": 0.0,
          "sent": 0
        }
      ],
      "last7Days": [
        {
          "date": "2026-03-13",
          "inboxRate": 0.3333333333333333,
          "sent": 3
        },
        {
          "date": "2026-03-12",
          "inboxRate": 0.0,
          "sent": 0
        },
        {
          "date": "2026-03-11",
          "inboxRate": 0.0,
          "sent": 0
        },
        {
          "date": "2026-03-10",
          "inboxRate": 0.0,
          "sent": 0
        },
        {
          "date": "2026-03-09",
          "inboxRate": 0.0,
          "sent": 0
        },
        {
          "date": "2026-03-08",
          "inboxRate": 0.0,
          "sent": 0
        },
        {
          "date": "2026-03-07",
          "inboxRate": 1.0,
          "sent": 2
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn an_account_that_sent_nothing_has_seven_empty_days() {
    let api = Api::new().await;
    let id = api.world.account("hello@example.com").await;
    let path = format!("/api/analytics/accounts/{id}/deliverability");
    let report = api.get(&path, 200).await;
    let nothing = json!({ "inboxRate": 0.0, "spamRate": 0.0, "bounceRate": 0.0, "sent": 0 });
    assert_eq!(report["overall"], nothing);
    assert_eq!(report["byProvider"], json!([]));
    assert_eq!(report["last7Days"].as_array().unwrap().len(), 7);
    let stranger = api.stranger().await;
    let refused = api.send(Method::GET, &path, Some(&stranger), "").await;
    assert_eq!(body(&refused)["code"], "ACCOUNT_NOT_FOUND");
    let nonsense = "/api/analytics/accounts/nonsense/deliverability";
    api.refused(Method::GET, nonsense, Value::Null, "ACCOUNT_NOT_FOUND")
        .await;
}
