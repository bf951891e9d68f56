//! How many mails a day may have: the rules of decision 20, one after the other.
//!
//! ramp → phase (sustain varies by 15 %, cooldown halves; else a reduction takes 25 %) → spike cap → pool maximum → plan → test mode.
//! Each rule takes the volume that the one before it left and, where it changes something, leaves a [`Reason`]: together they answer "why
//! these many?". What the working hours and the partners can take comes after, in the [`planner`](super::planner).
//!
//! **The spike cap** compares with the most that was accepted on one of the last three *sending* days: days on which mail was tried. So
//! a weekend, a pause of days or a volume of 1 never locks the ramp, and a day that an outage of ours cut short does not lower it. An
//! account that rested for more than a week may do half of that, and half again for each further week begun, since receivers forget.
//! Where an outage of ours cut all days short, what they had has to do, but never less than the pool's minimum. Receivers that know of no
//! mail at all are to meet the minimum first, whatever day the ramp is on: an account may have waited for a partner for weeks, or rested
//! for longer than its days are kept.

use jiff::civil::Date;

use crate::account::WarmupPhase;
use crate::plan::Plan;
use crate::pool::PoolConfig;
use crate::seed::Seed;
use crate::warmup::day::{DatedFigures, DayFigures, FiguresSince, Reason, Rule};
use crate::warmup::day_count::days_between;
use crate::warmup::ramp;
use crate::warmup::thresholds::{
    COOLDOWN_REMAINDER_PERCENT, IDLE_DAYS_PER_HALVING, REDUCTION_REMAINDER_PERCENT,
    SPIKE_LOOK_BACK_SENDING_DAYS, SUSTAIN_VARIANCE_PERCENT, TRICKLE_DAILY_EMAILS,
};

/// One day of an account's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastDay {
    /// The date.
    pub date: Date,
    /// What became of it.
    pub figures: DayFigures,
    /// What became of it after its account was resumed in it.
    pub since_resume: Option<FiguresSince>,
    /// Whether an outage of ours kept a part of it from being sent: then it says nothing about what receivers are used to.
    pub cut_short: bool,
}

/// What a day's volume depends on.
#[derive(Debug, Clone, Copy)]
pub struct VolumeInput<'a> {
    /// The pool's configuration.
    pub config: &'a PoolConfig,
    /// The day.
    pub date: Date,
    /// Its number, from 1.
    pub day_number: u32,
    /// The phase it is planned in.
    pub phase: WarmupPhase,
    /// Whether the moderate reduction applies.
    pub reduced: bool,
    /// The account's past, in any order; days from `date` on are left out of account.
    pub history: &'a [PastDay],
    /// The user's plan, to name it.
    pub plan: Plan,
    /// The most that it allows this account on this day ([`plan_allowance`]).
    pub plan_allowance: u32,
    /// The most that test mode allows an account a day, when it is on.
    pub test_mode: Option<u32>,
    /// The seed of this account and date.
    pub seed: &'a Seed,
}

/// A day's volume and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Mails a day.
    pub limit: u32,
    /// The rules that made it, in their order.
    pub reasons: Vec<Reason>,
}

impl PastDay {
    /// Whether it says what receivers are used to: mail was tried on it, and no outage of ours kept the rest (decision 20).
    pub fn counts_for_spikes(&self) -> bool {
        self.is_sending_day() && !self.cut_short
    }

    /// Whether mail was tried on it.
    pub fn is_sending_day(&self) -> bool {
        self.figures.sent + self.figures.bounced + self.figures.rejected > 0
    }
}

impl From<DatedFigures> for PastDay {
    /// A day that was not cut short.
    fn from(day: DatedFigures) -> Self {
        Self {
            date: day.date,
            figures: day.figures,
            since_resume: None,
            cut_short: false,
        }
    }
}

/// What a plan allows one account a day, when it is shared by `sending_accounts` of its user (decision 10).
pub fn plan_allowance(plan: Plan, sending_accounts: u32) -> u32 {
    let limits = plan.limits();
    let share = limits
        .daily_emails_total
        .map_or(u32::MAX, |total| total / sending_accounts.max(1));
    limits.daily_emails_per_account.min(share)
}

/// The volume of a day, before working hours and partners limit it.
pub fn day_volume(input: &VolumeInput<'_>) -> Volume {
    let mut volume = by_ramp_and_phase(input);
    let (cap, because) = spike_cap(input);
    volume.cap(Rule::SpikeCap, cap, || because);
    let maximum = input.config.max_daily_emails;
    volume.cap(Rule::PoolMaximum, maximum, || {
        format!("The pool's maximum is {maximum} a day.")
    });
    let allowance = input.plan_allowance;
    volume.cap(Rule::Plan, allowance, || {
        format!(
            "The {} plan allows this account {allowance} a day.",
            input.plan.as_str()
        )
    });
    if let Some(maximum) = input.test_mode {
        volume.cap(Rule::TestMode, maximum, || {
            format!("Test mode allows {maximum} a day.")
        });
    }
    volume
}

impl Volume {
    /// Sets the volume, whatever it was.
    pub(crate) fn set(&mut self, rule: Rule, volume: u32, because: String) {
        self.limit = volume;
        self.reasons.push(Reason {
            rule,
            volume,
            because,
        });
    }

    /// Lowers the volume to `cap`, with a reason if that changes it.
    pub(crate) fn cap(&mut self, rule: Rule, cap: u32, because: impl FnOnce() -> String) {
        if self.limit > cap {
            self.set(rule, cap, because());
        }
    }
}

fn by_ramp_and_phase(input: &VolumeInput<'_>) -> Volume {
    let mut volume = Volume {
        limit: 0,
        reasons: Vec::new(),
    };
    if input.phase == WarmupPhase::Graduated {
        let because =
            format!("The account is graduated: a trickle of {TRICKLE_DAILY_EMAILS} a day.");
        volume.set(Rule::Phase, TRICKLE_DAILY_EMAILS, because);
        return volume;
    }
    let ramp = ramp::limit(input.day_number, input.config);
    let because = format!(
        "Day {} of a ramp from {} to {} in {} days.",
        input.day_number,
        input.config.min_daily_emails,
        input.config.max_daily_emails,
        input.config.ramp_up_days
    );
    volume.set(Rule::Ramp, ramp, because);
    match input.phase {
        WarmupPhase::Cooldown => {
            let half = percent_of(ramp, COOLDOWN_REMAINDER_PERCENT);
            let because = format!("The account cools down: {COOLDOWN_REMAINDER_PERCENT} %.");
            volume.set(Rule::Phase, half, because);
            return volume;
        }
        WarmupPhase::Sustain => {
            let percent = sustain_percent(input.seed);
            let varied = (ramp * percent + 50) / 100;
            let because = format!("A sustained day: {percent} %, at most the pool's maximum.");
            volume.set(
                Rule::Phase,
                varied.min(input.config.max_daily_emails),
                because,
            );
        }
        WarmupPhase::RampUp | WarmupPhase::Graduated => {}
    }
    if input.reduced {
        let rest = percent_of(volume.limit, REDUCTION_REMAINDER_PERCENT);
        let because = format!("Bounces reduce the volume to {REDUCTION_REMAINDER_PERCENT} %.");
        volume.set(Rule::Reduction, rest, because);
    }
    volume
}

/// From 85 to 115, by account and date.
fn sustain_percent(seed: &Seed) -> u32 {
    let drawn = seed
        .child("sustain")
        .below(u64::from(2 * SUSTAIN_VARIANCE_PERCENT + 1));
    100 - SUSTAIN_VARIANCE_PERCENT + u32::try_from(drawn).unwrap_or(SUSTAIN_VARIANCE_PERCENT)
}

/// A share of a volume, at least 1 of what is not 0: a volume never sinks to where no figure could raise it again.
fn percent_of(volume: u32, percent: u32) -> u32 {
    (volume * percent / 100).max(1).min(volume)
}

/// The most that the days before allow.
fn spike_cap(input: &VolumeInput<'_>) -> (u32, String) {
    let minimum = input.config.min_daily_emails;
    let mut past: Vec<_> = input
        .history
        .iter()
        .filter(|day| day.date < input.date && day.is_sending_day())
        .collect();
    past.sort_unstable_by_key(|day| core::cmp::Reverse(day.date));
    let Some(last) = past.first().map(|day| day.date) else {
        let because = format!("No mail was sent before: it begins with {minimum} a day.");
        return (minimum, because);
    };
    let whole = past.iter().filter(|day| day.counts_for_spikes());
    let accepted = most_accepted(whole)
        .unwrap_or_else(|| most_accepted(past.iter()).map_or(minimum, |most| most.max(minimum)));
    let idle = days_between(last, input.date).saturating_sub(1);
    let rested = after_rest(accepted, idle, minimum);
    let grown = f64::from(rested) * input.config.max_daily_volume_increase;
    // At most 5 × u32::MAX, and the cast saturates.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite, positive, saturating"
    )]
    let cap = (rested.saturating_add(1)).max(grown as u32);
    let because = if rested == accepted {
        format!("At most {accepted} a day were accepted lately.")
    } else {
        format!(
            "At most {accepted} a day were accepted before {idle} days without sending: counts as {rested}."
        )
    };
    (cap, because)
}

/// The most that was accepted on one of the last three of these days, latest first.
fn most_accepted<'a>(days: impl Iterator<Item = &'a &'a PastDay>) -> Option<u32> {
    days.take(SPIKE_LOOK_BACK_SENDING_DAYS)
        .map(|day| day.figures.sent)
        .max()
}

/// What `accepted` mails a day count for after `idle` days without sending: half for each week begun after the first, not below `min`.
fn after_rest(accepted: u32, idle: u32, min: u32) -> u32 {
    let halvings = idle.saturating_sub(1) / IDLE_DAYS_PER_HALVING;
    accepted
        .checked_shr(halvings)
        .unwrap_or(0)
        .max(min.min(accepted))
}

#[cfg(test)]
mod tests;
