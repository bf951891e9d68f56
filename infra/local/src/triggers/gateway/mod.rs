//! API Gateway's part: one REST API on one local port.
//!
//! [`paths`] finds the function whose path fits a request best, [`event`] translates between HTTP and the proxy events of a REST API,
//! [`answers`] gives the gateway's own answers as the template words them, and [`server`] listens.

pub mod answers;
pub mod event;
pub mod paths;
pub mod server;
