//! Days worth reading, then any day against [`check_plan`].

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::account::Provider;
use crate::time::Zone;
use crate::warmup::check::{CheckContext, check_plan};
use crate::warmup::day::{DatedFigures, DayFigures};
use crate::warmup::samples::{account_id, at, warming};

const DOMAINS: [&str; 3] = ["one.example", "two.example", "three.example"];

/// A pool of accounts 1 to `n`; account 1 is the sender.
fn pool(n: u64) -> Vec<Candidate<'static>> {
    (1..=n)
        .map(|n| Candidate {
            account: account_id(n),
            domain: DOMAINS[usize::try_from(n % 3).unwrap()],
            provider: Provider::ImapSmtp,
            planned_received_today: 0,
            last_sent_to: None,
        })
        .collect()
}

/// Everything that a [`PlanInput`] borrows.
#[derive(Debug, Clone)]
struct World {
    account: Account,
    config: PoolConfig,
    date: Date,
    now: Timestamp,
    history: Vec<PastDay>,
    candidates: Vec<Candidate<'static>>,
    plan_allowance: u32,
    test_mode: Option<u32>,
    seed: Seed,
}

/// A day on which so many mails were accepted.
fn sent(date: Date, sent: u32) -> PastDay {
    let figures = DayFigures {
        sent,
        ..DayFigures::default()
    };
    PastDay::from(DatedFigures { date, figures })
}

impl World {
    /// Friday the 13th is day 12 of a mailbox in Berlin, planned at two in the morning; its pool has 20 members.
    fn new() -> Self {
        let mut account = warming(11, date(2026, 3, 12), WarmupPhase::RampUp);
        account.zone = "Europe/Berlin".parse().unwrap();
        Self {
            account,
            config: PoolConfig::default(),
            date: date(2026, 3, 13),
            now: at("2026-03-13T01:00:00Z"),
            history: vec![sent(date(2026, 3, 12), 40)],
            candidates: pool(20),
            plan_allowance: 40,
            test_mode: None,
            seed: Seed::root(b"deployment"),
        }
    }

    fn outcome(&self) -> PlanOutcome {
        plan_day(&PlanInput {
            account: &self.account,
            config: &self.config,
            date: self.date,
            now: self.now,
            history: &self.history,
            candidates: &self.candidates,
            plan: Plan::Pro,
            plan_allowance: self.plan_allowance,
            test_mode: self.test_mode,
            seed: &self.seed,
        })
        .unwrap()
    }

    fn violations(&self, plan: &DayPlan) -> Vec<String> {
        let eligible: BTreeSet<_> = self.candidates.iter().map(|it| it.account).collect();
        let context = CheckContext {
            eligible: &eligible,
            previous: self.account.warmup.as_ref().and_then(Warmup::last_planned),
            plan_allowance: self.plan_allowance,
            test_mode: self.test_mode,
        };
        check_plan(plan, &context)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The plan, as a person would want to read it.
    fn story(&self) -> String {
        let plan = self.outcome().plan;
        assert_eq!(self.violations(&plan), Vec::<String>::new());
        let number = |target: AccountId| (1..=60).find(|n| account_id(*n) == target).unwrap_or(0);
        let times: Vec<_> = plan
            .slots
            .iter()
            .map(|slot| format!("{} → {}", &slot.at.to_string()[11..19], number(slot.target)))
            .collect();
        let reasons: Vec<_> = plan
            .reasons
            .iter()
            .map(|reason| format!("{:?} {}: {}", reason.rule, reason.volume, reason.because))
            .collect();
        format!(
            "day {} {:?}, {} mails of which {} replies\n{}\n{}",
            plan.day_number,
            plan.phase,
            plan.limit,
            plan.reply_budget,
            reasons.join("\n"),
            times.join(", ")
        )
    }
}

#[test]
fn an_ordinary_day() {
    insta::assert_snapshot!(World::new().story(), @r"
    day 12 RampUp, 13 mails of which 5 replies
    Ramp 13: Day 12 of a ramp from 2 to 40 in 45 days.
    07:05:17 → 8, 07:08:18 → 2, 07:09:49 → 10, 07:11:28 → 14, 09:05:24 → 11, 10:39:51 → 4, 13:37:50 → 5, 16:41:06 → 13
    ");
}

#[test]
fn a_day_that_is_begun_in_the_afternoon() {
    let world = World {
        now: at("2026-03-13T14:30:00Z"),
        ..World::new()
    };
    insta::assert_snapshot!(world.story(), @r"
    day 12 RampUp, 3 mails of which 1 replies
    Ramp 13: Day 12 of a ramp from 2 to 40 in 45 days.
    ProRata 3: The day was begun late: its share of the working hours left.
    14:41:56 → 8, 14:44:57 → 2
    ");
    assert_eq!(world.outcome().full_day_limit, 13);
}

#[test]
fn a_pool_of_two() {
    let mut world = World {
        candidates: pool(2),
        ..World::new()
    };
    world.account.warmup.as_mut().unwrap().day_number = 40;
    insta::assert_snapshot!(world.story(), @r"
    day 41 RampUp, 10 mails of which 4 replies
    Ramp 40: Day 41 of a ramp from 2 to 40 in 45 days.
    Partners 10: Each partner takes at most 10 mails a day, and there are 1.
    10:01:40 → 2, 10:04:41 → 2, 10:06:12 → 2, 10:45:02 → 2, 13:36:38 → 2, 13:38:47 → 2
    ");
}

#[test]
fn days_without_mails_say_why() {
    let saturday = World {
        date: date(2026, 3, 14),
        ..World::new()
    };
    let late = World {
        now: at("2026-03-13T20:00:00Z"),
        ..World::new()
    };
    let alone = World {
        candidates: pool(1),
        ..World::new()
    };
    let mut poolless = alone.clone();
    poolless.account.pools.clear();
    let off = World {
        test_mode: Some(0),
        ..World::new()
    };
    let stories: Vec<_> = [saturday, late, alone, poolless, off]
        .iter()
        .map(|world| world.story().lines().last().unwrap_or_default().to_owned())
        .collect();
    insta::assert_snapshot!(stories.join("\n"), @r"
    DayOff 0: Saturday is not a sending day.
    ProRata 0: The working hours of this day are over.
    Partners 0: No other account of its pools can receive mail.
    Partners 0: The account is in no pool.
    TestMode 0: Test mode allows 0 a day.
    ");
}

#[test]
fn the_same_input_gives_the_same_plan_and_another_date_or_account_another() {
    let world = World::new();
    assert_eq!(world.outcome(), world.outcome());

    let ids = |world: &World| {
        world
            .outcome()
            .plan
            .slots
            .iter()
            .map(|slot| slot.id)
            .collect::<Vec<_>>()
    };
    let times = |world: &World| {
        world
            .outcome()
            .plan
            .slots
            .iter()
            .map(|slot| slot.at)
            .collect::<Vec<_>>()
    };
    let mut other = world.clone();
    other.account.id = account_id(99);
    assert_ne!(times(&world), times(&other));
    assert!(ids(&world).iter().all(|id| !ids(&other).contains(id)));

    // A tick that comes later in the small hours plans the same.
    let later = World {
        now: at("2026-03-13T03:00:00Z"),
        ..world.clone()
    };
    assert_eq!(ids(&world), ids(&later));
}

#[test]
fn the_plan_counts_the_day_and_begins_its_phase() {
    let mut world = World::new();
    let warmup = world.outcome().warmup;
    assert_eq!(
        (warmup.day_number, warmup.last_day),
        (12, Some(date(2026, 3, 13)))
    );
    assert_eq!(
        warmup.last_planned().unwrap().start,
        at("2026-03-12T23:00:00Z")
    );
    assert_eq!(world.outcome().phase_change, None);

    world.account.warmup.as_mut().unwrap().day_number = 45;
    let outcome = world.outcome();
    assert_eq!(outcome.plan.day_number, 46);
    assert_eq!(
        outcome.phase_change,
        Some((WarmupPhase::RampUp, WarmupPhase::Sustain))
    );
    assert_eq!(outcome.warmup.phase, WarmupPhase::Sustain);
}

#[test]
fn a_graduated_account_sends_its_trickle_and_counts_no_more_days() {
    let mut world = World::new();
    world.account.status = AccountStatus::Active;
    world.account.warmup.as_mut().unwrap().phase = WarmupPhase::Graduated;
    let outcome = world.outcome();
    assert_eq!((outcome.plan.limit, outcome.plan.slots.len()), (2, 2));
    assert_eq!(outcome.warmup.day_number, 11);
}

#[test]
fn an_account_that_does_not_send_has_no_plan() {
    let world = World::new();
    for (status, warmed) in [
        (AccountStatus::Paused, true),
        (AccountStatus::Suspended, true),
        (AccountStatus::Error, true),
        (AccountStatus::Active, false),
    ] {
        let mut account = world.account.clone();
        account.status = status;
        if !warmed {
            account.warmup = None;
        }
        let result = plan_day(&PlanInput {
            account: &account,
            config: &world.config,
            date: world.date,
            now: world.now,
            history: &[],
            candidates: &world.candidates,
            plan: Plan::Pro,
            plan_allowance: 40,
            test_mode: None,
            seed: &world.seed,
        });
        assert_eq!(result, Err(NotSending(status)));
    }
}

#[test]
fn the_reply_budget_is_exact() {
    let rate = |value: f64| Rate::new(value).unwrap();
    // 17 × 0.7 / 1.7 is 7, though floating point says 6.999….
    for (limit, r, expected) in [
        (0, 0.7, 0),
        (2, 0.7, 0),
        (3, 0.7, 1),
        (17, 0.7, 7),
        (40, 0.7, 16),
        (34, 0.7, 14),
        (40, 0.0, 0),
        (40, 1.0, 20),
        (11, 0.1, 1),
        (10, 0.1, 0),
    ] {
        assert_eq!(reply_budget(limit, rate(r)), expected, "{limit} {r}");
    }
}

prop_compose! {
    fn any_config()(
        min in 1_u32..=100, extra in 0_u32..=100, ramp_up_days in 1_u32..=180,
        reply in 0_u32..=100, start in 0_i8..22, length in 1_i8..=23, send_on_weekends: bool,
        increase in 1.0_f64..5.0, max_per_partner_per_day in 1_u32..=50,
    ) -> PoolConfig {
        PoolConfig {
            min_daily_emails: min,
            max_daily_emails: min + extra,
            ramp_up_days,
            reply_rate: Rate::new(f64::from(reply) / 100.0).unwrap(),
            working_hours_start: start,
            working_hours_end: (start + length).min(23),
            send_on_weekends,
            max_daily_volume_increase: increase,
            max_per_partner_per_day,
            ..PoolConfig::default()
        }
    }
}

prop_compose! {
    fn any_world()(
        config in any_config(),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata"]),
        phase in prop::sample::select(WarmupPhase::ALL),
        day_number in 1_u32..120,
        days in 0_i64..1500,
        late in prop_oneof![3 => Just(0_i64), 1 => 0_i64..90_000_000],
        members in 0_u64..60,
        history in prop::collection::vec((1_i64..30, 0_u32..80), 0..8),
        plan_allowance in prop_oneof![3 => 20_u32..200, 1 => 0_u32..5],
        test_mode in prop::option::of(0_u32..50),
        reduced: bool,
        seed: u64,
    ) -> World {
        let zone: Zone = zone.parse().unwrap();
        let on = date(2024, 1, 1).saturating_add(days.days());
        let start = zone.day(on).start;
        let now = Timestamp::from_millisecond(start.as_millisecond() + late).unwrap();
        let mut account = warming(day_number, on.yesterday().unwrap(), phase);
        if phase == WarmupPhase::Graduated {
            account.status = AccountStatus::Active;
        }
        account.warmup.as_mut().unwrap().reduced = reduced;
        account.zone = zone;
        let history = history
            .into_iter()
            .map(|(ago, sent)| PastDay {
                date: on.saturating_sub(ago.days()),
                figures: DayFigures { sent, ..DayFigures::default() },
                since_resume: None,
                cut_short: false,
            })
            .collect();
        World {
            account,
            config,
            date: on,
            now,
            history,
            candidates: pool(members),
            plan_allowance,
            test_mode,
            seed: Seed::root(&seed.to_be_bytes()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_plan_passes_the_check(world in any_world()) {
        let outcome = world.outcome();
        prop_assert_eq!(world.violations(&outcome.plan), Vec::<String>::new(), "{:#?}", outcome.plan);
        prop_assert!(outcome.plan.limit <= outcome.full_day_limit);
        prop_assert_eq!(world.outcome(), outcome);
    }

    #[test]
    fn a_day_that_could_have_mails_has_some(world in any_world()) {
        let plan = world.outcome().plan;
        let open = plan.window.is_some_and(|window| {
            // A whole second of it is left.
            shifted(world.now, 1) < window.end
        });
        let allowed = world.plan_allowance > 0 && world.test_mode != Some(0) && world.candidates.len() > 1;
        prop_assert_eq!(plan.limit > 0, open && allowed, "{:#?}", plan.reasons);
    }
}
