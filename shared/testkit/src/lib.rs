//! Worlds for tests: a clock that moves when told, chance that replays, and every port in memory.
//!
//! - [`clock`]: [`clock::VirtualClock`] and [`clock::SeededEntropy`].
//! - [`log`]: everything that is logged.
//! - [`memory`]: the ports in memory, with faults on demand.
//! - [`chaos`], [`tasks`]: faults by chance, and tasks side by side that they happen to.
//! - [`world`]: the engine on all of these.
//! - [`scripted`]: mail servers that say what a test wants, on real sockets.
//! - [`store_contract`]: what the storage ports promise, as one suite for every implementation.
//! - [`dns`], [`hosts`], [`payloads`]: a name server that says what a test wants; hosts and texts as attackers write them.

#![allow(
    clippy::assigning_clones,
    clippy::cloned_ref_to_slice_refs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a panic is a failed test, and plain code is worth more than fast code"
)]

pub mod chaos;
pub mod clock;
pub mod dns;
pub mod hosts;
pub mod log;
pub mod memory;
pub mod payloads;
pub mod scripted;
pub mod store_contract;
pub mod tasks;
pub mod world;
