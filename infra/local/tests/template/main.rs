//! What `template.yaml` promises, kept: its grants are used and suffice, its functions answer the events of `events/`,
//! keep what the API promises of every request, and it deploys.
//!
//! `make test` starts the emulator and the mail servers that these need.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

mod deployed;
mod door;
mod events;
mod grants;
mod outage;
mod promises;
mod secrets;
mod tap;
mod world;
