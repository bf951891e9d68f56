//! What the mail servers say they were asked: their own logs, since nobody else sees every connection.

use std::path::{Path, PathBuf};

/// What was asked of the mail servers since they were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Asked {
    /// Logins by IMAP that succeeded.
    pub(super) imap_logins: u64,
    /// Connections by SMTP in which somebody logged in.
    pub(super) smtp_connections: u64,
    /// Mails that the SMTP server took.
    pub(super) mails: u64,
    /// Bytes that were sent to them: what IMAP's sessions heard, and the mails.
    pub(super) bytes: u64,
}

impl Asked {
    /// Reads the logs in the folder `logs`.
    pub(super) fn read(logs: &Path) -> Self {
        let text = |name| {
            let path: PathBuf = logs.join(name);
            let bytes =
                std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Self::of(&text("dovecot.log"), &text("postfix.log"))
    }

    fn of(dovecot: &str, postfix: &str) -> Self {
        let logins = dovecot
            .lines()
            .filter(|line| line.contains(" imap-login: Info: Login: "));
        let sessions: Vec<&str> = postfix
            .lines()
            .filter(|line| line.contains("smtpd[") && line.contains(": disconnect from "))
            .filter(|line| succeeded(line, "auth") > 0)
            .collect();
        Self {
            imap_logins: u64::try_from(logins.count()).unwrap_or_default(),
            smtp_connections: u64::try_from(sessions.len()).unwrap_or_default(),
            mails: sessions.iter().map(|line| succeeded(line, "data")).sum(),
            bytes: heard(dovecot) + mailed(postfix),
        }
    }
}

/// What IMAP's sessions heard.
fn heard(dovecot: &str) -> u64 {
    let ends = dovecot
        .lines()
        .filter(|line| line.contains(" imap(") && line.contains(" Disconnected: "));
    ends.map(|line| succeeded(line, "in")).sum()
}

/// The size of all mails that the SMTP server queued.
fn mailed(postfix: &str) -> u64 {
    postfix
        .lines()
        .filter(|line| line.contains("/qmgr[") && line.contains(" (queue active)"))
        .filter_map(|line| line.split_once("size=")?.1.split_once(','))
        .filter_map(|(size, _)| size.parse::<u64>().ok())
        .sum()
}

/// How often `verb` succeeded in a session: `data=1`, or `data=1/2` where one of two failed.
fn succeeded(line: &str, verb: &str) -> u64 {
    line.split_whitespace()
        .filter_map(|word| word.strip_prefix(verb)?.strip_prefix('='))
        .filter_map(|count| count.split('/').next()?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_mails_are_counted() {
        let dovecot = "2026-11-24 04:28:05 imap-login: Info: Login: user=<w101@acorn.test>, method=PLAIN, rip=127.0.0.1\n\
             2026-11-24 04:28:06 imap-login: Info: Disconnected: Aborted login by logging out: user=<>\n\
             2026-11-24 04:44:45 imap(w009@acorn.test)<6872><x>: Info: Disconnected: Logged out in=83 out=1318 deleted=0\n";
        let postfix = "Nov 24 04:27:47 mail postfix/smtpd[1]: connect from unknown[127.0.0.1]\n\
             Nov 24 04:27:47 mail postfix/smtpd[1]: disconnect from unknown[127.0.0.1] ehlo=2 starttls=1 auth=1 mail=3 rcpt=3 data=2/3 quit=1 commands=8\n\
             Nov 24 04:27:48 mail postfix/smtpd[1]: disconnect from unknown[127.0.0.1] ehlo=2 auth=0/1 commands=2/3\n\
             Nov 24 04:44:31 mail postfix/qmgr[6755]: B6A4A75C7B0: from=<w008@cedar.test>, size=1023, nrcpt=1 (queue active)\n";
        let expected = Asked {
            imap_logins: 1,
            smtp_connections: 1,
            mails: 2,
            bytes: 83 + 1_023,
        };
        assert_eq!(Asked::of(dovecot, postfix), expected);
    }
}
