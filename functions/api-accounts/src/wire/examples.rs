//! The reference's examples, and what our extras look like in them.

use serde_json::{Value, json};

const ID: &str = "550e8400-e29b-41d4-a716-446655440000";

pub(crate) fn create_example() -> Value {
    json!({
        "email": "hello@example.com",
        "displayName": "Hello",
        "provider": "imap_smtp",
        "timezone": "America/New_York",
        "credentials": {
            "imapHost": "mail.example.com",
            "imapPort": 993,
            "smtpHost": "mail.example.com",
            "smtpPort": 465,
            "username": "hello@example.com",
            "password": "app-password",
        },
    })
}

pub(crate) fn account_example() -> Value {
    json!({
        "id": ID,
        "email": "hello@example.com",
        "displayName": "Hello",
        "provider": "imap_smtp",
        "status": "active",
        "statusReason": null,
        "warmupPhase": "ramp_up",
        "currentDailyLimit": 2,
        "totalSent": 0,
        "totalReceived": 0,
        "bounceRate": 0,
        "spamRate": 0,
        "reputationScore": 50,
        "timezone": "America/New_York",
        "poolId": "00000000-0000-7000-8000-000000000001",
        "warmupStartedAt": null,
        "createdAt": "2026-03-13T12:00:00Z",
    })
}

fn warming() -> Value {
    json!({
        "id": ID,
        "email": "hello@example.com",
        "displayName": "Hello",
        "provider": "imap_smtp",
        "status": "warming",
        "statusReason": null,
        "warmupPhase": "ramp_up",
        "currentDailyLimit": 8,
        "totalSent": 42,
        "totalReceived": 38,
        "bounceRate": 0.02,
        "spamRate": 0.01,
        "reputationScore": 85.5,
        "timezone": "America/New_York",
        "poolId": "00000000-0000-7000-8000-000000000001",
        "warmupStartedAt": "2026-03-08T10:00:00Z",
        "createdAt": "2026-03-08T09:50:00Z",
    })
}

pub(crate) fn list_example() -> Value {
    json!({
        "accounts": [warming()],
        "total": 27,
        "limit": 10,
        "offset": 0,
        "nextCursor": "WyJhY2NvdW50cyIsIjU1MGU4NDAwIl0",
    })
}

pub(crate) fn detail_example() -> Value {
    let mut detail = warming();
    if let Some(fields) = detail.as_object_mut() {
        let servers = json!({
            "imapHost": "mail.example.com",
            "imapPort": 993,
            "smtpHost": "mail.example.com",
            "smtpPort": 465,
        });
        fields.insert("providerMetadata".to_owned(), servers);
        fields.insert("updatedAt".to_owned(), "2026-03-13T12:00:00Z".into());
    }
    detail
}

pub(crate) fn test_example() -> Value {
    json!({
        "accountId": ID,
        "email": "hello@example.com",
        "provider": "imap_smtp",
        "imap": { "success": false, "error": "Authentication failed: invalid credentials" },
        "smtp": { "success": true, "latencyMs": 220 },
        "overall": false,
        "testedAt": "2026-03-13T12:00:00Z",
    })
}
