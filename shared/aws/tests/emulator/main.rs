//! The adapters against the emulator. One binary, because linking is what takes the time.
//!
//! Each test has tables, queues and keys of its own, by a random name, so that all run side by side. `AWS_ENDPOINT_URL` says where
//! the emulator is; `make test` starts one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod actions;
mod corrupt;
mod costs;
mod events;
mod expiry;
mod http_stores;
mod long_lists;
mod queues;
mod retries;
mod store_contract;
mod support;
mod uploads;
mod vault;
