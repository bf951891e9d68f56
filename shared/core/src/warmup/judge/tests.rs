//! Each automatic decision, what it says, and that none repeats itself; then a mailbox's sixty days.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::warmup::day::{DayFigures, FiguresSince};
use crate::warmup::reputation;
use crate::warmup::samples::{at, warming};

fn night() -> Timestamp {
    at("2026-03-14T01:00:00Z")
}

fn friday() -> Date {
    date(2026, 3, 13)
}

/// A past day, `ago` days before Friday.
fn day(ago: i64, sent: u32, bounced: u32, spammed: u32) -> PastDay {
    PastDay {
        date: friday().saturating_sub(ago.days()),
        figures: DayFigures {
            sent,
            bounced,
            spammed,
            received: 10,
            opened: 9,
            replied: 4,
            ..DayFigures::default()
        },
        since_resume: None,
        cut_short: false,
    }
}

fn account(day_number: u32, phase: WarmupPhase) -> Account {
    let mut account = warming(day_number, friday(), phase);
    if phase == WarmupPhase::Graduated {
        account.status = AccountStatus::Active;
    }
    account
}

/// The reputation after `date`, as if its figures were final.
fn after(account: &Account, history: &[PastDay], date: Date) -> Score {
    let day = history.iter().find(|day| day.date == date);
    reputation::carried_over(
        account.reputation,
        &day.map_or_else(DayFigures::default, |day| day.figures),
    )
}

fn judged(account: &Account, history: &[PastDay]) -> Judgement {
    judge(&JudgeInput {
        account,
        config: &PoolConfig::default(),
        date: friday(),
        history,
        reputation: after(account, history, friday()),
        now: night(),
    })
    .unwrap()
}

fn events(judgement: &Judgement) -> Vec<&'static str> {
    judgement
        .decisions
        .iter()
        .map(|decision| decision.event_type.as_str())
        .collect()
}

#[test]
fn a_good_day_changes_only_the_figures() {
    let account = account(20, WarmupPhase::RampUp);
    let judgement = judged(&account, &[day(0, 20, 0, 0), day(1, 20, 0, 0)]);
    assert!(judgement.decisions.is_empty());
    // 50 + 20 + 15 × 0.9 + 15 × 0.4
    assert_eq!(judgement.reputation, Score::clamped(89.5));
    assert_eq!(judgement.bounce_rate, Rate::ZERO);
    let expected = Warmup {
        last_judged: Some(friday()),
        ..account.warmup.clone().unwrap()
    };
    assert_eq!(judgement.warmup, expected);

    let after = judgement.applied_to(&account, night());
    assert_eq!(
        (after.status, after.version),
        (AccountStatus::Warming, account.version)
    );
}

#[test]
fn a_weekend_carries_the_reputation_over() {
    let mut account = account(20, WarmupPhase::RampUp);
    account.reputation = Score::clamped(88.8);
    let judgement = judged(&account, &[day(0, 0, 0, 0), day(1, 20, 0, 0)]);
    assert_eq!(judgement.reputation, Score::clamped(88.8));
}

#[test]
fn a_date_is_judged_once() {
    let mut account = account(20, WarmupPhase::RampUp);
    account.warmup.as_mut().unwrap().last_judged = Some(friday());
    let again = judge(&JudgeInput {
        account: &account,
        config: &PoolConfig::default(),
        date: friday(),
        history: &[day(0, 20, 10, 0)],
        reputation: account.reputation,
        now: night(),
    });
    assert_eq!(again, None);
}

#[test]
fn moderate_bounces_reduce_and_say_so_once() {
    let mut account = account(20, WarmupPhase::RampUp);
    let history = [day(0, 25, 1, 0)];
    let reduced = judged(&account, &history);
    assert!(reduced.warmup.reduced);
    insta::assert_json_snapshot!(reduced.events(&account, night())[0], @r#"
    {
      "event_type": "warmup.volume_reduced",
      "entity_type": "account",
      "entity_id": "019b76da-a800-7000-8000-000000010000",
      "actor": "system",
      "metadata": {
        "percent": 25,
        "sent": 25,
        "bounced": 1,
        "spammed": 0,
        "bounceRate": 0.04,
        "spamRate": 0.0,
        "sendingDays": 1,
        "reputationScore": 87.5,
        "dayNumber": 20
      },
      "at": "2026-03-14T01:00:00Z"
    }
    "#);

    account.warmup = Some(Warmup {
        last_judged: None,
        ..reduced.warmup
    });
    assert!(
        events(&judged(&account, &history)).is_empty(),
        "still reduced, nothing new"
    );
    let better = judged(&account, &[day(0, 50, 1, 0)]);
    assert!(!better.warmup.reduced && better.decisions.is_empty());
}

#[test]
fn bad_figures_cool_down() {
    let mut account = account(50, WarmupPhase::Sustain);
    account.warmup.as_mut().unwrap().sustain_streak = 4;
    account.warmup.as_mut().unwrap().reduced = true;
    for history in [[day(0, 30, 2, 0)], [day(0, 30, 0, 2)], [day(0, 10, 0, 3)]] {
        let judgement = judged(&account, &history);
        assert_eq!(judgement.warmup.phase, WarmupPhase::Cooldown);
        assert_eq!(judgement.warmup.cooldown.unwrap().since, date(2026, 3, 14));
        assert_eq!(
            (judgement.warmup.sustain_streak, judgement.warmup.reduced),
            (0, false)
        );
        assert_eq!(
            events(&judgement),
            ["account.warmup_phase_changed", "warmup.volume_reduced"]
        );
        assert_eq!(judgement.decisions[0].metadata["from"], "sustain");
        assert_eq!(judgement.decisions[1].metadata["percent"], 50);
        assert_eq!(judgement.status, AccountStatus::Warming);
    }
}

/// On day 50, cooling down since `since_ago` days before Friday.
fn cooling(since_ago: i64) -> Account {
    let mut account = account(50, WarmupPhase::Cooldown);
    account.warmup.as_mut().unwrap().cooldown = Some(Cooldown {
        since: friday().saturating_sub(since_ago.days()),
    });
    account
}

#[test]
fn a_cooldown_ends_after_three_good_days_of_its_own() {
    let before = [day(3, 40, 2, 2), day(4, 40, 2, 2), day(5, 40, 2, 0)];
    let with = |days: &[PastDay]| [&before[..], days].concat();
    let good = with(&[day(0, 20, 0, 0), day(1, 20, 0, 0), day(2, 20, 0, 0)]);
    let judgement = judged(&cooling(2), &good);
    assert_eq!(judgement.warmup.phase, WarmupPhase::Sustain);
    assert_eq!(
        (judgement.warmup.cooldown, judgement.warmup.sustain_streak),
        (None, 0)
    );
    assert_eq!(events(&judgement), ["account.warmup_phase_changed"]);
    assert_eq!(
        judgement.decisions[0].metadata["sent"], 60,
        "its own days' numbers"
    );

    // The bad days from before are still in the window, and do not cause it again.
    let mut next = judgement.applied_to(&cooling(2), night());
    next.warmup.as_mut().unwrap().last_judged = None;
    let again = judged(&next, &good);
    assert_eq!(again.warmup.phase, WarmupPhase::Sustain);
    assert!(again.bounce_rate > Rate::ZERO && again.decisions.is_empty());

    for (what, days) in [
        (
            "two sending days",
            vec![day(0, 20, 0, 0), day(1, 20, 0, 0), day(2, 0, 0, 0)],
        ),
        (
            "nine mails",
            vec![day(0, 3, 0, 0), day(1, 3, 0, 0), day(2, 3, 0, 0)],
        ),
        (
            "bounces",
            vec![day(0, 20, 1, 0), day(1, 10, 0, 0), day(2, 2, 0, 0)],
        ),
        (
            "spam",
            vec![day(0, 20, 0, 1), day(1, 10, 0, 0), day(2, 10, 0, 0)],
        ),
    ] {
        let judgement = judged(&cooling(2), &with(&days));
        assert_eq!(judgement.warmup.phase, WarmupPhase::Cooldown, "{what}");
        assert!(judgement.decisions.is_empty(), "{what}");
    }
}

#[test]
fn a_cooldown_of_a_young_account_ends_in_the_ramp() {
    let mut young = cooling(2);
    young.warmup.as_mut().unwrap().day_number = 20;
    let judgement = judged(
        &young,
        &[day(0, 20, 0, 0), day(1, 20, 0, 0), day(2, 20, 0, 0)],
    );
    assert_eq!(judgement.warmup.phase, WarmupPhase::RampUp);
}

#[test]
fn many_bounces_suspend_whatever_the_phase() {
    let history = [day(0, 20, 3, 0)];
    for phase in [
        WarmupPhase::RampUp,
        WarmupPhase::Sustain,
        WarmupPhase::Cooldown,
        WarmupPhase::Graduated,
    ] {
        let account = account(70, phase);
        let judgement = judged(&account, &history);
        assert_eq!(judgement.status, AccountStatus::Suspended);
        assert_eq!(judgement.interrupted, Some(account.status));
        assert_eq!(judgement.warmup.phase, phase);
        assert_eq!(judgement.warmup.last_judged, Some(friday()));
        assert_eq!(
            events(&judgement),
            ["warmup.auto_paused", "account.status_changed"]
        );
        insta::allow_duplicates! {
            insta::assert_snapshot!(judgement.status_reason.as_ref().unwrap(), @"3 mails bounced lately, with 20 accepted: more than 8 %.");
        }
        let after = judgement.applied_to(&account, night());
        assert_eq!(after.status_reason, judgement.status_reason);
        assert_eq!(after.status_since, Some(night()));
    }
}

#[test]
fn bounces_of_mails_that_no_server_took_are_told_apart_from_what_was_accepted() {
    let judgement = judged(&account(20, WarmupPhase::RampUp), &[day(0, 0, 3, 0)]);
    insta::assert_snapshot!(judgement.status_reason.unwrap(), @"3 mails bounced lately, with 0 accepted: more than 8 %.");
}

#[test]
fn what_is_stopped_is_not_stopped_again() {
    for status in [
        AccountStatus::Paused,
        AccountStatus::Error,
        AccountStatus::Suspended,
    ] {
        let mut account = account(20, WarmupPhase::RampUp);
        account.status = status;
        account.interrupted = Some(AccountStatus::Warming);
        account.status_reason = Some("as it was".to_owned());
        account.status_since = Some(at("2026-03-13T12:00:00Z"));
        let judgement = judged(&account, &[day(0, 20, 10, 0)]);
        assert_eq!(judgement.status, status);
        let after = judgement.applied_to(&account, night());
        assert_eq!(after.status_reason.as_deref(), Some("as it was"));
        assert_eq!(after.status_since, account.status_since);
    }
}

#[test]
fn during_the_day_only_suspension_acts_and_it_acts_at_once() {
    let account = account(20, WarmupPhase::RampUp);
    let noon = at("2026-03-13T12:00:00Z");
    assert_eq!(judge_now(&account, &[day(0, 20, 1, 0)], noon), None);
    assert_eq!(
        judge_now(&account, &[day(0, 50, 3, 3)], noon),
        None,
        "a cooldown waits for the night"
    );
    let judgement = judge_now(&account, &[day(0, 10, 3, 0)], noon).unwrap();
    assert_eq!(judgement.status, AccountStatus::Suspended);
    assert_eq!(judgement.reputation, account.reputation);
    assert_eq!(judgement.warmup.last_judged, None);

    let suspended = judgement.applied_to(&account, noon);
    assert_eq!(judge_now(&suspended, &[day(0, 10, 4, 0)], noon), None);
}

#[test]
fn after_a_resume_the_old_bounces_do_not_count() {
    let account = account(20, WarmupPhase::RampUp);
    let noon = at("2026-03-13T12:00:00Z");
    let morning = day(0, 10, 3, 0);
    let suspended = judge_now(&account, &[morning], noon)
        .unwrap()
        .applied_to(&account, noon);
    let resumed = transition::resume(&suspended, noon).unwrap();
    // Three more that were sent before are known only now.
    let evening = |bounced| PastDay {
        since_resume: Some(FiguresSince {
            since: noon,
            figures: day(0, 4, bounced, 0).figures,
        }),
        ..day(0, 14, 6 + bounced, 0)
    };
    assert_eq!(judge_now(&resumed, &[evening(0)], noon), None);
    assert_eq!(judged(&resumed, &[evening(0)]).bounce_rate, Rate::ZERO);
    assert!(judge_now(&resumed, &[evening(3)], noon).is_some());
}

#[test]
fn graduation_takes_fourteen_days_in_a_row() {
    let mut account = account(59, WarmupPhase::Sustain);
    account.warmup.as_mut().unwrap().sustain_streak = 13;
    let good = [day(0, 40, 0, 0)];
    let judgement = judged(&account, &good);
    assert_eq!(judgement.warmup.phase, WarmupPhase::Graduated);
    assert_eq!(
        (judgement.status, judgement.interrupted),
        (AccountStatus::Active, None)
    );
    assert_eq!(
        events(&judgement),
        [
            "warmup.graduated",
            "account.warmup_phase_changed",
            "account.status_changed"
        ]
    );
    let after = judgement.applied_to(&account, night());
    assert_eq!(after.status_reason, None);
    assert_eq!(after.status_since, Some(night()));

    let spoilt = [
        ("bounces", vec![day(0, 30, 1, 0)]),
        ("spam", vec![day(0, 40, 0, 1)]),
    ];
    for (what, history) in spoilt {
        let judgement = judged(&account, &history);
        assert_eq!(judgement.warmup.sustain_streak, 0, "{what}");
        assert_eq!(judgement.status, AccountStatus::Warming, "{what}");
    }
    account.reputation = Score::clamped(69.9);
    assert_eq!(judged(&account, &[]).warmup.sustain_streak, 0, "reputation");
    account.reputation = Score::clamped(70.0);
    assert_eq!(
        judged(&account, &[]).warmup.phase,
        WarmupPhase::Graduated,
        "a good weekend counts"
    );

    // Too early by number: a ramp that was lengthened meanwhile.
    account.warmup.as_mut().unwrap().day_number = 58;
    assert_eq!(judged(&account, &good).warmup.sustain_streak, 14);
    assert_eq!(judged(&account, &good).status, AccountStatus::Warming);
}

/// A mailbox with good figures, day by day: planned, judged, planned … The first day it has graduated on.
#[test]
fn a_good_mailbox_graduates_on_day_60() {
    let config = PoolConfig::default();
    let mut account = account(1, WarmupPhase::RampUp);
    let mut history = Vec::new();
    let mut phases = Vec::new();
    for number in 1..=61_u32 {
        let on = friday().saturating_add((i64::from(number) - 1).days());
        let warmup = account.warmup.clone().unwrap();
        let counted = if account.status == AccountStatus::Warming {
            warmup.counted_to(on)
        } else {
            warmup
        };
        let phase = phase::on_day(counted.phase, counted.day_number, &config);
        account.warmup = Some(Warmup { phase, ..counted });
        if phases.last().is_none_or(|(_, last)| *last != phase) {
            phases.push((number, phase));
        }
        let sent = if matches!(
            on.weekday(),
            jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
        ) {
            0
        } else {
            10
        };
        history.push(PastDay {
            date: on,
            ..day(0, sent, 0, 0)
        });
        let judgement = judge(&JudgeInput {
            account: &account,
            config: &config,
            date: on,
            history: &history,
            reputation: after(&account, &history, on),
            now: night(),
        })
        .unwrap();
        account = judgement.applied_to(&account, night());
    }
    assert_eq!(
        phases,
        [
            (1, WarmupPhase::RampUp),
            (46, WarmupPhase::Sustain),
            (60, WarmupPhase::Graduated)
        ]
    );
    assert_eq!(account.status, AccountStatus::Active);
}

proptest! {
    /// Whatever the figures: status and phase stay consistent, nothing stops without evidence, and judging twice decides nothing new.
    #[test]
    fn judgements_are_consistent(
        days in prop::collection::vec((0_u32..40, 0_u32..6, 0_u32..6), 1..14),
        phase in prop::sample::select(WarmupPhase::ALL), number in 1_u32..100, streak in 0_u32..20, reduced: bool,
    ) {
        let mut account = account(number, phase);
        {
            let warmup = account.warmup.as_mut().unwrap();
            warmup.sustain_streak = streak;
            warmup.reduced = reduced;
            warmup.cooldown = (phase == WarmupPhase::Cooldown).then_some(Cooldown { since: date(2026, 3, 8) });
        }
        let history: Vec<_> = (0..).zip(days).map(|(ago, (sent, bounced, spammed))| day(ago, sent, bounced, spammed)).collect();
        let judgement = judged(&account, &history);
        let after = judgement.applied_to(&account, night());
        let warmup = after.warmup.as_ref().unwrap();

        prop_assert_eq!(after.interrupted.is_some(), after.status == AccountStatus::Suspended);
        prop_assert_eq!(warmup.cooldown.is_some(), warmup.phase == WarmupPhase::Cooldown);
        prop_assert_eq!(after.status == AccountStatus::Active, after.status != AccountStatus::Suspended && warmup.phase == WarmupPhase::Graduated);
        prop_assert!(!(warmup.reduced && warmup.phase == WarmupPhase::Cooldown) || reduced);
        let total = history.iter().fold((0, 0), |sum, day| (sum.0 + day.figures.bounced, sum.1 + day.figures.spammed));
        if total == (0, 0) {
            prop_assert!(after.status != AccountStatus::Suspended);
            prop_assert!(warmup.phase != WarmupPhase::Cooldown || phase == WarmupPhase::Cooldown);
        }
        let second = judge(&JudgeInput {
            account: &after,
            config: &PoolConfig::default(),
            date: friday(),
            history: &history,
            reputation: after.reputation,
            now: night(),
        });
        prop_assert_eq!(second, None);
    }
}
