//! What a client says first in the three SASL mechanisms that mail providers offer. The same for SMTP (RFC 4954) and IMAP (RFC 3501 §6.2.2).

use agentwarm_app::ports::mail::{ConnectFailure, ImapSmtpCredentials};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// How we authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// RFC 4616.
    Plain,
    /// Never standardised; some servers offer nothing else.
    Login,
    /// <https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>, also Microsoft's.
    XOAuth2,
}

impl Mechanism {
    /// Its registered name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::XOAuth2 => "XOAUTH2",
        }
    }

    /// The best mechanism for these credentials among those offered.
    pub(crate) fn choose(
        credentials: &ImapSmtpCredentials,
        offered: impl Fn(&str) -> bool,
    ) -> Result<Self, ConnectFailure> {
        let usable: &[Self] = if credentials.oauth {
            &[Self::XOAuth2]
        } else {
            &[Self::Plain, Self::Login]
        };
        usable
            .iter()
            .copied()
            .find(|mechanism| offered(mechanism.name()))
            .ok_or(ConnectFailure::Protocol(
                "it offers no authentication that fits the credentials",
            ))
    }
}

/// Base64 of user and password (RFC 4616 §2). A NUL in either would be read as their border.
pub(crate) fn plain(
    credentials: &ImapSmtpCredentials,
) -> Result<Zeroizing<String>, ConnectFailure> {
    let (user, password) = (&credentials.username, &credentials.password);
    if user.contains('\0') || password.contains('\0') {
        return Err(ConnectFailure::Credentials);
    }
    let message = Zeroizing::new(format!("\0{user}\0{password}"));
    Ok(encode(&message))
}

/// Base64 of user and access token.
pub(crate) fn xoauth2(
    credentials: &ImapSmtpCredentials,
) -> Result<Zeroizing<String>, ConnectFailure> {
    let (user, token) = (&credentials.username, &credentials.password);
    if user.contains(char::is_control) || token.contains(char::is_control) {
        return Err(ConnectFailure::Credentials);
    }
    let message = Zeroizing::new(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
    Ok(encode(&message))
}

/// Base64 of one answer.
pub(crate) fn encode(text: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(user: &str, password: &str, oauth: bool) -> ImapSmtpCredentials {
        ImapSmtpCredentials {
            imap_host: "imap.one.test".into(),
            imap_port: 993,
            smtp_host: "smtp.one.test".into(),
            smtp_port: 465,
            username: user.into(),
            password: password.into(),
            imap_security: None,
            smtp_security: None,
            oauth,
        }
    }

    #[test]
    fn messages_are_those_of_the_specifications() {
        let said = plain(&credentials("tim", "tanstaaftanstaaf", false)).unwrap();
        assert_eq!(*said, STANDARD.encode("\0tim\0tanstaaftanstaaf"));
        let said = xoauth2(&credentials(
            "someuser@example.com",
            "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
            true,
        ));
        assert_eq!(
            *said.unwrap(),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        );
    }

    #[test]
    fn borders_cannot_be_moved() {
        assert!(plain(&credentials("a\0b", "c", false)).is_err());
        assert!(plain(&credentials("a", "b\0c", false)).is_err());
        assert!(xoauth2(&credentials("a\x01auth=x", "b", true)).is_err());
    }

    #[test]
    fn a_token_is_never_sent_as_a_password() {
        let choose = |oauth, offered: &'static [&'static str]| {
            Mechanism::choose(&credentials("a", "b", oauth), |name| {
                offered.contains(&name)
            })
        };
        assert_eq!(choose(false, &["LOGIN", "PLAIN"]), Ok(Mechanism::Plain));
        assert_eq!(choose(false, &["LOGIN", "XOAUTH2"]), Ok(Mechanism::Login));
        assert!(choose(false, &["CRAM-MD5", "XOAUTH2"]).is_err());
        assert_eq!(choose(true, &["PLAIN", "XOAUTH2"]), Ok(Mechanism::XOAuth2));
        assert!(choose(true, &["PLAIN", "LOGIN"]).is_err());
    }
}
