//! Servers that lie, stall, flood and hang up, on real sockets, against the product's own clients.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod imap_browse;
mod imap_flood;
mod imap_folders;
mod imap_login;
mod imap_read;
mod imap_relocate;
mod secrets;
mod smtp_connect;
mod smtp_phases;
mod smtp_simulated;
mod tls;

use agentwarm_testkit::scripted as server;
