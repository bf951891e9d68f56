//! The functions that this program hosts: all of them.

use crate::hosted::{Build, Registry};

/// Every function of `functions/`.
pub fn functions() -> Registry {
    let functions: [(&str, Build); 13] = [
        ("api-accounts", api_accounts::build),
        ("api-agent", api_agent::build),
        ("api-analytics", api_analytics::build),
        ("api-audit-log", api_audit_log::build),
        ("api-discovery", api_discovery::build),
        ("api-keys", api_keys::build),
        ("api-pools", api_pools::build),
        ("api-suppression", api_suppression::build),
        ("api-warmup", api_warmup::build),
        ("job-event-fanout", job_event_fanout::build),
        ("job-inbox-poll", job_inbox_poll::build),
        ("job-scheduler-tick", job_scheduler_tick::build),
        ("job-send-slot", job_send_slot::build),
    ];
    Registry::new(functions)
}
