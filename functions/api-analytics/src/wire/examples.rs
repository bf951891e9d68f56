//! The reference's examples, and what our extras look like in them.

use serde_json::{Value, json};

const ID: &str = "550e8400-e29b-41d4-a716-446655440000";

pub(crate) fn system_example() -> Value {
    json!({
        "totalAccounts": 27,
        "warmingAccounts": 25,
        "activeAccounts": 0,
        "pausedAccounts": 2,
        "errorAccounts": 0,
        "suspendedAccounts": 0,
        "todayEmailsSent": 142,
        "todayEmailsReceived": 98,
        "averageReputationScore": 82.3,
        "averageInboxPlacementRate": 0.94,
        "connectionPoolStats": { "total": 54, "active": 12, "idle": 42 },
    })
}

pub(crate) fn overview_example() -> Value {
    json!({
        "accountId": ID,
        "email": "hello@example.com",
        "provider": "imap_smtp",
        "status": "warming",
        "warmupPhase": "ramp_up",
        "daysSinceStart": 12,
        "currentDailyLimit": 8,
        "reputationScore": 85.5,
        "totalSent": 42,
        "totalReceived": 38,
        "todayStats": { "sent": 6, "received": 4, "opened": 3, "replied": 2, "bounced": 0, "spammed": 0 },
    })
}

pub(crate) fn progress_example() -> Value {
    json!({
        "accountId": ID,
        "email": "hello@example.com",
        "phase": "ramp_up",
        "dayNumber": 12,
        "totalDays": 45,
        "progressPercent": 26.7,
        "dailyMetrics": [{
            "date": "2026-03-13",
            "sent": 8,
            "received": 6,
            "inboxPlacementRate": 0.95,
            "openRate": 0.75,
            "replyRate": 0.5,
            "reputationScore": 85.5,
            "limit": 13,
            "bounced": 0,
            "spammed": 0,
            "opened": 4,
            "replied": 3,
            "rescued": 1,
            "markedImportant": 1,
        }],
        "retentionDays": 90,
    })
}
