//! What a deployment decides about mail, and what no peer may cost us.

use std::net::SocketAddr;
use std::time::Duration;

use agentwarm_net::guard::{Limits, ScanLimits};

/// What a deployment decides about mail.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The name that we greet SMTP servers with (RFC 5321 §4.1.1.1): a host name, or an address literal where there is none.
    pub ehlo_name: String,
    /// The folder that engaged warmup mail is filed in, in any script (decision 28).
    pub warmup_folder: String,
    /// The header that carries the token (decision 28).
    pub token_header: String,
    /// Certificates of a private CA, PEM, besides the public ones.
    pub private_ca_pem: Option<String>,
    /// Whether mail servers on loopback addresses may be used, on any port: local development only.
    pub allow_loopback: bool,
    /// The name server to ask instead of the system's.
    pub name_server: Option<SocketAddr>,
    /// How many of a folder's newest messages are looked at when nothing is known about it. IMAP can ask for the last day only by the
    /// server's calendar, so this is a number that a mailbox hardly receives in a day.
    pub first_look: u32,
    /// How long things may take.
    pub time: TimeLimits,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// Resolving, connecting and TLS together; after STARTTLS was agreed on, TLS has as much again.
    pub connect: Duration,
    /// Waiting for an answer, and for all of it: longer only as far as it goes on arriving.
    pub answer: Duration,
    /// Waiting for the answer to a message's content, which servers scan first. RFC 5321 §4.5.3.2.6 asks for ten minutes; what comes later
    /// than this is in doubt and is settled by searching (decision 31).
    pub acceptance: Duration,
    /// A session from connecting to the end. Shorter than the leases that its user holds meanwhile (120 s), so that nobody takes over
    /// from a session that still works.
    pub session: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            answer: Duration::from_secs(15),
            acceptance: Duration::from_mins(1),
            session: Duration::from_secs(90),
        }
    }
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            ehlo_name: "[127.0.0.1]".into(),
            warmup_folder: "Warmup".into(),
            token_header: "X-AW-Token".into(),
            private_ca_pem: None,
            allow_loopback: false,
            name_server: None,
            first_look: 200,
            time: TimeLimits::default(),
        }
    }
}

/// What an SMTP server may cost. Replies are lines of 512 bytes (RFC 5321 §4.5.3.1.5); real ones are a little longer.
pub(crate) const SMTP_LIMITS: Limits = Limits {
    scan: ScanLimits {
        line: 4 * 1024,
        literal: 0,
        unit: 4 * 1024,
        depth: 0,
    },
    exchange_bytes: 64 * 1024,
    session_bytes: 1024 * 1024,
};

/// What an IMAP server may cost. A line may be the numbers of 100,000 messages; a literal is at most the part of a message that is
/// asked for; nothing that is asked for nests deeper than three.
pub(crate) const IMAP_LIMITS: Limits = Limits {
    scan: ScanLimits {
        line: 1024 * 1024,
        literal: 128 * 1024,
        unit: 1280 * 1024,
        depth: 10,
    },
    exchange_bytes: 4 * 1024 * 1024,
    session_bytes: 32 * 1024 * 1024,
};
