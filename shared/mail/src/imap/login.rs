//! From a connection to a session: greeting, STARTTLS, capabilities, authentication.

use agentwarm_app::ports::mail::{ConnectFailure, ImapSmtpCredentials, TlsMode};
use agentwarm_net::address::Sink;
use agentwarm_net::guard::Guarded;

use super::command::Command;
use super::connection::{Connection, succeeded};
use super::response::{Capabilities, Ending, Response, Status};
use super::session::{ImapSession, Settings};
use crate::dial::{Dialer, Private, Secure};
use crate::refusal::says_not_now;
use crate::sasl::{self, Mechanism};

/// Response codes of a refused login that speak about the server, not about the credentials (RFC 5530 §3), and two of Gmail's own.
const NOT_NOW_CODES: [&str; 6] = [
    "UNAVAILABLE",
    "INUSE",
    "LIMIT",
    "SERVERBUG",
    "OVERQUOTA",
    "THROTTLED",
];

/// Who we are (RFC 2971 §3.3).
const ID: &str = concat!(
    "ID (\"name\" \"AgentWarm\" \"version\" \"",
    env!("CARGO_PKG_VERSION"),
    "\")"
);

/// Connects, secures and logs in.
pub(crate) async fn open(
    dialer: &Dialer,
    settings: Settings,
    credentials: &ImapSmtpCredentials,
) -> Result<ImapSession<Secure>, ConnectFailure> {
    let call = dialer.call(Sink::Imap, &credentials.imap_host, credentials.imap_port)?;
    match credentials.imap_tls() {
        TlsMode::Implicit => begin(call.secure().await?, settings, credentials).await,
        TlsMode::StartTls => {
            let mut plain = Connection::new(call.plain().await?);
            plain.greeting().await?;
            let end = plain.run(&Command::new("STARTTLS"), |_ignored| {}).await?;
            if end.status != Status::Ok {
                return Err(ConnectFailure::Tls("STARTTLS is refused"));
            }
            let stream = call.upgrade(plain.into_stream()).await?;
            // What was told before TLS may have been told by somebody else (RFC 3501 §6.2.1).
            enter(Connection::new(stream), None, settings, credentials).await
        }
    }
}

/// From the greeting on.
pub(crate) async fn begin<S: Private>(
    stream: Guarded<S>,
    settings: Settings,
    credentials: &ImapSmtpCredentials,
) -> Result<ImapSession<S>, ConnectFailure> {
    let mut connection = Connection::new(stream);
    let told = connection.greeting().await?;
    enter(connection, told, settings, credentials).await
}

async fn enter<S: Private>(
    mut connection: Connection<S>,
    told: Option<Capabilities>,
    settings: Settings,
    credentials: &ImapSmtpCredentials,
) -> Result<ImapSession<S>, ConnectFailure> {
    let offered = match told {
        Some(capabilities) => capabilities,
        None => ask_capabilities(&mut connection).await?,
    };
    let told = log_in(&mut connection, &offered, credentials).await?;
    let capabilities = match told {
        Some(capabilities) => capabilities,
        None => ask_capabilities(&mut connection).await?,
    };
    // NetEase (163.com, 126.com, yeah.net) opens no folder to a client that has not said who it is, after its login: "NO SELECT Unsafe
    // Login. Please contact kefu@188.com for help".
    if offered.has("ID") || capabilities.has("ID") {
        connection.mention(ID).await?;
    }
    Ok(ImapSession::new(connection, capabilities, settings))
}

async fn ask_capabilities<S: Private>(
    connection: &mut Connection<S>,
) -> Result<Capabilities, ConnectFailure> {
    let mut told = Capabilities::default();
    let end = connection
        .run(&Command::new("CAPABILITY"), |response| {
            if let Response::Capability(capabilities) = response {
                told = capabilities;
            }
        })
        .await?;
    succeeded(&end)?;
    Ok(told)
}

/// Authenticates; only possible over what nobody else reads, by type. The capabilities that come with success, if they do: they may be others now.
async fn log_in<S: Private>(
    connection: &mut Connection<S>,
    offered: &Capabilities,
    credentials: &ImapSmtpCredentials,
) -> Result<Option<Capabilities>, ConnectFailure> {
    let mut told = None;
    let on = |response| keep_told(&mut told, response);
    let mechanism = Mechanism::choose(credentials, |name| offered.has(&format!("AUTH={name}")));
    let by_sasl = mechanism.is_ok();
    let end = match mechanism {
        Ok(Mechanism::Login) => {
            let user = sasl::encode(&credentials.username);
            let password = sasl::encode(&credentials.password);
            let answers = [user.as_str(), password.as_str()];
            connection
                .authenticate("AUTHENTICATE LOGIN", &answers, on)
                .await?
        }
        Ok(mechanism) => {
            let first = match mechanism {
                Mechanism::XOAuth2 => sasl::xoauth2(credentials)?,
                Mechanism::Plain | Mechanism::Login => sasl::plain(credentials)?,
            };
            let opening = format!("AUTHENTICATE {}", mechanism.name());
            if offered.has("SASL-IR") {
                let opening = zeroize::Zeroizing::new(format!("{opening} {}", *first));
                connection.authenticate(&opening, &[], on).await?
            } else {
                connection.authenticate(&opening, &[&first], on).await?
            }
        }
        Err(_) if takes_login_command(offered, credentials) => {
            connection.run(&login_command(credentials), on).await?
        }
        Err(failure) => return Err(failure),
    };
    let asks_again = by_sasl && may_dislike_sasl(&end);
    let end = if asks_again && takes_login_command(offered, credentials) {
        let on = |response| keep_told(&mut told, response);
        let second = connection.run(&login_command(credentials), on).await;
        // Where the server hangs up instead, the refusal is what counts.
        second.unwrap_or(end)
    } else {
        end
    };
    judge_login(&end)?;
    Ok(end.capabilities().or(told))
}

fn keep_told(told: &mut Option<Capabilities>, response: Response) {
    if let Response::Capability(capabilities) = response {
        *told = Some(capabilities);
    }
}

/// Whether the LOGIN command may be sent (RFC 3501 §6.2.3). It knows no tokens.
fn takes_login_command(offered: &Capabilities, credentials: &ImapSmtpCredentials) -> bool {
    !credentials.oauth && !offered.has("LOGINDISABLED")
}

fn login_command(credentials: &ImapSmtpCredentials) -> Command {
    Command::new("LOGIN")
        .string(&credentials.username)
        .string(&credentials.password)
}

/// Whether AUTHENTICATE may be what was refused, though it is offered. Exchange answers PLAIN with "NO AUTHENTICATE failed." where users may
/// not use it, and takes LOGIN (<https://github.com/imapsync/imapsync/issues/383>); others offer SASL-IR and call it BAD. A server that
/// says that the credentials are wrong, or that it is busy, is not asked twice: it counts failures.
fn may_dislike_sasl(end: &Ending) -> bool {
    match end.status {
        Status::No | Status::Bad => !names_credentials(end) && !is_not_now(end),
        Status::Ok | Status::Bye | Status::PreAuth => false,
    }
}

fn judge_login(end: &Ending) -> Result<(), ConnectFailure> {
    match end.status {
        Status::Ok => Ok(()),
        // Exchange throttles with either.
        Status::No | Status::Bad if is_not_now(end) => Err(ConnectFailure::Busy),
        Status::No => Err(ConnectFailure::Credentials),
        Status::Bad | Status::Bye | Status::PreAuth => {
            Err(ConnectFailure::Protocol("its AUTHENTICATE does not work"))
        }
    }
}

/// Whether a refusal speaks about the server only.
fn is_not_now(end: &Ending) -> bool {
    let by_code = NOT_NOW_CODES.iter().any(|code| end.has_code(code));
    by_code || (!names_credentials(end) && says_not_now(&end.text))
}

fn names_credentials(end: &Ending) -> bool {
    end.has_code("AUTHENTICATIONFAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_is_not_a_wrong_password() {
        for (line, expected) in [
            ("a1 OK [CAPABILITY IMAP4rev1] in", Ok(())),
            (
                "a1 NO [AUTHENTICATIONFAILED] Authentication failed.",
                Err(ConnectFailure::Credentials),
            ),
            (
                "a1 NO [AUTHENTICATIONFAILED] Invalid credentials, try again",
                Err(ConnectFailure::Credentials),
            ),
            ("a1 NO LOGIN failed.", Err(ConnectFailure::Credentials)),
            (
                "a1 NO [ALERT] Application-specific password required",
                Err(ConnectFailure::Credentials),
            ),
            (
                "a1 NO [UNAVAILABLE] Temporary authentication failure.",
                Err(ConnectFailure::Busy),
            ),
            (
                "a1 NO [ALERT] Too many simultaneous connections.",
                Err(ConnectFailure::Busy),
            ),
            ("a1 NO Server Unavailable. 15", Err(ConnectFailure::Busy)),
            ("a1 NO [LIMIT] x", Err(ConnectFailure::Busy)),
            (
                "a1 NO [OVERQUOTA] Account limits (Failure)",
                Err(ConnectFailure::Busy),
            ),
            ("a1 NO [THROTTLED] later", Err(ConnectFailure::Busy)),
            (
                "a1 NO Request is throttled. Suggested Backoff Time: 256625",
                Err(ConnectFailure::Busy),
            ),
            (
                "a1 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds",
                Err(ConnectFailure::Busy),
            ),
            (
                "a1 NO Too many bad auth attempts.",
                Err(ConnectFailure::Credentials),
            ),
            (
                "a1 BAD what",
                Err(ConnectFailure::Protocol("its AUTHENTICATE does not work")),
            ),
        ] {
            let Response::Done { end, .. } = Response::of(format!("{line}\r\n").as_bytes()) else {
                panic!("{line}");
            };
            assert_eq!(judge_login(&end), expected, "{line}");
        }
    }
}
