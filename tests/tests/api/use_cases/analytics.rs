use agentwarm_app::analytics::account::AccountOverview;
use agentwarm_app::analytics::progress::WarmupProgress;
use agentwarm_app::analytics::system::SystemStatistics;
use agentwarm_app::ports::health::LeaseCount;
use agentwarm_core::account::AccountStatus;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::AccountId;
use agentwarm_core::plan::Plan;
use agentwarm_core::rate::{Rate, Score};
use agentwarm_core::warmup::day::DayFigures;
use agentwarm_testkit::memory::health::Condition;
use jiff::civil::date;
use jiff::{SignedDuration, ToSpan};

use crate::world::{World, code};

fn system(world: &World) -> SystemStatistics {
    SystemStatistics {
        accounts: world.store.clone(),
        days: world.days(),
        leases: world.probes.clone(),
    }
}

fn overview(world: &World) -> AccountOverview {
    AccountOverview {
        accounts: world.read(),
        clock: world.clock.clone(),
    }
}

fn progress(world: &World) -> WarmupProgress {
    WarmupProgress {
        accounts: world.store.clone(),
        configs: world.configs(),
        plans: world.store.clone(),
        figures: world.figures(),
        clock: world.clock.clone(),
    }
}

fn figures(sent: u32, received: u32) -> DayFigures {
    DayFigures {
        sent,
        received,
        ..DayFigures::default()
    }
}

#[tokio::test]
async fn the_system_adds_up_its_accounts() {
    let world = World::new();
    let warming = world.warming("a@example.com").await;
    let paused = world.warming("b@example.com").await;
    world.account("c@example.com").await;
    world.day(warming, date(2026, 3, 12), figures(50, 50)).await;
    world.day(warming, date(2026, 3, 13), figures(6, 4)).await;
    world.day(paused, date(2026, 3, 13), figures(1, 2)).await;
    world.pause().pause(&world.tenant, paused).await.unwrap();
    world
        .change(warming, |account| {
            account.reputation = Score::clamped(97.0);
            account.spam_rate = Rate::per_mille(100);
        })
        .await;
    world.probes.set(Condition {
        leases: LeaseCount {
            active: 12,
            total: 54,
        },
        ..Condition::default()
    });

    let figures = system(&world).read(&world.tenant).await.unwrap();
    assert_eq!(
        (
            figures.accounts.total,
            figures.accounts.warming,
            figures.accounts.paused,
            figures.accounts.active
        ),
        (3, 1, 1, 1)
    );
    assert_eq!(
        (figures.sent_today, figures.received_today),
        (7, 6),
        "yesterday is not today"
    );
    let averages = [figures.average_reputation, figures.average_inbox_placement];
    // (97 + 50 + 50) / 3, and (0.9 + 1) / 2 of those ever warmed.
    assert_eq!(averages.map(|mean| mean.to_string()), ["65.7", "0.95"]);
    assert_eq!(figures.leases.idle(), 42);
}

#[tokio::test]
async fn a_system_without_accounts_is_all_zeros_and_leases_may_be_unknown() {
    let world = World::new();
    world.probes.set(Condition {
        queues_down: true,
        ..Condition::default()
    });
    let figures = system(&world).read(&world.tenant).await.unwrap();
    assert_eq!((figures.accounts.total, figures.leases.total), (0, 0));
    assert_eq!(
        (figures.average_reputation, figures.average_inbox_placement),
        (0.0, 0.0)
    );
}

#[tokio::test]
async fn an_overview_counts_the_days_that_pass_and_shows_today() {
    let world = World::new();
    let id = world.warming("a@example.com").await;
    world.clock.advance(SignedDuration::from_hours(11 * 24));
    world.day(id, date(2026, 3, 24), figures(6, 4)).await;
    let read = overview(&world).read(&world.tenant, id).await.unwrap();
    assert_eq!(
        (read.day_number, read.today.sent, read.live.totals.sent),
        (12, 6, 6)
    );
}

#[tokio::test]
async fn an_account_that_was_never_warmed_is_on_day_0() {
    let world = World::new();
    let id = world.account("a@example.com").await;
    let read = overview(&world).read(&world.tenant, id).await.unwrap();
    assert_eq!((read.day_number, read.today), (0, DayFigures::default()));
}

#[tokio::test]
async fn a_paused_account_stays_on_its_day() {
    let world = World::new();
    let id = world.warming("a@example.com").await;
    world.pause().pause(&world.tenant, id).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(11 * 24));
    assert_eq!(world.stored(id).await.status, AccountStatus::Paused);
    let read = overview(&world).read(&world.tenant, id).await.unwrap();
    assert_eq!(read.day_number, 1);
}

#[tokio::test]
async fn progress_is_the_references_example() {
    let world = World::new();
    let id = world.warming("a@example.com").await;
    world.clock.advance(SignedDuration::from_hours(11 * 24));
    let engaged = DayFigures {
        sent: 20,
        received: 8,
        opened: 6,
        replied: 4,
        spammed: 1,
        ..DayFigures::default()
    };
    world.day(id, date(2026, 3, 23), figures(7, 5)).await;
    world.day(id, date(2026, 3, 24), engaged).await;

    let read = progress(&world).read(&world.tenant, id, 30).await.unwrap();
    assert_eq!(
        (read.day_number, read.ramp_up_days, read.percent),
        (12, 45, 26.7)
    );
    let dates: Vec<_> = read.days.iter().map(|day| day.date).collect();
    assert_eq!(
        dates,
        [date(2026, 3, 24), date(2026, 3, 23)],
        "newest first"
    );
    let today = &read.days[0];
    let rates = [
        today.inbox_placement_rate,
        today.open_rate,
        today.reply_rate,
    ];
    let rates = rates.map(|rate| rate.get().to_string());
    assert_eq!(rates, ["0.95", "0.75", "0.5"]);
}

#[tokio::test]
async fn a_day_that_is_not_judged_carries_the_reputation_of_the_one_before() {
    let world = World::new();
    let id = world.warming("a@example.com").await;
    world.clock.advance(SignedDuration::from_hours(4 * 24));
    // Nothing was sent on the 13th and the 15th; the 17th is today.
    for on in 13..=17 {
        let sent = u32::from(on != 13 && on != 15);
        world.day(id, date(2026, 3, on), figures(sent, 1)).await;
    }
    world
        .judge(id, date(2026, 3, 14), Score::clamped(80.0))
        .await;
    world
        .judge(id, date(2026, 3, 16), Score::clamped(90.0))
        .await;
    let shown = async |days| {
        let read = progress(&world)
            .read(&world.tenant, id, days)
            .await
            .unwrap();
        let scores = read
            .days
            .iter()
            .rev()
            .map(|day| day.reputation.get().to_string());
        scores.collect::<Vec<_>>()
    };
    assert_eq!(shown(30).await, ["50", "80", "80", "90", "90"]);
    assert_eq!(
        shown(3).await,
        ["80", "90", "90"],
        "what lies before those asked for counts too"
    );
}

#[tokio::test]
async fn days_reach_back_as_far_as_asked_and_kept() {
    let world = World::new();
    let id = world.warming("a@example.com").await;
    let today = date(2026, 3, 13);
    for back in 0..10_i64 {
        world
            .day(id, today.saturating_sub(back.days()), figures(1, 1))
            .await;
    }
    let days = async |tenant, days| {
        let read = progress(&world).read(&tenant, id, days).await.unwrap();
        (read.days.len(), read.retention_days)
    };
    assert_eq!(days(world.tenant, 1).await, (1, 90));
    assert_eq!(days(world.tenant, 30).await, (10, 90));
    let free = agentwarm_app::tenant::Tenant {
        plan: Plan::Free,
        ..world.tenant
    };
    assert_eq!(days(free, 30).await, (7, 7));
}

#[tokio::test]
async fn absent_accounts_have_no_figures() {
    let world = World::new();
    let absent = AccountId::new(jiff::Timestamp::UNIX_EPOCH, 5);
    let read = overview(&world).read(&world.tenant, absent).await;
    assert_eq!(code(read), ErrorCode::AccountNotFound);
    let read = progress(&world).read(&world.tenant, absent, 30).await;
    assert_eq!(code(read), ErrorCode::AccountNotFound);
}
