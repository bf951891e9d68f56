//! Nothing of ours runs for a while.

use agentwarm_core::mail::slot::{SkipReason, SlotKind, SlotState};
use jiff::civil::date;

use crate::harness::{Sim, at, minutes};

/// When mails of the day left, in seconds since midnight, for each account.
fn left_on(sim: &Sim, day: i8) -> Vec<Vec<i64>> {
    let midnight = date(2026, 3, day)
        .at(0, 0, 0, 0)
        .in_tz("UTC")
        .unwrap()
        .timestamp();
    sim.accounts
        .iter()
        .map(|account| {
            let of_account = sim
                .watch
                .left
                .values()
                .filter(|left| left.sender == *account);
            let mut seconds: Vec<_> = of_account
                .map(|left| left.at.duration_since(midnight).as_secs())
                .filter(|seconds| (0..86_400).contains(seconds))
                .collect();
            seconds.sort_unstable();
            seconds
        })
        .collect()
}

#[tokio::test]
async fn an_hour_is_caught_up_spread_and_within_limits() {
    let mut sim = Sim::story("an hour", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T11:00:00Z"));
    sim.stand_still_until(at("2026-03-10T12:00:00Z"));
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();

    let threads: Vec<_> = sim
        .all_slots()
        .into_iter()
        .filter(|slot| slot.kind == SlotKind::Thread && slot.date == date(2026, 3, 10))
        .collect();
    let missed = threads.iter().filter(|slot| {
        let left = sim.watch.left.get(&slot.message_id).map(|left| left.at);
        left.is_some_and(|left| left.duration_since(slot.scheduled_at) > minutes(2))
    });
    assert!(
        threads
            .iter()
            .all(|slot| slot.state.accepted_at().is_some()),
        "{threads:#?}"
    );
    // What was missed got new instants, not all at once.
    let _ = missed.count();
    for seconds in left_on(&sim, 10) {
        let burst = seconds.windows(4).any(|four| four[3] - four[0] < 240);
        assert!(!burst, "spread: {seconds:?}");
    }
}

#[tokio::test]
async fn a_few_minutes_are_made_up_a_minute_apart() {
    let mut sim = Sim::story("minutes", "2026-03-10T06:00:00Z").await;
    for hour in 8..18 {
        sim.run_until(at(&format!("2026-03-10T{hour:02}:20:00Z")));
        sim.stand_still_until(at(&format!("2026-03-10T{hour:02}:29:00Z")));
    }
    sim.run_until(at("2026-03-11T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn the_end_of_a_day_is_explained_and_replies_move() {
    let mut sim = Sim::story("the end", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T12:00:00Z"));
    // Half an hour is left: too little for an afternoon's mail at twice the pace.
    sim.stand_still_until(at("2026-03-10T17:30:00Z"));
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();

    for seconds in left_on(&sim, 10) {
        let late = seconds.iter().filter(|seconds| **seconds >= 63_000);
        // 12 a day in ten hours are at most 1.2 in half an hour at twice the pace.
        assert!(late.count() <= 3, "{seconds:?}");
    }
    let slots = sim.all_slots();
    let skipped = slots.iter().filter(|slot| {
        let state = SlotState::Skipped {
            at: at("2026-03-10T18:00:00Z"),
            reason: SkipReason::OutsideHours,
        };
        slot.kind == SlotKind::Thread
            && matches!((&slot.state, &state), (SlotState::Skipped { reason: a, .. }, SlotState::Skipped { reason: b, .. }) if a == b)
    });
    assert!(skipped.count() > 6);
}

#[tokio::test]
async fn a_whole_day_is_explained_and_does_not_lock_the_ramp() {
    let mut sim = Sim::story("a day", "2026-03-09T06:00:00Z").await;
    sim.run_until(at("2026-03-10T12:00:00Z"));
    sim.stand_still_until(at("2026-03-11T12:00:00Z"));
    sim.run_until(at("2026-03-14T06:00:00Z"));
    sim.finish();

    for n in 0..6 {
        let look = sim.world.store.look();
        let owner = sim.world.owner(sim.accounts[n]);
        let row = |day| {
            let mut days = look.days();
            days.find(|(it, row)| *it == owner && row.date == date(2026, 3, day))
                .map(|(_, row)| row.clone())
        };
        assert!(row(10).unwrap().cut_short, "the afternoon was lost");
        // The 11th was planned at noon, for what was left of it.
        let eleventh = look.plan(owner, date(2026, 3, 11)).unwrap();
        assert!(eleventh.limit > 0 && eleventh.limit < 14);
        assert!(
            row(12).unwrap().limit >= 13,
            "{:?}",
            look.plan(owner, date(2026, 3, 12)).unwrap().reasons
        );
    }
}

#[tokio::test]
async fn a_weekend_long_outage() {
    let mut sim = Sim::story("four days", "2026-03-11T06:00:00Z").await;
    sim.run_until(at("2026-03-12T13:00:00Z"));
    sim.stand_still_until(at("2026-03-16T10:00:00Z"));
    sim.run_until(at("2026-03-19T06:00:00Z"));
    sim.finish();
}
