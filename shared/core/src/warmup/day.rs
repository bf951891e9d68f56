//! One account's day: the plan that is made in its small hours, and the figures that are left of it.

use core::ops::AddAssign;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::account::WarmupPhase;
use crate::ids::{AccountId, ScheduleId, SlotId, UserId};
use crate::pool::PoolConfig;
use crate::time::{DaySpan, Zone};

/// What an account is to do on one local day. Written once; what became of it stands in the slots and the figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DayPlan {
    /// Its id, shown by `GET /api/warmup/schedule`.
    pub id: ScheduleId,
    /// The account's owner.
    pub user: UserId,
    /// Whose day.
    pub account: AccountId,
    /// The day.
    pub span: DaySpan,
    /// The zone it is a day of: a zone changed since applies from the next plan (decision 18).
    pub zone: Zone,
    /// When mails may leave on it; none on a day off.
    pub window: Option<Window>,
    /// Which day of warmup it is, from 1.
    pub day_number: u32,
    /// The phase it was planned in.
    pub phase: WarmupPhase,
    /// Mails this account may send on it, new threads and replies together (decision 21).
    pub limit: u32,
    /// How many of `limit` are kept for replies.
    pub reply_budget: u32,
    /// The new threads, in order of time.
    pub slots: Vec<PlannedSlot>,
    /// The configuration it was planned with.
    pub config: PoolConfig,
    /// How the volume came about, in the order of the rules (decision 20).
    pub reasons: Vec<Reason>,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// Mails that the user's plan allows all their accounts together on a UTC day, where it is sold that way (decision 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_total: Option<u32>,
}

/// The working hours of one day: `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first instant at which mail may leave.
    pub start: Timestamp,
    /// The first instant at which it may no longer.
    pub end: Timestamp,
}

/// One new thread that is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSlot {
    /// Its id.
    pub id: SlotId,
    /// When it is to be sent.
    pub at: Timestamp,
    /// To whom.
    pub target: AccountId,
}

/// One step in the making of a day's volume: the rule, what it left, and its numbers in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule.
    pub rule: Rule,
    /// Mails a day after it was applied.
    pub volume: u32,
    /// Why, for a person.
    pub because: String,
}

/// The rules that make a day's volume, in their order (decision 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The ramp of decision 19.
    Ramp,
    /// What the phase makes of it: ±15 %, half, a trickle.
    Phase,
    /// The moderate reduction of 25 %.
    Reduction,
    /// Not much more than the days before.
    SpikeCap,
    /// The pool's maximum.
    PoolMaximum,
    /// The plan's maximum.
    Plan,
    /// Test mode's maximum.
    TestMode,
    /// What the eligible partners can take.
    Partners,
    /// A weekend without sending.
    DayOff,
    /// Only what fits the working hours that are left of a day that was started late.
    ProRata,
    /// Working hours so short that they do not hold the volume at one mail a minute.
    WorkingHours,
}

/// What became of one account's day. Recomputed from slots and receipts and written absolutely, so that hearing of a change
/// twice counts it once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DayFigures {
    /// Mails accepted by the server, replies included.
    pub sent: u32,
    /// Mails whose recipient does not exist, or that came back.
    pub bounced: u32,
    /// Mails refused for other reasons, or that came back for them.
    pub rejected: u32,
    /// Sent mails that landed in a partner's spam folder.
    pub spammed: u32,
    /// Mails not sent, with a reason.
    pub skipped: u32,
    /// Mails whose fate could not be settled.
    pub unknown: u32,
    /// Mails accepted but not seen by their receiver in 24 h.
    pub missing: u32,
    /// Warmup mails found in this account's mailbox.
    pub received: u32,
    /// Of these, opened.
    pub opened: u32,
    /// Of these, answered.
    pub replied: u32,
    /// Of these, moved from spam to the inbox.
    pub rescued: u32,
    /// Of these, marked important.
    pub marked_important: u32,
}

/// The figures of one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedFigures {
    /// The date.
    pub date: Date,
    /// Its figures.
    #[serde(flatten)]
    pub figures: DayFigures,
}

/// What became of the mails that an account first tried to send after an instant of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiguresSince {
    /// The instant.
    pub since: Timestamp,
    /// The figures of these mails; of what the account received there is nothing in them.
    pub figures: DayFigures,
}

impl AddAssign for DayFigures {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.bounced += other.bounced;
        self.rejected += other.rejected;
        self.spammed += other.spammed;
        self.skipped += other.skipped;
        self.unknown += other.unknown;
        self.missing += other.missing;
        self.received += other.received;
        self.opened += other.opened;
        self.replied += other.replied;
        self.rescued += other.rescued;
        self.marked_important += other.marked_important;
    }
}

impl Window {
    /// Whether mail may leave at `at`.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}
