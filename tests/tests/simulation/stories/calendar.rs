//! Weekends, and the days on which clocks change.

use agentwarm_app::ports::Replaced;
use agentwarm_app::ports::days::Slots;
use agentwarm_core::mail::slot::{Slot, SlotState};
use agentwarm_core::pool::PoolOverrides;
use jiff::civil::date;

use crate::harness::{AROUND_THE_WORLD, Sim, at, minutes};
use crate::seeds;

const BERLIN: [(&str, &str); 4] = [
    ("alice@acorn.test", "Europe/Berlin"),
    ("bella@birch.test", "Europe/Berlin"),
    ("clara@cedar.test", "Europe/Berlin"),
    ("dora@dill.test", "Europe/Berlin"),
];

#[tokio::test]
async fn nobody_writes_on_a_weekend_and_it_costs_nothing() {
    let mut sim = Sim::story("weekend", "2026-03-12T06:00:00Z").await;
    sim.run_until(at("2026-03-14T12:00:00Z"));
    let before: Vec<_> = (0..6).map(|n| sim.account(n).current_daily_limit).collect();
    sim.run_until(at("2026-03-18T12:00:00Z"));
    sim.finish();

    for (n, before) in before.into_iter().enumerate() {
        let owner = sim.world.owner(sim.accounts[n]);
        let look = sim.world.store.look();
        let limit = |day| look.plan(owner, date(2026, 3, day)).unwrap().limit;
        assert_eq!((limit(14), limit(15)), (0, 0), "days off have a row");
        // Days count on: Thursday is day 1, Monday is day 5.
        assert_eq!((limit(12), limit(13), limit(16)), (12, 13, 16));
        let slots = look.slots().filter(|slot| slot.sender == owner.account);
        let on_weekend = slots.filter(|slot| [14, 15].contains(&slot.date.day()));
        assert!(
            on_weekend
                .filter(|slot| slot.state.accepted_at().is_some())
                .count()
                == 0
        );
        drop(look);
        assert!(before >= 12, "the limit of a whole day is shown, not 0");
        assert!(sim.account(n).reputation.get() > 60.0);
    }
}

/// Where hours begin at midnight a day is planned, and the one before judged, in the last hour of the evening: with the figures of then.
#[tokio::test]
async fn a_day_that_is_judged_on_its_own_evening_is_summed_up_before() {
    let from_midnight = PoolOverrides {
        min_daily_emails: Some(40),
        working_hours_start: Some(0),
        working_hours_end: Some(23),
        ..PoolOverrides::default()
    };
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, "UTC"));
    let (number, start) = (seeds::story(), "2026-03-10T06:00:00Z");
    let mut sim = Sim::of("evenings", number, &mailboxes, start, from_midnight).await;
    sim.run_until(at("2026-03-10T23:04:00Z"));
    let today = date(2026, 3, 10);
    // A bounce of each that the last sitting did not know of.
    for n in 0..6 {
        let slots = sim.slots(n).into_iter();
        let mut sent = slots.filter(|slot| slot.state.accepted_at().is_some());
        let slot = sent.next().unwrap();
        let state = SlotState::Returned {
            accepted_at: slot.scheduled_at,
            at: sim.world.now(),
            status: "5.1.1".to_owned(),
            bounced: true,
        };
        let slot = Slot {
            state,
            version: slot.version + 1,
            ..slot
        };
        let store: &dyn Slots = sim.world.store.as_ref();
        let replaced = store.replace(&slot, Vec::new()).await.unwrap();
        assert_eq!(replaced, Replaced::Done);
    }
    let mut to_judge: Vec<usize> = (0..6).collect();
    while sim.world.now() < at("2026-03-10T23:59:00Z") {
        sim.run_for(minutes(1));
        let (judged, later) = to_judge.into_iter().partition(|n| {
            let warmup = sim.account(*n).warmup;
            warmup.is_some_and(|warmup| warmup.last_judged == Some(today))
        });
        to_judge = later;
        for n in judged {
            let look = sim.world.store.look();
            let owner = sim.world.owner(sim.accounts[n]);
            let mut days = look.days();
            let row = days.find(|(it, row)| *it == owner && row.date == today);
            assert_eq!(row.unwrap().1.figures.bounced, 1, "mailbox {n}");
        }
    }
    assert!(to_judge.is_empty(), "{to_judge:?}");
}

/// The days of one week around a change of clocks, weekends included.
async fn a_week_of_change(name: &str, start: &str, end: &str) -> Sim {
    let always = PoolOverrides {
        min_daily_emails: Some(20),
        // Working hours that hold the change itself, which happens at 01:00 UTC.
        working_hours_start: Some(0),
        working_hours_end: Some(6),
        send_on_weekends: Some(true),
        ..PoolOverrides::default()
    };
    let mut sim = Sim::of(name, seeds::story(), &BERLIN, start, always).await;
    sim.run_until(at(end));
    sim.finish();
    sim
}

#[tokio::test]
async fn the_day_of_23_hours() {
    let sim = a_week_of_change("spring", "2026-03-27T12:00:00Z", "2026-04-01T12:00:00Z").await;
    for account in &sim.accounts {
        let look = sim.world.store.look();
        let plan = look
            .plan(sim.world.owner(*account), date(2026, 3, 29))
            .unwrap();
        assert_eq!(plan.span.length().as_hours(), 23);
        let window = plan.window.unwrap();
        assert_eq!(window.end.duration_since(window.start).as_hours(), 5);
        assert!(plan.limit >= 20);
    }
}

#[tokio::test]
async fn the_day_of_25_hours() {
    let sim = a_week_of_change("autumn", "2026-10-23T12:00:00Z", "2026-10-28T12:00:00Z").await;
    for account in &sim.accounts {
        let look = sim.world.store.look();
        let plan = look
            .plan(sim.world.owner(*account), date(2026, 10, 25))
            .unwrap();
        assert_eq!(plan.span.length().as_hours(), 25);
        let window = plan.window.unwrap();
        assert_eq!(window.end.duration_since(window.start).as_hours(), 7);
        let skipped = look.slots().filter(|slot| {
            slot.sender == *account
                && slot.kind == agentwarm_core::mail::slot::SlotKind::Thread
                && matches!(slot.state, SlotState::Skipped { .. })
        });
        assert_eq!(skipped.count(), 0);
    }
}
