//! The kits that every function is made with.
//!
//! - [`http`]: routes, and all that is the same for each of them.
//! - [`task`]: what a function is, whatever wakes it.
pub mod http;
pub mod task;
