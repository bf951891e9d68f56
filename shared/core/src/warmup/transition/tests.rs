//! The table of decision 17, verbatim, and what each change does to the days and the rates.

use crate::warmup::connection::{ConnectionFailure, MailProtocol};
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::time::shifted;
use crate::warmup::samples::{account, at, friday, warming};

const NOW: &str = "2026-03-20T12:00:00Z";

/// An account in `status` whose warmup is in `phase`, if it ever was warmed.
fn standing(status: AccountStatus, phase: Option<WarmupPhase>) -> Account {
    let interrupted = match (status, phase) {
        (AccountStatus::Active | AccountStatus::Warming, _) => None,
        (_, None | Some(WarmupPhase::Graduated)) => Some(AccountStatus::Active),
        _ => Some(AccountStatus::Warming),
    };
    let mut account = warming(12, date(2026, 3, 13), phase.unwrap_or(WarmupPhase::RampUp));
    if phase.is_none() {
        account.warmup = None;
    }
    Account {
        status,
        interrupted,
        ..account
    }
}

fn outcome(result: Result<Account, TransitionError>) -> String {
    match result {
        Ok(account) => account.status.as_str().to_owned(),
        Err(TransitionError::AlreadyWarming) => "ALREADY_WARMING".to_owned(),
        Err(TransitionError::NeverWarmed) => "NEVER_WARMED".to_owned(),
        Err(TransitionError::NotInPool) => "NOT_IN_POOL".to_owned(),
        Err(TransitionError::Invalid { .. }) => "invalid".to_owned(),
    }
}

#[test]
fn the_table_of_decision_17() {
    use AccountStatus::{Active, Error, Paused, Suspended, Warming};
    let (ramp, graduated) = (Some(WarmupPhase::RampUp), Some(WarmupPhase::Graduated));
    //   status, phase               start      start?restart     pause     resume
    for (status, phase, expected) in [
        (
            Active,
            None,
            ["warming", "warming", "paused", "NEVER_WARMED"],
        ),
        (
            Active,
            graduated,
            ["invalid", "warming", "paused", "invalid"],
        ),
        (
            Warming,
            ramp,
            ["ALREADY_WARMING", "ALREADY_WARMING", "paused", "invalid"],
        ),
        (
            Paused,
            None,
            ["warming", "warming", "invalid", "NEVER_WARMED"],
        ),
        (Paused, ramp, ["invalid", "invalid", "invalid", "warming"]),
        (
            Paused,
            graduated,
            ["invalid", "invalid", "invalid", "active"],
        ),
        (Suspended, ramp, ["invalid", "invalid", "paused", "warming"]),
        (
            Suspended,
            graduated,
            ["invalid", "invalid", "paused", "active"],
        ),
        (Error, None, ["invalid", "invalid", "paused", "active"]),
        (Error, ramp, ["invalid", "invalid", "paused", "warming"]),
        (Error, graduated, ["invalid", "invalid", "paused", "active"]),
    ] {
        let account = standing(status, phase);
        let now = at(NOW);
        let outcomes = [
            outcome(start(&account, now, false)),
            outcome(start(&account, now, true)),
            outcome(pause(&account, now)),
            outcome(resume(&account, now)),
        ];
        assert_eq!(outcomes, expected, "{status:?} {phase:?}");
    }
}

#[test]
fn active_undoes_a_pause_of_what_was_never_warmed() {
    use AccountStatus::{Active, Error, Paused, Suspended, Warming};
    let ramp = Some(WarmupPhase::RampUp);
    for (status, phase, expected) in [
        (Active, None, "active"),
        (Active, Some(WarmupPhase::Graduated), "active"),
        (Paused, None, "active"),
        (Paused, ramp, "invalid"),
        (Warming, ramp, "invalid"),
        (Error, None, "invalid"),
        (Suspended, ramp, "invalid"),
    ] {
        let account = standing(status, phase);
        let activated = activate(&account, at(NOW));
        assert_eq!(outcome(activated), expected, "{status:?} {phase:?}");
    }
    let same = standing(Active, None);
    assert_eq!(activate(&same, at(NOW)).unwrap(), same, "not even touched");
}

#[test]
fn a_refusal_names_the_status_and_tells_a_graduated_account() {
    let graduated = standing(AccountStatus::Active, Some(WarmupPhase::Graduated));
    let error = start(&graduated, friday(), false).unwrap_err();
    assert_eq!(
        error,
        TransitionError::Invalid {
            operation: Operation::Start,
            status: AccountStatus::Active,
            phase: Some(WarmupPhase::Graduated),
        }
    );
    assert_eq!(
        error.to_string(),
        "an account that is graduated cannot be started; to begin again, start it with ?restart=true"
    );
}

#[test]
fn a_refusal_says_what_to_do_instead() {
    use AccountStatus::{Error, Paused, Suspended, Warming};
    let said = |result: Result<Account, TransitionError>| result.unwrap_err().to_string();
    let ramp = Some(WarmupPhase::RampUp);
    for (status, instead) in [
        (Paused, "is paused cannot be started; resume it"),
        (
            Suspended,
            "is suspended cannot be started; find out why its mails bounce or land in spam, then resume it",
        ),
        (
            Error,
            "is error cannot be started; test its connection, then resume it",
        ),
    ] {
        let account = standing(status, ramp);
        let refused = said(start(&account, friday(), false));
        assert_eq!(refused, format!("an account that {instead}"));
        let refused = said(activate(&account, friday()));
        assert!(refused.contains("cannot be set to active; "), "{refused}");
    }
    for refused in [
        said(pause(&standing(Paused, ramp), friday())),
        said(resume(&standing(Warming, ramp), friday())),
    ] {
        assert!(!refused.contains(';'), "{refused}");
    }
}

#[test]
fn start_needs_a_pool_and_says_so_last() {
    let lonely = Account {
        pools: Vec::new(),
        ..account()
    };
    assert_eq!(
        start(&lonely, friday(), false),
        Err(TransitionError::NotInPool)
    );
    let warming = Account {
        pools: Vec::new(),
        ..standing(AccountStatus::Warming, Some(WarmupPhase::RampUp))
    };
    assert_eq!(
        start(&warming, friday(), false),
        Err(TransitionError::AlreadyWarming)
    );
}

#[test]
fn a_start_is_day_1_and_a_restart_forgets_the_old_warmup_but_not_the_planned_day() {
    let started = start(&account(), friday(), false).unwrap();
    let warmup = started.warmup.unwrap();
    assert_eq!(
        (warmup.day_number, warmup.last_day, warmup.phase),
        (1, Some(date(2026, 3, 13)), WarmupPhase::RampUp)
    );

    let mut graduated = standing(AccountStatus::Active, Some(WarmupPhase::Graduated));
    if let Some(warmup) = &mut graduated.warmup {
        warmup.last_planned_date = Some(date(2026, 3, 13));
        warmup.last_planned_start = Some(at("2026-03-13T00:00:00Z"));
        warmup.sustain_streak = 14;
    }
    let restarted = start(&graduated, friday(), true).unwrap().warmup.unwrap();
    assert_eq!((restarted.day_number, restarted.sustain_streak), (1, 0));
    assert_eq!(restarted.last_planned().unwrap().date, date(2026, 3, 13));
}

#[test]
fn days_stand_still_while_paused() {
    // Day 12 was the 13th; paused on the 14th, resumed on the 20th.
    let warming = standing(AccountStatus::Warming, Some(WarmupPhase::RampUp));
    let paused = pause(&warming, at("2026-03-14T12:00:00Z")).unwrap();
    assert_eq!(paused.warmup.as_ref().unwrap().day_number, 13);
    let resumed = resume(&paused, at("2026-03-20T12:00:00Z")).unwrap();
    let warmup = resumed.warmup.unwrap();
    assert_eq!(
        (warmup.day_number, warmup.last_day),
        (14, Some(date(2026, 3, 20)))
    );
    assert_eq!(warmup.resumed_at, Some(at("2026-03-20T12:00:00Z")));
}

#[test]
fn a_resume_forgets_why_it_was_needed() {
    let mut suspended = Account {
        bounce_rate: Rate::per_mille(400),
        status_reason: Some("too many bounces".to_owned()),
        ..standing(AccountStatus::Suspended, Some(WarmupPhase::RampUp))
    };
    suspended.warmup.as_mut().unwrap().reduced = true;
    let resumed = resume(&suspended, at(NOW)).unwrap();
    assert_eq!(resumed.bounce_rate, Rate::ZERO);
    assert_eq!(resumed.status_reason, None);
    let warmup = resumed.warmup.unwrap();
    assert_eq!(warmup.resumed_at, Some(at(NOW)));
    assert!(!warmup.reduced, "by bounces that do not count any more");
}

#[test]
fn a_pause_of_an_error_returns_to_what_the_error_interrupted() {
    let broken = standing(AccountStatus::Error, Some(WarmupPhase::RampUp));
    let paused = pause(&broken, at(NOW)).unwrap();
    assert_eq!(paused.interrupted, Some(AccountStatus::Warming));
    let resumed = resume(&paused, at(NOW)).unwrap();
    assert_eq!(resumed.status, AccountStatus::Warming);
}

fn broken_health(now: Timestamp) -> ConnectionHealth {
    [-960, -480, 0]
        .iter()
        .fold(ConnectionHealth::default(), |health, seconds| {
            health.failed(
                MailProtocol::Imap,
                ConnectionFailure::LoginRefused,
                shifted(now, *seconds),
            )
        })
}

#[test]
fn failing_shows_a_reason_then_an_error_and_heals() {
    let now = at(NOW);
    let warming = standing(AccountStatus::Warming, Some(WarmupPhase::RampUp));
    let once =
        ConnectionHealth::default().failed(MailProtocol::Imap, ConnectionFailure::Unreachable, now);

    let failing = connection_failed(&warming, &once, now).unwrap();
    assert_eq!(failing.status, AccountStatus::Warming);
    assert!(failing.status_reason.is_some());
    assert_eq!(connection_failed(&failing, &once, now), None, "nothing new");
    let fine = ConnectionHealth::default();
    assert_eq!(
        connection_ok(&failing, &fine, now).unwrap().status_reason,
        None
    );

    let broken = connection_failed(&failing, &broken_health(now), now).unwrap();
    assert_eq!(broken.status, AccountStatus::Error);
    assert_eq!(
        broken.status_reason.as_deref(),
        Some("The mail server has refused the login since 2026-03-20T11:44:00Z.")
    );
    assert_eq!(connection_failed(&broken, &broken_health(now), now), None);

    let healed = connection_ok(&broken, &fine, at("2026-03-24T12:00:00Z")).unwrap();
    assert_eq!(
        (healed.status, healed.status_reason, healed.interrupted),
        (AccountStatus::Warming, None, None)
    );
    // Day 12 was the 13th; the 20th is day 19, and after four days of error the 24th is day 20.
    assert_eq!(healed.warmup.unwrap().day_number, 20);
    assert_eq!(connection_ok(&warming, &fine, now), None, "nothing to heal");
}

#[test]
fn an_error_heals_when_no_server_makes_it_and_shows_what_is_left() {
    let now = at(NOW);
    let fails = |protocol, health: &ConnectionHealth, at| {
        health.failed(protocol, ConnectionFailure::Unreachable, at)
    };
    let hourly = (0..=24).map(|hour| shifted(now, (hour - 24) * 3600));
    let smtp_gone = hourly.fold(ConnectionHealth::default(), |health, at| {
        fails(MailProtocol::Smtp, &health, at)
    });
    let both = fails(MailProtocol::Imap, &smtp_gone, now);
    let warming = standing(AccountStatus::Warming, Some(WarmupPhase::RampUp));
    let broken = connection_failed(&warming, &both, now).unwrap();
    assert_eq!(broken.status, AccountStatus::Error);

    let still = connection_ok(&broken, &smtp_gone, now).unwrap();
    assert_eq!(
        (still.status, still.status_reason),
        (AccountStatus::Error, smtp_gone.reason())
    );
    let left = both.mended_by(MailProtocol::Smtp);
    let healed = connection_ok(&broken, &left, now).unwrap();
    assert_eq!(
        (healed.status, &healed.status_reason),
        (AccountStatus::Warming, &left.reason())
    );
    assert_eq!(connection_ok(&healed, &left, now), None, "nothing new");
}

#[test]
fn what_a_user_or_its_figures_stopped_stays_stopped_whatever_the_connection_does() {
    let now = at(NOW);
    for status in [AccountStatus::Paused, AccountStatus::Suspended] {
        let stopped = standing(status, Some(WarmupPhase::RampUp));
        assert_eq!(connection_failed(&stopped, &broken_health(now), now), None);
        let fine = ConnectionHealth::default();
        assert_eq!(connection_ok(&stopped, &fine, now), None);
    }
}

proptest! {
    /// Whatever is done in whatever order: nothing but `resume` and healing leaves a stop, a stop remembers warming or active, and days
    /// never run backwards or faster than the calendar.
    #[test]
    fn any_sequence_keeps_an_account_consistent(steps in prop::collection::vec((0_u8..6, 0_i64..200_000), 0..40)) {
        let mut now = friday();
        let first = now;
        let mut account = account();
        for (step, seconds) in steps {
            now = shifted(now, seconds);
            let before = account.clone();
            account = match step {
                0 => start(&account, now, false).unwrap_or(account),
                1 => start(&account, now, true).unwrap_or(account),
                2 => pause(&account, now).unwrap_or(account),
                3 => resume(&account, now).unwrap_or(account),
                4 => connection_failed(&account, &broken_health(now), now).unwrap_or(account),
                _ => connection_ok(&account, &ConnectionHealth::default(), now).unwrap_or(account),
            };
            let stopped = !matches!(account.status, AccountStatus::Active | AccountStatus::Warming);
            prop_assert_eq!(account.interrupted.is_some(), stopped);
            prop_assert!(matches!(account.interrupted, None | Some(AccountStatus::Active | AccountStatus::Warming)));
            if account.status == AccountStatus::Warming {
                prop_assert!(account.warmup.is_some());
            }
            prop_assert!(account.status != AccountStatus::Suspended);
            if let (Some(old), Some(new)) = (&before.warmup, &account.warmup) {
                prop_assert!(new.day_number >= old.day_number);
                let days = (crate::time::seconds_between(first, now) / 86_400) + 2;
                prop_assert!(i64::from(new.day_number) <= days);
            }
        }
    }
}
