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
/// Minutes between attempts once it is an error.
const BROKEN_RETRY_MINUTES: i64 = 60;

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
mod tests {
    use jiff::ToSpan;

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
            now = health.waits_until(MailProtocol::Imap).unwrap();
        }
        let last = start() + minutes.last().unwrap().minutes();
        assert_eq!(seconds_between(last, now), 3600, "hourly from then on");
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
        assert_eq!(down.mended_by(MailProtocol::Imap), down);
        assert!(down.mended_by(MailProtocol::Smtp).works());
        // A password is the same for both.
        let refused = refused(&down, 60);
        assert!(refused.waits_until(MailProtocol::Imap).is_some());
        assert_eq!(refused.mended_by(MailProtocol::Imap), refused);
    }

    #[test]
    fn a_server_that_fails_now_and_then_hides_nothing_of_the_other() {
        let mut health = ConnectionHealth::default();
        for hour in 0..=24 {
            let down = silent(MailProtocol::Smtp, &health, hour * 3600);
            assert_eq!(down.is_broken(), hour == 24);
            let both = silent(MailProtocol::Imap, &down, hour * 3600 + 60);
            assert_eq!(
                both.reason().unwrap(),
                format!(
                    "The IMAP server could not be reached since {}. \
                     The SMTP server could not be reached since 2026-03-13T09:00:00Z.",
                    shifted(start(), hour * 3600 + 60)
                )
            );
            assert_eq!(
                both.waits_until(MailProtocol::Imap),
                Some(shifted(start(), hour * 3600 + 120)),
                "its first failure, whatever the other waits for"
            );
            health = both.mended_by(MailProtocol::Imap);
            assert_eq!(health, down);
        }
    }

    #[test]
    fn refusals_by_both_servers_count_together_and_each_takes_back_its_own() {
        let by = |protocol, health: &ConnectionHealth, minutes: i64| {
            let at = shifted(start(), minutes * 60);
            health.failed(protocol, ConnectionFailure::LoginRefused, at)
        };
        let once = by(MailProtocol::Smtp, &ConnectionHealth::default(), 0);
        let twice = by(MailProtocol::Imap, &once, 8);
        let thrice = by(MailProtocol::Smtp, &twice, 16);
        assert!(!twice.is_broken() && thrice.is_broken());
        for protocol in [MailProtocol::Imap, MailProtocol::Smtp] {
            assert_eq!(
                thrice.waits_until(protocol),
                Some(shifted(start(), (16 + 60) * 60))
            );
        }
        let left = thrice.mended_by(MailProtocol::Imap);
        assert!(!left.is_broken());
        assert_eq!(left.reason(), once.reason());
        assert!(by(MailProtocol::Smtp, &left, 24).is_broken());
        assert!(left.mended_by(MailProtocol::Smtp).works());
    }

    #[test]
    fn who_accepts_the_login_and_refuses_the_mail_is_half_open_at_most() {
        let smtp = MailProtocol::Smtp;
        let turned_away = |health: &ConnectionHealth, minutes: i64| {
            let at = shifted(start(), minutes * 60);
            health.failed(smtp, ConnectionFailure::SenderRefused, at)
        };
        let down = silent(smtp, &ConnectionHealth::default(), 0);
        let twice = turned_away(&turned_away(&down, 1), 9);
        let thrice = turned_away(&twice, 17);
        assert!(!twice.is_broken() && thrice.is_broken());
        let in_minutes = |minutes: i64| Some(shifted(start(), minutes * 60));
        assert_eq!(thrice.waits_until(smtp), in_minutes(17 + 60));
        assert_eq!(thrice.waits_until(MailProtocol::Imap), None, "it is read");
        assert_eq!(
            thrice.reason().unwrap(),
            "The SMTP server accepts the login and has refused mail from this address since 2026-03-13T09:01:00Z."
        );

        let let_in = thrice.let_in_by(smtp);
        assert!(!let_in.is_broken() && !let_in.works(), "a mail may try");
        assert_eq!(let_in.waits_until(smtp), None);
        assert_eq!(let_in.reason(), thrice.reason());
        let kept: ServerHealth =
            serde_json::from_str(&serde_json::to_string(&let_in.smtp).unwrap()).unwrap();
        assert_eq!(kept, let_in.smtp);
        let again = turned_away(&let_in, 80);
        assert!(again.is_broken(), "at once");
        assert_eq!(again.reason(), thrice.reason());
        assert!(let_in.mended_by(smtp).works());
        assert!(down.let_in_by(smtp).works(), "nothing else is left over");
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
    fn a_hiccup_after_a_weekend_without_a_try_is_no_day_of_silence() {
        let smtp = MailProtocol::Smtp;
        let friday = (0..8).fold(ConnectionHealth::default(), |health, minutes| {
            silent(smtp, &health, minutes * 15 * 60)
        });
        let monday = 64 * 3600;
        let hiccup = silent(smtp, &friday, monday);
        assert!(!hiccup.is_broken());
        assert_eq!(
            hiccup.waits_until(smtp),
            Some(shifted(start(), monday + 60)),
            "tried again soon"
        );
        assert_eq!(hiccup.reason(), friday.reason(), "it did not work since");
        let minutes = [1, 3, 7, 15, 31, 63];
        let outage = minutes.iter().fold(hiccup, |health, minutes| {
            assert!(!health.is_broken(), "{minutes} minutes");
            silent(smtp, &health, monday + minutes * 60)
        });
        assert!(outage.is_broken());
        // Hours in which it is not tried mend nothing.
        let later = silent(smtp, &outage, monday + 20 * 3600);
        assert!(later.is_broken());
    }

    #[test]
    fn an_answer_ends_silence_and_silence_keeps_refusals() {
        let both = [MailProtocol::Imap, MailProtocol::Smtp];
        let silent_both = both
            .into_iter()
            .fold(ConnectionHealth::default(), |health, it| {
                silent(it, &health, 0)
            });
        let refused = refused(&silent_both, 60);
        assert_eq!(refused.smtp.unreachable, Failures::default());
        assert_eq!(refused.smtp.refused.count, 1);
        assert_eq!(refused.imap, silent_both.imap, "it did not answer");
        let silent = silent(MailProtocol::Smtp, &refused, 120);
        assert_eq!(silent.smtp.refused, refused.smtp.refused);
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
        assert_eq!(failed.imap.unreachable.count, 2);
        let kept: ServerHealth =
            serde_json::from_str(&serde_json::to_string(&failed.imap).unwrap()).unwrap();
        assert_eq!(kept, failed.imap);
        let gone = failed.failed(
            MailProtocol::Imap,
            ConnectionFailure::Unreachable,
            shifted(start(), 180),
        );
        assert_eq!(gone.reason(), silent.reason());
    }
}
