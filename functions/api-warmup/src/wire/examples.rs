//! The reference's examples, and what our extras look like in them.

use agentwarm_lambda::http::partial_failure_example;
use serde_json::{Value, json};

const ACCOUNT: &str = "550e8400-e29b-41d4-a716-446655440000";
const PARTNER: &str = "550e8400-e29b-41d4-a716-446655440001";

pub(crate) fn started_example() -> Value {
    json!({
        "message": "Warmup started",
        "accountId": ACCOUNT,
        "phase": "ramp_up",
        "initialDailyLimit": 2,
        "plannedToday": 1,
    })
}

pub(crate) fn paused_example() -> Value {
    json!({ "message": "Warmup paused", "accountId": ACCOUNT })
}

pub(crate) fn resumed_example() -> Value {
    json!({ "message": "Warmup resumed", "accountId": ACCOUNT, "phase": "ramp_up", "status": "warming" })
}

pub(crate) fn schedule_example() -> Value {
    json!({
        "id": "019ce7a0-4800-7000-8000-000000000001",
        "accountId": ACCOUNT,
        "date": "2026-03-13",
        "plannedSendCount": 8,
        "actualSendCount": 1,
        "plannedReceiveCount": 6,
        "actualReceiveCount": 4,
        "sendSlots": [
            {
                "scheduledAt": "2026-03-13T09:15:00Z",
                "targetAccountId": PARTNER,
                "executed": true,
                "executedAt": "2026-03-13T09:15:32Z",
                "kind": "thread",
                "state": "accepted",
                "skippedReason": null,
            },
            {
                "scheduledAt": "2026-03-13T10:30:00Z",
                "targetAccountId": PARTNER,
                "executed": false,
                "executedAt": null,
                "kind": "reply",
                "state": "planned",
                "skippedReason": null,
            },
        ],
        "dayNumber": 7,
        "phase": "ramp_up",
        "replyBudget": 3,
        "reasons": [{ "rule": "ramp", "volume": 8, "because": "day 7 of the ramp" }],
    })
}

pub(crate) fn ids_example() -> Value {
    json!({ "accountIds": [ACCOUNT] })
}

pub(crate) fn batch_example() -> Value {
    json!({
        "results": [{ "accountId": ACCOUNT, "success": true }],
        "successCount": 1,
        "failureCount": 0,
    })
}

pub(crate) fn partly_started_example() -> Value {
    partial_failure_example(&[
        json!({ "accountId": ACCOUNT, "success": true }),
        json!({
            "accountId": "019590a5-7c00-7000-8000-0000000000ff",
            "success": false,
            "error": "Already warming",
            "code": "ACCOUNT_ALREADY_WARMING",
        }),
    ])
}

pub(crate) fn partly_paused_example() -> Value {
    partial_failure_example(&[json!({
        "accountId": ACCOUNT,
        "success": false,
        "error": "Account not found",
        "code": "ACCOUNT_NOT_FOUND",
    })])
}

pub(crate) fn diagnosis_example() -> Value {
    json!({
        "accountId": ACCOUNT,
        "sendingToday": true,
        "plannedToday": 4,
        "sentToday": 1,
        "blockedBy": [{
            "code": "SPIKE_CAP",
            "severity": "limiting",
            "message": "At most 1.5 times what was accepted on one of the last sending days.",
            "action": null,
            "endpoint": null,
        }],
        "reasons": [
            { "rule": "ramp", "volume": 8, "because": "Day 7 of a ramp from 2 to 40 in 45 days." },
            {
                "rule": "spike_cap",
                "volume": 4,
                "because": "At most 1.5 times what was accepted on one of the last sending days.",
            },
        ],
    })
}

pub(crate) fn test_mode_example() -> Value {
    json!({ "enabled": false, "maxDailyEmails": 20, "source": "env" })
}

pub(crate) fn set_test_mode_example() -> Value {
    json!({ "enabled": true, "maxDailyEmails": 5 })
}

pub(crate) fn test_mode_set_example() -> Value {
    json!({ "enabled": true, "maxDailyEmails": 5, "source": "runtime" })
}
