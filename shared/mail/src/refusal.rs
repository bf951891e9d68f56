//! A login that was refused in words: is the password wrong, or would the server take it at another time?
//!
//! Three refused logins stop an account (decision 17), so a server that is only busy must not count as one. Codes come first where there are
//! any (RFC 5530 §3, RFC 4954 §6); these are the words of servers without them. Both protocols share them, as their servers do.

/// What is wrong with the credentials, or was too often: it counts whatever else is said. QQ Mail names all that it can think of, "password is
/// incorrect, login frequency limited, or system is busy", and means the first. Yahoo's "Too many bad auth attempts" is a lockout by wrong
/// passwords.
const WRONG: [&str; 6] = [
    "incorrect",
    "invalid",
    "wrong pass",
    "too many bad",
    "too many failed",
    "too many unsuccessful",
];

/// What has nothing to do with the credentials: words of Gmail, Exchange ("Request is throttled. Suggested Backoff Time: …"), NetEase
/// ("authentication failed, system busy"), Tencent ("this user authenticate too many times"), GoDaddy ("User has exceeded its 24-hour sending
/// limit"), Dovecot, and their likes.
const NOT_NOW: [&str; 10] = [
    "too many",
    "unavailable",
    "temporar",
    "try again",
    "internal error",
    "exceeded",
    "bandwidth",
    "frequen",
    "busy",
    "throttl",
];

/// Whether a refusal says no more than "not now".
pub(crate) fn says_not_now(text: &str) -> bool {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    says(&NOT_NOW) && !says(&WRONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_servers_are_told_from_wrong_passwords() {
        for text in [
            "auth failed (this user authenticate too many times)",
            "Request is throttled. Suggested Backoff Time: 92415 milliseconds",
            "Account exceeded command or bandwidth limits. (Failure)",
            "Error: authentication failed, system busy",
            "Login frequency limited",
            "Too many simultaneous connections.",
            "Maximum number of connections from user+IP exceeded",
            "Server Unavailable. 15",
        ] {
            assert!(says_not_now(text), "{text}");
        }
        for text in [
            "",
            "Login failed.",
            "Too many bad auth attempts.",
            "Invalid credentials, please try again",
            "Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.",
            "Application-specific password required",
        ] {
            assert!(!says_not_now(text), "{text}");
        }
    }
}
