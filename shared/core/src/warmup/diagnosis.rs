//! Why an account does not send, or not more: from what it is and what its plan recorded (decision 20 keeps the reasons).
//!
//! A plan says which rule made its volume what it is. Here each rule that took something away becomes a finding with a code that machines
//! branch on and, where its owner can do something about it, what that is.

use jiff::Timestamp;

use crate::account::{Account, AccountStatus, WarmupPhase};
use crate::names::names;
use crate::warmup::day::{DayPlan, Reason, Rule};
use crate::warmup::thresholds::{COOLDOWN_BOUNCE_RATE, COOLDOWN_SPAM_RATE};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is sent because of it.
    Blocking,
    /// Less is sent because of it.
    Limiting,
    /// As it should be, and good to know.
    Info,
}

/// What keeps an account from sending, or from sending more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockCode {
    /// Its provider's mailboxes cannot be used yet.
    ProviderNotConfigured,
    /// Warmup was never started.
    NeverStarted,
    /// Its user paused it.
    Paused,
    /// Its figures were bad.
    Suspended,
    /// Its mailbox cannot be used.
    ConnectionError,
    /// Its mailbox fails now and then.
    ConnectionTrouble,
    /// It is in no pool.
    NotInPool,
    /// Its day has no plan yet.
    NotPlannedYet,
    /// Weekends are days off.
    Weekend,
    /// Its working hours have not begun, or are over.
    OutsideHours,
    /// Its partners cannot take more.
    TooFewPartners,
    /// It cools down.
    Cooldown,
    /// Bounces reduce its volume.
    Reduction,
    /// It may not grow faster.
    SpikeCap,
    /// The pool's maximum.
    PoolMaximum,
    /// The user's plan.
    PlanLimit,
    /// Test mode.
    TestMode,
    /// Its day was begun late.
    StartedLate,
    /// Its working hours are too short for more.
    ShortHours,
}

/// What its owner can begin with, as one request that needs no body. Agents send it without asking: so none makes an account send on whose
/// mails bounce or land in spam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Start its warmup.
    Start,
    /// Pause it.
    Pause,
    /// Resume it.
    Resume,
    /// Try its servers.
    TestConnection,
    /// Look at the pools.
    ShowPools,
    /// Look at its day.
    ShowSchedule,
    /// Look at what became of its mails.
    ShowDeliverability,
}

/// One thing that keeps an account from sending, or from sending more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which.
    pub code: BlockCode,
    /// How much it matters.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// What can be done; nothing where waiting is right.
    pub remedy: Option<Remedy>,
}

/// What is found about an account's day.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// Whether it sends today: it has, or its plan says that it will.
    pub sending_today: bool,
    /// Mails that it may send on this day.
    pub planned_today: u32,
    /// Mails that it sent.
    pub sent_today: u32,
    /// What keeps it from more; the gravest first.
    pub blocked_by: Vec<Block>,
    /// What made the day's volume, in the order of the rules.
    pub reasons: Vec<Reason>,
}

names!(Severity { Blocking = "blocking", Limiting = "limiting", Info = "info" });
names!(BlockCode {
    ProviderNotConfigured = "PROVIDER_NOT_CONFIGURED", NeverStarted = "NEVER_STARTED", Paused = "PAUSED", Suspended = "SUSPENDED", ConnectionError = "CONNECTION_ERROR",
    ConnectionTrouble = "CONNECTION_TROUBLE", NotInPool = "NOT_IN_POOL", NotPlannedYet = "NOT_PLANNED_YET", Weekend = "WEEKEND",
    OutsideHours = "OUTSIDE_HOURS", TooFewPartners = "TOO_FEW_PARTNERS", Cooldown = "COOLDOWN", Reduction = "REDUCTION",
    SpikeCap = "SPIKE_CAP", PoolMaximum = "POOL_MAXIMUM", PlanLimit = "PLAN_LIMIT", TestMode = "TEST_MODE",
    StartedLate = "STARTED_LATE", ShortHours = "SHORT_HOURS",
});

names!(Remedy {
    Start = "start_warmup", Pause = "pause_warmup", Resume = "resume_warmup", TestConnection = "test_connection",
    ShowPools = "review_pools", ShowSchedule = "review_schedule", ShowDeliverability = "review_deliverability",
});

impl Block {
    fn new(
        code: BlockCode,
        severity: Severity,
        message: impl Into<String>,
        remedy: Option<Remedy>,
    ) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            remedy,
        }
    }
}

/// What keeps `account` from sending, or from sending more, on the day of `plan`, of which it sent `sent` by `now`.
pub fn diagnose(account: &Account, plan: Option<&DayPlan>, sent: u32, now: Timestamp) -> Diagnosis {
    let planned = plan.map_or(0, |plan| plan.limit);
    let mut blocked_by: Vec<_> = by_status(account).into_iter().collect();
    if account.pools.is_empty() {
        let message = "The account is in no pool, so there is nobody to write to.";
        let pools = Some(Remedy::ShowPools);
        blocked_by.push(Block::new(
            BlockCode::NotInPool,
            Severity::Blocking,
            message,
            pools,
        ));
    }
    match plan {
        Some(plan) => {
            blocked_by.extend(
                plan.reasons
                    .iter()
                    .filter_map(|reason| by_rule(plan, reason)),
            );
            blocked_by.extend(by_hours(plan, now));
        }
        None if account.sends() => {
            let message = "The day is planned in the small hours of the account's time zone, or minutes after a start.";
            blocked_by.push(Block::new(
                BlockCode::NotPlannedYet,
                Severity::Info,
                message,
                None,
            ));
        }
        None => {}
    }
    blocked_by.sort_by_key(|block| block.severity);
    Diagnosis {
        sending_today: sent > 0 || account.sends() && planned > 0,
        planned_today: planned,
        sent_today: sent,
        blocked_by,
        reasons: plan.map(|plan| plan.reasons.clone()).unwrap_or_default(),
    }
}

fn by_status(account: &Account) -> Option<Block> {
    let because = |otherwise: &str| {
        let reason = account.status_reason.as_deref();
        reason.unwrap_or(otherwise).to_owned()
    };
    let blocking = |code, message: String, remedy| {
        Some(Block::new(code, Severity::Blocking, message, Some(remedy)))
    };
    if !account.provider.has_transport() {
        let provider = account.provider.as_str();
        let message = format!("{provider} mailboxes cannot be used by this deployment yet.");
        let code = BlockCode::ProviderNotConfigured;
        return Some(Block::new(code, Severity::Blocking, message, None));
    }
    match account.status {
        AccountStatus::Active if account.warmup.is_none() => blocking(
            BlockCode::NeverStarted,
            "Warmup was never started.".to_owned(),
            begin(account),
        ),
        AccountStatus::Paused => blocking(
            BlockCode::Paused,
            if has_bad_rates(account) {
                format!("The account is paused. {LOOK_FIRST}")
            } else {
                "The account is paused.".to_owned()
            },
            match account.warmup {
                None => begin(account),
                Some(_) if has_bad_rates(account) => Remedy::ShowDeliverability,
                Some(_) => Remedy::Resume,
            },
        ),
        AccountStatus::Suspended => blocking(
            BlockCode::Suspended,
            format!(
                "{} {LOOK_FIRST}",
                because("The account was suspended because of its figures.")
            ),
            Remedy::ShowDeliverability,
        ),
        AccountStatus::Error => blocking(
            BlockCode::ConnectionError,
            because("The mailbox cannot be used."),
            Remedy::TestConnection,
        ),
        AccountStatus::Active | AccountStatus::Warming => {
            account.status_reason.as_ref().map(|reason| {
                let test = Some(Remedy::TestConnection);
                let code = BlockCode::ConnectionTrouble;
                Block::new(code, Severity::Limiting, reason.clone(), test)
            })
        }
    }
}

/// Whether what its mails met with would make it cool down: a look at them comes before it goes on.
pub fn has_bad_rates(account: &Account) -> bool {
    account.bounce_rate > COOLDOWN_BOUNCE_RATE || account.spam_rate > COOLDOWN_SPAM_RATE
}

/// What is said of an account that should not go on as it is.
const LOOK_FIRST: &str = "Find out why its mails bounce or land in spam before you resume it.";

/// How warmup begins: with a pool, since an account in none is not started.
fn begin(account: &Account) -> Remedy {
    if account.pools.is_empty() {
        Remedy::ShowPools
    } else {
        Remedy::Start
    }
}

/// What a rule took from the day; nothing of those that only say what the day is.
fn by_rule(plan: &DayPlan, reason: &Reason) -> Option<Block> {
    let (code, remedy) = match reason.rule {
        Rule::Phase if plan.phase == WarmupPhase::Cooldown => (BlockCode::Cooldown, None),
        Rule::Ramp | Rule::Phase => return None,
        Rule::Reduction => (BlockCode::Reduction, None),
        Rule::SpikeCap => (BlockCode::SpikeCap, None),
        Rule::PoolMaximum => (BlockCode::PoolMaximum, Some(Remedy::ShowPools)),
        Rule::Plan => (BlockCode::PlanLimit, None),
        Rule::TestMode => (BlockCode::TestMode, None),
        Rule::Partners => (BlockCode::TooFewPartners, Some(Remedy::ShowPools)),
        Rule::DayOff => (BlockCode::Weekend, None),
        Rule::ProRata => (BlockCode::StartedLate, None),
        Rule::WorkingHours => (BlockCode::ShortHours, Some(Remedy::ShowPools)),
    };
    let severity = if reason.volume == 0 {
        Severity::Blocking
    } else {
        Severity::Limiting
    };
    Some(Block::new(code, severity, reason.because.clone(), remedy))
}

fn by_hours(plan: &DayPlan, now: Timestamp) -> Option<Block> {
    let window = plan.window?;
    let message = if now < window.start {
        format!("Working hours begin at {}.", window.start)
    } else if now >= window.end {
        format!("Working hours were over at {}.", window.end)
    } else {
        return None;
    };
    let schedule = Some(Remedy::ShowSchedule);
    Some(Block::new(
        BlockCode::OutsideHours,
        Severity::Info,
        message,
        schedule,
    ))
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;
    use crate::ids::ScheduleId;
    use crate::pool::PoolConfig;
    use crate::rate::Rate;
    use crate::warmup::calendar;
    use crate::warmup::samples::{account, at, warming};

    fn plan(account: &Account, date: Date) -> DayPlan {
        let config = PoolConfig::default();
        DayPlan {
            id: ScheduleId::new(account.created_at, 1),
            user: account.user,
            account: account.id,
            span: account.zone.day(date),
            zone: account.zone.clone(),
            window: calendar::window_on(&account.zone, &config, date),
            day_number: 3,
            phase: account.phase(),
            limit: 4,
            reply_budget: 1,
            slots: Vec::new(),
            config,
            reasons: Vec::new(),
            planned_at: account.created_at,
            daily_total: None,
        }
    }

    const NOON: &str = "2026-03-13T12:00:00Z";

    fn codes(diagnosis: &Diagnosis) -> Vec<&'static str> {
        let blocks = diagnosis.blocked_by.iter();
        blocks.map(|block| block.code.as_str()).collect()
    }

    #[test]
    fn a_status_that_does_not_send_blocks_and_says_what_to_do() {
        let warmed = |status| Account {
            status,
            ..warming(3, date(2026, 3, 13), WarmupPhase::RampUp)
        };
        for (account, code, remedy) in [
            (account(), "NEVER_STARTED", Remedy::Start),
            (warmed(AccountStatus::Paused), "PAUSED", Remedy::Resume),
            (
                Account {
                    status: AccountStatus::Paused,
                    ..account()
                },
                "PAUSED",
                Remedy::Start,
            ),
            (
                warmed(AccountStatus::Suspended),
                "SUSPENDED",
                Remedy::ShowDeliverability,
            ),
            (
                warmed(AccountStatus::Error),
                "CONNECTION_ERROR",
                Remedy::TestConnection,
            ),
        ] {
            let found = diagnose(&account, None, 0, at(NOON));
            assert_eq!(codes(&found), [code]);
            assert_eq!(found.blocked_by[0].severity, Severity::Blocking);
            assert_eq!(found.blocked_by[0].remedy, Some(remedy));
            assert!(!found.sending_today);
        }
    }

    /// An agent sends what is proposed without asking.
    #[test]
    fn an_account_whose_mails_bounce_is_looked_at_before_it_is_resumed() {
        let stopped = |status, bounces, spam| Account {
            status,
            status_reason: Some("Of the 30 mails sent lately 4 bounced: more than 8 %.".to_owned()),
            bounce_rate: Rate::per_mille(bounces),
            spam_rate: Rate::per_mille(spam),
            ..warming(3, date(2026, 3, 13), WarmupPhase::RampUp)
        };
        let told = |account: Account| {
            let block = diagnose(&account, None, 0, at(NOON)).blocked_by.remove(0);
            (block.remedy.unwrap(), block.message)
        };
        let (remedy, message) = told(stopped(AccountStatus::Suspended, 133, 0));
        assert_eq!(remedy, Remedy::ShowDeliverability);
        assert_eq!(
            message,
            format!("Of the 30 mails sent lately 4 bounced: more than 8 %. {LOOK_FIRST}")
        );
        for (bounces, spam, expected) in [
            (50, 30, Remedy::Resume),
            (51, 0, Remedy::ShowDeliverability),
            (0, 31, Remedy::ShowDeliverability),
        ] {
            let (remedy, message) = told(stopped(AccountStatus::Paused, bounces, spam));
            assert_eq!(remedy, expected);
            assert_eq!(message.contains(LOOK_FIRST), expected != Remedy::Resume);
        }
    }

    #[test]
    fn an_account_in_no_pool_is_not_told_to_start() {
        for status in [AccountStatus::Active, AccountStatus::Paused] {
            let homeless = Account {
                status,
                pools: Vec::new(),
                ..account()
            };
            let found = diagnose(&homeless, None, 0, at(NOON));
            let mut remedies = found.blocked_by.iter().map(|block| block.remedy);
            assert!(remedies.all(|remedy| remedy == Some(Remedy::ShowPools)));
        }
    }

    #[test]
    fn a_provider_that_cannot_be_used_is_the_reason_whatever_the_status() {
        let gmail = Account {
            provider: crate::account::Provider::Gmail,
            ..account()
        };
        let found = diagnose(&gmail, None, 0, at(NOON));
        assert_eq!(codes(&found), ["PROVIDER_NOT_CONFIGURED"]);
        assert_eq!(found.blocked_by[0].remedy, None);
    }

    #[test]
    fn a_warming_account_without_a_plan_waits_for_it_and_one_in_no_pool_is_told() {
        let mut account = warming(3, date(2026, 3, 13), WarmupPhase::RampUp);
        assert_eq!(
            codes(&diagnose(&account, None, 0, at(NOON))),
            ["NOT_PLANNED_YET"]
        );
        account.pools.clear();
        account.status_reason = Some("The mail server could not be reached.".to_owned());
        let found = diagnose(&account, None, 0, at(NOON));
        assert_eq!(
            codes(&found),
            ["NOT_IN_POOL", "CONNECTION_TROUBLE", "NOT_PLANNED_YET"]
        );
    }

    #[test]
    fn what_was_sent_today_was_sent_whatever_came_after() {
        let paused = Account {
            status: AccountStatus::Paused,
            ..warming(3, date(2026, 3, 13), WarmupPhase::RampUp)
        };
        assert!(diagnose(&paused, None, 2, at(NOON)).sending_today);
    }

    #[test]
    fn each_rule_that_takes_away_is_a_finding_and_the_gravest_comes_first() {
        let account = warming(3, date(2026, 3, 13), WarmupPhase::Cooldown);
        let mut plan = plan(&account, date(2026, 3, 13));
        plan.phase = WarmupPhase::Cooldown;
        plan.limit = 0;
        let rules = [
            (Rule::Ramp, 9),
            (Rule::Phase, 4),
            (Rule::SpikeCap, 3),
            (Rule::Partners, 0),
        ];
        plan.reasons = rules
            .map(|(rule, volume)| Reason {
                rule,
                volume,
                because: format!("{rule:?}"),
            })
            .to_vec();
        let inside = plan.window.unwrap();
        let found = diagnose(&account, Some(&plan), 0, inside.start);
        assert_eq!(codes(&found), ["TOO_FEW_PARTNERS", "COOLDOWN", "SPIKE_CAP"]);
        assert_eq!(found.blocked_by[0].severity, Severity::Blocking);
        assert_eq!((found.sending_today, found.planned_today), (false, 0));
        assert_eq!(found.reasons, plan.reasons);
        let after = diagnose(&account, Some(&plan), 0, inside.end);
        assert_eq!(codes(&after).last(), Some(&"OUTSIDE_HOURS"));
    }
}
