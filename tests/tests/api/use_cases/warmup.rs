use agentwarm_app::ports::due::{DueIndex, Roster, RosterEntry};
use agentwarm_core::account::{AccountStatus, WarmupPhase};
use agentwarm_core::audit::EventType;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::AccountId;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_core::warmup::day::{DayFigures, Window};
use agentwarm_core::warmup::due::DueKind;
use agentwarm_testkit::memory::Fault;
use jiff::SignedDuration;
use jiff::civil::date;

use crate::world::{World, code, now};

const EMAIL: &str = "hello@example.com";

/// Whether a tick of the next minutes would plan the account's day.
async fn planning_is_due(world: &World, id: AccountId) -> bool {
    let due: &dyn DueIndex = world.store.as_ref();
    let until = now(world) + SignedDuration::from_mins(2);
    let entries = due.between(0, now(world), until).await.unwrap();
    let plan = DueKind::Plan { account: id };
    entries.iter().any(|entry| entry.kind == plan)
}

/// How often an hour the mailbox is looked into.
async fn visits_an_hour(world: &World, id: AccountId) -> usize {
    let roster: &dyn Roster = world.store.as_ref();
    let mut visits = 0;
    for minute in 0..60 {
        let entries = roster.of_minute(minute, now(world)).await.unwrap();
        visits += entries.iter().filter(|entry| entry.account == id).count();
    }
    visits
}

fn count(world: &World, event_type: EventType) -> usize {
    let events = world.store.events();
    events
        .iter()
        .filter(|event| event.event_type == event_type)
        .count()
}

#[tokio::test]
async fn start_answers_as_documented_and_plans_today() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    let started = world.start().start(&world.tenant, id, false).await.unwrap();
    assert_eq!(
        (started.phase, started.initial_daily_limit),
        (WarmupPhase::RampUp, 2)
    );

    let account = world.stored(id).await;
    assert_eq!(account.status, AccountStatus::Warming);
    assert_eq!(account.warmup.unwrap().started_at, now(&world));
    assert_eq!(*world.planner.planned.lock().unwrap(), [id]);
    assert!(planning_is_due(&world, id).await && visits_an_hour(&world, id).await == 1);
    assert_eq!(count(&world, EventType::AccountStatusChanged), 1);
}

#[tokio::test]
async fn the_first_days_limit_is_the_pools_minimum() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    let pool = world.stored(id).await.configuring_pool().unwrap();
    let changes = PoolOverrides {
        min_daily_emails: Some(7),
        ..PoolOverrides::default()
    };
    world
        .pools()
        .configure(&world.tenant, pool, &changes)
        .await
        .unwrap();
    let started = world.start().start(&world.tenant, id, false).await.unwrap();
    assert_eq!(started.initial_daily_limit, 7);
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    let resumed = world.resume().resume(&world.tenant, id).await;
    assert_eq!(code(resumed), ErrorCode::AccountNeverWarmed);

    world.start().start(&world.tenant, id, false).await.unwrap();
    let again = world.start().start(&world.tenant, id, false).await;
    assert_eq!(code(again), ErrorCode::AccountAlreadyWarming);
    let resumed = world.resume().resume(&world.tenant, id).await;
    assert_eq!(code(resumed), ErrorCode::AccountInvalidStatusTransition);

    world.pause().pause(&world.tenant, id).await.unwrap();
    let again = world.pause().pause(&world.tenant, id).await;
    assert_eq!(code(again), ErrorCode::AccountInvalidStatusTransition);
    let started = world.start().start(&world.tenant, id, false).await;
    assert_eq!(code(started), ErrorCode::AccountInvalidStatusTransition);
}

#[tokio::test]
async fn an_account_without_a_pool_cannot_start() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    let pool = world.stored(id).await.configuring_pool().unwrap();
    world
        .membership()
        .remove(&world.tenant, pool, id)
        .await
        .unwrap();
    let refused = world.start().start(&world.tenant, id, false).await;
    assert_eq!(code(refused), ErrorCode::AccountNotInPool);
    assert_eq!(visits_an_hour(&world, id).await, 0);
}

#[tokio::test]
async fn a_graduated_account_starts_again_only_when_told() {
    let world = World::new();
    let id = world.warming(EMAIL).await;
    world
        .change(id, |account| {
            account.status = AccountStatus::Active;
            if let Some(warmup) = &mut account.warmup {
                warmup.phase = WarmupPhase::Graduated;
                warmup.day_number = 61;
            }
        })
        .await;
    let refused = world
        .start()
        .start(&world.tenant, id, false)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.details().unwrap()["phase"], "graduated");

    world.start().start(&world.tenant, id, true).await.unwrap();
    let warmup = world.stored(id).await.warmup.unwrap();
    assert_eq!((warmup.day_number, warmup.phase), (1, WarmupPhase::RampUp));
    assert_eq!(count(&world, EventType::AccountWarmupPhaseChanged), 1);
}

#[tokio::test]
async fn pause_and_resume_return_to_what_it_was() {
    let world = World::new();
    let id = world.warming(EMAIL).await;
    let roster: &dyn Roster = world.store.as_ref();
    let planned = RosterEntry {
        user: world.tenant.user,
        account: id,
        busy: Some(Window {
            start: now(&world),
            end: now(&world) + SignedDuration::from_hours(8),
        }),
    };
    roster.enrol(&planned).await.unwrap();
    assert_eq!(visits_an_hour(&world, id).await, 2);
    let paused = world.pause().pause(&world.tenant, id).await.unwrap();
    assert_eq!(paused.status, AccountStatus::Paused);
    assert_eq!(visits_an_hour(&world, id).await, 1);

    world.clock.advance(SignedDuration::from_hours(72));
    let resumed = world.resume().resume(&world.tenant, id).await.unwrap();
    assert_eq!(resumed.status, AccountStatus::Warming);
    assert_eq!(
        resumed.warmup.unwrap().day_number,
        2,
        "paused days do not count"
    );
    assert!(planning_is_due(&world, id).await && visits_an_hour(&world, id).await == 1);
    assert_eq!(*world.planner.planned.lock().unwrap(), [id, id]);
}

#[tokio::test]
async fn resume_does_not_hold_today_against_the_account() {
    let world = World::new();
    let id = world.warming(EMAIL).await;
    let bounced = DayFigures {
        sent: 3,
        bounced: 3,
        ..DayFigures::default()
    };
    world.day(id, date(2026, 3, 13), bounced).await;
    world.pause().pause(&world.tenant, id).await.unwrap();
    let resumed = world.resume().resume(&world.tenant, id).await.unwrap();
    assert_eq!(resumed.warmup.unwrap().resumed_at, Some(now(&world)));
}

#[tokio::test]
async fn a_paused_account_that_was_never_warmed_is_nobodys_business() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    world.pause().pause(&world.tenant, id).await.unwrap();
    let roster: &dyn Roster = world.store.as_ref();
    for minute in 0..60 {
        let entries = roster.of_minute(minute, now(&world)).await.unwrap();
        assert!(entries.is_empty());
    }
    assert_eq!(
        code(world.resume().resume(&world.tenant, id).await),
        ErrorCode::AccountNeverWarmed
    );
    world.start().start(&world.tenant, id, false).await.unwrap();
}

/// The argument of the module's documentation: wherever start dies, an account that sends is found by the scheduler, and one that does
/// not send can be started again.
#[tokio::test]
async fn wherever_start_dies_nothing_is_lost() {
    let steps = [
        ("accounts.get", Fault::Unavailable, AccountStatus::Active),
        ("roster.enrol", Fault::Unavailable, AccountStatus::Active),
        ("roster.enrol", Fault::AnswerLost, AccountStatus::Active),
        ("due.put", Fault::Unavailable, AccountStatus::Active),
        ("due.put", Fault::AnswerLost, AccountStatus::Active),
        (
            "accounts.replace",
            Fault::Unavailable,
            AccountStatus::Active,
        ),
        (
            "accounts.replace",
            Fault::AnswerLost,
            AccountStatus::Warming,
        ),
    ];
    for (operation, fault, status) in steps {
        let world = World::new();
        let id = world.account(EMAIL).await;
        world.store.fail_next(operation, fault);
        let died = world.start().start(&world.tenant, id, false).await;
        assert_eq!(
            code(died),
            ErrorCode::ProviderUnavailable,
            "{operation} {fault:?}"
        );
        assert_eq!(
            world.stored(id).await.status,
            status,
            "{operation} {fault:?}"
        );
        if status == AccountStatus::Warming {
            assert!(planning_is_due(&world, id).await && visits_an_hour(&world, id).await == 1);
        } else {
            world.start().start(&world.tenant, id, false).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_change_in_between_is_decided_again() {
    let world = World::new();
    let id = world.account(EMAIL).await;
    world.store.fail_next("accounts.replace", Fault::Stale);
    world.start().start(&world.tenant, id, false).await.unwrap();
    assert!(world.store.unmet_faults().is_empty());
    assert_eq!(count(&world, EventType::AccountStatusChanged), 1);
}
