//! Events leave once per change: published under one id each, and as many as the state says.

use std::collections::BTreeMap;

use agentwarm_core::audit::{Event, EventType};
use agentwarm_core::ids::UserId;
use agentwarm_core::mail::slot::SlotState;
use agentwarm_testkit::world::EngineWorld;

/// How many events of each type there are about each slot.
type BySlot = BTreeMap<(EventType, String), u32>;

pub(super) fn audit(world: &EngineWorld, at_rest: bool, wrong: &mut Vec<String>) {
    let mut by_id: BTreeMap<&str, (&UserId, &Event)> = BTreeMap::new();
    for (id, user, event) in world.published() {
        let known = by_id.insert(id, (user, event));
        if known.is_some_and(|known| known != (user, event)) {
            wrong.push(format!("event {id} is two events"));
        }
    }
    let written: usize = world
        .history()
        .iter()
        .map(|change| change.events.len())
        .sum();
    if by_id.len() > written || at_rest && by_id.len() != written {
        wrong.push(format!(
            "{written} events were written, {} left",
            by_id.len()
        ));
    }
    audit_log(
        world,
        by_id.values().map(|(_, event)| *event),
        at_rest,
        wrong,
    );
    if at_rest {
        slots(
            world,
            &counted(by_id.values().map(|(_, event)| *event)),
            wrong,
        );
    }
}

fn audit_log<'a>(
    world: &EngineWorld,
    events: impl Iterator<Item = &'a Event>,
    at_rest: bool,
    wrong: &mut Vec<String>,
) {
    let audited = events.filter(|event| event.event_type.is_audited()).count();
    let logged = world.store.look().audit().count();
    // The log is written before the events leave.
    if logged < audited || at_rest && logged != audited {
        wrong.push(format!(
            "{audited} audited events left, {logged} are in the log"
        ));
    }
}

fn counted<'a>(events: impl Iterator<Item = &'a Event>) -> BySlot {
    let mut by_slot = BySlot::new();
    for event in events {
        if let Some(slot) = event.metadata.get("slotId").and_then(|slot| slot.as_str()) {
            *by_slot
                .entry((event.event_type, slot.to_owned()))
                .or_default() += 1;
        }
    }
    by_slot
}

fn slots(world: &EngineWorld, events: &BySlot, wrong: &mut Vec<String>) {
    let look = world.store.look();
    for slot in look.slots() {
        let bounces = match slot.state {
            SlotState::Returned { bounced, .. } | SlotState::Rejected { bounced, .. } => {
                Some(bounced)
            }
            _ => None,
        };
        let expected = [
            (
                EventType::WarmupEmailSent,
                slot.state.accepted_at().is_some(),
            ),
            (EventType::WarmupEmailBounced, bounces == Some(true)),
            (EventType::WarmupEmailRejected, bounces == Some(false)),
            (EventType::WarmupEmailSpammed, slot.spammed_at.is_some()),
            (
                EventType::WarmupEmailComplained,
                slot.complained_at.is_some(),
            ),
        ];
        for (event_type, expected) in expected {
            let found = events
                .get(&(event_type, slot.id.to_string()))
                .copied()
                .unwrap_or(0);
            if found != u32::from(expected) {
                wrong.push(format!(
                    "slot {} is {:?}, and {} left {found} times",
                    slot.id,
                    slot.state,
                    event_type.as_str()
                ));
            }
        }
    }
    for receipt in look.receipts() {
        let key = (EventType::WarmupEmailRescued, receipt.slot.to_string());
        let found = events.get(&key).copied().unwrap_or(0);
        if found != u32::from(receipt.rescued_at.is_some()) {
            wrong.push(format!(
                "receipt {} was rescued {found} times",
                receipt.slot
            ));
        }
    }
}
