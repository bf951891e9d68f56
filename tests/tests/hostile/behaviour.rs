//! One hostile behaviour: what the server does, and what has to come of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{ConnectFailure, Submission, TlsMode};
use agentwarm_testkit::scripted::{Peer, Pki, Script};
use serde::{Deserialize, Serialize};

/// A server's behaviour.
pub(crate) struct Behaviour {
    pub(crate) name: String,
    /// What the client wants of the server.
    pub(crate) task: Task,
    /// What the client believes of the port.
    pub(crate) security: TlsMode,
    /// How the server begins.
    pub(crate) begins: TlsMode,
    pub(crate) pki: Pki,
    /// What happens on each connection.
    pub(crate) script: Arc<dyn Fn() -> Script + Send + Sync>,
    pub(crate) expected: Outcome,
}

/// What a client wants of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// What a visit does: read what is new in Junk and the inbox.
    Read,
    /// What showing a folder does: headlines, then whole messages.
    Browse,
    /// What settling a mail in doubt does.
    Find,
    /// Submit a mail.
    Send,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Nothing is wrong.
    Works,
    /// The session cannot be had, or breaks.
    Fails(ConnectFailure),
    /// The mail is not accepted.
    Sends(Submission),
}

/// What a server does at one point of a dialogue.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// What it should.
    Nothing,
    /// Says nothing any more.
    Silence,
    /// Says this (`TAG` is the command's) instead, and goes on as if nothing had happened.
    Instead(Vec<u8>),
    /// Says this, and nothing any more.
    Once(Vec<u8>),
    /// Says this and hangs up.
    Last(Vec<u8>),
    /// Says this again and again.
    Flood(Vec<u8>),
    /// Says these bytes again and again, so many of them each second.
    Drip(Vec<u8>, usize),
}

impl Task {
    pub(crate) fn protocol(self) -> MailProtocol {
        match self {
            Self::Send => MailProtocol::Smtp,
            Self::Read | Self::Browse | Self::Find => MailProtocol::Imap,
        }
    }
}

impl Behaviour {
    /// A server with a right certificate.
    pub(crate) fn new(
        name: impl fmt::Display,
        task: Task,
        security: TlsMode,
        script: impl Fn() -> Script + Send + Sync + 'static,
        expected: Outcome,
    ) -> Self {
        Self {
            name: name.to_string(),
            task,
            security,
            begins: security,
            pki: Pki::new(),
            script: Arc::new(script),
            expected,
        }
    }
}

impl Behaviour {
    /// Whether the engine meets it in a batch: it neither shows folders nor, in this batch, looks for anything.
    pub(crate) fn concerns_visits(&self) -> bool {
        matches!(self.task, Task::Read | Task::Send)
    }
}

/// The client's word for what a server did.
pub(crate) fn protocol(what: &'static str) -> Outcome {
    Outcome::Fails(ConnectFailure::Protocol(what))
}

/// There is no TLS, because of this.
pub(crate) fn insecure(what: &'static str) -> Outcome {
    Outcome::Fails(ConnectFailure::Tls(what))
}

pub(crate) const UNREACHABLE: Outcome = Outcome::Fails(ConnectFailure::Unreachable);
pub(crate) const BUSY: Outcome = Outcome::Fails(ConnectFailure::Busy);

impl Act {
    /// Does it; false if that ends the connection.
    pub(crate) async fn run(self, peer: &mut Peer, tag: &str) -> bool {
        match self {
            Self::Nothing => true,
            Self::Silence => {
                peer.pause().await;
                false
            }
            Self::Instead(bytes) => peer.say(tagged(&bytes, tag)).await,
            Self::Once(bytes) => {
                peer.say(tagged(&bytes, tag)).await;
                peer.pause().await;
                false
            }
            Self::Last(bytes) => {
                peer.say(bytes).await;
                false
            }
            Self::Flood(bytes) => {
                while peer.say(&bytes).await {}
                false
            }
            Self::Drip(bytes, at_once) => {
                for some in bytes.chunks(at_once).cycle() {
                    if !peer.say(some).await {
                        break;
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                false
            }
        }
    }
}

/// `bytes` with the tag in place of `TAG`.
fn tagged(bytes: &[u8], tag: &str) -> Vec<u8> {
    let mut answer = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(3).position(|word| word == b"TAG") {
        answer.extend_from_slice(&rest[..at]);
        answer.extend_from_slice(tag.as_bytes());
        rest = &rest[at + 3..];
    }
    answer.extend_from_slice(rest);
    answer
}
