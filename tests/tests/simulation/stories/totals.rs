//! All accounts of a user share what their plan allows on a UTC day.

use agentwarm_app::ports::totals::{LetGo, SendTotals};
use agentwarm_core::mail::slot::{SkipReason, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_testkit::memory::mail::Scripted;
use jiff::Timestamp;
use jiff::civil::date;

use crate::harness::{AROUND_THE_WORLD, Sim, at};

fn left_between(sim: &Sim, from: Timestamp, to: Timestamp) -> usize {
    let left = sim.watch.left.values();
    left.filter(|left| from <= left.at && left.at < to).count()
}

/// Six mailboxes of an enterprise of whose day all mails but five have left.
async fn with_five_left(name: &str) -> Sim {
    let sim = Sim::story_on(Plan::Enterprise, name, "2026-03-10T06:00:00Z").await;
    let total = Plan::Enterprise.limits().daily_emails_total.unwrap();
    let others = total - 5;
    let user = sim.world.tenant.user;
    let taken = sim
        .world
        .store
        .let_go(user, date(2026, 3, 10), others, total);
    assert_eq!(taken.await.unwrap(), LetGo::Yes { total: others });
    sim
}

#[tokio::test]
async fn an_enterprises_accounts_send_what_is_left_of_its_day_and_no_more() {
    let mut sim = with_five_left("a total").await;
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

/// A batch that is cut off while a server has its mail leaves the process alive, with all the places that it holds.
#[tokio::test]
async fn a_mail_that_may_have_left_keeps_its_place() {
    let mut sim = with_five_left("a hanging mail").await;
    for (address, _) in AROUND_THE_WORLD {
        let hangs = Scripted::Hangs { delivered: true };
        sim.world.post.next_submission(address, hangs);
    }
    sim.run_until(at("2026-03-11T00:00:00Z"));
    let day = (at("2026-03-10T00:00:00Z"), at("2026-03-11T00:00:00Z"));
    assert_eq!(left_between(&sim, day.0, day.1), 5);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
}
