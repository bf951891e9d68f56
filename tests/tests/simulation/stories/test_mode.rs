//! Users limit how much is sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentwarm_app::ports::days::{AccountRef, Slots};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotState};
use agentwarm_core::time::Zone;
use agentwarm_core::warmup::day::Rule;
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use tokio::sync::Barrier;

use crate::harness::{Sim, at, order_of};

/// What the test mode of these stories allows.
const MAXIMUM: usize = 5;

/// How many mails each account sent on a day, answers included. All are in London, in winter.
fn sent_on(sim: &Sim, day: Date) -> BTreeMap<AccountId, usize> {
    let mut sent: BTreeMap<_, _> = sim.accounts.iter().map(|id| (*id, 0)).collect();
    for left in sim.watch.left.values() {
        if Zone::utc().date_of(left.at) == day {
            *sent.entry(left.sender).or_default() += 1;
        }
    }
    sent
}

async fn switch(sim: &Sim, enabled: bool) {
    let tenant = sim.world.tenant;
    let set = sim.world.test_mode.set(&tenant, enabled, Some(5));
    set.await.unwrap();
}

fn skipped_for_the_limit(sim: &Sim) -> usize {
    let is_over = |state: &SlotState| {
        let reason = SkipReason::LimitReached;
        matches!(state, SlotState::Skipped { reason: why, .. } if *why == reason)
    };
    let slots = sim.all_slots();
    slots.iter().filter(|slot| is_over(&slot.state)).count()
}

fn left_after(sim: &Sim, then: Timestamp) -> usize {
    let left = sim.watch.left.values();
    left.filter(|left| left.at > then).count()
}

#[tokio::test]
async fn days_that_are_planned_in_test_mode_have_its_maximum_for_a_reason() {
    let mut sim = Sim::story("test mode", "2026-03-09T20:00:00Z").await;
    switch(&sim, true).await;
    sim.run_until(at("2026-03-14T06:00:00Z"));
    sim.finish();
    for day in [10, 11, 12, 13].map(|day| date(2026, 3, day)) {
        let sent = sent_on(&sim, day);
        assert!(
            sent.values().all(|sent| *sent <= MAXIMUM),
            "{day}: {sent:?}"
        );
        assert!(sent.values().sum::<usize>() > 6, "{day}: {sent:?}");
    }
    let look = sim.world.store.look();
    let plans: Vec<_> = look
        .plans()
        .filter(|plan| plan.span.date > date(2026, 3, 9))
        .collect();
    assert!(plans.len() >= 24);
    assert!(plans.iter().all(|plan| plan.limit <= 5), "{plans:?}");
    // Later days are held lower by what was sent on the days before.
    let first = plans
        .iter()
        .filter(|plan| plan.span.date == date(2026, 3, 10));
    for plan in first {
        let reasons = &plan.reasons;
        let reason = reasons.iter().find(|reason| reason.rule == Rule::TestMode);
        assert_eq!(reason.map(|reason| reason.volume), Some(5), "{reasons:?}");
    }
}

#[tokio::test]
async fn test_mode_holds_from_the_next_mail_of_a_day_that_is_planned_already() {
    let mut sim = Sim::story("test mode at two", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T14:00:00Z"));
    let before = sent_on(&sim, date(2026, 3, 10));
    switch(&sim, true).await;
    sim.run_until(at("2026-03-11T06:00:00Z"));
    sim.finish();
    let after = sent_on(&sim, date(2026, 3, 10));
    for (account, sent) in &after {
        let allowed = MAXIMUM.max(before[account]);
        assert!(*sent <= allowed, "{account}: {before:?}, then {after:?}");
    }
    let grown = after.iter().any(|(id, sent)| *sent > before[id]);
    let over = before.values().any(|sent| *sent > MAXIMUM);
    assert!(grown && over, "both happen: {before:?}, then {after:?}");
    assert!(skipped_for_the_limit(&sim) > 6, "it was planned to be more");
}

#[tokio::test]
async fn a_day_goes_on_when_test_mode_ends() {
    let mut sim = Sim::story("test mode ends", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T11:00:00Z"));
    switch(&sim, true).await;
    sim.run_until(at("2026-03-10T15:00:00Z"));
    let skipped = skipped_for_the_limit(&sim);
    assert!(skipped > 0);
    switch(&sim, false).await;
    sim.run_until(at("2026-03-11T06:00:00Z"));
    sim.finish();
    assert!(left_after(&sim, at("2026-03-10T15:00:00Z")) > 6);
    assert_eq!(
        skipped_for_the_limit(&sim),
        skipped,
        "what was skipped stays"
    );
}

/// Slots that two processes count side by side: neither goes on before the other has counted, too.
struct SideBySide {
    slots: Arc<dyn Slots>,
    counted: AtomicUsize,
    both: Barrier,
}

#[async_trait]
impl Slots for SideBySide {
    async fn create(&self, slot: &Slot) -> Result<Created, StoreError> {
        self.slots.create(slot).await
    }

    async fn get(&self, sender: AccountRef, slot: SlotId) -> Result<Option<Slot>, StoreError> {
        self.slots.get(sender, slot).await
    }

    async fn written(&self, sender: AccountRef, slot: SlotId) -> Result<Option<Slot>, StoreError> {
        self.slots.written(sender, slot).await
    }

    async fn between(
        &self,
        sender: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Slot>, StoreError> {
        self.slots.between(sender, from, to).await
    }

    async fn written_between(
        &self,
        sender: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Slot>, StoreError> {
        let found = self.slots.written_between(sender, from, to).await;
        if self.counted.fetch_add(1, Ordering::Relaxed) < 2 {
            self.both.wait().await;
        }
        found
    }

    async fn replace(&self, slot: &Slot, events: Vec<Event>) -> Result<Replaced, StoreError> {
        self.slots.replace(slot, events).await
    }
}

#[tokio::test]
async fn of_two_mails_at_once_for_the_last_place_one_leaves() {
    let mut sim = Sim::story("two at once", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T08:00:00Z"));
    let (tenant, alice) = (sim.world.tenant, sim.accounts[0]);
    let owner = sim.world.owner(alice);
    let planned = {
        let look = sim.world.store.look();
        let plan = look.plan(owner, date(2026, 3, 10));
        plan.expect("the day is planned").slots[..2].to_vec()
    };
    let orders: Vec<_> = planned.iter().map(|slot| order_of(owner, slot)).collect();
    let one = sim.world.test_mode.set(&tenant, true, Some(1));
    one.await.unwrap();
    sim.world.sending.slots = Arc::new(SideBySide {
        slots: sim.world.store.clone(),
        counted: AtomicUsize::new(0),
        both: Barrier::new(2),
    });
    let sending = &sim.world.sending;
    let (first, second) = tokio::join!(sending.send(&orders[..1]), sending.send(&orders[1..]));
    assert!(first[0].is_ok() && second[0].is_ok());
    let slots = sim.slots(0);
    let sent = slots
        .iter()
        .filter(|slot| slot.state.accepted_at().is_some());
    assert_eq!((slots.len(), sent.count()), (2, 1), "{slots:?}");
    assert_eq!(skipped_for_the_limit(&sim), 1);
}
