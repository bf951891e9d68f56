//! The whole product from outside: the public API over HTTP, the real functions with their own permissions, real SMTP and IMAP servers.
//!
//! Only time is not real: the schedule clock moves minute by minute, with all work of each minute done. `make test` starts the servers.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

mod books;
mod by_hand;
mod contract;
mod days;
mod failures;
mod findings;
mod imap;
mod junk;
mod one_mail;
mod proxy;
mod servers;
mod sixty_days;
mod ten_days;
mod world;
