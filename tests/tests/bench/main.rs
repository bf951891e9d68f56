//! `make bench`: what a warmup mail costs, how fast the API answers and what that uses, how fast days are planned, how fast functions
//! start, what a day of ten thousand mailboxes is like. The figures go to `docs/benchmarks.md`.
//!
//! Nothing here fails on a figure: a benchmark that does is switched off on the first busy machine. Goals stand beside what was measured,
//! and what is arithmetic has tests of its own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that is surprised should stop"
)]

mod api;
mod breakdown;
mod cold_start;
mod cost;
mod deployment;
mod document;
mod gathering;
mod handshake;
mod machine;
mod memory;
mod planner;
mod prices;
mod table;
mod usage;
