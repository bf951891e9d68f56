//! The reference's examples, and what our extras look like in them.

use agentwarm_lambda::http::partial_failure_example;
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
        "statusSince": "2026-03-13T12:00:00Z",
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
        "statusSince": "2026-03-13T12:00:00Z",
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

pub(crate) fn update_example() -> Value {
    json!({ "displayName": "New Name", "timezone": "Europe/London" })
}

pub(crate) fn replace_example() -> Value {
    json!({
        "provider": "imap_smtp",
        "credentials": {
            "imapHost": "new-host.com",
            "imapPort": 993,
            "smtpHost": "new-host.com",
            "smtpPort": 465,
            "username": "user",
            "password": "new-pass",
        },
    })
}

pub(crate) fn credentials_example() -> Value {
    json!({ "id": ID, "email": "hello@example.com", "provider": "imap_smtp", "credentialsUpdated": true })
}

pub(crate) fn persona_body_example() -> Value {
    json!({ "title": "Sales Manager", "department": "Sales", "topics": ["SaaS", "B2B"] })
}

pub(crate) fn persona_example() -> Value {
    json!({ "id": ID, "persona": persona_body_example() })
}

pub(crate) fn create_batch_example() -> Value {
    let account = |email: &str, name: &str| {
        let mut account = create_example();
        if let Some(fields) = account.as_object_mut() {
            fields.insert("email".to_owned(), email.into());
            fields.insert("displayName".to_owned(), name.into());
        }
        account
    };
    json!({ "accounts": [account("a@example.com", "A"), account("b@example.com", "B")] })
}

pub(crate) fn created_batch_example() -> Value {
    json!({
        "results": [{ "email": "a@example.com", "accountId": ID, "success": true }],
        "successCount": 1,
        "failureCount": 0,
    })
}

pub(crate) fn partly_created_batch_example() -> Value {
    partial_failure_example(&[
        json!({ "email": "a@example.com", "accountId": ID, "success": true }),
        json!({
            "email": "b@example.com",
            "success": false,
            "error": "Account already exists",
            "code": "ACCOUNT_ALREADY_EXISTS",
        }),
    ])
}

pub(crate) fn test_batch_example() -> Value {
    json!({ "accountIds": [ID] })
}

pub(crate) fn tested_batch_example() -> Value {
    json!({
        "results": [{
            "accountId": ID,
            "email": "hello@example.com",
            "imap": { "success": true, "latencyMs": 340 },
            "smtp": { "success": true, "latencyMs": 220 },
            "testedAt": "2026-03-13T12:00:00Z",
            "success": true,
        }],
        "successCount": 1,
        "failureCount": 0,
    })
}

pub(crate) fn partly_tested_batch_example() -> Value {
    partial_failure_example(&[json!({
        "accountId": ID,
        "success": false,
        "error": "Account not found",
        "code": "ACCOUNT_NOT_FOUND",
    })])
}
