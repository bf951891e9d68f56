//! Use cases of AgentWarm over narrow ports.
//!
//! A use case loads what it needs through a port, lets `agentwarm-core` decide, and carries the decision out with conditional writes. It
//! knows no AWS and no HTTP: ports are object-safe traits ([`ports`]), so that each use case names exactly what it may touch and is
//! compiled once for all functions.

pub mod accounts;
pub mod agent;
pub mod analytics;
pub mod audit_log;
mod batch;
mod change;
pub mod credentials;
pub mod crm;
pub mod engine;
pub mod error;
pub mod health;
pub mod keys;
pub mod mailbox;
pub mod paging;
pub mod pools;
pub mod ports;
pub mod retry;
pub mod suppressions;
pub mod tenant;
pub mod text;
pub mod users;
pub mod warmup;
