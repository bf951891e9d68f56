//! What must be true of every plan, whoever made it.
//!
//! The planner is trusted for passing this, not for being careful: nothing here calls it. Local hours are read off the clock of the
//! zone instead of computing windows, sums are taken the other way round, and each broken promise is a value that a test, a simulation or
//! an operator can read. A plan that breaks one must not be carried out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};

use crate::account::WarmupPhase;
use crate::ids::{AccountId, SlotId};
use crate::warmup::calendar::LastPlanned;
use crate::warmup::day::DayPlan;
use crate::warmup::thresholds::{
    COOLDOWN_REMAINDER_PERCENT, MIN_HOURS_BETWEEN_DAYS, MIN_SECONDS_BETWEEN_MAILS,
    TRICKLE_DAILY_EMAILS,
};

/// What a plan is checked against, besides itself.
#[derive(Debug, Clone, Copy)]
pub struct CheckContext<'a> {
    /// The accounts that may receive.
    pub eligible: &'a BTreeSet<AccountId>,
    /// The day planned before.
    pub previous: Option<LastPlanned>,
    /// The most that the user's plan allows this account.
    pub plan_allowance: u32,
    /// The most that test mode allows, when it is on.
    pub test_mode: Option<u32>,
}

/// A promise that a plan breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The span is not that of its date in its zone.
    #[error("the span is not the day {0}")]
    Span(Date),
    /// The date does not follow the one planned before, or begins too early after it (decision 18).
    #[error("the day begins too early after {0}")]
    TooSoon(Date),
    /// The day's number is 0.
    #[error("the day has no number")]
    DayNumber,
    /// The limit exceeds a maximum: pool, plan, test mode (decision 20), or what its phase allows.
    #[error("the limit {limit} exceeds {max}, the maximum of {of}")]
    OverMaximum {
        /// The plan's limit.
        limit: u32,
        /// What it may be.
        max: u32,
        /// By which rule.
        of: &'static str,
    },
    /// The last reason does not explain the limit.
    #[error("the limit {0} has no reason")]
    Unexplained(u32),
    /// New threads and replies together are not the limit (decision 21).
    #[error("{threads} threads and {replies} replies are not the limit {limit}")]
    Budget {
        /// Slots.
        threads: u32,
        /// Reply budget.
        replies: u32,
        /// Limit.
        limit: u32,
    },
    /// The reply budget is not the share of the limit that the reply rate makes of it (decision 21).
    #[error("{0} replies are not the reply rate's share")]
    ReplyShare(u32),
    /// A mail on a day off (decision 26).
    #[error("slot {0} lies on a day off")]
    DayOff(SlotId),
    /// A mail on another date.
    #[error("slot {0} lies on another date")]
    OtherDate(SlotId),
    /// A mail outside working hours (decision 26).
    #[error("slot {0} lies outside working hours")]
    OutsideHours(SlotId),
    /// A mail before the plan was made.
    #[error("slot {0} lies before its planning")]
    InThePast(SlotId),
    /// Mails out of order, or within a minute (decision 26).
    #[error("slot {0} is not a minute after the one before it")]
    TooClose(SlotId),
    /// Two mails with one id.
    #[error("slot {0} is there twice")]
    Duplicate(SlotId),
    /// An id that does not sort by the slot's instant.
    #[error("slot {0} has the id of another instant")]
    IdTime(SlotId),
    /// A mail to the account itself (decision 27).
    #[error("slot {0} goes to its own sender")]
    ToItself(SlotId),
    /// A mail to an account that may not receive (decision 27).
    #[error("slot {0} goes to an account that may not receive")]
    NotEligible(SlotId),
    /// Too many mails to one partner (decision 27).
    #[error("{account} gets {mails} mails")]
    PartnerLimit {
        /// The partner.
        account: AccountId,
        /// How many mails it gets.
        mails: u32,
    },
}

/// Everything that is wrong with `plan`.
pub fn check_plan(plan: &DayPlan, context: &CheckContext<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    check_day(plan, context, &mut violations);
    check_volume(plan, context, &mut violations);
    check_times(plan, &mut violations);
    check_targets(plan, context, &mut violations);
    violations
}

fn check_day(plan: &DayPlan, context: &CheckContext<'_>, violations: &mut Vec<Violation>) {
    let span = plan.span;
    let last_instant = span
        .end
        .checked_sub(jiff::SignedDuration::from_nanos(1))
        .unwrap_or(span.end);
    let is_the_day = span.start == span.end
        || (plan.zone.date_of(span.start) == span.date
            && plan.zone.date_of(last_instant) == span.date);
    if span.start > span.end || !is_the_day {
        violations.push(Violation::Span(span.date));
    }
    if let Some(previous) = context.previous {
        let apart = span.start.duration_since(previous.start).as_hours();
        if span.date <= previous.date || apart < MIN_HOURS_BETWEEN_DAYS {
            violations.push(Violation::TooSoon(previous.date));
        }
    }
    if plan.day_number == 0 {
        violations.push(Violation::DayNumber);
    }
}

fn check_volume(plan: &DayPlan, context: &CheckContext<'_>, violations: &mut Vec<Violation>) {
    let limit = plan.limit;
    let maxima = [
        ("the pool", plan.config.max_daily_emails),
        ("the plan", context.plan_allowance),
        ("test mode", context.test_mode.unwrap_or(u32::MAX)),
        ("the phase", phase_maximum(plan)),
    ];
    for (of, max) in maxima {
        if limit > max {
            violations.push(Violation::OverMaximum { limit, max, of });
        }
    }
    if plan.reasons.last().map(|reason| reason.volume) != Some(limit) {
        violations.push(Violation::Unexplained(limit));
    }
    let threads = u32::try_from(plan.slots.len()).unwrap_or(u32::MAX);
    let replies = plan.reply_budget;
    if threads.checked_add(replies) != Some(limit) {
        violations.push(Violation::Budget {
            threads,
            replies,
            limit,
        });
    }
    // r / (1 + r) of the limit, turned round: replies ≤ r × (limit − replies), and one more would be too many.
    let rate = plan.config.reply_rate.get();
    let share =
        |replies: u32| f64::from(replies) <= rate * (f64::from(limit) - f64::from(replies)) + 1e-3;
    if replies > 0 && !share(replies) || share(replies + 1) && rate * f64::from(limit) > 1e-3 {
        violations.push(Violation::ReplyShare(replies));
    }
}

/// The most that a phase can give a day: what a ramp without rounding would, half of it in a cooldown, a trickle after graduation.
fn phase_maximum(plan: &DayPlan) -> u32 {
    let config = &plan.config;
    let min = f64::from(config.min_daily_emails);
    let range = f64::from(config.max_daily_emails) - min;
    let slope = (range / f64::from(config.ramp_up_days)).max(1.0);
    let ramp = (min + slope * f64::from(plan.day_number - plan.day_number.min(1)))
        .min(f64::from(config.max_daily_emails))
        + 1e-6;
    let part = match plan.phase {
        WarmupPhase::RampUp => ramp,
        WarmupPhase::Sustain => ramp * 1.15,
        WarmupPhase::Cooldown => (ramp * f64::from(COOLDOWN_REMAINDER_PERCENT) / 100.0).max(1.0),
        WarmupPhase::Graduated => f64::from(TRICKLE_DAILY_EMAILS),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and a cast saturates"
    )]
    let maximum = part as u32;
    maximum
}

fn check_times(plan: &DayPlan, violations: &mut Vec<Violation>) {
    let config = &plan.config;
    let hours = config.working_hours_start..config.working_hours_end;
    let mut ids = BTreeSet::new();
    let mut before: Option<Timestamp> = None;
    for slot in &plan.slots {
        let date = plan.zone.date_of(slot.at);
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let checks = [
            (
                weekend && !config.send_on_weekends,
                Violation::DayOff(slot.id),
            ),
            (date != plan.span.date, Violation::OtherDate(slot.id)),
            (
                !hours.contains(&plan.zone.hour_of(slot.at)),
                Violation::OutsideHours(slot.id),
            ),
            (
                !plan.window.is_some_and(|window| window.contains(slot.at)),
                Violation::OutsideHours(slot.id),
            ),
            (slot.at < plan.planned_at, Violation::InThePast(slot.id)),
            (
                before.is_some_and(|before| {
                    slot.at.duration_since(before).as_millis()
                        < i128::from(MIN_SECONDS_BETWEEN_MAILS) * 1000
                }),
                Violation::TooClose(slot.id),
            ),
            (!ids.insert(slot.id), Violation::Duplicate(slot.id)),
            (!id_is_of(slot.id, slot.at), Violation::IdTime(slot.id)),
        ];
        violations.extend(
            checks
                .into_iter()
                .filter(|(broken, _)| *broken)
                .map(|(_, violation)| violation),
        );
        before = Some(slot.at);
    }
}

fn id_is_of(id: SlotId, at: Timestamp) -> bool {
    let millis = id.as_uuid().as_u128() >> 80;
    u128::try_from(at.as_millisecond()).is_ok_and(|at| at == millis)
}

fn check_targets(plan: &DayPlan, context: &CheckContext<'_>, violations: &mut Vec<Violation>) {
    let mut mails: BTreeMap<AccountId, u32> = BTreeMap::new();
    for slot in &plan.slots {
        if slot.target == plan.account {
            violations.push(Violation::ToItself(slot.id));
        } else if !context.eligible.contains(&slot.target) {
            violations.push(Violation::NotEligible(slot.id));
        }
        *mails.entry(slot.target).or_default() += 1;
    }
    for (account, mails) in mails {
        if mails > plan.config.max_per_partner_per_day {
            violations.push(Violation::PartnerLimit { account, mails });
        }
    }
}

#[cfg(test)]
mod tests;
