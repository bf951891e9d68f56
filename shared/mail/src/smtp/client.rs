//! One side of the dialogue up to a session: greeting, EHLO, STARTTLS, AUTH.

use agentwarm_app::ports::mail::{ConnectFailure, ImapSmtpCredentials};
use agentwarm_net::guard::{GuardError, Guarded};
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use super::reply::{Lines, Reply};
use crate::dial::{self, Private};
use crate::refusal::says_not_now;
use crate::sasl::{self, Mechanism};

/// What the server offers (RFC 5321 §4.1.1.1).
#[derive(Debug, Default)]
pub(super) struct Features {
    start_tls: bool,
    pipelining: bool,
    auth: Vec<String>,
}

/// A client over a stream, secure or not yet.
pub(super) struct Client<S> {
    stream: Guarded<S>,
    features: Features,
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum NoReply {
    /// The connection broke.
    Lost(GuardError),
    /// What came is no reply.
    Malformed,
}

impl From<NoReply> for ConnectFailure {
    fn from(error: NoReply) -> Self {
        match error {
            NoReply::Lost(error) => dial::failure(&error),
            NoReply::Malformed => Self::Protocol("a reply is not SMTP"),
        }
    }
}

impl<S> Client<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn new(stream: Guarded<S>) -> Self {
        Self {
            stream,
            features: Features::default(),
        }
    }

    /// The stream, to be upgraded.
    pub(super) fn into_stream(self) -> Guarded<S> {
        self.stream
    }

    /// The stream, for what is no command.
    pub(super) fn stream(&mut self) -> &mut Guarded<S> {
        &mut self.stream
    }

    /// Whether commands may be sent without waiting for each reply (RFC 2920).
    pub(super) fn pipelines(&self) -> bool {
        self.features.pipelining
    }

    /// Reads one reply.
    pub(super) async fn reply(&mut self) -> Result<Reply, NoReply> {
        let mut lines = Lines::default();
        self.stream.next_answer();
        loop {
            let line = self.stream.read_unit().await.map_err(NoReply::Lost)?;
            match lines.take(&line) {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(_malformed) => return Err(NoReply::Malformed),
            }
        }
    }

    /// Sends a line, or several that end in line ends of their own but for the last.
    pub(super) async fn send(&mut self, line: &str) -> Result<(), NoReply> {
        let bytes = Zeroizing::new(format!("{line}\r\n").into_bytes());
        self.stream.write(&bytes).await.map_err(NoReply::Lost)
    }

    /// Sends a command and reads its reply.
    pub(super) async fn command(&mut self, line: &str) -> Result<Reply, NoReply> {
        self.send(line).await?;
        self.reply().await
    }

    /// Reads the greeting.
    pub(super) async fn greeting(&mut self) -> Result<(), ConnectFailure> {
        let reply = self.reply().await?;
        expect_done(&reply, "it refuses the session")
    }

    /// Says EHLO and learns what the server offers. There is no HELO: a server without EHLO has no AUTH.
    pub(super) async fn hello(&mut self, name: &str) -> Result<(), ConnectFailure> {
        let reply = self.command(&format!("EHLO {name}")).await?;
        expect_done(&reply, "it refuses EHLO")?;
        self.features = Features::of(&reply);
        Ok(())
    }

    /// Agrees on TLS.
    pub(super) async fn start_tls(&mut self) -> Result<(), ConnectFailure> {
        if !self.features.start_tls {
            return Err(ConnectFailure::Tls("STARTTLS is not offered"));
        }
        let reply = self.command("STARTTLS").await?;
        match reply.class() {
            2 => Ok(()),
            4 => Err(ConnectFailure::Busy),
            _ => Err(ConnectFailure::Tls("STARTTLS is refused")),
        }
    }
}

impl<S: Private> Client<S> {
    /// Authenticates. Only possible over what nobody else reads, by type.
    pub(super) async fn login(
        &mut self,
        credentials: &ImapSmtpCredentials,
    ) -> Result<(), ConnectFailure> {
        let offers = |name: &str| self.features.auth.iter().any(|offered| offered == name);
        let takes_login = offers(Mechanism::Login.name());
        let reply = match Mechanism::choose(credentials, offers)? {
            Mechanism::Plain => {
                let first = sasl::plain(credentials)?;
                let reply = self.auth(Mechanism::Plain, &first).await?;
                if takes_login && may_dislike_plain(&reply) {
                    return self.login_after(&reply, credentials).await;
                }
                Ok(reply)
            }
            Mechanism::XOAuth2 => {
                let first = sasl::xoauth2(credentials)?;
                self.auth(Mechanism::XOAuth2, &first).await
            }
            Mechanism::Login => self.auth_login(credentials).await,
        }?;
        judge_login(&reply)
    }

    /// AUTH LOGIN after PLAIN was refused. What it comes to counts, unless the server hangs up instead.
    async fn login_after(
        &mut self,
        refused: &Reply,
        credentials: &ImapSmtpCredentials,
    ) -> Result<(), ConnectFailure> {
        match self.auth_login(credentials).await {
            Ok(reply) if reply.code() != 421 => judge_login(&reply),
            Ok(_) | Err(_) => judge_login(refused),
        }
    }

    /// AUTH with an initial response (RFC 4954 §4). A server that overlooks it asks for it; one that refuses a token explains itself in a
    /// challenge, which an empty response ends.
    async fn auth(&mut self, mechanism: Mechanism, first: &str) -> Result<Reply, NoReply> {
        let line = Zeroizing::new(format!("AUTH {} {first}", mechanism.name()));
        let reply = self.command(&line).await?;
        let asked_again = reply.code() == 334 && reply.lines().all(|text| text.trim().is_empty());
        match reply.code() {
            334 if asked_again => self.command(first).await,
            334 => self.command("").await,
            _ => Ok(reply),
        }
    }

    async fn auth_login(&mut self, credentials: &ImapSmtpCredentials) -> Result<Reply, NoReply> {
        let mut reply = self.command("AUTH LOGIN").await?;
        for answer in [&credentials.username, &credentials.password] {
            if reply.code() != 334 {
                break;
            }
            reply = self.command(&sasl::encode(answer)).await?;
        }
        Ok(reply)
    }
}

fn expect_done(reply: &Reply, otherwise: &'static str) -> Result<(), ConnectFailure> {
    match reply.class() {
        2 => Ok(()),
        4 => Err(ConnectFailure::Busy),
        _ => Err(ConnectFailure::Protocol(otherwise)),
    }
}

/// What the final reply to AUTH means (RFC 4954 §6). 50x is a server that does not know the command.
fn judge_login(reply: &Reply) -> Result<(), ConnectFailure> {
    match reply.code() {
        200..=299 => Ok(()),
        400..=499 => Err(ConnectFailure::Busy),
        500..=509 | 300..=399 => Err(ConnectFailure::Protocol("its AUTH does not work")),
        _ if is_not_now(reply) => Err(ConnectFailure::Busy),
        _ => Err(ConnectFailure::Credentials),
    }
}

/// Whether PLAIN may be what was refused, though it is offered. QQ Mail lists it, answers 502 or 535, and takes the same password by LOGIN
/// (<https://github.com/yc-software/qm/issues/808>). A server that says that the credentials are invalid, or that it is busy, is not asked
/// twice: it counts failures.
fn may_dislike_plain(reply: &Reply) -> bool {
    match reply.code() {
        500..=509 => true,
        535 => !names_credentials(reply) && !is_not_now(reply),
        _ => false,
    }
}

/// Whether a refusal speaks about the server only. Codes about the credentials (RFC 4954 §6) count whatever the words are: postfix says "535 5.7.8
/// Error: authentication failed: (reason unavailable)" of a wrong password, Gmail "534 5.7.14 Please log in via your web browser and then
/// try again".
fn is_not_now(reply: &Reply) -> bool {
    let words: Vec<&str> = reply.lines().collect();
    reply.code() != 534 && !names_credentials(reply) && says_not_now(&words.join(" "))
}

/// 5.7.8, "authentication credentials invalid".
fn names_credentials(reply: &Reply) -> bool {
    reply.enhanced().as_deref() == Some("5.7.8")
}

impl Features {
    fn of(reply: &Reply) -> Self {
        let mut features = Self::default();
        for line in reply.lines().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split([' ', '=']);
            match words.next() {
                Some("STARTTLS") => features.start_tls = true,
                Some("PIPELINING") => features.pipelining = true,
                // `AUTH=` is how servers before RFC 2554 said it.
                Some("AUTH") => features.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        features
    }
}
