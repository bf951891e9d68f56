//! Each rule alone, their order, and that nothing ever locks the ramp.

use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn seed() -> Seed {
    Seed::root(b"account and date")
}

fn monday() -> Date {
    date(2026, 3, 16)
}

/// A past day `days_ago` before [`monday`] with `sent` accepted mails.
fn past(days_ago: i64, sent: u32) -> PastDay {
    PastDay {
        date: monday().saturating_sub(days_ago.days()),
        figures: DayFigures {
            sent,
            ..DayFigures::default()
        },
        since_resume: None,
        cut_short: false,
    }
}

/// A past that allows any volume.
fn steady() -> [PastDay; 1] {
    [past(1, 40)]
}

/// Day 20 of the default ramp (21 mails), steady for days.
fn input<'a>(config: &'a PoolConfig, history: &'a [PastDay], seed: &'a Seed) -> VolumeInput<'a> {
    VolumeInput {
        config,
        date: monday(),
        day_number: 20,
        phase: WarmupPhase::RampUp,
        reduced: false,
        history,
        plan: Plan::Pro,
        plan_allowance: 40,
        test_mode: None,
        seed,
    }
}

fn rules(volume: &Volume) -> Vec<(Rule, u32)> {
    volume
        .reasons
        .iter()
        .map(|reason| (reason.rule, reason.volume))
        .collect()
}

#[test]
fn the_ramp_alone() {
    let (config, seed) = (PoolConfig::default(), seed());
    let history = [past(3, 20)];
    let volume = day_volume(&input(&config, &history, &seed));
    assert_eq!(rules(&volume), [(Rule::Ramp, 21)]);
    insta::assert_snapshot!(volume.reasons[0].because, @"Day 20 of a ramp from 2 to 40 in 45 days.");
}

#[test]
fn rules_apply_in_their_order_and_leave_their_reasons() {
    let (config, seed) = (
        PoolConfig {
            max_daily_emails: 60,
            ..PoolConfig::default()
        },
        seed(),
    );
    let history = [past(3, 10), past(4, 12), past(5, 20), past(6, 40)];
    let volume = day_volume(&VolumeInput {
        day_number: 61,
        phase: WarmupPhase::Sustain,
        reduced: true,
        plan_allowance: 20,
        test_mode: Some(5),
        ..input(&config, &history, &seed)
    });
    let lines: Vec<_> = volume
        .reasons
        .iter()
        .map(|reason| format!("{:?} {}: {}", reason.rule, reason.volume, reason.because))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Ramp 60: Day 61 of a ramp from 2 to 60 in 45 days.
    Phase 60: A sustained day: 107 %, at most the pool's maximum.
    Reduction 45: Bounces reduce the volume to 75 %.
    SpikeCap 30: At most 20 a day were accepted lately.
    Plan 20: The pro plan allows this account 20 a day.
    TestMode 5: Test mode allows 5 a day.
    ");
    assert_eq!(volume.limit, 5);
}

#[test]
fn a_cooldown_halves_and_excludes_the_reduction() {
    let (config, seed) = (PoolConfig::default(), seed());
    let volume = day_volume(&VolumeInput {
        phase: WarmupPhase::Cooldown,
        reduced: true,
        ..input(&config, &steady(), &seed)
    });
    assert_eq!(rules(&volume), [(Rule::Ramp, 21), (Rule::Phase, 10)]);
    let reduced = day_volume(&VolumeInput {
        reduced: true,
        ..input(&config, &steady(), &seed)
    });
    assert_eq!(rules(&reduced), [(Rule::Ramp, 21), (Rule::Reduction, 15)]);
}

#[test]
fn a_volume_of_1_survives_every_share() {
    let config = PoolConfig {
        min_daily_emails: 1,
        max_daily_emails: 1,
        ..PoolConfig::default()
    };
    for (phase, reduced) in [
        (WarmupPhase::Cooldown, false),
        (WarmupPhase::RampUp, true),
        (WarmupPhase::Sustain, true),
    ] {
        let volume = day_volume(&VolumeInput {
            phase,
            reduced,
            ..input(&config, &steady(), &seed())
        });
        assert_eq!(volume.limit, 1, "{phase:?}");
    }
}

#[test]
fn a_graduated_account_has_a_trickle_within_its_caps() {
    let (config, seed) = (PoolConfig::default(), seed());
    let history = steady();
    let graduated = VolumeInput {
        phase: WarmupPhase::Graduated,
        reduced: true,
        ..input(&config, &history, &seed)
    };
    assert_eq!(rules(&day_volume(&graduated)), [(Rule::Phase, 2)]);
    let tested = VolumeInput {
        test_mode: Some(1),
        ..graduated
    };
    assert_eq!(day_volume(&tested).limit, 1);
}

#[test]
fn sustained_days_vary_by_15_percent_below_the_maximum() {
    let config = PoolConfig::default();
    let volumes: Vec<_> = (0..400_u32)
        .map(|n| {
            let seed = Seed::root(&n.to_be_bytes());
            day_volume(&VolumeInput {
                day_number: 50,
                phase: WarmupPhase::Sustain,
                plan_allowance: 100,
                ..input(&config, &steady(), &seed)
            })
            .limit
        })
        .collect();
    assert_eq!(
        (volumes.iter().min(), volumes.iter().max()),
        (Some(&34), Some(&40))
    );
    let below = volumes.iter().filter(|volume| **volume < 40).count();
    assert!((120..=280).contains(&below), "about half: {below}");
}

#[test]
fn the_spike_cap() {
    let (config, seed) = (PoolConfig::default(), seed());
    let cut_short = |day: PastDay| PastDay {
        cut_short: true,
        ..day
    };
    let nothing_accepted = PastDay {
        figures: DayFigures {
            rejected: 3,
            ..DayFigures::default()
        },
        ..past(1, 0)
    };
    for (what, history, expected) in [
        // Receivers know nothing of it, whatever day its ramp is on: it may have had nobody to write to for 20 days.
        ("no past, the minimum", vec![], 2),
        ("none on which mail was tried", vec![past(1, 0)], 2),
        ("half as much again", vec![past(3, 10)], 15),
        ("one more, where that is more", vec![past(3, 1)], 2),
        ("nothing accepted locks nothing", vec![nothing_accepted], 1),
        (
            "the best of three",
            vec![past(3, 2), past(4, 12), past(5, 4)],
            18,
        ),
        (
            "the fourth is forgotten",
            vec![past(1, 4), past(2, 4), past(3, 4), past(4, 14)],
            6,
        ),
        (
            "days off are no sending days",
            vec![past(1, 0), past(2, 0), past(3, 0), past(4, 14)],
            21,
        ),
        (
            "cut short does not count",
            vec![
                cut_short(past(1, 1)),
                cut_short(past(2, 1)),
                past(3, 2),
                past(4, 3),
                past(5, 14),
            ],
            21,
        ),
        (
            "all cut short: what they had",
            vec![cut_short(past(1, 12)), cut_short(past(2, 10))],
            18,
        ),
        (
            "but not less than the minimum",
            vec![cut_short(past(1, 1))],
            3,
        ),
        ("nor for ever", vec![cut_short(past(9, 12))], 9),
        (
            "today and later do not count",
            vec![past(0, 12), past(-1, 12)],
            2,
        ),
        ("7 days without sending", vec![past(8, 12)], 18),
        ("8 days", vec![past(9, 12)], 9),
        ("14 days", vec![past(15, 12)], 9),
        ("15 days", vec![past(16, 12)], 4),
        ("not below the minimum", vec![past(100, 12)], 3),
        ("nor above what it was", vec![past(100, 1)], 2),
        ("years", vec![past(3000, 12)], 3),
    ] {
        let volume = day_volume(&input(&config, &history, &seed));
        assert_eq!(volume.limit, expected, "{what}: {:?}", volume.reasons);
    }
}

#[test]
fn the_configured_increase_counts() {
    let history = [past(3, 10)];
    for (increase, expected) in [(1.0, 11), (1.2, 12), (1.99, 19), (5.0, 21)] {
        let config = PoolConfig {
            max_daily_volume_increase: increase,
            ..PoolConfig::default()
        };
        let volume = day_volume(&input(&config, &history, &seed()));
        assert_eq!(volume.limit, expected, "{increase}");
    }
}

#[test]
fn enterprise_shares_its_total() {
    assert_eq!(plan_allowance(Plan::Free, 3), 20);
    assert_eq!(plan_allowance(Plan::Pro, 1000), 40);
    assert_eq!(plan_allowance(Plan::Enterprise, 0), 50_000);
    assert_eq!(plan_allowance(Plan::Enterprise, 10_000), 5);
    assert_eq!(plan_allowance(Plan::Enterprise, 60_000), 0);
}

proptest! {
    #[test]
    fn no_cap_is_ever_passed_and_the_last_reason_is_the_volume(
        day in 1_u32..120, phase in prop::sample::select(WarmupPhase::ALL), reduced: bool,
        history in prop::collection::vec((0_i64..40, 0_u32..60, any::<bool>()), 0..12),
        allowance in 0_u32..60, test_mode in prop::option::of(0_u32..30), seed: u64,
    ) {
        let config = PoolConfig::default();
        let history: Vec<_> = history
            .into_iter()
            .map(|(ago, sent, cut_short)| PastDay { cut_short, ..past(ago, sent) })
            .collect();
        let seed = Seed::root(&seed.to_be_bytes());
        let volume = day_volume(&VolumeInput {
            day_number: day,
            phase,
            reduced,
            plan_allowance: allowance,
            test_mode,
            ..input(&config, &history, &seed)
        });
        prop_assert!(volume.limit <= config.max_daily_emails.min(allowance).min(test_mode.unwrap_or(u32::MAX)));
        prop_assert_eq!(volume.reasons.last().unwrap().volume, volume.limit);
        prop_assert!(volume.limit > 0 || allowance == 0 || test_mode == Some(0));
    }

    /// An account whose mails are all accepted reaches the maximum from wherever it stands, weekends and pauses included.
    #[test]
    fn the_ramp_is_never_locked(
        first in 0_u32..4, increase in 1.0_f64..5.0, pauses in prop::collection::vec(0_i64..30, 60),
    ) {
        let config = PoolConfig { max_daily_volume_increase: increase, ..PoolConfig::default() };
        let seed = seed();
        let mut history = vec![past(0, first)];
        let mut on = monday();
        let mut reached = 0;
        for (day, pause) in (39..).zip(pauses.into_iter().map(|pause| if pause < 25 { 0 } else { pause - 24 })) {
            on = on.saturating_add((1 + pause).days());
            let volume = day_volume(&VolumeInput { date: on, day_number: day, ..input(&config, &history, &seed) });
            history.push(PastDay { date: on, ..past(0, volume.limit) });
            reached = reached.max(volume.limit);
        }
        prop_assert_eq!(reached, 40);
    }
}
