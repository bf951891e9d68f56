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
use agentwarm_net::guard::Guarded;

use crate::config::TimeLimits;
use crate::dial::{Dialer, Private, Secure};

use client::Client;
use session::SmtpSession;

/// Connects, secures and logs in.
pub(crate) async fn open(
    dialer: &Dialer,
    ehlo_name: &str,
    credentials: &ImapSmtpCredentials,
) -> Result<SmtpSession<Secure>, ConnectFailure> {
    let call = dialer.call(Sink::Smtp, &credentials.smtp_host, credentials.smtp_port)?;
    match credentials.smtp_tls() {
        TlsMode::Implicit => {
            let stream = call.secure().await?;
            begin(stream, dialer.time, ehlo_name, credentials).await
        }
        TlsMode::StartTls => {
            let mut plain = Client::new(call.plain().await?);
            plain.greeting().await?;
            plain.hello(ehlo_name).await?;
            plain.start_tls().await?;
            // What the server said before TLS may have been said by somebody else (RFC 3207 §4.2): EHLO is said again.
            let client = Client::new(call.upgrade(plain.into_stream()).await?);
            enter(client, dialer.time, ehlo_name, credentials).await
        }
    }
}

/// From the greeting on.
pub(crate) async fn begin<S: Private>(
    stream: Guarded<S>,
    time: TimeLimits,
    ehlo_name: &str,
    credentials: &ImapSmtpCredentials,
) -> Result<SmtpSession<S>, ConnectFailure> {
    let mut client = Client::new(stream);
    client.greeting().await?;
    enter(client, time, ehlo_name, credentials).await
}

async fn enter<S: Private>(
    mut client: Client<S>,
    time: TimeLimits,
    ehlo_name: &str,
    credentials: &ImapSmtpCredentials,
) -> Result<SmtpSession<S>, ConnectFailure> {
    client.hello(ehlo_name).await?;
    client.login(credentials).await?;
    Ok(SmtpSession::new(client, time))
}
