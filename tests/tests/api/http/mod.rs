//! What clients see: every operation's documented answer as a snapshot of its shape, every code of its own, and bad input.

mod account_batches;
mod account_changes;
mod accounts;
mod agent;
mod analytics;
mod audit_log;
pub(crate) mod client;
mod crm;
mod discovery;
mod injection;
mod keys;
mod messages;
mod once;
mod openapi;
mod pipeline;
mod pools;
mod reference;
mod send;
mod send_once;
mod ssrf;
mod suppression;
mod tenancy;
mod uploads;
mod warmup;
