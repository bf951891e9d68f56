//! What an account's figures make of it: reduction, cooldown, suspension, graduation (decisions 22–25).
//!
//! [`judge`] runs once per planned date, when the day is over; [`judge_now`] runs when a bounce comes in and only suspends, because that
//! must not wait for the night. Both look at the last sending days, not at one, and act on evidence, not on a single bounce of a single
//! mail. Every decision carries its numbers, for the audit log.
//!
//! **What is looked at.** Rates are over the last 7 sending days since the last resume (or start): a resume draws a line, also through the
//! figures of its own date. Automatic actions look no further back than the last cooldown, once it ended: otherwise the days that caused
//! it would cause it again on the day it ends.
//!
//! **Who is judged.** A warming account. A graduated one only gets its reputation and rates, and is suspended like any other: of a trickle of
//! two there is nothing to reduce. Of one that is stopped at that moment the state is kept up to date, and nothing stops it twice.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value};

use crate::account::{Account, AccountStatus, Cooldown, Warmup, WarmupPhase};
use crate::audit::{Actor, Event, EventType};
use crate::pool::PoolConfig;
use crate::rate::{Rate, Score};
use crate::warmup::evidence::Evidence;
use crate::warmup::thresholds::{
    COOLDOWN_REMAINDER_PERCENT, REDUCTION_REMAINDER_PERCENT, SUSPENSION_BOUNCE_RATE, SUSTAIN_DAYS,
};
use crate::warmup::volume::PastDay;
use crate::warmup::{phase, transition};

/// What a judgement is made from.
#[derive(Debug, Clone, Copy)]
pub struct JudgeInput<'a> {
    /// The account.
    pub account: &'a Account,
    /// The configuration of its pool.
    pub config: &'a PoolConfig,
    /// The date that is over. Dates are judged in their order, each that was planned.
    pub date: Date,
    /// The account's past, in any order: back to its last 7 sending days, and to the beginning of a cooldown it is in. Days after `date`
    /// are left out of account.
    pub history: &'a [PastDay],
    /// Its reputation after the last day that is closed: opens and answers of `date` itself are still coming in (decision 24).
    pub reputation: Score,
    /// Now (schedule clock).
    pub now: Timestamp,
}

/// What becomes of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Its reputation.
    pub reputation: Score,
    /// Its bounce rate over the window of decision 22.
    pub bounce_rate: Rate,
    /// Its spam rate over the same window.
    pub spam_rate: Rate,
    /// Its warmup.
    pub warmup: Warmup,
    /// Its status.
    pub status: AccountStatus,
    /// Why it has that status, when this judgement changed it.
    pub status_reason: Option<String>,
    /// What its status interrupted.
    pub interrupted: Option<AccountStatus>,
    /// What was decided, in order.
    pub decisions: Vec<Decision>,
}

/// One thing that a judgement decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The event that tells of it.
    pub event_type: EventType,
    /// The numbers behind it.
    pub metadata: Map<String, Value>,
}

/// Judges the account on the day that is over. None if it was never warmed, or the date was judged before.
pub fn judge(input: &JudgeInput<'_>) -> Option<Judgement> {
    let account = input.account;
    let before = account.warmup.as_ref()?;
    if before.last_judged.is_some_and(|last| input.date <= last) {
        return None;
    }
    let mut judging = Judging::begin(account, before, input.history, input.date);
    judging.result.reputation = input.reputation;
    judging.result.warmup.last_judged = Some(input.date);
    if !judging.suspend(account, input.now) {
        match before.phase {
            WarmupPhase::Cooldown => judging.end_cooldown(input),
            WarmupPhase::RampUp | WarmupPhase::Sustain => judging.judge_running(input),
            WarmupPhase::Graduated => {}
        }
    }
    Some(judging.result)
}

/// Judges the account while its day runs; `history` includes today so far. None unless it is to be suspended at once.
pub fn judge_now(account: &Account, history: &[PastDay], now: Timestamp) -> Option<Judgement> {
    let before = account.warmup.as_ref()?;
    let mut judging = Judging::begin(account, before, history, account.latest_date(now));
    judging.suspend(account, now).then_some(judging.result)
}

impl Judgement {
    /// `account` as this judgement leaves it. Its `version` is left to whoever writes it.
    pub fn applied_to(&self, account: &Account, now: Timestamp) -> Account {
        let (since, reason) = if self.status == account.status {
            (account.status_since, account.status_reason.clone())
        } else {
            (Some(now), self.status_reason.clone())
        };
        Account {
            reputation: self.reputation,
            bounce_rate: self.bounce_rate,
            spam_rate: self.spam_rate,
            warmup: Some(self.warmup.clone()),
            status: self.status,
            status_since: since,
            status_reason: reason,
            interrupted: self.interrupted,
            updated_at: now,
            ..account.clone()
        }
    }

    /// The events that tell of its decisions.
    pub fn events(&self, account: &Account, now: Timestamp) -> Vec<Event> {
        self.decisions
            .iter()
            .map(|decision| Event {
                metadata: decision.metadata.clone(),
                ..Event::account(decision.event_type, account.id, Actor::System, now)
            })
            .collect()
    }
}

/// A judgement in the making.
struct Judging<'a> {
    /// The window that clients see.
    shown: Evidence,
    /// The window that automatic actions rest on.
    evidence: Evidence,
    /// The figures that count, of every day since the last resume.
    since_resume: Vec<PastDay>,
    before: &'a Warmup,
    result: Judgement,
}

impl<'a> Judging<'a> {
    fn begin(account: &Account, before: &'a Warmup, history: &[PastDay], through: Date) -> Self {
        let since_resume = Evidence::since_resume(before, &account.zone, history, through);
        let shown = Evidence::of_last_sending_days(&since_resume, None);
        let evidence = Evidence::of_last_sending_days(&since_resume, before.recovered_since);
        Self {
            result: Judgement {
                reputation: account.reputation,
                bounce_rate: shown.bounce_rate(),
                spam_rate: shown.spam_rate(),
                warmup: before.clone(),
                status: account.status,
                status_reason: None,
                interrupted: account.interrupted,
                decisions: Vec::new(),
            },
            shown,
            evidence,
            since_resume,
            before,
        }
    }

    /// Suspends a sending account whose bounces demand it; whether it did.
    fn suspend(&mut self, account: &Account, now: Timestamp) -> bool {
        if !account.sends() || !self.evidence.demands_suspension() {
            return false;
        }
        let reason = format!(
            "{} mails bounced lately, with {} accepted: more than {} %.",
            self.evidence.bounced,
            self.evidence.sent,
            SUSPENSION_BOUNCE_RATE.get() * 100.0
        );
        let last_judged = self.result.warmup.last_judged;
        let stopped = transition::interrupted_by(account, AccountStatus::Suspended, now);
        self.result.interrupted = stopped.interrupted;
        if let Some(warmup) = stopped.warmup {
            self.result.warmup = Warmup {
                last_judged,
                sustain_streak: 0,
                ..warmup
            };
        }
        self.decide(
            EventType::WarmupAutoPaused,
            [
                ("reason", Value::from(reason.clone())),
                ("threshold", Value::from(SUSPENSION_BOUNCE_RATE.get())),
            ],
        );
        self.change_status(AccountStatus::Suspended, reason);
        true
    }

    fn end_cooldown(&mut self, input: &JudgeInput<'_>) {
        let Some(cooldown) = self.before.cooldown else {
            // A cooldown without a beginning can only be one that began today.
            self.result.warmup.cooldown = Some(cooldown_after(input.date));
            return;
        };
        let since = Evidence::of_all_since(&self.since_resume, cooldown.since);
        if !since.shows_recovery() {
            return;
        }
        self.result.warmup.cooldown = None;
        self.result.warmup.recovered_since = Some(cooldown.since);
        self.result.warmup.sustain_streak = 0;
        self.evidence = since;
        let to = phase::by_day(self.before.day_number, input.config);
        self.change_phase(to, "recovered");
    }

    fn judge_running(&mut self, input: &JudgeInput<'_>) {
        if self.evidence.demands_cooldown() {
            self.begin_cooldown(input.date);
            return;
        }
        self.reduce_or_not();
        self.count_towards_graduation(input);
    }

    fn begin_cooldown(&mut self, date: Date) {
        let warmup = &mut self.result.warmup;
        warmup.cooldown = Some(cooldown_after(date));
        warmup.reduced = false;
        warmup.sustain_streak = 0;
        self.change_phase(WarmupPhase::Cooldown, "bounce or spam rate");
        self.decide(
            EventType::WarmupVolumeReduced,
            [("percent", Value::from(100 - COOLDOWN_REMAINDER_PERCENT))],
        );
    }

    fn reduce_or_not(&mut self) {
        let reduced = self.evidence.demands_reduction();
        self.result.warmup.reduced = reduced;
        if reduced && !self.before.reduced {
            self.decide(
                EventType::WarmupVolumeReduced,
                [("percent", Value::from(100 - REDUCTION_REMAINDER_PERCENT))],
            );
        }
    }

    fn count_towards_graduation(&mut self, input: &JudgeInput<'_>) {
        let counts = self.before.phase == WarmupPhase::Sustain
            && self.shown.permits_graduation(self.result.reputation);
        let streak = if counts {
            self.before.sustain_streak.saturating_add(1)
        } else {
            0
        };
        self.result.warmup.sustain_streak = streak;
        let tomorrow = self.before.day_number.saturating_add(1);
        if streak >= SUSTAIN_DAYS && tomorrow >= phase::first_graduation_day(input.config) {
            self.graduate(streak);
        }
    }

    fn graduate(&mut self, streak: u32) {
        self.result.warmup.reduced = false;
        self.decide(
            EventType::WarmupGraduated,
            [("sustainStreak", Value::from(streak))],
        );
        self.change_phase(WarmupPhase::Graduated, "graduated");
        if self.result.status == AccountStatus::Warming {
            self.change_status(AccountStatus::Active, "graduated".to_owned());
            self.result.status_reason = None;
        } else {
            self.result.interrupted = Some(AccountStatus::Active);
        }
    }

    fn change_phase(&mut self, to: WarmupPhase, reason: &str) {
        let from = self.result.warmup.phase;
        self.result.warmup.phase = to;
        if from != to {
            self.decide(
                EventType::AccountWarmupPhaseChanged,
                [
                    ("from", Value::from(from.as_str())),
                    ("to", Value::from(to.as_str())),
                    ("reason", Value::from(reason)),
                ],
            );
        }
    }

    fn change_status(&mut self, to: AccountStatus, reason: String) {
        let from = self.result.status;
        self.result.status = to;
        self.decide(
            EventType::AccountStatusChanged,
            [
                ("from", Value::from(from.as_str())),
                ("to", Value::from(to.as_str())),
                ("reason", Value::from(reason.clone())),
            ],
        );
        self.result.status_reason = Some(reason);
    }

    /// Notes a decision with the numbers that all of them rest on, and its own.
    fn decide<const N: usize>(&mut self, event_type: EventType, own: [(&str, Value); N]) {
        let evidence = &self.evidence;
        let common = [
            ("sent", Value::from(evidence.sent)),
            ("bounced", Value::from(evidence.bounced)),
            ("spammed", Value::from(evidence.spammed)),
            ("bounceRate", Value::from(evidence.bounce_rate().get())),
            ("spamRate", Value::from(evidence.spam_rate().get())),
            ("sendingDays", Value::from(evidence.sending_days)),
            ("reputationScore", Value::from(self.result.reputation.get())),
            ("dayNumber", Value::from(self.before.day_number)),
        ];
        self.result.decisions.push(Decision {
            event_type,
            metadata: own
                .into_iter()
                .chain(common)
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        });
    }
}

fn cooldown_after(date: Date) -> Cooldown {
    Cooldown {
        since: date.saturating_add(1.day()),
    }
}

#[cfg(test)]
mod tests;
