//! What a release leaves of mail that is under way.

use agentwarm_app::ports::Replaced;
use agentwarm_app::ports::days::Receipts;
use agentwarm_core::mail::slot::{SkipReason, SlotState};

use crate::harness::{Sim, at};

/// The mail was sent before the release, its answer is due after it.
#[tokio::test]
async fn a_thread_whose_conversation_left_the_bank_ends() {
    let mut sim = Sim::story("a release", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T12:00:00Z"));
    let now = sim.world.now();
    let is_to_be_answered = |it: &&agentwarm_core::mail::receipt::Receipt| {
        it.engagement.reply.is_some_and(|reply| reply.at > now)
    };
    let receipts: Vec<_> = (0..6).flat_map(|n| sim.receipts(n)).collect();
    let mut receipt = receipts.iter().find(is_to_be_answered).unwrap().clone();
    receipt.position.conversation = "one-of-an-earlier-release".to_owned();
    receipt.version += 1;
    let store: &dyn Receipts = sim.world.store.as_ref();
    let replaced = store.replace(&receipt, Vec::new()).await.unwrap();
    assert_eq!(replaced, Replaced::Done);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();

    assert_eq!(sim.world.dead_letters(), 0);
    let reply = receipt.engagement.reply.unwrap();
    let slots = sim.all_slots();
    let slot = slots.iter().find(|slot| slot.id == reply.slot).unwrap();
    let ends = SkipReason::NoFurtherTurn;
    assert!(
        matches!(slot.state, SlotState::Skipped { reason, .. } if reason == ends),
        "{slot:?}"
    );
}
