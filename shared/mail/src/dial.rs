//! From credentials to a connection under TLS, with what went wrong said in the words of the port.
//!
//! Refused, filtered, unresolvable and forbidden are one answer, [`ConnectFailure::Unreachable`]: told apart, they would make testing a
//! connection a port scanner. The log has the difference.

use std::time::Duration;

use agentwarm_app::ports::mail::ConnectFailure;
use agentwarm_net::address::{Endpoint, Policy, Sink};
use agentwarm_net::connect::Connector;
use agentwarm_net::guard::{Framing, GuardError, Guarded, Violation};
use agentwarm_net::tls::{Tls, TlsError, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::config::{IMAP_LIMITS, SMTP_LIMITS, TimeLimits};

/// A connection under TLS.
pub(crate) type Secure = TlsStream<TcpStream>;

/// A stream that credentials may be sent over, since nobody but the peer reads it. Sessions exist over nothing else. In the product that is
/// TLS alone; whoever plays a server from memory says so of their own stream.
pub trait Private: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl Private for Secure {}

/// Opens connections.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) connector: Connector,
    pub(crate) tls: Tls,
    pub(crate) time: TimeLimits,
}

/// One connection on its way to TLS.
pub(crate) struct Call<'d> {
    dialer: &'d Dialer,
    endpoint: Endpoint,
    connected_by: Instant,
    session_ends: Instant,
}

impl Dialer {
    /// Judges where to connect to, and starts the clocks.
    pub(crate) fn call(
        &self,
        sink: Sink,
        host: &str,
        port: u16,
    ) -> Result<Call<'_>, ConnectFailure> {
        let policy: Policy = self.connector.policy();
        let endpoint = policy.endpoint(sink, host, port).map_err(|error| {
            tracing::debug!(?sink, port, %error, "endpoint refused");
            ConnectFailure::Unreachable
        })?;
        let now = Instant::now();
        Ok(Call {
            dialer: self,
            endpoint,
            connected_by: now + self.time.connect,
            session_ends: now + self.time.session,
        })
    }
}

impl Call<'_> {
    /// A connection in plain text, good for nothing but to be upgraded. Its dialogue has the limits of one under TLS: servers that let
    /// strangers wait for their greeting (5 to 10 s) do so on either port.
    pub(crate) async fn plain(&self) -> Result<Guarded<TcpStream>, ConnectFailure> {
        let stream = self.tcp().await?;
        Ok(self.guard(stream))
    }

    /// A connection under TLS from the first byte.
    pub(crate) async fn secure(&self) -> Result<Guarded<Secure>, ConnectFailure> {
        let stream = self.tcp().await?;
        self.handshake(stream, self.connected_by).await
    }

    /// The connection under TLS, after the server agreed to it.
    pub(crate) async fn upgrade(
        &self,
        plain: Guarded<TcpStream>,
    ) -> Result<Guarded<Secure>, ConnectFailure> {
        let stream = plain.into_stream().map_err(|error| failure(&error))?;
        let agreed = Instant::now() + self.dialer.time.connect;
        self.handshake(stream, agreed.min(self.session_ends)).await
    }

    async fn tcp(&self) -> Result<TcpStream, ConnectFailure> {
        let connecting = self
            .dialer
            .connector
            .connect(&self.endpoint, self.connected_by);
        connecting.await.map_err(|error| {
            tracing::debug!(sink = ?self.endpoint.sink, port = self.endpoint.port, %error, "not connected");
            ConnectFailure::Unreachable
        })
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        by: Instant,
    ) -> Result<Guarded<Secure>, ConnectFailure> {
        let host = &self.endpoint.host;
        let shaking = self.dialer.tls.handshake(stream, host, by);
        let stream = shaking.await.map_err(|error| {
            tracing::debug!(sink = ?self.endpoint.sink, port = self.endpoint.port, %error, "no TLS");
            tls_failure(&error)
        })?;
        Ok(self.guard(stream))
    }

    fn guard<S>(&self, stream: S) -> Guarded<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let idle = self.dialer.time.answer;
        guarded(stream, self.endpoint.sink, idle, self.session_ends)
    }
}

/// A stream within what a server of this kind may cost.
pub(crate) fn guarded<S>(stream: S, sink: Sink, idle: Duration, ends: Instant) -> Guarded<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (framing, limits) = match sink {
        Sink::Imap => (Framing::Imap, IMAP_LIMITS),
        Sink::Smtp => (Framing::Lines, SMTP_LIMITS),
    };
    Guarded::new(stream, framing, limits, idle, ends)
}

fn tls_failure(error: &TlsError) -> ConnectFailure {
    match error {
        TlsError::Certificate(_) => ConnectFailure::Tls("the certificate does not verify"),
        TlsError::Name => ConnectFailure::Tls("the host cannot be verified"),
        TlsError::Handshake(_) => ConnectFailure::Tls("the handshake failed"),
        TlsError::Timeout => ConnectFailure::Unreachable,
    }
}

/// A broken session in the words of the port.
pub(crate) fn failure(error: &GuardError) -> ConnectFailure {
    tracing::debug!(%error, "session lost");
    match error {
        GuardError::Violation(Violation::Injected) => {
            ConnectFailure::Tls(Violation::Injected.reason())
        }
        GuardError::Violation(violation) => ConnectFailure::Protocol(violation.reason()),
        GuardError::Closed | GuardError::Timeout | GuardError::Io(_) => ConnectFailure::Unreachable,
    }
}
