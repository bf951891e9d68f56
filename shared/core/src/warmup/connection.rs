//! Whether a mailbox can be used, and when to try again (decision 17).
//!
//! A refused login and a server that does not answer are different stories: the first needs its owner, and trying often can lock a
//! mailbox; the second heals by itself. So refusals make an error after three over at least a quarter of an hour, silence after a day,
//! and both are then tried hourly, since an owner may mend either without telling us. The state is data, kept with the mailbox; what it
//! means for the account is in [`transition`](super::transition).
//!
//! A mailbox is two servers, and one of them can fail alone. So a failure is cleared only by the protocol that failed: a mailbox that can be
//! read but never sends must not look healthy each time it is read. While one server is silent the other is used; a refused login keeps both
//! away, since they ask for the same one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::time::{seconds_between, shifted};
use crate::warmup::thresholds::{REFUSED_LOGIN_MINUTES, REFUSED_LOGINS, UNREACHABLE_HOURS};

/// Minutes to wait after the first, second, … failure to reach a server; the last one from then on.
const UNREACHABLE_BACKOFF_MINUTES: [i64; 7] = [1, 2, 4, 8, 16, 32, 60];
/// Minutes to wait after a refused login: the third comes just after a quarter of an hour.
const REFUSED_BACKOFF_MINUTES: i64 = 8;
/// Minutes between attempts once it is an error.
const BROKEN_RETRY_MINUTES: i64 = 60;

/// Why a mailbox could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionFailure {
    /// The server refused the login.
    LoginRefused,
    /// The server could not be reached, or said nothing.
    Unreachable,
    /// The server was reached and could not be worked with.
    Unusable {
        /// Why, as a sentence for the account's owner, in our words.
        because: String,
    },
}

/// One of a mailbox's two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailProtocol {
    /// Reading mail.
    Imap,
    /// Submitting mail.
    Smtp,
}

impl MailProtocol {
    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Smtp => "SMTP",
        }
    }
}

/// How a mailbox has fared since it last worked. All zero: it works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionHealth {
    /// Refused logins in a row, whatever lay between them except a success.
    pub refused_logins: u32,
    /// The first of them.
    pub refused_since: Option<Timestamp>,
    /// Failures to reach the server, or to work with it, in a row.
    pub unreachable: u32,
    /// The first of them.
    pub unreachable_since: Option<Timestamp>,
    /// The last failure of either kind.
    pub failed_at: Option<Timestamp>,
    /// Which server it was.
    pub failed_protocol: Option<MailProtocol>,
    /// What it did, if it could be reached and did not refuse the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Not to be tried before.
    pub next_attempt_at: Option<Timestamp>,
}

impl ConnectionHealth {
    /// This health after a failure of `protocol` at `now`.
    #[must_use]
    pub fn failed(
        &self,
        protocol: MailProtocol,
        failure: ConnectionFailure,
        now: Timestamp,
    ) -> Self {
        let is_refused = failure == ConnectionFailure::LoginRefused;
        let mut after = self.clone();
        if is_refused {
            after.refused_logins = self.refused_logins.saturating_add(1);
            after.refused_since = self.refused_since.or(Some(now));
            // It answered, so it can be reached.
            after.unreachable = 0;
            after.unreachable_since = None;
        } else {
            after.unreachable = self.unreachable.saturating_add(1);
            after.unreachable_since = self.unreachable_since.or(Some(now));
        }
        after.failed_at = Some(now);
        after.failed_protocol = Some(protocol);
        after.because = match failure {
            ConnectionFailure::Unusable { because } => Some(because),
            ConnectionFailure::LoginRefused | ConnectionFailure::Unreachable => None,
        };
        let minutes = if after.is_broken() {
            BROKEN_RETRY_MINUTES
        } else if is_refused {
            REFUSED_BACKOFF_MINUTES
        } else {
            unreachable_backoff(after.unreachable)
        };
        after.next_attempt_at = Some(shifted(now, minutes * 60));
        after
    }

    /// Whether it failed so often or so long that the account is in error.
    pub fn is_broken(&self) -> bool {
        let lasted = |since: Option<Timestamp>| {
            since
                .zip(self.failed_at)
                .map_or(0, |(since, last)| seconds_between(since, last))
        };
        let refused = self.refused_logins >= REFUSED_LOGINS
            && lasted(self.refused_since) >= REFUSED_LOGIN_MINUTES * 60;
        refused || lasted(self.unreachable_since) >= UNREACHABLE_HOURS * 3600
    }

    /// From when on `protocol` may be tried; `None`: at any time.
    pub fn waits_until(&self, protocol: MailProtocol) -> Option<Timestamp> {
        let is_concerned = self.refused_logins > 0 || self.failed_protocol == Some(protocol);
        self.next_attempt_at.filter(|_| is_concerned)
    }

    /// Whether a success of `protocol` ends what is wrong.
    pub fn is_mended_by(&self, protocol: MailProtocol) -> bool {
        self.failed_protocol.is_none_or(|failed| failed == protocol)
    }

    /// What is wrong, for the account's owner; nothing when it works.
    pub fn reason(&self) -> Option<String> {
        if let Some(since) = self.refused_since {
            return Some(format!(
                "The mail server has refused the login since {}.",
                to_the_second(since)
            ));
        }
        let server = self.failed_protocol.map_or("mail", MailProtocol::name);
        self.unreachable_since.map(|since| {
            let since = to_the_second(since);
            match &self.because {
                Some(because) => {
                    format!("The {server} server could not be used since {since}. {because}.")
                }
                None => format!("The {server} server could not be reached since {since}."),
            }
        })
    }
}

fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn unreachable_backoff(failures: u32) -> i64 {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    UNREACHABLE_BACKOFF_MINUTES
        .get(index)
        .copied()
        .unwrap_or(BROKEN_RETRY_MINUTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        "2026-03-13T09:00:00Z".parse().unwrap()
    }

    /// Fails whenever it may be tried until it is broken; the minutes at which it failed.
    fn minutes_to_broken(failure: &ConnectionFailure) -> Vec<i64> {
        let mut health = ConnectionHealth::default();
        let mut now = start();
        let mut minutes = Vec::new();
        while !health.is_broken() {
            health = health.failed(MailProtocol::Imap, failure.clone(), now);
            minutes.push(seconds_between(start(), now) / 60);
            now = health.next_attempt_at.unwrap();
        }
        assert_eq!(
            seconds_between(health.failed_at.unwrap(), now),
            3600,
            "hourly from then on"
        );
        minutes
    }

    #[test]
    fn three_refusals_over_a_quarter_of_an_hour_are_an_error() {
        assert_eq!(
            minutes_to_broken(&ConnectionFailure::LoginRefused),
            [0, 8, 16]
        );
    }

    fn refused(health: &ConnectionHealth, seconds: i64) -> ConnectionHealth {
        let at = shifted(start(), seconds);
        health.failed(MailProtocol::Smtp, ConnectionFailure::LoginRefused, at)
    }

    fn silent(protocol: MailProtocol, health: &ConnectionHealth, seconds: i64) -> ConnectionHealth {
        let at = shifted(start(), seconds);
        health.failed(protocol, ConnectionFailure::Unreachable, at)
    }

    #[test]
    fn one_server_waits_alone_and_only_it_mends_what_is_wrong() {
        let down = silent(MailProtocol::Smtp, &ConnectionHealth::default(), 0);
        assert_eq!(down.waits_until(MailProtocol::Imap), None);
        assert!(down.waits_until(MailProtocol::Smtp).is_some());
        assert!(down.is_mended_by(MailProtocol::Smtp) && !down.is_mended_by(MailProtocol::Imap));
        // A password is the same for both.
        let refused = refused(&down, 60);
        assert!(refused.waits_until(MailProtocol::Imap).is_some());
        assert!(!refused.is_mended_by(MailProtocol::Imap));
        assert!(ConnectionHealth::default().is_mended_by(MailProtocol::Imap));
    }

    #[test]
    fn many_refusals_at_once_are_not() {
        let mut health = ConnectionHealth::default();
        for seconds in 0..10 {
            health = refused(&health, seconds);
        }
        assert!(!health.is_broken());
        assert!(refused(&health, 15 * 60).is_broken());
    }

    #[test]
    fn silence_backs_off_from_1_to_60_minutes_and_is_an_error_after_a_day() {
        let minutes = minutes_to_broken(&ConnectionFailure::Unreachable);
        assert_eq!(&minutes[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
        assert!(minutes[minutes.len() - 2] < 24 * 60);
        assert!((24 * 60..25 * 60).contains(minutes.last().unwrap()));
    }

    #[test]
    fn an_answer_ends_silence_and_silence_keeps_refusals() {
        let refused = refused(
            &silent(MailProtocol::Imap, &ConnectionHealth::default(), 0),
            60,
        );
        assert_eq!((refused.unreachable, refused.refused_logins), (0, 1));
        assert_eq!(refused.unreachable_since, None);
        assert_eq!(silent(MailProtocol::Imap, &refused, 120).refused_logins, 1);
    }

    #[test]
    fn what_works_may_be_tried_and_needs_no_reason() {
        let fine = ConnectionHealth::default();
        assert_eq!(fine.waits_until(MailProtocol::Smtp), None);
        assert!(!fine.is_broken() && fine.reason().is_none());
        let failed = silent(MailProtocol::Smtp, &fine, 0);
        assert_eq!(
            failed.waits_until(MailProtocol::Smtp),
            Some(shifted(start(), 60))
        );
        assert_eq!(
            failed.reason().unwrap(),
            "The SMTP server could not be reached since 2026-03-13T09:00:00Z."
        );
    }

    #[test]
    fn a_server_that_answers_and_is_of_no_use_is_told_apart_from_one_that_does_not() {
        let unusable = ConnectionFailure::Unusable {
            because: "Its certificate has expired".into(),
        };
        let silent = silent(MailProtocol::Imap, &ConnectionHealth::default(), 0);
        let failed = silent.failed(MailProtocol::Imap, unusable, shifted(start(), 60));
        assert_eq!(
            failed.reason().unwrap(),
            "The IMAP server could not be used since 2026-03-13T09:00:00Z. Its certificate has expired."
        );
        assert_eq!((failed.unreachable, failed.refused_logins), (2, 0));
        let kept: ConnectionHealth =
            serde_json::from_str(&serde_json::to_string(&failed).unwrap()).unwrap();
        assert_eq!(kept, failed);
        let gone = failed.failed(
            MailProtocol::Imap,
            ConnectionFailure::Unreachable,
            shifted(start(), 180),
        );
        assert_eq!(gone.reason(), silent.reason());
    }
}
