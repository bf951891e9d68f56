use agentwarm_app::ports::audit::AuditLog;
use agentwarm_core::audit::{AuditEntry, Event, EventType};
use agentwarm_core::ids::{AccountId, AuditEntryId};
use http::Method;
use jiff::Timestamp;
use serde_json::Value;

use super::client::{Api, paths};
use crate::world::now;

async fn created(api: &Api) {
    let (tenant, at) = (api.world.tenant, now(&api.world));
    let account = AccountId::new(at, 1);
    let event = Event::account(EventType::AccountCreated, account, tenant.actor(), at)
        .with("email", "hello@example.com")
        .with("provider", "imap_smtp");
    let entry = AuditEntry {
        id: AuditEntryId::new(at, 1),
        event,
    };
    let log: &dyn AuditLog = api.world.store.as_ref();
    log.append(tenant.user, &[entry], Timestamp::MAX)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_entry_has_the_documented_fields() {
    let api = Api::new().await;
    created(&api).await;
    let path = "/api/audit-log?eventType=account.created&since=2026-03-10T00:00:00Z";
    let listed = api.get(path, 200).await;
    assert_eq!(
        listed["entries"][0]["actor"],
        api.world.tenant.user.to_string()
    );
    insta::assert_json_snapshot!(listed, {
        ".entries[].id" => "uuid",
        ".entries[].entityId" => "uuid",
        ".entries[].actor" => "uuid",
    }, @r#"
    {
      "entries": [
        {
          "id": "uuid",
          "eventType": "account.created",
          "entityType": "account",
          "entityId": "uuid",
          "actor": "uuid",
          "metadata": {
            "email": "hello@example.com",
            "provider": "imap_smtp"
          },
          "createdAt": "2026-03-13T09:00:00Z"
        }
      ],
      "total": 1,
      "limit": 50,
      "offset": 0,
      "nextCursor": null,
      "retentionDays": 90
    }
    "#);
    assert_eq!(
        api.get("/api/audit-log?actor=system", 200).await["total"],
        0
    );
}

#[tokio::test]
async fn every_filter_that_makes_no_sense_is_named() {
    let api = Api::new().await;
    let path = "/api/audit-log?eventType=a&entityType=b&entityId=&actor=me&since=now&limit=0";
    let refused = api
        .refused(Method::GET, path, Value::Null, "VALIDATION_FAILED")
        .await;
    let expected = [
        "eventType",
        "entityType",
        "entityId",
        "actor",
        "since",
        "limit",
    ];
    assert_eq!(paths(&refused), expected);
    let path = "/api/audit-log?since=2026-03-10T00:00:00Z&until=2026-03-10T00:00:00Z";
    let refused = api
        .refused(Method::GET, path, Value::Null, "VALIDATION_FAILED")
        .await;
    assert_eq!(paths(&refused), ["until"]);
}
