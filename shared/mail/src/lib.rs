//! Mailboxes behind the ports of `agentwarm-app`: submission by SMTP, reading by IMAP, and the messages themselves.
//!
//! Hosts, ports and everything that a server says come from users and strangers. So each connection is opened by the guarded connector of
//! `agentwarm-net`, speaks nothing but TLS once credentials are at stake (sessions exist over what is [`Private`] alone, by type), and
//! is read in framed, bounded units within deadlines. What goes wrong is answered in the vocabulary of the ports; nothing that a
//! server does panics or grows without bound, which `tests/hostile` shows with servers that try, and the suite of that name in
//! `agentwarm-tests` with figures.
//!
//! - [`ImapSmtp`]: the mailbox of any provider with IMAP and SMTP, for [`MailSender`] and [`MailReader`].
//! - [`config`]: what a deployment decides, and the limits.
//! - `endpoints`: which servers a user may name.
//! - `smtp`, `imap`: the two dialogues, each with the reason for being our own.
//! - [`mime`]: building messages, recognising them, reports.
//!
//! One connection serves a batch: a session's mails share a login, SMTP's envelope commands share a round trip where the server
//! pipelines, and a folder without news costs one command.

use agentwarm_app::ports::mail::{
    ConnectFailure, ImapSmtpCredentials, MailReader, MailSender, ReadSession, SendSession,
};
use agentwarm_net::address::{Policy, Sink};
use agentwarm_net::connect::Connector;
use agentwarm_net::guard::Guarded;
use agentwarm_net::resolve::{Resolver, ResolverUnavailable};
use agentwarm_net::tls::{CaError, Tls};
use async_trait::async_trait;
use tokio::time::Instant;

pub mod config;
mod dial;
mod endpoints;
mod imap;
pub mod mime;
mod refusal;
mod sasl;
mod smtp;

pub use config::{MailConfig, TimeLimits};
pub use dial::Private;

use dial::{Dialer, guarded};

/// Mailboxes by IMAP and SMTP. Made once per process: connections share its TLS configuration and its DNS cache.
#[derive(Clone)]
pub struct ImapSmtp {
    dialer: Dialer,
    ehlo_name: String,
    settings: imap::Settings,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MailConfigError {
    /// The private CA.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The DNS.
    #[error(transparent)]
    Dns(#[from] ResolverUnavailable),
    /// The EHLO name or the token header holds what a command or a header may not, or the folder's name is empty.
    #[error("{0} is not usable")]
    Name(&'static str),
}

impl ImapSmtp {
    /// Checks a configuration and makes the parts that all connections share.
    pub fn new(config: MailConfig) -> Result<Self, MailConfigError> {
        check_names(&config)?;
        let policy = Policy {
            allow_loopback: config.allow_loopback,
        };
        let resolver = Resolver::new(config.name_server, config.allow_loopback)?;
        Ok(Self {
            dialer: Dialer {
                connector: Connector::new(resolver, policy),
                tls: Tls::new(config.private_ca_pem.as_deref())?,
                time: config.time,
            },
            ehlo_name: config.ehlo_name,
            settings: imap::Settings {
                warmup_folder: config.warmup_folder,
                token_header: config.token_header,
                first_look: config.first_look,
            },
        })
    }
}

impl ImapSmtp {
    /// An SMTP session from the greeting on over a stream that stands already, within the limits of one that was dialled.
    pub async fn send_over<S: Private>(
        &self,
        stream: S,
        credentials: &ImapSmtpCredentials,
    ) -> Result<Box<dyn SendSession>, ConnectFailure> {
        let stream = self.guarded(stream, Sink::Smtp);
        let session = smtp::begin(stream, self.dialer.time, &self.ehlo_name, credentials).await?;
        Ok(Box::new(session))
    }

    /// An IMAP session, likewise.
    pub async fn read_over<S: Private>(
        &self,
        stream: S,
        credentials: &ImapSmtpCredentials,
    ) -> Result<Box<dyn ReadSession>, ConnectFailure> {
        let stream = self.guarded(stream, Sink::Imap);
        let session = imap::begin(stream, self.settings.clone(), credentials).await?;
        Ok(Box::new(session))
    }

    fn guarded<S: Private>(&self, stream: S, sink: Sink) -> Guarded<S> {
        let time = self.dialer.time;
        guarded(stream, sink, time.answer, Instant::now() + time.session)
    }
}

fn check_names(config: &MailConfig) -> Result<(), MailConfigError> {
    let token = |text: &str, also: &[u8]| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
    };
    if !token(&config.ehlo_name, b".-[]:") {
        return Err(MailConfigError::Name("the EHLO name"));
    }
    if !token(&config.token_header, b"-_") {
        return Err(MailConfigError::Name("the token header"));
    }
    if config.warmup_folder.trim().is_empty() || config.warmup_folder.contains(char::is_control) {
        return Err(MailConfigError::Name("the warmup folder"));
    }
    Ok(())
}

#[async_trait]
impl MailSender for ImapSmtp {
    async fn connect(
        &self,
        credentials: &ImapSmtpCredentials,
    ) -> Result<Box<dyn SendSession>, ConnectFailure> {
        let session = smtp::open(&self.dialer, &self.ehlo_name, credentials).await?;
        Ok(Box::new(session))
    }
}

#[async_trait]
impl MailReader for ImapSmtp {
    async fn connect(
        &self,
        credentials: &ImapSmtpCredentials,
    ) -> Result<Box<dyn ReadSession>, ConnectFailure> {
        let session = imap::open(&self.dialer, self.settings.clone(), credentials).await?;
        Ok(Box::new(session))
    }
}
