//! What a client says of a new mailbox, and what is wrong with it.

use agentwarm_core::account::{MailServers, Provider};
use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::PoolId;
use agentwarm_core::time::Zone;

use crate::error::{AppError, Problem};
use crate::ports::endpoints::{EndpointPart, EndpointRules, MailProtocol};
use crate::ports::mail::{ImapSmtpCredentials, MailboxCredentials, OauthTokens, TlsMode};
use crate::text::{NAME_MAX_CHARS, check_line};

/// The longest login name, in bytes. Room for an address and a realm.
const USERNAME_MAX_BYTES: usize = 320;

/// The longest password, in bytes. IMAP servers limit a line to some kilobytes.
const PASSWORD_MAX_BYTES: usize = 1024;

/// The longest token, in bytes: Microsoft's access tokens have some two to four thousand.
pub const TOKEN_MAX_BYTES: usize = 8192;

/// A new account as its client describes it. Nothing in it is checked.
pub struct NewAccount {
    /// Its address.
    pub email: String,
    /// The name that its mails carry.
    pub display_name: String,
    /// How to reach it.
    pub provider: Provider,
    /// Its time zone; UTC when not given (decision 16).
    pub timezone: Option<String>,
    /// How to log in.
    pub credentials: CredentialsInput,
    /// The pool to join; the default pool when not given (decision 16).
    pub pool: Option<String>,
}

/// Credentials as a client gives them; which of them count depends on the provider. Never logged.
#[derive(Default)]
pub struct CredentialsInput {
    /// IMAP host.
    pub imap_host: Option<String>,
    /// IMAP port.
    pub imap_port: Option<u32>,
    /// SMTP host.
    pub smtp_host: Option<String>,
    /// SMTP port.
    pub smtp_port: Option<u32>,
    /// Login name for both.
    pub username: Option<String>,
    /// Password for both.
    pub password: Option<String>,
    /// How IMAP is secured, where the port does not say it.
    pub imap_security: Option<TlsMode>,
    /// How SMTP is secured, where the port does not say it.
    pub smtp_security: Option<TlsMode>,
    /// Opens the mailbox by its provider's API.
    pub access_token: Option<String>,
    /// Gets the next access token.
    pub refresh_token: Option<String>,
}

/// A new account in which everything is as it must be.
pub(super) struct ValidAccount {
    pub(super) email: EmailAddress,
    pub(super) display_name: String,
    pub(super) provider: Provider,
    pub(super) zone: Zone,
    pub(super) credentials: MailboxCredentials,
    pub(super) pool: Option<PoolId>,
}

impl NewAccount {
    /// This account if everything about it is right, else all that is wrong.
    pub(super) fn validated(self, endpoints: &dyn EndpointRules) -> Result<ValidAccount, AppError> {
        let mut problems = Problems::default();
        let email = problems.parsed("email", self.email.parse::<EmailAddress>());
        problems.extend(check_line(
            "displayName",
            &self.display_name,
            NAME_MAX_CHARS,
        ));
        let zone = match &self.timezone {
            Some(name) => problems.parsed("timezone", name.parse::<Zone>()),
            None => Some(Zone::utc()),
        };
        let pool = self
            .pool
            .as_deref()
            .map(|id| id.parse::<PoolId>().map_err(|_| "must be a pool's id"));
        let pool = pool.map(|pool| problems.parsed("poolId", pool));
        let credentials = self
            .credentials
            .of_provider(self.provider, endpoints, &mut problems);
        let found = (email, zone, credentials, pool.unwrap_or_default());
        match (problems.0.is_empty(), found) {
            (true, (Some(email), Some(zone), Some(credentials), pool)) => Ok(ValidAccount {
                email,
                display_name: self.display_name,
                provider: self.provider,
                zone,
                credentials,
                pool,
            }),
            _ => Err(AppError::Invalid(problems.0)),
        }
    }
}

impl CredentialsInput {
    /// These credentials if all is right about them, else all that is wrong.
    pub(super) fn checked(
        &self,
        provider: Provider,
        endpoints: &dyn EndpointRules,
    ) -> Result<MailboxCredentials, AppError> {
        let mut problems = Problems::default();
        let credentials = self.of_provider(provider, endpoints, &mut problems);
        credentials.ok_or(AppError::Invalid(problems.0))
    }

    fn of_provider(
        &self,
        provider: Provider,
        endpoints: &dyn EndpointRules,
        problems: &mut Problems,
    ) -> Option<MailboxCredentials> {
        match provider {
            Provider::ImapSmtp => {
                let credentials = self.validated(endpoints, problems);
                credentials.map(MailboxCredentials::ImapSmtp)
            }
            Provider::Gmail | Provider::Outlook => {
                self.tokens(problems).map(MailboxCredentials::Oauth)
            }
        }
    }

    fn tokens(&self, problems: &mut Problems) -> Option<OauthTokens> {
        let access = problems.login_text(
            "credentials.accessToken",
            self.access_token.as_deref(),
            TOKEN_MAX_BYTES,
        );
        let refresh = problems.login_text(
            "credentials.refreshToken",
            self.refresh_token.as_deref(),
            TOKEN_MAX_BYTES,
        );
        Some(OauthTokens {
            access_token: access?,
            refresh_token: refresh?,
        })
    }

    fn validated(
        &self,
        endpoints: &dyn EndpointRules,
        problems: &mut Problems,
    ) -> Option<ImapSmtpCredentials> {
        let imap = Endpoint::IMAP.validated(
            self.imap_host.as_deref(),
            self.imap_port,
            endpoints,
            problems,
        );
        let smtp = Endpoint::SMTP.validated(
            self.smtp_host.as_deref(),
            self.smtp_port,
            endpoints,
            problems,
        );
        let username = problems.login_text(
            "credentials.username",
            self.username.as_deref(),
            USERNAME_MAX_BYTES,
        );
        let password = problems.login_text(
            "credentials.password",
            self.password.as_deref(),
            PASSWORD_MAX_BYTES,
        );
        let (imap_host, imap_port) = imap?;
        let (smtp_host, smtp_port) = smtp?;
        Some(ImapSmtpCredentials {
            imap_host,
            imap_port,
            smtp_host,
            smtp_port,
            username: username?,
            password: password?,
            imap_security: self.imap_security,
            smtp_security: self.smtp_security,
            oauth: false,
        })
    }
}

/// What their owner may see of credentials: the servers, where there are some.
pub(super) fn servers_of(credentials: &MailboxCredentials) -> Option<MailServers> {
    match credentials {
        MailboxCredentials::ImapSmtp(credentials) => Some(MailServers {
            imap_host: credentials.imap_host.clone(),
            imap_port: credentials.imap_port,
            smtp_host: credentials.smtp_host.clone(),
            smtp_port: credentials.smtp_port,
        }),
        MailboxCredentials::Oauth(_) => None,
    }
}

/// Where one of the two servers stands in the input.
struct Endpoint {
    protocol: MailProtocol,
    host_path: &'static str,
    port_path: &'static str,
}

impl Endpoint {
    const IMAP: Self = Self {
        protocol: MailProtocol::Imap,
        host_path: "credentials.imapHost",
        port_path: "credentials.imapPort",
    };
    const SMTP: Self = Self {
        protocol: MailProtocol::Smtp,
        host_path: "credentials.smtpHost",
        port_path: "credentials.smtpPort",
    };

    fn validated(
        &self,
        host: Option<&str>,
        port: Option<u32>,
        rules: &dyn EndpointRules,
        problems: &mut Problems,
    ) -> Option<(String, u16)> {
        let host = problems.required(self.host_path, host.filter(|host| !host.is_empty()));
        let port = problems.required(self.port_path, port);
        let (host, port) = (host?, port?);
        // 65536 and more are no ports; as port 0 they get the same answer as other ports we do not connect to.
        let port = u16::try_from(port).unwrap_or(0);
        let refused = rules.problems(self.protocol, host, port);
        let accepted = refused.is_empty().then(|| (host.to_owned(), port));
        for problem in refused {
            let path = match problem.part {
                EndpointPart::Host => self.host_path,
                EndpointPart::Port => self.port_path,
            };
            problems.add(path, problem.message);
        }
        accepted
    }
}

/// What is wrong so far.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Problem::new(path, message));
    }

    fn extend(&mut self, problem: Option<Problem>) {
        self.0.extend(problem);
    }

    fn parsed<T>(&mut self, path: &str, parsed: Result<T, impl ToString>) -> Option<T> {
        parsed
            .map_err(|error| self.add(path, error.to_string()))
            .ok()
    }

    fn required<T>(&mut self, path: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(path, "is required");
        }
        value
    }

    /// A login name or password. Control characters are refused because a line break ends a command (RFC 3501 §9: `quoted` has no CR or
    /// LF) and a NUL ends a field of SASL PLAIN (RFC 4616 §2).
    fn login_text(&mut self, path: &str, text: Option<&str>, max_bytes: usize) -> Option<String> {
        let text = self.required(path, text.filter(|text| !text.is_empty()))?;
        if text.len() > max_bytes {
            self.add(path, format!("must have at most {max_bytes} bytes"));
            return None;
        }
        if text.contains(char::is_control) {
            self.add(path, "must not contain control characters");
            return None;
        }
        Some(text.to_owned())
    }
}
