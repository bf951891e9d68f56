//! The product's clients against dovecot and postfix. `make test` starts both and says where they are.
//!
//! Each test has mailboxes of its own (`w9xx@…`) and Message-IDs that no earlier run used, so that the servers' state does not matter.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod browsing;
mod folders;
mod letters;
mod mailbox;
mod sending;
