//! What a mailbox does with a warmup mail that it found: open it, mark it important, answer it, file it away (decision 29).
//!
//! All of it is decided once, on arrival, from the mail's seed; carrying it out, however often it is tried, rolls no dice. Each action
//! comes after a human delay, counted in the mailbox's working time: what arrives in the evening is opened in the morning.
//!
//! **Sittings.** People open several mails when they sit down to them. So all of it is put off to the mailbox's next sitting ([`rounds`]): a
//! mail costs the mailbox no login of its own. And what was done need not be written to each mail: all that was due until the last
//! sitting is done ([`done`]). For that a sitting must have every mail before it that something is due with, so nothing is due within
//! [`BOOKED_WITHIN_SECONDS`] of its mail being found.
//!
//! **Rates.** `openRate`, `markImportantRate` and `replyRate` are shares of *received* mails, but only what was opened is marked or
//! answered. So an opened mail is marked with the chance markImportantRate / openRate, likewise for replies, and the overall shares come
//! out as configured; a rate above `openRate` comes out as `openRate`. A mail that ends its conversation, or whose mailbox may not
//! send, is not answered, so the measured share of replies lies below the configured one.
//!
//! A reply is an order of its own in the due index, for the sending side; the other actions are done by the mailbox's sittings.

use jiff::Timestamp;

use crate::ids::{AccountId, SlotId};
use crate::mail::receipt::{Engagement, PlannedReply, Receipt};
use crate::pool::PoolConfig;
use crate::rate::Rate;
use crate::seed::Seed;
use crate::time::{Zone, ceil_second, shifted};
use crate::warmup::calendar::{after_working_time, window_after_date, window_at_or_after};
use crate::warmup::due::rounds;
use crate::warmup::thresholds::REPLY_PATIENCE_HOURS;

/// A delay as people have it: seconds by the share of people who take no longer. Between the points it is interpolated. The shape is that
/// of a log-normal distribution (response times in mail studies), cut at both ends; a table draws the same on every machine.
type Delay = [(u32, u32); 7];

/// Within what time of the beginning of the visit that finds a mail its receipt is stored, with everybody's clock: a visit may last three
/// minutes, and clocks differ by five at most.
const BOOKED_WITHIN_SECONDS: i64 = 10 * 60;

/// From finding a mail to opening it: half within 22 minutes, and none before it is booked.
const OPEN_DELAY: Delay = [
    (0, 40),
    (10, 180),
    (25, 480),
    (50, 1320),
    (75, 3600),
    (90, 9000),
    (100, 18_000),
];
/// From opening a mail to marking it: mostly at once.
const IMPORTANT_DELAY: Delay = [
    (0, 5),
    (10, 10),
    (25, 18),
    (50, 40),
    (75, 110),
    (90, 300),
    (100, 900),
];
/// From opening a mail to answering it: half within 25 minutes.
const REPLY_DELAY: Delay = [
    (0, 90),
    (10, 240),
    (25, 540),
    (50, 1500),
    (75, 4200),
    (90, 9600),
    (100, 18_000),
];
/// From its answer to filing, in seconds of any time: nobody sees who files, and a mail that is done with should be out of the way.
const FILE_AFTER_REPLY: (u64, u64) = (10 * 60, 40 * 60);
/// From finding a mail that is never opened to filing it.
const FILE_UNOPENED: (u64, u64) = (3 * 3600, 6 * 3600);

/// A warmup mail that was found.
#[derive(Debug, Clone)]
pub struct Arrival<'a> {
    /// The mail's slot.
    pub slot: SlotId,
    /// When it was found (schedule clock).
    pub found_at: Timestamp,
    /// Whose mailbox it is in.
    pub receiver: AccountId,
    /// The receiver's zone.
    pub zone: &'a Zone,
    /// The receiver's configuration.
    pub config: &'a PoolConfig,
    /// Whether it can be answered: its conversation goes on, and its mailbox sends.
    pub can_reply: bool,
    /// The seed of this mail at its receiver.
    pub seed: Seed,
}

/// Something to do in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Mark as read.
    Open,
    /// Mark as important.
    MarkImportant,
    /// Move to the warmup folder.
    File,
}

/// Decides what is done with a mail, and when.
pub fn engage(arrival: &Arrival<'_>) -> Engagement {
    let seed = &arrival.seed;
    let config = arrival.config;
    let after = |from: Timestamp, delay: &Delay, label: &str| {
        let seconds = drawn(delay, &seed.child(label));
        ceil_second(after_working_time(arrival.zone, config, from, seconds))
    };
    let file = |from: Timestamp, range: (u64, u64)| {
        let seconds = range.0 + seed.child("file delay").below(range.1 - range.0);
        arrival.filing(shifted(from, i64::try_from(seconds).unwrap_or(0)))
    };
    if !seed.child("open").chance(config.open_rate.get()) {
        return Engagement {
            open_at: None,
            important_at: None,
            reply: None,
            file_at: file(arrival.found_at, FILE_UNOPENED),
        };
    }
    let opened = after(arrival.found_at, &OPEN_DELAY, "open delay");
    let open_at =
        arrival.sitting_at_work(opened.max(shifted(arrival.found_at, BOOKED_WITHIN_SECONDS)));
    let of_opened = |rate: Rate| rate.get() / config.open_rate.get();
    let important_at = seed
        .child("important")
        .chance(of_opened(config.mark_important_rate))
        .then(|| {
            arrival
                .sitting_at_work(after(opened, &IMPORTANT_DELAY, "important delay"))
                .max(open_at)
        });
    let replies = seed.child("reply").chance(of_opened(config.reply_rate));
    let reply = (arrival.can_reply && replies).then(|| {
        let at = after(open_at, &REPLY_DELAY, "reply delay");
        PlannedReply {
            slot: SlotId::seeded(at, &reply_seed(arrival.slot)),
            at,
        }
    });
    let last = important_at.map_or(open_at, |at| at.max(open_at));
    Engagement {
        open_at: Some(open_at),
        important_at,
        reply,
        file_at: match reply {
            Some(reply) => file(last.max(reply.at), FILE_AFTER_REPLY),
            None => arrival.filing(last),
        },
    }
}

impl Arrival<'_> {
    /// The mailbox's first sitting at or after `at`.
    fn sitting(&self, at: Timestamp) -> Timestamp {
        rounds::sitting_at_or_after(self.receiver, at)
    }

    /// The first of those at which it files.
    fn filing(&self, at: Timestamp) -> Timestamp {
        rounds::filing_at_or_after(self.receiver, at)
    }

    /// The first in working hours.
    fn sitting_at_work(&self, at: Timestamp) -> Timestamp {
        let sitting = self.sitting(at);
        match window_at_or_after(self.zone, self.config, sitting) {
            // Hours are whole, so each window has a sitting.
            Some(window) if sitting < window.start => self.sitting(window.start),
            _ => sitting,
        }
    }
}

/// What was done with a mail in its mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// It was opened.
    pub opened: bool,
    /// It was marked important.
    pub important: bool,
    /// It was filed; nothing follows.
    pub filed: bool,
}

/// What was done with a mail whose mailbox has done all that was due until `through`; with none, nothing was done yet.
pub fn done(receipt: &Receipt, through: Option<Timestamp>) -> Done {
    let mut done = Done::default();
    for (action, due) in planned(receipt) {
        if through.is_some_and(|through| due <= through) {
            match action {
                Action::Open => done.opened = true,
                Action::MarkImportant => done.important = true,
                Action::File => done.filed = true,
            }
        }
    }
    done
}

/// What is to be done with a mail at `now` when all that was due until `through` is done, in its order. Doing it again changes nothing.
pub fn due(receipt: &Receipt, through: Option<Timestamp>, now: Timestamp) -> Vec<Action> {
    planned(receipt)
        .filter(|(_, due)| through.is_none_or(|through| through < *due) && *due <= now)
        .map(|(action, _)| action)
        .collect()
}

/// When something is next to be done with a mail in its mailbox, after all that was due until `through`. A reply is no such thing.
pub fn next_due(receipt: &Receipt, through: Option<Timestamp>) -> Option<Timestamp> {
    planned(receipt)
        .map(|(_, due)| due)
        .filter(|due| through.is_none_or(|through| through < *due))
        .min()
}

/// What is done with a mail in its mailbox and when, in the order in which it is done.
fn planned(receipt: &Receipt) -> impl Iterator<Item = (Action, Timestamp)> {
    let planned = &receipt.engagement;
    [
        (Action::Open, planned.open_at),
        (Action::MarkImportant, planned.important_at),
        (Action::File, Some(file_due(receipt))),
    ]
    .into_iter()
    .filter_map(|(action, due)| Some((action, due?)))
}

/// Filing comes after the time of the reply, also when that was moved: later only, never back to where a sitting has been.
fn file_due(receipt: &Receipt) -> Timestamp {
    let planned = &receipt.engagement;
    let answered = planned.reply.map(|reply| shifted(reply.at, 60));
    match answered.filter(|answered| planned.file_at < *answered) {
        Some(answered) => rounds::filing_at_or_after(receipt.receiver, answered),
        None => planned.file_at,
    }
}

/// Moves a reply that cannot be sent at `now` (no budget is left, or it is not working time) into the next window to open; none when
/// that is over 48 h after the mail was found: then it is dropped (decision 21). Asking again on the same day gives the same answer.
pub fn move_reply(
    receipt: &Receipt,
    zone: &Zone,
    config: &PoolConfig,
    now: Timestamp,
) -> Option<PlannedReply> {
    let reply = receipt.engagement.reply?;
    let window = window_at_or_after(zone, config, now)
        .filter(|window| now < window.start)
        .or_else(|| window_after_date(zone, config, zone.date_of(now)))?;
    let seed = reply_seed(reply.slot);
    let delay = drawn(&REPLY_DELAY, &seed.child("delay"));
    let at = ceil_second(after_working_time(zone, config, window.start, delay));
    (at <= patience_ends(receipt)).then(|| PlannedReply {
        slot: SlotId::seeded(at, &seed),
        at,
    })
}

/// Until when a receipt's mail may be answered (decision 21).
pub fn patience_ends(receipt: &Receipt) -> Timestamp {
    shifted(receipt.found_at, REPLY_PATIENCE_HOURS * 3600)
}

/// The seed of the reply to `slot`, or of the reply that takes the place of `slot`.
fn reply_seed(slot: SlotId) -> Seed {
    Seed::root(slot.as_uuid().as_bytes()).child("reply")
}

/// A delay in seconds.
fn drawn(delay: &Delay, seed: &Seed) -> i64 {
    // In hundredths of a percent, so that all of this stays in integers.
    let share = u32::try_from(seed.below(10_000)).unwrap_or(0);
    let mut before = (0, 0);
    for &(percent, seconds) in delay {
        let at = percent * 100;
        if share < at {
            let (from, low) = before;
            return i64::from(low + (seconds - low) * (share - from) / (at - from));
        }
        before = (at, seconds);
    }
    i64::from(before.1)
}

#[cfg(test)]
mod tests;
