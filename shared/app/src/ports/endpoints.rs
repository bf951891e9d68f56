//! Which mail servers a user may name.
//!
//! The rules stand with the connector that enforces them at the moment of connecting; this port lets a mistake be reported where it was
//! made. It is courtesy, not protection.

pub use agentwarm_core::warmup::connection::MailProtocol;

/// Which part of an endpoint is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointPart {
    /// The host.
    Host,
    /// The port.
    Port,
}

/// Why an endpoint is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointProblem {
    /// The part at fault.
    pub part: EndpointPart,
    /// What is wrong with it, for the user who typed it; to be read after the field's name.
    pub message: String,
}

/// Judges what a user typed, without asking the network.
pub trait EndpointRules: Send + Sync {
    /// Everything that is wrong with `host` and `port` as a server for `protocol`; nothing if they may be connected to.
    fn problems(&self, protocol: MailProtocol, host: &str, port: u16) -> Vec<EndpointProblem>;
}
