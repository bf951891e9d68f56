//! Nothing is lost and nothing is stuck: every mail has a fate, and both its halves agree on it.

use agentwarm_app::ports::clock::Clock;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::Folder;
use agentwarm_core::account::AccountStatus;
use agentwarm_core::email::EmailAddress;
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{Slot, SlotKind, SlotState};
use agentwarm_core::warmup::engage;
use agentwarm_testkit::memory::look::Look;
use agentwarm_testkit::world::EngineWorld;
use jiff::SignedDuration;

use super::Patience;
use crate::watch::Watch;

pub(super) fn audit(
    world: &EngineWorld,
    watch: &Watch,
    patience: Patience,
    at_rest: bool,
    wrong: &mut Vec<String>,
) {
    let look = world.store.look();
    for slot in look.slots() {
        stuck(world, &look, slot, patience, wrong);
        agrees(&look, watch, slot, at_rest, wrong);
    }
    for receipt in look.receipts() {
        has_a_sender(&look, receipt, at_rest, wrong);
        overdue(world, &look, receipt, patience, wrong);
        if at_rest {
            answered(world, &look, receipt, patience, wrong);
        }
    }
    for left in watch.left.values().filter(|left| left.over.acknowledged) {
        let slot = look.slot(world.owner(left.sender), left.slot);
        let is_known = slot.is_some_and(|slot| slot.state.accepted_at().is_some());
        if at_rest
            && left.over.delivered
            && !is_known
            && is_there(&look, world.owner(left.recipient))
        {
            wrong.push(format!(
                "mail {} was accepted and delivered, its slot is {:?}",
                left.slot,
                slot.map(|slot| &slot.state)
            ));
        }
    }
}

fn is_there(look: &Look<'_>, owner: AccountRef) -> bool {
    look.account(owner.user, owner.account).is_some()
}

fn stuck(
    world: &EngineWorld,
    look: &Look<'_>,
    slot: &Slot,
    patience: Patience,
    wrong: &mut Vec<String>,
) {
    let (since, patience) = match &slot.state {
        SlotState::Claimed { lease_until, .. } => (*lease_until, patience.claimed),
        SlotState::InDoubt { since, .. } => {
            (*since, SignedDuration::from_hours(24) + patience.in_doubt)
        }
        SlotState::Retry { not_before, .. } => (*not_before, patience.overdue),
        _ => return,
    };
    // Days stand still while an account is paused, and are not closed either.
    let resumed = look
        .account(slot.user, slot.sender)
        .and_then(|account| account.warmup.as_ref()?.resumed_at);
    let waits_since = resumed.map_or(since, |resumed| resumed.max(since));
    let waits = world.clock.wall().duration_since(waits_since);
    if waits > patience {
        wrong.push(format!(
            "slot {} of {} is stuck since {since}: {:?}",
            slot.id, slot.sender, slot.state
        ));
    }
}

/// What the sender's half says and what the receiver's half and the servers say.
fn agrees(look: &Look<'_>, watch: &Watch, slot: &Slot, at_rest: bool, wrong: &mut Vec<String>) {
    let id = slot.id;
    let left = watch.left.get(&slot.message_id);
    let receiver = AccountRef {
        user: slot.user,
        account: slot.recipient,
    };
    let receipt = look.receipt(receiver, id);
    match &slot.state {
        SlotState::Accepted { .. } | SlotState::Returned { .. } => {
            if left.is_none() {
                wrong.push(format!("slot {id} is accepted, and no server has its mail"));
            }
        }
        SlotState::Skipped { .. }
        | SlotState::Retry { .. }
        | SlotState::Unknown { .. }
        | SlotState::Rejected { .. } => {
            if receipt.is_some() {
                wrong.push(format!("slot {id} is {:?} and was received", slot.state));
            }
        }
        SlotState::Claimed { .. } | SlotState::InDoubt { .. } => {}
    }
    if let (Some(spammed_at), Some(receipt)) = (slot.spammed_at, receipt)
        && spammed_at > receipt.found_at
    {
        wrong.push(format!("slot {id} landed in spam after it was found"));
    }
    let SlotKind::Reply { answers } = slot.kind else {
        return;
    };
    let sender = AccountRef {
        user: slot.user,
        account: slot.sender,
    };
    let Some(answered) = look.receipt(sender, answers) else {
        wrong.push(format!("slot {id} answers a mail without a receipt"));
        return;
    };
    let reply = answered.engagement.reply;
    if at_rest && slot.state.accepted_at().is_some() && reply.is_none_or(|reply| reply.slot != id) {
        wrong.push(format!(
            "slot {id} is an accepted answer that its receipt does not know"
        ));
    }
}

fn has_a_sender(look: &Look<'_>, receipt: &Receipt, at_rest: bool, wrong: &mut Vec<String>) {
    let sender = AccountRef {
        user: receipt.user,
        account: receipt.sender,
    };
    let Some(slot) = look.slot(sender, receipt.slot) else {
        wrong.push(format!("receipt {} has no slot", receipt.slot));
        return;
    };
    if at_rest && slot.state.accepted_at().is_none() {
        wrong.push(format!(
            "receipt {} is of a slot that is {:?}",
            receipt.slot, slot.state
        ));
    }
    let spam = receipt.placement == agentwarm_core::mail::receipt::Placement::Spam;
    if at_rest && (spam != slot.spammed_at.is_some() || spam != receipt.rescued_at.is_some()) {
        wrong.push(format!(
            "receipt {}: found in {:?}, rescued at {:?}, its slot spammed at {:?}",
            receipt.slot, receipt.placement, receipt.rescued_at, slot.spammed_at
        ));
    }
}

/// What is due with a received mail is done.
fn overdue(
    world: &EngineWorld,
    look: &Look<'_>,
    receipt: &Receipt,
    patience: Patience,
    wrong: &mut Vec<String>,
) {
    let owner = world.owner(receipt.receiver);
    let Some(account) = look.account(owner.user, owner.account) else {
        return;
    };
    let is_read = matches!(
        account.status,
        AccountStatus::Warming | AccountStatus::Active
    ) && world.now().duration_since(account.updated_at) > patience.overdue
        && look
            .mailbox(owner)
            .is_none_or(|state| state.health.waits_until(MailProtocol::Imap).is_none());
    let through = look.mailbox(owner).and_then(|it| it.engaged_through);
    if let Some(due) = engage::next_due(receipt, through)
        && world.now().duration_since(due) > patience.overdue
        && is_read
        && !is_filed(world, &account.email, receipt)
    {
        wrong.push(format!("receipt {} waits since {due}", receipt.slot));
    }
}

/// Whether a mail is where nothing is left to do with it. If its answer moved after that, it is due to be filed once more, which waits for
/// the next sitting that has something to do.
fn is_filed(world: &EngineWorld, mailbox: &EmailAddress, receipt: &Receipt) -> bool {
    let filed = world.post.folder(mailbox.as_str(), Folder::Warmup);
    filed
        .iter()
        .any(|stored| stored.mail.message_id == receipt.message_id)
}

/// An answer that was to be written was, or its slot says why not.
fn answered(
    world: &EngineWorld,
    look: &Look<'_>,
    receipt: &Receipt,
    patience: Patience,
    wrong: &mut Vec<String>,
) {
    let Some(reply) = receipt.engagement.reply else {
        return;
    };
    let owner = world.owner(receipt.receiver);
    let waits = world.now().duration_since(reply.at);
    if waits <= patience.overdue || !is_there(look, owner) {
        return;
    }
    let zone = look.account(owner.user, owner.account).map(|it| &it.zone);
    let plan = zone.and_then(|zone| look.plan(owner, zone.date_of(reply.at)));
    if patience.unplanned && plan.is_none() {
        return;
    }
    match look.slot(owner, reply.slot) {
        Some(slot) if slot.state.is_final() => {}
        other => wrong.push(format!(
            "the answer {} to {} was due at {}: {:?}",
            reply.slot,
            receipt.slot,
            reply.at,
            other.map(|slot| &slot.state)
        )),
    }
}
