//! Messages: built for sending, and read as far as warmup must recognise them.
//!
//! - [`build`]: an [`OutgoingMail`](agentwarm_app::ports::mail::OutgoingMail) to bytes, with nothing in it that a header could not carry.
//! - [`letter`]: a [`Letter`](agentwarm_app::ports::letters::Letter), the same way, with HTML and files.
//! - [`header`]: what the few fetched headers of a message say.
//! - [`content`]: what a message says to people.
//! - [`report`]: delivery reports and complaints.

pub mod build;
mod closed;
pub mod content;
mod costly;
pub mod header;
pub mod letter;
pub mod report;
