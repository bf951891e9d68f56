//! What IMAP shows must be what we booked.

use std::collections::BTreeMap;

use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{Folder, FoundContent};
use agentwarm_core::account::AccountStatus;
use agentwarm_core::mail::message_id;
use agentwarm_core::mail::receipt::{Placement, Receipt};
use agentwarm_core::warmup::engage;
use agentwarm_testkit::memory::look::Look;
use agentwarm_testkit::memory::mail::StoredMail;
use agentwarm_testkit::world::EngineWorld;
use jiff::Timestamp;

use super::Patience;
use crate::watch::Watch;

/// A mail in a folder of a mailbox.
type Copy = (String, Folder, StoredMail);

pub(super) fn audit(
    world: &EngineWorld,
    watch: &Watch,
    patience: Patience,
    at_rest: bool,
    wrong: &mut Vec<String>,
) {
    let stormy = patience.unseen > Patience::default().unseen;
    let look = world.store.look();
    let mut found: BTreeMap<String, Vec<Copy>> = BTreeMap::new();
    for (address, folder, message) in world.post.everything() {
        if message.content == FoundContent::Message {
            let id = message.mail.message_id.clone();
            found
                .entry(id)
                .or_default()
                .push((address, folder, message));
        }
    }
    for (id, copies) in &found {
        let allowed = 1 + usize::from(world.post.was_doubled(id));
        if copies.len() > allowed {
            let places: Vec<_> = copies
                .iter()
                .map(|(address, folder, _)| (address, folder))
                .collect();
            wrong.push(format!(
                "mail {id} exists {} times: {places:?}",
                copies.len()
            ));
        }
        let Some(left) = watch.left.get(id) else {
            continue;
        };
        let receiver = AccountRef {
            user: world.tenant.user,
            account: left.recipient,
        };
        let age = world.now().duration_since(left.at);
        match look.receipt(receiver, left.slot) {
            // In a storm a mail can lie unread, or be moved or marked and the note of it fail until the next visit.
            _ if stormy && !at_rest => {}
            // What was done in it is forgotten with a deleted account.
            Some(_) if look.account(receiver.user, receiver.account).is_none() => {}
            Some(receipt) => {
                let through = look.mailbox(receiver).and_then(|it| it.engaged_through);
                wrong.extend(booked_as_one_is(receipt, through, copies));
            }
            None if age > patience.unseen && is_read(world, &look, receiver, patience) => {
                let places: Vec<_> = copies
                    .iter()
                    .map(|(address, folder, _)| (address, folder))
                    .collect();
                wrong.push(format!("mail {id} has lain in {places:?} for {age:#}"));
            }
            None => {}
        }
    }
    for receipt in look.receipts() {
        let id = &receipt.message_id;
        let is_there = found.contains_key(id) || world.post.was_deleted(id);
        let account = watch.accounts.get(&receipt.receiver);
        let is_closed = account.is_none_or(|it| !world.post.has_mailbox(it.email.as_str()));
        if !is_there && !is_closed {
            wrong.push(format!("receipt {} has no mail", receipt.slot));
        }
        let sent_as = watch.renamed.get(id).unwrap_or(id);
        if message_id::slot_of(sent_as) != Some(receipt.slot) {
            wrong.push(format!("receipt {} is of another mail", receipt.slot));
        }
    }
}

/// What is wrong with a mail's receipt: nothing, if it is right of one of the copies that its receiver made. The others are left alone.
fn booked_as_one_is(receipt: &Receipt, through: Option<Timestamp>, copies: &[Copy]) -> Vec<String> {
    let complaints = copies.iter().map(|(_, folder, message)| {
        let mut wrong = Vec::new();
        booked_as_it_is(receipt, through, *folder, message, &mut wrong);
        wrong
    });
    complaints.min_by_key(Vec::len).unwrap_or_default()
}

/// Whether somebody should have read the mailbox lately.
fn is_read(world: &EngineWorld, look: &Look<'_>, mailbox: AccountRef, patience: Patience) -> bool {
    let Some(account) = look.account(mailbox.user, mailbox.account) else {
        return false;
    };
    let stands_for = world.now().duration_since(account.updated_at);
    let works = look
        .mailbox(mailbox)
        .is_none_or(|state| state.health.waits_until(MailProtocol::Imap).is_none());
    matches!(
        account.status,
        AccountStatus::Warming | AccountStatus::Active
    ) && works
        && (account.status_reason.is_none() || stands_for > patience.unseen)
}

fn booked_as_it_is(
    receipt: &Receipt,
    through: Option<Timestamp>,
    folder: Folder,
    message: &StoredMail,
    wrong: &mut Vec<String>,
) {
    let id = receipt.slot;
    let done = engage::done(receipt, through);
    // Its reply may have moved after it was filed: then it is due to be filed once more.
    let moved = engage::next_due(receipt, through) > Some(receipt.engagement.file_at);
    if done.filed != (folder == Folder::Warmup) && !moved {
        wrong.push(format!("mail {id} is in {folder:?}: {done:?}, {receipt:?}"));
    }
    if receipt.rescued_at.is_some() && folder.placement() == Placement::Spam {
        wrong.push(format!("mail {id} was rescued and lies in spam"));
    }
    if (done.opened, done.important) != (message.seen, message.flagged) {
        wrong.push(format!(
            "mail {id} is seen: {}, flagged: {}; booked is {done:?}",
            message.seen, message.flagged
        ));
    }
}
