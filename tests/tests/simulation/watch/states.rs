//! What may follow on what in one item.

use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{Slot, SlotState};

fn name(state: &SlotState) -> &'static str {
    match state {
        SlotState::Claimed { .. } => "claimed",
        SlotState::Accepted { .. } => "accepted",
        SlotState::Rejected { .. } => "rejected",
        SlotState::Retry { .. } => "retry",
        SlotState::InDoubt { .. } => "in doubt",
        SlotState::Unknown { .. } => "unknown",
        SlotState::Returned { .. } => "returned",
        SlotState::Skipped { .. } => "skipped",
    }
}

/// The states that may follow on a state; nothing claims a slot again but a retry.
fn may_follow(before: &str) -> &'static [&'static str] {
    match before {
        "claimed" => &[
            "claimed", "accepted", "rejected", "retry", "in doubt", "skipped",
        ],
        "retry" => &["claimed", "skipped", "accepted"],
        "in doubt" => &["in doubt", "accepted", "unknown", "returned"],
        "accepted" | "unknown" => &["accepted", "returned"],
        "returned" => &["returned"],
        "rejected" => &["rejected"],
        _ => &[],
    }
}

pub(super) fn slot(before: Option<&Slot>, after: &Slot, wrong: &mut Vec<String>) {
    let id = after.id;
    let Some(before) = before else {
        if !matches!(
            after.state,
            SlotState::Claimed { .. } | SlotState::Skipped { .. }
        ) {
            wrong.push(format!("slot {id} begins as {:?}", after.state));
        }
        return;
    };
    let (from, to) = (name(&before.state), name(&after.state));
    if !may_follow(from).contains(&to) {
        wrong.push(format!("slot {id}: {to} after {from}"));
    }
    // A claim of its own follows on a claim only to note that the mail was seen.
    if let (SlotState::Claimed { owner: a, .. }, SlotState::Claimed { owner: b, .. }) =
        (&before.state, &after.state)
        && a != b
    {
        wrong.push(format!("slot {id} was claimed twice"));
    }
    let frozen = |slot: &Slot| {
        (
            slot.message_id.clone(),
            slot.message_date,
            slot.position.clone(),
            slot.kind,
            slot.date,
            slot.scheduled_at,
        )
    };
    if frozen(before) != frozen(after) {
        wrong.push(format!("slot {id} was rewritten: {before:?} {after:?}"));
    }
    if after.version != before.version + 1 {
        wrong.push(format!(
            "slot {id} went from version {} to {}",
            before.version, after.version
        ));
    }
    if before.spammed_at.is_some() && before.spammed_at != after.spammed_at {
        wrong.push(format!("slot {id} landed in spam twice"));
    }
}

pub(super) fn receipt(before: Option<&Receipt>, after: &Receipt, wrong: &mut Vec<String>) {
    let id = after.slot;
    let due = &after.engagement;
    let Some(before) = before else {
        return;
    };
    let rolled = (
        before.engagement.open_at,
        before.engagement.important_at,
        before.engagement.file_at,
    ) != (due.open_at, due.important_at, due.file_at);
    if before.rescued_at != after.rescued_at
        || (before.date, before.found_at, before.placement)
            != (after.date, after.found_at, after.placement)
        || rolled
    {
        wrong.push(format!("receipt {id} was rewritten: {before:?} {after:?}"));
    }
    if after.version != before.version + 1 {
        wrong.push(format!(
            "receipt {id} went from version {} to {}",
            before.version, after.version
        ));
    }
}
