//! What a mailbox does with a warmup mail that it found: open it, mark it important, answer it, file it away (decision 29).
//!
//! All of it is decided once, on arrival, from the mail's seed; carrying it out, however often it is tried, rolls no dice. Each action
//! comes after a human delay, counted in the mailbox's working time: what arrives in the evening is opened in the morning.
//!
//! **Rounds.** People open several mails when they sit down to them. So opening and marking are put off to the mailbox's next round
//! ([`rounds`]), and what needs no more is filed in the same one: a mail costs the mailbox no login of its own.
//!
//! **Rates.** `openRate`, `markImportantRate` and `replyRate` are shares of *received* mails, but only what was opened is marked or
//! answered. So an opened mail is marked with the chance markImportantRate / openRate, likewise for replies, and the overall shares come
//! out as configured; a rate above `openRate` comes out as `openRate`. A mail that ends its conversation, or whose mailbox may not
//! send, is not answered, so the measured share of replies lies below the configured one.
//!
//! A reply is an order of its own in the due index, for the sending side; the other actions are done by the mailbox's rounds.

use jiff::Timestamp;

use crate::ids::{AccountId, SlotId};
use crate::mail::receipt::{Engagement, PlannedReply, Receipt};
use crate::pool::PoolConfig;
use crate::rate::Rate;
use crate::seed::Seed;
use crate::time::{Zone, ceil_second, shifted};
use crate::warmup::calendar::{after_working_time, window_after_date, window_at_or_after};
use crate::warmup::due::rounds::{self, Pace};
use crate::warmup::thresholds::REPLY_PATIENCE_HOURS;

/// A delay as people have it: seconds by the share of people who take no longer. Between the points it is interpolated. The shape is that
/// of a log-normal distribution (response times in mail studies), cut at both ends; a table draws the same on every machine.
type Delay = [(u32, u32); 7];

/// From finding a mail to opening it: half within 22 minutes.
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
    /// How often that has its rounds in its working hours.
    pub pace: Pace,
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
        ceil_second(shifted(from, i64::try_from(seconds).unwrap_or(0)))
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
    let open_at = arrival.round_after(opened);
    let of_opened = |rate: Rate| rate.get() / config.open_rate.get();
    let important_at = seed
        .child("important")
        .chance(of_opened(config.mark_important_rate))
        .then(|| arrival.round_after(after(opened, &IMPORTANT_DELAY, "important delay")));
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
            None => last,
        },
    }
}

impl Arrival<'_> {
    /// The mailbox's first round in working hours at or after `at`.
    fn round_after(&self, at: Timestamp) -> Timestamp {
        let round = rounds::at_or_after(self.receiver, at, self.pace);
        match window_at_or_after(self.zone, self.config, round) {
            // Hours are whole, so each window has a round.
            Some(window) if round < window.start => {
                rounds::at_or_after(self.receiver, window.start, self.pace)
            }
            _ => round,
        }
    }
}

/// What is to be done next with a mail, if it is due at `now`. A visit asks, acts and [`book`]s until nothing is left.
pub fn next_action(receipt: &Receipt, now: Timestamp) -> Option<Action> {
    pending(receipt)
        .into_iter()
        .flatten()
        .find(|(_, due)| *due <= now)
        .map(|(action, _)| action)
}

/// When something is next to be done with a mail in its mailbox; nothing once it is filed. A reply is no such thing.
pub fn next_due(receipt: &Receipt) -> Option<Timestamp> {
    pending(receipt)
        .into_iter()
        .flatten()
        .map(|(_, due)| due)
        .min()
}

/// Notes that `action` was done at `now`. Noting it again changes nothing.
pub fn book(receipt: &mut Receipt, action: Action, now: Timestamp) {
    let field = match action {
        Action::Open => &mut receipt.opened_at,
        Action::MarkImportant => &mut receipt.important_at,
        Action::File => &mut receipt.filed_at,
    };
    field.get_or_insert(now);
}

/// What is left to be done, in the order in which it is done.
fn pending(receipt: &Receipt) -> [Option<(Action, Timestamp)>; 3] {
    if receipt.filed_at.is_some() {
        return [None; 3];
    }
    let planned = &receipt.engagement;
    let left = |action, due: Option<Timestamp>, done: Option<Timestamp>| match done {
        Some(_) => None,
        None => due.map(|due| (action, due)),
    };
    [
        left(Action::Open, planned.open_at, receipt.opened_at),
        left(
            Action::MarkImportant,
            planned.important_at,
            receipt.important_at,
        ),
        left(Action::File, Some(file_due(receipt)), None),
    ]
}

/// Filing comes after the reply, also when the reply was moved.
fn file_due(receipt: &Receipt) -> Timestamp {
    let planned = &receipt.engagement;
    match planned.reply {
        Some(reply) if receipt.replied_at.is_none() => planned.file_at.max(shifted(reply.at, 60)),
        _ => planned.file_at,
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
    (at <= shifted(receipt.found_at, REPLY_PATIENCE_HOURS * 3600)).then(|| PlannedReply {
        slot: SlotId::seeded(at, &seed),
        at,
    })
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
