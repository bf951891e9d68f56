//! Every threshold of warmup, once.
//!
//! The reference and decisions 20–25 name a score of numbers at which something happens by itself. They stand here and nowhere else, with
//! their source, so that "why was my account paused?" has one place to look, and a changed number changes every rule that uses it.
//!
//! Shares are compared with `>` or `≤` on [`Rate`]s. That is exact: both sides are correctly rounded quotients, and two different
//! quotients of 32-bit counts lie further apart than rounding can move them.

use crate::rate::Rate;

/// How many sending days an account's `bounceRate` and `spamRate` look back (decision 22).
pub const RATE_WINDOW_SENDING_DAYS: usize = 7;

/// Bounce rates above this, up to [`COOLDOWN_BOUNCE_RATE`], reduce the volume (API reference, Volume Protection; decision 22).
pub const REDUCTION_BOUNCE_RATE: Rate = Rate::per_mille(30);

/// Sends it takes before a reduction (decision 22).
pub const REDUCTION_MIN_SENT: u32 = 20;

/// What is left of the volume under the moderate reduction: 75 % (API reference, Volume Protection).
pub const REDUCTION_REMAINDER_PERCENT: u32 = 75;

/// Bounce rates above this cause a cooldown (API reference, Reputation Score).
pub const COOLDOWN_BOUNCE_RATE: Rate = Rate::per_mille(50);

/// Spam rates above this cause a cooldown (API reference, Reputation Score).
pub const COOLDOWN_SPAM_RATE: Rate = Rate::per_mille(30);

/// With this many sends, [`COOLDOWN_MIN_EVENTS`] bounces or spam placements are evidence (decision 22).
pub const COOLDOWN_MIN_SENT: u32 = 20;

/// Bounces or spam placements that are evidence together with [`COOLDOWN_MIN_SENT`] sends (decision 22).
pub const COOLDOWN_MIN_EVENTS: u32 = 2;

/// Bounces or spam placements that are evidence with any number of sends (decision 22).
pub const COOLDOWN_CERTAIN_EVENTS: u32 = 3;

/// What is left of the volume in a cooldown: half (API reference, Phases).
pub const COOLDOWN_REMAINDER_PERCENT: u32 = 50;

/// Sending days of its own that a cooldown needs before it can end (decision 23).
pub const RECOVERY_MIN_SENDING_DAYS: usize = 3;

/// Sends of its own that a cooldown needs before it can end (decision 23).
pub const RECOVERY_MIN_SENT: u32 = 10;

/// Highest bounce rate over a cooldown with which it ends (decision 23).
pub const RECOVERY_BOUNCE_RATE: Rate = Rate::per_mille(30);

/// Highest spam rate over a cooldown with which it ends (decision 23).
pub const RECOVERY_SPAM_RATE: Rate = Rate::per_mille(20);

/// Bounce rates above this suspend the account (API reference, Reputation Score).
pub const SUSPENSION_BOUNCE_RATE: Rate = Rate::per_mille(80);

/// Bounces it takes before a suspension (decision 22).
pub const SUSPENSION_MIN_BOUNCES: u32 = 3;

/// Bounce rates above this make a critical `nextAction` (API reference §2, `GET /api/agent/status`; decision 22).
pub const CRITICAL_BOUNCE_RATE: Rate = Rate::per_mille(70);

/// Reputations below this flag an account as at risk (API reference, Reputation Score).
pub const AT_RISK_REPUTATION: f64 = 40.0;

/// The lowest reputation of a day that counts towards graduation (API reference, Phases).
pub const GRADUATION_REPUTATION: f64 = 70.0;

/// The highest bounce rate of a day that counts towards graduation (API reference, Phases).
pub const GRADUATION_BOUNCE_RATE: Rate = Rate::per_mille(30);

/// The highest spam rate of a day that counts towards graduation (API reference, Phases).
pub const GRADUATION_SPAM_RATE: Rate = Rate::per_mille(20);

/// Consecutive days in sustain that graduation takes, and so the days between the ramp's end and the first day on which it can
/// happen (API reference, Phases: days 46–59 with the defaults; decision 18).
pub const SUSTAIN_DAYS: u32 = 14;

/// By how much a sustained day may differ from the maximum, in percent (API reference, Phases).
pub const SUSTAIN_VARIANCE_PERCENT: u32 = 15;

/// Mails a day of a graduated account (decision 25).
pub const TRICKLE_DAILY_EMAILS: u32 = 2;

/// How many sending days the spike cap looks back for the volume that may be exceeded (decision 20).
pub const SPIKE_LOOK_BACK_SENDING_DAYS: usize = 3;

/// Days without sending after which what the spike cap allows begins to halve, and the step of further halvings (decision 20).
pub const IDLE_DAYS_PER_HALVING: u32 = 7;

/// Hours during which a partner that was written to is left alone while others exist (decision 27).
pub const PARTNER_REST_HOURS: i64 = 72;

/// Seconds between two mails of one account at least (decision 26).
pub const MIN_SECONDS_BETWEEN_MAILS: i64 = 60;

/// Hours from the start of one planned day to the start of the next at least (decision 18).
pub const MIN_HOURS_BETWEEN_DAYS: i64 = 20;

/// Hours after which a reply that found no budget is dropped (decision 21).
pub const REPLY_PATIENCE_HOURS: i64 = 48;

/// Days that a full mailbox is suppressed (decision 30).
pub const MAILBOX_FULL_SUPPRESSION_DAYS: i64 = 7;

/// Refused logins in a row that make an `error`, if they lie [`REFUSED_LOGIN_MINUTES`] apart (decision 17).
pub const REFUSED_LOGINS: u32 = 3;

/// Minutes from the first to the last of [`REFUSED_LOGINS`] at least (decision 17).
pub const REFUSED_LOGIN_MINUTES: i64 = 15;

/// Hours after which a server that cannot be reached makes an `error` (decision 17).
pub const UNREACHABLE_HOURS: i64 = 24;

/// Hours without a try after which a server that could not be reached counts as left alone (decision 17): more than any back-off or round.
pub const UNTRIED_HOURS: i64 = 4;

/// Hours after which an accepted mail that its receiver has not seen is missing (decision 31).
pub const MISSING_AFTER_HOURS: i64 = 24;
