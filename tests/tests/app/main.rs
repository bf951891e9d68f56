//! Use cases of the API over in-memory ports.
//!
//! Each module is named like the module of `agentwarm-app` that it tests. The world they need is one call: [`world::World::new`].

mod accounts;
mod accounts_totals;
mod analytics;
mod audit_log;
mod health;
mod keys;
mod pools;
mod schedule;
mod warmup;
mod world;
