//! Planning a day: how many mails, to whom, and when.
//!
//! The volume of [`day_volume`] is limited further by what is left of the day (pro rata when it was started late), by what its working
//! hours hold at one mail a minute, and by what the partners can take. A part of it is kept for replies (decision 21), the rest are new
//! threads with a partner and an instant each. The plan carries the reasons of every rule that shaped it.
//!
//! The same input gives the same plan with the same ids. Of what is drawn, everything hangs on the seed of account and date, each thing
//! on a branch of its own.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::{Account, AccountStatus, Warmup, WarmupPhase};
use crate::ids::{AccountId, ScheduleId, SlotId};
use crate::plan::Plan;
use crate::pool::PoolConfig;
use crate::rate::Rate;
use crate::seed::Seed;
use crate::time::shifted;
use crate::warmup::day::{DayPlan, PlannedSlot, Rule, Window};
use crate::warmup::partners::{Candidate, PartnerInput, assign, eligible};
use crate::warmup::volume::{PastDay, Volume, VolumeInput, day_volume};
use crate::warmup::{calendar, phase, slots};

/// The first mail of a day that is planned while it runs leaves this much later, if there is time: its due entry must lie ahead of the
/// ticks ([`DueEntry::filed`](super::due::DueEntry::filed)).
const LEAD_SECONDS: i64 = 120;

/// The last mail of a day is planned this long before its hours are over, if there is time: where queues do not delay, the tick that
/// hands it out comes up to a minute later, and a mail takes its seconds.
pub(super) const TAIL_SECONDS: i64 = 120;

const OVER: &str = "The working hours of this day are over.";

/// Rates are read to this precision where a count is made of them, so that 17 × 0.7 / 1.7 is 7 and not 6.999….
const RATE_UNITS: f64 = 1_000_000.0;

/// What a day's plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// Whose day. It must be sending: warming, or graduated.
    pub account: &'a Account,
    /// The configuration of its pool; the defaults for an account that is in none.
    pub config: &'a PoolConfig,
    /// The date in the account's zone, as [`calendar::next_planning`] names it.
    pub date: Date,
    /// Now (schedule clock).
    pub now: Timestamp,
    /// The account's past: at least its last 3 sending days, in any order.
    pub history: &'a [PastDay],
    /// Who may receive, in a stable order: in a shared pool, not suppressed, not stopped.
    pub candidates: &'a [Candidate<'a>],
    /// The user's plan.
    pub plan: Plan,
    /// The most it allows this account ([`plan_allowance`](super::volume::plan_allowance)).
    pub plan_allowance: u32,
    /// The most that test mode allows, when it is on.
    pub test_mode: Option<u32>,
    /// The deployment's seed; what hangs on account and date is derived here.
    pub seed: &'a Seed,
}

/// A plan, and what it means for the account.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanOutcome {
    /// The plan.
    pub plan: DayPlan,
    /// The account's warmup with this day counted and noted as planned.
    pub warmup: Warmup,
    /// The phase before and after, if this day begins another one by its number (decision 25: `account.warmup_phase_changed`).
    pub phase_change: Option<(WarmupPhase, WarmupPhase)>,
    /// Mails that the rules of decision 20 give a whole day, before days off, late starts and partners: what `currentDailyLimit` shows.
    pub full_day_limit: u32,
}

/// The account does not send, so it has no day to plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account is {}, it does not send", .0.as_str())]
pub struct NotSending(pub AccountStatus);

/// The seed of one account, from the deployment's.
pub fn account_seed(root: &Seed, account: AccountId) -> Seed {
    root.child_bytes("account", account.as_uuid().as_bytes())
}

/// The seed of an account's day, from the deployment's.
pub fn day_seed(root: &Seed, account: AccountId, date: Date) -> Seed {
    account_seed(root, account).child_bytes("date", date.to_string().as_bytes())
}

/// How much of `limit` is kept for replies: `floor(limit × r / (1 + r))` (decision 21).
pub fn reply_budget(limit: u32, reply_rate: Rate) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is between 0 and 1"
    )]
    let (rate, one) = (
        (reply_rate.get() * RATE_UNITS).round() as u64,
        RATE_UNITS as u64,
    );
    u32::try_from(u64::from(limit) * rate / (one + rate)).unwrap_or(limit)
}

/// Plans a day.
pub fn plan_day(input: &PlanInput<'_>) -> Result<PlanOutcome, NotSending> {
    let account = input.account;
    let before = match &account.warmup {
        Some(warmup) if account.sends() => warmup,
        _ => return Err(NotSending(account.status)),
    };
    let span = account.zone.day(input.date);
    let warmup = begin_day(before, account.status, input, span.start);
    let seed = day_seed(input.seed, account.id, input.date);

    let mut volume = day_volume(&VolumeInput {
        config: input.config,
        date: input.date,
        day_number: warmup.day_number,
        phase: warmup.phase,
        reduced: warmup.reduced,
        history: input.history,
        plan: input.plan,
        plan_allowance: input.plan_allowance,
        test_mode: input.test_mode,
        seed: &seed,
    });
    let full_day_limit = volume.limit;
    let window = calendar::window_on(&account.zone, input.config, input.date);
    let open = limit_to_hours(&mut volume, window, input);
    limit_to_partners(&mut volume, input);

    let reply_budget = reply_budget(volume.limit, input.config.reply_rate);
    let slots = open.map_or_else(Vec::new, |open| {
        let partners = assign(&PartnerInput {
            account: account.id,
            domain: account.email.domain(),
            provider: account.provider,
            candidates: input.candidates,
            wanted: volume.limit - reply_budget,
            max_per_partner: input.config.max_per_partner_per_day,
            day_start: span.start,
            seed: &seed.child("partners"),
        });
        threads(&partners, open, &seed)
    });
    let phase_change = (before.phase != warmup.phase).then_some((before.phase, warmup.phase));
    Ok(PlanOutcome {
        plan: DayPlan {
            id: ScheduleId::seeded(span.start, &seed.child("schedule")),
            user: account.user,
            account: account.id,
            span,
            zone: account.zone.clone(),
            window,
            day_number: warmup.day_number,
            phase: warmup.phase,
            limit: volume.limit,
            reply_budget,
            slots,
            config: input.config.clone(),
            reasons: volume.reasons,
            planned_at: input.now,
            daily_total: input.plan.limits().daily_emails_total,
        },
        warmup,
        phase_change,
        full_day_limit,
    })
}

/// The warmup with `input.date` counted, in the phase of that day, and noted as planned. A graduated account's days are not counted any
/// more: it is not warming (decision 18).
fn begin_day(
    before: &Warmup,
    status: AccountStatus,
    input: &PlanInput<'_>,
    start: Timestamp,
) -> Warmup {
    let counted = match status {
        AccountStatus::Warming => before.counted_to(input.date),
        _ => before.clone(),
    };
    Warmup {
        phase: phase::on_day(counted.phase, counted.day_number, input.config),
        last_planned_start: Some(start),
        last_planned_date: Some(input.date),
        ..counted
    }
}

/// Limits the volume to the hours that are left, and says which: none on a day off or when they are over.
fn limit_to_hours(
    volume: &mut Volume,
    window: Option<Window>,
    input: &PlanInput<'_>,
) -> Option<Window> {
    let Some(window) = window else {
        let because = if calendar::is_sending_day(input.date, input.config) {
            "The clock skips this date's working hours.".to_owned()
        } else {
            format!("{:?} is not a sending day.", input.date.weekday())
        };
        volume.set(Rule::DayOff, 0, because);
        return None;
    };
    let share = calendar::pro_rata(volume.limit, window, input.now);
    volume.cap(Rule::ProRata, share, || {
        if share == 0 {
            OVER.to_owned()
        } else {
            "The day was begun late: its share of the working hours left.".to_owned()
        }
    });
    let Some(open) = what_is_open(window, input.now) else {
        volume.cap(Rule::ProRata, 0, || OVER.to_owned());
        return None;
    };
    let capacity = slots::capacity(open);
    volume.cap(Rule::WorkingHours, capacity, || {
        format!("The working hours hold {capacity} mails, one a minute.")
    });
    Some(open)
}

/// The part of `window` in which mails can still leave: with a lead and a tail, or where there is no time for them, without.
fn what_is_open(window: Window, now: Timestamp) -> Option<Window> {
    [(LEAD_SECONDS, TAIL_SECONDS), (LEAD_SECONDS, 0), (0, 0)]
        .into_iter()
        .map(|(lead, tail)| Window {
            start: shifted(now, lead).max(window.start),
            end: shifted(window.end, -tail),
        })
        .find(|open| slots::capacity(*open) > 0)
}

fn limit_to_partners(volume: &mut Volume, input: &PlanInput<'_>) {
    let partners = eligible(input.account.id, input.candidates);
    let each = input.config.max_per_partner_per_day;
    let capacity = partners.saturating_mul(each);
    volume.cap(Rule::Partners, capacity, || {
        if input.account.pools.is_empty() {
            "The account is in no pool.".to_owned()
        } else if partners == 0 {
            "No other account of its pools can receive mail.".to_owned()
        } else {
            format!("Each partner takes at most {each} mails a day, and there are {partners}.")
        }
    });
}

fn threads(partners: &[AccountId], open: Window, seed: &Seed) -> Vec<PlannedSlot> {
    let wanted = u32::try_from(partners.len()).unwrap_or(u32::MAX);
    let instants = slots::instants(wanted, open, &mut seed.child("instants").rng());
    let mut ids = seed.child("slots").rng();
    partners
        .iter()
        .zip(instants)
        .map(|(target, at)| PlannedSlot {
            id: SlotId::new(at, ids.entropy()),
            at,
            target: *target,
        })
        .collect()
}

#[cfg(test)]
mod tests;
