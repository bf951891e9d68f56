//! What is over is not seen, however late the TTL deletes it.

use std::collections::BTreeMap;

use crate::support::World;
use agentwarm_app::ports::audit::AuditFilter;
use agentwarm_app::ports::mailboxes::MailboxState;
use agentwarm_app::ports::{Created, PageRequest, PageStart};
use agentwarm_core::audit::{AuditEntry, EventType};
use agentwarm_core::ids::{AuditEntryId, SlotId};
use agentwarm_testkit::store_contract::fixtures;
use fixtures::{account, after, event, mailbox, now, pool, today, user};
use jiff::SignedDuration;

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[tokio::test]
async fn activity_is_over_after_its_retention_and_its_place_is_free() {
    let world = World::open().await;
    let store = world.store();
    let owner = mailbox(user(1), 1);
    let slot = fixtures::slot(owner, 60, "claimer");
    let receipt = fixtures::receipt(owner, 60);
    let plan = fixtures::plan(owner, today(), 20, 5);
    let planned = BTreeMap::from([(account(user(1), 2).id, 3)]);
    let _ = store.slots.create(&slot).await.unwrap();
    let _ = store.receipts.create(&receipt, Vec::new()).await.unwrap();
    let _ = store.plans.create(&plan).await.unwrap();
    store
        .ledger
        .note(user(1), pool(1).id, today(), owner.account, &planned)
        .await
        .unwrap();

    world.clock.advance(DAY * 399);
    assert!(store.slots.get(owner, slot.id).await.unwrap().is_some());
    world.clock.advance(DAY * 2);

    let end = SlotId::first_at(after(3600));
    let start = SlotId::first_at(now());
    assert_eq!(store.slots.get(owner, slot.id).await.unwrap(), None);
    assert_eq!(store.slots.between(owner, start, end).await.unwrap(), []);
    assert_eq!(store.receipts.get(owner, slot.id).await.unwrap(), None);
    assert_eq!(store.receipts.between(owner, start, end).await.unwrap(), []);
    let asked = [(owner.account, slot.id)];
    assert_eq!(store.receipts.found(user(1), &asked).await.unwrap(), []);
    assert_eq!(store.plans.plan(owner, today()).await.unwrap(), None);
    let days = store.plans.days(owner, today(), today()).await.unwrap();
    assert_eq!(days, []);
    let asked = [(owner.account, today())];
    let days = store.plans.days_of(user(1), &asked).await.unwrap();
    assert!(days.is_empty());
    let taken = store.plans.take_reply(owner, today(), slot.id).await;
    assert!(!taken.unwrap());
    let planned = store.ledger.planned(user(1), pool(1).id, today()).await;
    assert!(planned.unwrap().is_empty());

    let another = fixtures::slot(owner, 60, "another");
    assert_eq!(store.slots.create(&another).await.unwrap(), Created::Done);
    let another = fixtures::plan(owner, today(), 9, 1);
    assert_eq!(store.plans.create(&another).await.unwrap(), Created::Done);
}

#[tokio::test]
async fn an_item_lives_on_from_its_last_write() {
    let world = World::open().await;
    let store = world.store();
    let owner = mailbox(user(1), 1);
    let plan = fixtures::plan(owner, today(), 20, 5);
    let _ = store.plans.create(&plan).await.unwrap();
    world.clock.advance(DAY * 300);
    let rows = store.plans.days(owner, today(), today()).await.unwrap();
    let mut row = rows.into_iter().next().unwrap();
    row.version += 1;
    let _ = store.plans.replace_day(owner, &row).await.unwrap();
    world.clock.advance(DAY * 300);
    let rows = store.plans.days(owner, today(), today()).await.unwrap();
    assert_eq!(rows, [row]);
}

#[tokio::test]
async fn audit_entries_are_over_when_they_were_said_to_be() {
    let world = World::open().await;
    let store = world.store();
    let entry = |n: u32| {
        let event = event(EventType::AccountCreated, n);
        AuditEntry {
            id: AuditEntryId::new(event.at, u128::from(n)),
            event,
        }
    };
    let append = async |n: u32, days: i32| {
        let expires_at = now() + DAY * days;
        let entries = [entry(n)];
        store
            .audit
            .append(user(1), &entries, expires_at)
            .await
            .unwrap();
    };
    append(1, 90).await;
    append(2, 7).await;
    append(3, 90).await;
    world.clock.advance(DAY * 7);

    let list = async |from| {
        let (all, page) = (AuditFilter::default(), PageRequest { limit: 1, from });
        store.audit.list(user(1), &all, &page).await.unwrap()
    };
    let first = list(PageStart::Offset(0)).await;
    assert_eq!((first.items, first.total), (vec![entry(3)], 2));
    let second = list(PageStart::After(first.next.unwrap())).await;
    assert_eq!((second.items, second.next), (vec![entry(1)], None));
    let skipped = list(PageStart::Offset(1)).await;
    assert_eq!(skipped.items, [entry(1)]);
}

#[tokio::test]
async fn due_entries_are_over_three_days_after_they_were_due() {
    let world = World::open().await;
    let store = world.store();
    // Long ago by the schedule's clock, just written by the wall's.
    let late = fixtures::plan_entry(-500_000, 1);
    let ahead = fixtures::plan_entry(86_400, 2);
    store.due.put(&[late, ahead]).await.unwrap();
    let found = async || {
        let mut entries = Vec::new();
        for shard in 0..store.shards.0 {
            let part = store.due.between(shard, after(-500_001), after(86_400));
            entries.extend(part.await.unwrap());
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    };
    assert_eq!(found().await, [late, ahead]);
    world.clock.advance(DAY * 3);
    assert_eq!(found().await, [ahead]);
    world.clock.advance(DAY);
    assert_eq!(found().await, []);
}

#[tokio::test]
async fn a_mailbox_is_forgotten_when_its_receipts_are() {
    let world = World::open().await;
    let store = world.store();
    let owner = mailbox(user(1), 1);
    let state = MailboxState {
        next_engagement: Some(now()),
        ..MailboxState::default()
    };
    let minute = SignedDuration::from_mins(1);
    let lease = store.mailboxes.lease(owner, "a", now(), minute).await;
    let lease = lease.unwrap().unwrap();
    store.mailboxes.release(&lease, &state).await.unwrap();
    world.clock.advance(DAY * 399);
    let kept = store.mailboxes.state(owner).await.unwrap();
    assert_eq!(kept.next_engagement, state.next_engagement);
    world.clock.advance(DAY);
    let fresh = store.mailboxes.state(owner).await.unwrap();
    assert_eq!(fresh, MailboxState::default());
}
