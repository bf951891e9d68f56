//! The engine over virtual days, on memory, with faults: what must hold whatever happens.
//!
//! Three kinds of files:
//!
//! - [`watch`] looks at what changed in each virtual minute, [`audit`] at the whole world once a day and in the end. Both know the decisions,
//!   neither calls the code that is under test: they read mails off the servers, and hours off the clock.
//! - [`stories`] each let one thing go wrong and say what has to become of it.
//! - [`faults`] lets everything go wrong at random; [`sixty_days`] nothing, from the start to graduation.
//!
//! A world follows from its name and a number. `AW_SEED=7` runs that one, `AW_SEEDS=100` as many of the random ones (`make simulate SEEDS=100
//! FIRST_SEED=7`); a failure says how to replay it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

mod audit;
mod faults;
mod harness;
mod matrix;
mod narrator;
mod seeds;
mod sixty_days;
mod stories;
mod watch;
