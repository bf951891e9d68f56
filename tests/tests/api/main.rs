//! The API over in-memory ports: its use cases, and above them the functions' own routes behind the whole request pipeline.
//!
//! Modules are named like what they test. The world they need is one call: [`world::World::new`], and [`http::client::Api::new`] for what
//! needs HTTP.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test and its helpers fail by panicking"
)]

mod http;
mod use_cases;
mod world;
