//! The reference's examples, and what our extras look like in them.

use serde_json::{Value, json};

const ID: &str = "019590a5-7c00-7000-8000-000000000002";

pub(crate) fn create_example() -> Value {
    json!({ "name": "Sales Team Pool", "description": "Pool for sales team accounts" })
}

pub(crate) fn pool_example() -> Value {
    json!({
        "id": ID,
        "name": "Sales Team Pool",
        "description": "Pool for sales team accounts",
        "member_count": 0,
        "created_at": "2026-03-13T12:00:00Z",
        "updated_at": "2026-03-13T12:00:00Z",
    })
}

pub(crate) fn list_example() -> Value {
    json!({
        "pools": [{
            "id": ID,
            "name": "Default Pool",
            "description": null,
            "member_count": 27,
            "created_at": "2026-03-08T09:50:00Z",
            "updated_at": "2026-03-08T09:50:00Z",
        }],
    })
}

pub(crate) fn added_example() -> Value {
    json!({ "message": "Account added to pool" })
}

pub(crate) fn configure_example() -> Value {
    json!({ "maxDailyEmails": 30, "replyRate": 0.8 })
}

fn defaults() -> Value {
    json!({
        "minDailyEmails": 2,
        "maxDailyEmails": 40,
        "rampUpDays": 45,
        "replyRate": 0.7,
        "openRate": 0.95,
        "markImportantRate": 0.3,
        "workingHoursStart": 8,
        "workingHoursEnd": 18,
        "sendOnWeekends": false,
        "maxDailyVolumeIncrease": 1.5,
        "maxPerPartnerPerDay": 10,
    })
}

pub(crate) fn configuration_example() -> Value {
    json!({ "poolId": ID, "config": defaults(), "overrides": {} })
}

pub(crate) fn configured_example() -> Value {
    let mut config = defaults();
    if let Some(fields) = config.as_object_mut() {
        fields.insert("maxDailyEmails".to_owned(), 30.into());
        fields.insert("replyRate".to_owned(), 0.8.into());
    }
    json!({ "poolId": ID, "config": config, "overrides": { "maxDailyEmails": 30, "replyRate": 0.8 } })
}
