//! Whether a mailbox can be used, and when to try again (decision 17).
//!
//! A refused login and a server that does not answer are different stories: the first needs its owner, and trying often can lock a
//! mailbox; the second heals by itself. So refusals make an error after three over at least a quarter of an hour, silence after a day,
//! and both are then tried hourly, since an owner may mend either without telling us. The state is data, kept with the mailbox; what it
//! means for the account is in [`transition`](super::transition).
//!
//! A server may accept the login and refuse every mail of its address: at `MAIL FROM`, before any recipient is named. To be let in proves
//! nothing then. Such refusals back off and become an error like those of the login, but hold back sending only, and a login that works
//! leaves the door half open: it is tried with a mail, and the next refusal is the error again. Only a mail that was accepted ends them.
//!
//! A server is not tried at all times: nothing is sent at night or on a day off. So a day of silence needs tries as well, as many as use up
//! the back-off since the server was last left alone: one that failed on Friday evening and hiccups on Monday was not silent between.
//!
//! A mailbox is two servers, and one of them can fail alone. So each has a health of its own, which only its own success clears: a mailbox
//! that can be read but never sends must not look healthy each time it is read, nor each time its reading was mended. While one server is
//! silent the other is used; a refused login keeps both away and counts for both, since they ask for the same one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::time::{seconds_between, shifted};
use crate::warmup::thresholds::{
    REFUSED_LOGIN_MINUTES, REFUSED_LOGINS, UNREACHABLE_HOURS, UNTRIED_HOURS,
};

/// Minutes to wait after the first, second, … failure to reach a server; the last one from then on. As many tries must fail before a
/// server is gone.
const UNREACHABLE_BACKOFF_MINUTES: [i64; 7] = [1, 2, 4, 8, 16, 32, 60];
/// Minutes to wait after a refused login: the third comes just after a quarter of an hour.
const REFUSED_BACKOFF_MINUTES: i64 = 8;
/// Minutes between attempts once it is an error: an hour, less what an attempt may take, for the round that is due at the same minute of the
/// next hour must not come too early by that.
const BROKEN_RETRY_MINUTES: i64 = 55;

/// Why a mailbox could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionFailure {
    /// The server refused the login.
    LoginRefused,
    /// The server accepted the login and refused a mail because of its sender.
    SenderRefused,
    /// The server could not be reached, or said nothing.
    Unreachable,
    /// The server was reached and could not be worked with.
    Unusable {
        /// Why, as a sentence for the account's owner, in our words.
        because: String,
    },
}

/// One of a mailbox's two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Failures of one kind in a row. All zero: there was none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failures {
    /// How many, whatever lay between them except a success. Of a server's silence: since it was last left alone for hours.
    pub count: u32,
    /// The first of them.
    pub since: Option<Timestamp>,
    /// The last of them.
    pub last: Option<Timestamp>,
    /// Not to be tried before.
    pub next_attempt_at: Option<Timestamp>,
}

impl Failures {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether these are refusals so often and over so long that they are an error.
    fn are_refused(self) -> bool {
        self.count >= REFUSED_LOGINS && self.lasted() >= REFUSED_LOGIN_MINUTES * 60
    }

    /// These and one more at `now`.
    fn and(self, now: Timestamp) -> Self {
        Self {
            count: self.count.saturating_add(1),
            since: self.since.or(Some(now)),
            last: Some(now),
            next_attempt_at: None,
        }
    }

    /// Seconds from the first to the last.
    fn lasted(self) -> i64 {
        self.since
            .zip(self.last)
            .map_or(0, |(first, last)| seconds_between(first, last))
    }
}

/// How one of a mailbox's servers has fared since it last worked. All zero: it works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerHealth {
    /// Refused logins.
    pub refused: Failures,
    /// Mails that it refused because of their sender, after the login.
    #[serde(skip_serializing_if = "Failures::is_none")]
    pub turned_away: Failures,
    /// Whether it let us in since it last turned a mail away.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub half_open: bool,
    /// Failures to reach it, or to work with it.
    pub unreachable: Failures,
    /// What it did the last time, if it could be reached and did not refuse the login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl ServerHealth {
    /// Whether nothing is wrong with it.
    pub fn works(&self) -> bool {
        *self == Self::default()
    }

    /// The same failures, but it may be tried at once.
    #[must_use]
    pub fn tried_at_once(&self) -> Self {
        let mut after = self.clone();
        after.refused.next_attempt_at = None;
        after.turned_away.next_attempt_at = None;
        after.unreachable.next_attempt_at = None;
        after
    }

    fn is_gone(&self) -> bool {
        let tries = usize::try_from(self.unreachable.count).unwrap_or(usize::MAX);
        tries >= UNREACHABLE_BACKOFF_MINUTES.len()
            && self.unreachable.lasted() >= UNREACHABLE_HOURS * 3600
    }

    /// Whether its last failure lies so far back that it was left alone since. What is gone stays so until it works.
    fn was_left_alone(&self, now: Timestamp) -> bool {
        let last = self.unreachable.last;
        !self.is_gone()
            && last.is_some_and(|last| seconds_between(last, now) >= UNTRIED_HOURS * 3600)
    }

    fn turns_mail_away(&self) -> bool {
        !self.half_open && self.turned_away.are_refused()
    }

    fn turning_away(&self, protocol: MailProtocol) -> Option<String> {
        let server = protocol.name();
        let since = to_the_second(self.turned_away.since?);
        Some(format!(
            "The {server} server accepts the login and has refused mail from this address since {since}."
        ))
    }

    fn outage(&self, protocol: MailProtocol) -> Option<String> {
        let server = protocol.name();
        let since = to_the_second(self.unreachable.since?);
        Some(match &self.because {
            Some(because) => {
                format!("The {server} server could not be used since {since}. {because}.")
            }
            None => format!("The {server} server could not be reached since {since}."),
        })
    }
}

/// How a mailbox has fared: the health of both its servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionHealth {
    /// Of the server that it is read from.
    pub imap: ServerHealth,
    /// Of the server that it sends by.
    pub smtp: ServerHealth,
}

impl ConnectionHealth {
    /// The health of the server of `protocol`.
    pub const fn of(&self, protocol: MailProtocol) -> &ServerHealth {
        match protocol {
            MailProtocol::Imap => &self.imap,
            MailProtocol::Smtp => &self.smtp,
        }
    }

    /// The same, to be changed.
    pub const fn of_mut(&mut self, protocol: MailProtocol) -> &mut ServerHealth {
        match protocol {
            MailProtocol::Imap => &mut self.imap,
            MailProtocol::Smtp => &mut self.smtp,
        }
    }

    /// This health after a failure of `protocol` at `now`.
    #[must_use]
    pub fn failed(
        &self,
        protocol: MailProtocol,
        failure: ConnectionFailure,
        now: Timestamp,
    ) -> Self {
        match failure {
            ConnectionFailure::LoginRefused => self.refused(protocol, now),
            ConnectionFailure::SenderRefused => self.turned_away(protocol, now),
            ConnectionFailure::Unreachable => self.unreachable(protocol, None, now),
            ConnectionFailure::Unusable { because } => {
                self.unreachable(protocol, Some(because), now)
            }
        }
    }

    fn refused(&self, protocol: MailProtocol, now: Timestamp) -> Self {
        let mut after = self.clone();
        let server = after.of_mut(protocol);
        *server = ServerHealth {
            refused: server.refused.and(now),
            turned_away: server.turned_away,
            // It answered, so it can be reached.
            ..ServerHealth::default()
        };
        let minutes = if after.is_refused() {
            BROKEN_RETRY_MINUTES
        } else {
            REFUSED_BACKOFF_MINUTES
        };
        after.of_mut(protocol).refused.next_attempt_at = Some(shifted(now, minutes * 60));
        after
    }

    fn turned_away(&self, protocol: MailProtocol, now: Timestamp) -> Self {
        let mut after = self.clone();
        let server = after.of_mut(protocol);
        *server = ServerHealth {
            turned_away: server.turned_away.and(now),
            // It let us in.
            ..ServerHealth::default()
        };
        let minutes = if server.turns_mail_away() {
            BROKEN_RETRY_MINUTES
        } else {
            REFUSED_BACKOFF_MINUTES
        };
        server.turned_away.next_attempt_at = Some(shifted(now, minutes * 60));
        after
    }

    fn unreachable(&self, protocol: MailProtocol, because: Option<String>, now: Timestamp) -> Self {
        let is_refused = self.is_refused();
        let mut after = self.clone();
        let server = after.of_mut(protocol);
        server.because = because;
        if server.was_left_alone(now) {
            server.unreachable.count = 0;
        }
        server.unreachable = server.unreachable.and(now);
        let minutes = if is_refused || server.is_gone() {
            BROKEN_RETRY_MINUTES
        } else {
            unreachable_backoff(server.unreachable.count)
        };
        server.unreachable.next_attempt_at = Some(shifted(now, minutes * 60));
        after
    }

    /// This health after a success of `protocol`.
    #[must_use]
    pub fn mended_by(&self, protocol: MailProtocol) -> Self {
        let mut after = self.clone();
        *after.of_mut(protocol) = ServerHealth::default();
        after
    }

    /// This health after `protocol` accepted the login, and nothing more was asked of it.
    #[must_use]
    pub fn let_in_by(&self, protocol: MailProtocol) -> Self {
        let mut after = self.clone();
        let server = after.of_mut(protocol);
        *server = ServerHealth {
            turned_away: Failures {
                next_attempt_at: None,
                ..server.turned_away
            },
            half_open: !server.turned_away.is_none(),
            ..ServerHealth::default()
        };
        after
    }

    /// Whether nothing is wrong with either server.
    pub fn works(&self) -> bool {
        self.imap.works() && self.smtp.works()
    }

    /// Whether it failed so often or so long that the account is in error.
    pub fn is_broken(&self) -> bool {
        let is_broken = |server: &ServerHealth| server.is_gone() || server.turns_mail_away();
        self.is_refused() || is_broken(&self.imap) || is_broken(&self.smtp)
    }

    fn is_refused(&self) -> bool {
        self.refusals().are_refused()
    }

    /// Refusals by either server: they ask for the same login.
    fn refusals(&self) -> Failures {
        let (imap, smtp) = (self.imap.refused, self.smtp.refused);
        Failures {
            count: imap.count.saturating_add(smtp.count),
            since: [imap.since, smtp.since].into_iter().flatten().min(),
            last: imap.last.max(smtp.last),
            next_attempt_at: imap.next_attempt_at.max(smtp.next_attempt_at),
        }
    }

    /// From when on `protocol` may be tried; `None`: at any time.
    pub fn waits_until(&self, protocol: MailProtocol) -> Option<Timestamp> {
        let server = self.of(protocol);
        let own = server
            .unreachable
            .next_attempt_at
            .max(server.turned_away.next_attempt_at);
        own.max(self.refusals().next_attempt_at)
    }

    /// From when on both servers may be tried; `None`: at any time.
    pub fn rests_until(&self) -> Option<Timestamp> {
        self.waits_until(MailProtocol::Imap)
            .max(self.waits_until(MailProtocol::Smtp))
    }

    /// How many tries of either server failed, of those that still count.
    pub fn failures(&self) -> u32 {
        let all = self.all_failures();
        all.iter().fold(0, |sum, it| sum.saturating_add(it.count))
    }

    /// Since when something is wrong, if it is.
    pub fn failing_since(&self) -> Option<Timestamp> {
        let all = self.all_failures();
        all.iter().filter_map(|it| it.since).min()
    }

    fn all_failures(&self) -> [Failures; 6] {
        let (imap, smtp) = (&self.imap, &self.smtp);
        [
            imap.refused,
            imap.turned_away,
            imap.unreachable,
            smtp.refused,
            smtp.turned_away,
            smtp.unreachable,
        ]
    }

    /// What is wrong, for the account's owner; nothing when it works.
    pub fn reason(&self) -> Option<String> {
        let refused = self.refusals().since.map(|since| {
            let since = to_the_second(since);
            format!("The mail server has refused the login since {since}.")
        });
        let both = [MailProtocol::Imap, MailProtocol::Smtp];
        let turned_away = both.map(|it| self.of(it).turning_away(it));
        let outages = both.map(|it| self.of(it).outage(it));
        let reasons = [refused].into_iter().chain(turned_away).chain(outages);
        let reasons: Vec<_> = reasons.flatten().collect();
        (!reasons.is_empty()).then(|| reasons.join(" "))
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
mod tests;
