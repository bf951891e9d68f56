//! The kits that every function is made with.
//!
//! A function is a library with a table of routes or a task, and a main of three lines; what it shares with the others is here:
//!
//! - [`http`]: routes, and all that is the same for each of them.
//! - [`events`]: batches of messages and records, schedules, the bus.
//! - [`task`]: what a function is, whatever wakes it; [`bootstrap`]: from a process to that.
//! - [`world`]: the adapters that a function is built of.
//! - [`settings`], [`logging`]: what comes in by the environment, and what goes out to the log.

pub mod bootstrap;
pub mod events;
pub mod http;
pub mod logging;
pub mod settings;
pub mod task;
pub mod world;
