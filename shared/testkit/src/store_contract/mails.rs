//! The two halves of mails: slots and receipts.

use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::{Created, Replaced};
use agentwarm_core::audit::EventType;
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, SlotState};
use futures::future::join_all;

use super::Store;
use super::fixtures::{after, event, mailbox, now, receipt, slot, user};

fn owner() -> AccountRef {
    mailbox(user(1), 1)
}

async fn claim(store: &Store, slot: &Slot) -> Created {
    store.slots.create(slot).await.unwrap()
}

async fn given_slot(store: &Store, seconds: i64) -> Slot {
    let slot = slot(owner(), seconds, "claimer");
    assert_eq!(claim(store, &slot).await, Created::Done);
    slot
}

async fn replace(store: &Store, slot: &Slot) -> Replaced {
    let events = vec![event(EventType::WarmupEmailSent, 1)];
    store.slots.replace(slot, events).await.unwrap()
}

async fn read(store: &Store, slot: &Slot) -> Option<Slot> {
    store.slots.get(owner(), slot.id).await.unwrap()
}

/// A second claimer is refused, and the first claim stays as it was written.
pub async fn a_slot_is_claimed_once(store: &Store) {
    let first = given_slot(store, 60).await;
    let second = slot(owner(), 60, "another");
    assert_eq!(claim(store, &second).await, Created::Exists);
    assert_eq!(read(store, &first).await, Some(first.clone()));

    assert_eq!(read(store, &slot(owner(), 61, "x")).await, None);
    let others = store.slots.get(mailbox(user(1), 2), first.id).await;
    assert_eq!(others.unwrap(), None);
}

/// Twenty at once: one.
pub async fn of_parallel_claims_one_wins(store: &Store) {
    let claims: Vec<_> = (0..20)
        .map(|n| slot(owner(), 60, &format!("claimer-{n}")))
        .collect();
    let answers = join_all(claims.iter().map(|slot| claim(store, slot))).await;

    let winners: Vec<_> = claims
        .iter()
        .zip(&answers)
        .filter_map(|(claim, answer)| (*answer == Created::Done).then_some(claim))
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let stored = read(store, &claims[0]).await;
    assert_eq!(stored.as_ref(), winners.first().copied());
}

/// A late commit is stale, and so is one of a slot that was never claimed.
pub async fn a_slot_changes_by_version(store: &Store) {
    let first = given_slot(store, 60).await;
    let committed = Slot {
        state: SlotState::Accepted { at: after(61) },
        version: 2,
        ..first.clone()
    };
    let late = Slot {
        state: SlotState::InDoubt {
            since: after(90),
            checks: 0,
        },
        ..committed.clone()
    };

    assert_eq!(replace(store, &committed).await, Replaced::Done);
    assert_eq!(replace(store, &late).await, Replaced::Stale);
    let unclaimed = Slot {
        version: 2,
        ..slot(owner(), 99, "x")
    };
    assert_eq!(replace(store, &unclaimed).await, Replaced::Stale);

    assert_eq!(read(store, &first).await, Some(committed));
    assert_eq!(read(store, &unclaimed).await, None);
}

/// Field by field.
pub async fn every_state_of_a_slot_is_read_as_it_was_written(store: &Store) {
    let states = [
        SlotState::Accepted { at: after(1) },
        SlotState::Rejected {
            at: after(1),
            reply: 550,
            bounced: true,
            reason: "5.1.1 no such user".to_owned(),
        },
        SlotState::Retry {
            not_before: after(300),
            attempt: 2,
            reason: "4.2.1 busy".to_owned(),
        },
        SlotState::InDoubt {
            since: after(1),
            checks: 3,
        },
        SlotState::Unknown { at: after(1) },
        SlotState::Returned {
            accepted_at: after(1),
            at: after(2),
            status: "5.2.1".to_owned(),
            bounced: true,
        },
        SlotState::Skipped {
            at: after(1),
            reason: SkipReason::ReplyExpired,
        },
    ];
    let mut current = given_slot(store, 60).await;
    for state in states {
        current = Slot {
            state,
            kind: SlotKind::Thread,
            spammed_at: Some(after(5)),
            version: current.version + 1,
            ..current
        };
        assert_eq!(replace(store, &current).await, Replaced::Done);
        assert_eq!(read(store, &current).await, Some(current.clone()));
    }
}

/// By the instants they were planned for, in order; the end is excluded.
pub async fn slots_are_read_by_range(store: &Store) {
    for seconds in [30, 10, 20, 0] {
        given_slot(store, seconds).await;
    }
    let others = slot(mailbox(user(1), 2), 15, "x");
    assert_eq!(claim(store, &others).await, Created::Done);
    let between = async |from: SlotId, to: SlotId| -> Vec<_> {
        let slots = store.slots.between(owner(), from, to).await.unwrap();
        let written = store.slots.written_between(owner(), from, to).await;
        assert_eq!(written.unwrap(), slots);
        let planned = |slot: &Slot| slot.scheduled_at.as_second() - now().as_second();
        slots.iter().map(planned).collect()
    };
    let first_at = |seconds| SlotId::first_at(after(seconds));

    assert_eq!(between(first_at(0), first_at(40)).await, [0, 10, 20, 30]);
    assert_eq!(between(first_at(10), first_at(30)).await, [10, 20]);
    let id = |seconds| slot(owner(), seconds, "x").id;
    assert_eq!(between(id(10), id(30)).await, [10, 20]);
    assert_eq!(between(first_at(40), first_at(0)).await, [] as [i64; 0]);
}

async fn book(store: &Store, receipt: &Receipt) -> Created {
    let events = vec![event(EventType::WarmupEmailSpammed, 1)];
    store.receipts.create(receipt, events).await.unwrap()
}

async fn given_receipt(store: &Store, seconds: i64) -> Receipt {
    let receipt = receipt(owner(), seconds);
    assert_eq!(book(store, &receipt).await, Created::Done);
    receipt
}

/// Finding a mail again books nothing.
pub async fn a_receipt_is_booked_once(store: &Store) {
    let first = given_receipt(store, 60).await;
    let again = Receipt {
        found_at: after(9999),
        ..first.clone()
    };
    assert_eq!(book(store, &again).await, Created::Exists);

    let read = store.receipts.get(owner(), first.slot).await.unwrap();
    assert_eq!(read, Some(first.clone()));
    let others = store.receipts.get(mailbox(user(1), 2), first.slot).await;
    assert_eq!(others.unwrap(), None);
}

/// As slots do.
pub async fn a_receipt_changes_by_version(store: &Store) {
    let first = given_receipt(store, 60).await;
    let rescued = Receipt {
        rescued_at: Some(after(400)),
        version: 2,
        ..first.clone()
    };
    let late = Receipt {
        rescued_at: Some(after(500)),
        version: 2,
        ..first.clone()
    };
    let replace = async |receipt: &Receipt| {
        let replaced = store.receipts.replace(receipt, Vec::new());
        replaced.await.unwrap()
    };

    assert_eq!(replace(&rescued).await, Replaced::Done);
    assert_eq!(replace(&late).await, Replaced::Stale);
    let unknown = Receipt {
        version: 2,
        ..receipt(owner(), 99)
    };
    assert_eq!(replace(&unknown).await, Replaced::Stale);

    let read = store.receipts.get(owner(), first.slot).await.unwrap();
    assert_eq!(read, Some(rescued));
    let read = store.receipts.get(owner(), unknown.slot).await.unwrap();
    assert_eq!(read, None);
}

/// As slots are.
pub async fn receipts_are_read_by_range(store: &Store) {
    for seconds in [30, 10, 20, 0] {
        given_receipt(store, seconds).await;
    }
    let between = async |from, to| -> Vec<_> {
        let first_at = |seconds| SlotId::first_at(after(seconds));
        let receipts = store
            .receipts
            .between(owner(), first_at(from), first_at(to));
        let found = |receipt: &Receipt| receipt.found_at.as_second() - now().as_second() - 120;
        receipts.await.unwrap().iter().map(found).collect()
    };
    assert_eq!(between(0, 40).await, [0, 10, 20, 30]);
    assert_eq!(between(10, 30).await, [10, 20]);
    assert_eq!(between(30, 10).await, [] as [i64; 0]);
    let end = receipt(owner(), 30).slot;
    let until = store
        .receipts
        .between(owner(), SlotId::first_at(now()), end);
    assert_eq!(until.await.unwrap().len(), 3);
}

/// Of over a hundred mails to two mailboxes, some asked for twice.
pub async fn what_was_found_is_known(store: &Store) {
    let other = mailbox(user(1), 2);
    let mut wanted = Vec::new();
    for seconds in 0..110 {
        let receiver = if seconds % 2 == 0 { owner() } else { other };
        let receipt = receipt(receiver, seconds);
        if seconds < 105 {
            assert_eq!(book(store, &receipt).await, Created::Done);
        }
        wanted.push((receiver.account, receipt.slot));
    }
    wanted.push(wanted[0]);
    // The right mail in the wrong mailbox was not found there.
    wanted.push((other.account, receipt(owner(), 0).slot));

    let mut found = store.receipts.found(user(1), &wanted).await.unwrap();

    found.sort();
    found.dedup();
    let expected: Vec<_> = (0..105)
        .map(|seconds| receipt(owner(), seconds).slot)
        .collect();
    assert_eq!(found, expected);
    assert_eq!(store.receipts.found(user(1), &[]).await.unwrap(), []);
    assert_eq!(store.receipts.found(user(2), &wanted).await.unwrap(), []);
}
