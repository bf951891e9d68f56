//! All accounts of a user share what their plan allows on a UTC day.

use agentwarm_app::ports::totals::{LetGo, SendTotals};
use agentwarm_core::mail::slot::{SkipReason, SlotState};
use agentwarm_core::plan::Plan;
use jiff::Timestamp;
use jiff::civil::date;

use crate::harness::{Sim, at};

fn left_between(sim: &Sim, from: Timestamp, to: Timestamp) -> usize {
    let left = sim.watch.left.values();
    left.filter(|left| from <= left.at && left.at < to).count()
}

#[tokio::test]
async fn an_enterprises_accounts_send_what_is_left_of_its_day_and_no_more() {
    let mut sim = Sim::story_on(Plan::Enterprise, "a total", "2026-03-10T06:00:00Z").await;
    let total = Plan::Enterprise.limits().daily_emails_total.unwrap();
    let others = total - 5;
    let user = sim.world.tenant.user;
    let taken = sim
        .world
        .store
        .let_go(user, date(2026, 3, 10), others, total);
    assert_eq!(taken.await.unwrap(), LetGo::Yes { total: others });
    let (first, second) = (at("2026-03-10T00:00:00Z"), at("2026-03-11T00:00:00Z"));
    sim.run_until(at("2026-03-12T00:00:00Z"));
    sim.finish();
    assert_eq!(left_between(&sim, first, second), 5);
    let next = left_between(&sim, second, at("2026-03-12T00:00:00Z"));
    assert!(next > 12, "the next day is its own: {next}");
    let slots = sim.all_slots();
    let over = slots.iter().filter(|slot| {
        let reason = SkipReason::LimitReached;
        matches!(slot.state, SlotState::Skipped { reason: why, .. } if why == reason)
    });
    assert!(over.count() > 12, "what was planned beyond it is explained");
}

#[tokio::test]
async fn of_other_plans_nothing_is_counted() {
    let mut sim = Sim::story("no total", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-11T00:00:00Z"));
    sim.finish();
    let user = sim.world.tenant.user;
    let counted = sim.world.store.let_go(user, date(2026, 3, 10), 1, 1);
    assert_eq!(counted.await.unwrap(), LetGo::Yes { total: 1 });
}
