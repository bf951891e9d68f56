//! What `agentwarm-app` does for the API.

mod accounts;
mod accounts_totals;
mod analytics;
mod audit_log;
mod crm;
mod health;
mod keys;
mod pools;
mod schedule;
mod warmup;
