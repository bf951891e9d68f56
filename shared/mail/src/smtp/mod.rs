//! Submitting mail (RFC 6409) with the phase of every failure known.
//!
//! The dialogue is our own, some 300 lines over the guarded stream. lettre's connection was the obvious choice and does not fit:
//! it waits for a greeting, which a stream that was upgraded by STARTTLS has already had, while its own STARTTLS puts the
//! guard below TLS, where there is nothing to see; a refusal reaches its caller without the reply's lines; a reply of a bare `250` or in
//! Latin-1 counts as lost, which after the content would put an accepted mail in doubt; and it waits for each reply in turn where
//! PIPELINING saves a round trip per mail. What lettre does well, building messages, it does here too ([`crate::mime::build`]).
//!
//! What a submission came to follows from when the connection broke (decision 31): before the first byte of content nothing can
//! have been accepted; from then on only a reply settles it.

mod client;
mod reply;
mod session;

use agentwarm_app::ports::mail::{ConnectFailure, ImapSmtpCredentials, TlsMode};
use agentwarm_net::address::Sink;

use crate::config::SMTP_LIMITS;
use crate::dial::Dialer;

use client::Client;
pub(crate) use session::SmtpSession;

/// Connects, secures and logs in.
pub(crate) async fn open(
    dialer: &Dialer,
    ehlo_name: &str,
    credentials: &ImapSmtpCredentials,
) -> Result<SmtpSession, ConnectFailure> {
    let call = dialer.call(
        Sink::Smtp,
        &credentials.smtp_host,
        credentials.smtp_port,
        SMTP_LIMITS,
    )?;
    let mut client = match credentials.smtp_tls() {
        TlsMode::Implicit => {
            let mut client = Client::new(call.secure().await?);
            client.greeting().await?;
            client
        }
        TlsMode::StartTls => {
            let mut plain = Client::new(call.plain().await?);
            plain.greeting().await?;
            plain.hello(ehlo_name).await?;
            plain.start_tls().await?;
            Client::new(call.upgrade(plain.into_stream()).await?)
        }
    };
    // What the server said before TLS may have been said by somebody else (RFC 3207 §4.2).
    client.hello(ehlo_name).await?;
    client.login(credentials).await?;
    Ok(SmtpSession::new(client, dialer.time))
}
