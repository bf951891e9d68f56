//! What the streams will tell: each write's events, once, under the item's version.

use crate::support::World;
use agentwarm_app::engine::fanout::Change;
use agentwarm_app::ports::Replaced;
use agentwarm_app::ports::keys::{ApiKey, KeyHash, User};
use agentwarm_aws::codec::Item;
use agentwarm_aws::keys::{self, Key};
use agentwarm_aws::stream;
use agentwarm_core::audit::{Event, EventType};
use agentwarm_core::ids::ApiKeyId;
use agentwarm_core::mail::slot::{Slot, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::Pool;
use agentwarm_testkit::store_contract::fixtures;
use aws_sdk_dynamodb::types::AttributeValue;
use fixtures::{account, after, changed, event, in_pool, mailbox, now, user};

/// The change that the stream tells of the item as it is now.
async fn change(world: &World, table: &str, key: Key) -> Option<Change> {
    let item: Item = world
        .clients
        .dynamodb()
        .get_item()
        .table_name(format!("{}-{table}", world.prefix))
        .key("pk", AttributeValue::S(key.pk))
        .key("sk", AttributeValue::S(key.sk))
        .consistent_read(true)
        .send()
        .await
        .unwrap()
        .item
        .unwrap();
    stream::change(serde_dynamo::Item::from(item)).unwrap()
}

async fn events(world: &World, table: &str, key: Key) -> Vec<Event> {
    let change = change(world, table, key).await;
    change.map(|change| change.events).unwrap_or_default()
}

#[tokio::test]
async fn an_account_tells_its_creation_its_changes_and_its_joining() {
    let world = World::open().await;
    let store = world.store();
    let home = store.given_pool(user(1), 1).await;
    let first = store.given_account(&account(user(1), 1), home.id).await;
    let key = || keys::account(user(1), first.id);
    let created = change(&world, "entities", key()).await.unwrap();
    assert_eq!(created.user, user(1));
    assert_eq!(created.events, [event(EventType::AccountCreated, 1)]);
    assert_eq!(created.slot, None);

    let second = changed(&first);
    let told = vec![
        event(EventType::AccountStatusChanged, 1),
        event(EventType::WarmupAutoPaused, 1),
    ];
    let replaced = store.account_updates.replace(&second, told.clone()).await;
    assert_eq!(replaced.unwrap(), Replaced::Done);
    let changed_twice = change(&world, "entities", key()).await.unwrap();
    assert_eq!(changed_twice.events, told);
    assert_ne!(changed_twice.id, created.id);

    let third = changed(&second);
    let _ = store.account_updates.replace(&third, Vec::new()).await;
    assert_eq!(change(&world, "entities", key()).await, None);

    let away = store.given_pool(user(1), 2).await;
    let joined = in_pool(&changed(&third), away.id);
    let joining = event(EventType::PoolAccountAdded, 1);
    let join = store.pool_writes.join(&joined, away.id, joining.clone());
    let _ = join.await.unwrap();
    assert_eq!(events(&world, "entities", key()).await, [joining]);
}

/// A deleted item has no image: the user's counters tell it.
#[tokio::test]
async fn a_deletion_is_told_by_the_users_counters() {
    let world = World::open().await;
    let store = world.store();
    let home = store.given_pool(user(1), 1).await;
    let first = store.given_account(&account(user(1), 1), home.id).await;
    let second = store.given_account(&account(user(1), 2), home.id).await;
    let counters = || keys::counters(user(1));
    assert_eq!(change(&world, "entities", counters()).await, None);

    let mut ids = Vec::new();
    for (n, account) in [(1, &first), (2, &second)] {
        let deleting = event(EventType::AccountDeleted, n);
        let deleted = store
            .account_life
            .delete(account, &[], deleting.clone())
            .await;
        assert_eq!(deleted.unwrap(), Replaced::Done);
        let told = change(&world, "entities", counters()).await.unwrap();
        assert_eq!(told.events, [deleting]);
        ids.push(told.id);
    }
    assert_ne!(ids[0], ids[1]);
    // Counting up again does not tell the deletion again.
    store.given_account(&account(user(1), 3), home.id).await;
    assert_eq!(change(&world, "entities", counters()).await, None);
}

/// Members come and go without repeating what the pool told last.
#[tokio::test]
async fn a_pool_tells_its_own_changes_only() {
    let world = World::open().await;
    let store = world.store();
    let first = fixtures::pool(1);
    let key = || keys::pool(user(1), first.id);
    let created = event(EventType::PoolCreated, 1);
    let create = store
        .pool_writes
        .create(user(1), &first, Some(created.clone()));
    let _ = create.await.unwrap();
    assert_eq!(events(&world, "entities", key()).await, [created]);
    store.given_account(&account(user(1), 1), first.id).await;
    assert_eq!(change(&world, "entities", key()).await, None);

    let renamed = Pool {
        version: 2,
        ..first.clone()
    };
    let updated = event(EventType::PoolConfigUpdated, 1);
    let replace = store
        .pool_writes
        .replace(user(1), &renamed, updated.clone());
    let _ = replace.await.unwrap();
    assert_eq!(events(&world, "entities", key()).await, [updated]);
}

#[tokio::test]
async fn a_key_tells_its_creation_once_and_the_counters_its_end() {
    let world = World::open().await;
    let store = world.store();
    let owner = User {
        id: user(1),
        plan: Plan::Free,
        created_at: now(),
    };
    let _ = store.api_keys.create_user(&owner).await.unwrap();
    let key = ApiKey {
        id: ApiKeyId::new(now(), 1),
        user: owner.id,
        name: "key".to_owned(),
        prefix: "aw_abcde...".to_owned(),
        last_used_at: None,
        created_at: now(),
    };
    let created = event(EventType::ApiKeyCreated, 1);
    let create = store
        .api_keys
        .create(&key, &KeyHash([1; 32]), None, created.clone());
    create.await.unwrap();
    let item = || keys::api_key(owner.id, key.id);
    assert_eq!(events(&world, "entities", item()).await, [created]);
    let touch = store.key_lookup.touch(owner.id, key.id, after(60));
    touch.await.unwrap();
    assert_eq!(change(&world, "entities", item()).await, None);

    let revoked = event(EventType::ApiKeyRevoked, 1);
    let revoke = store.api_keys.revoke(owner.id, key.id, revoked.clone());
    assert!(revoke.await.unwrap());
    let counters = keys::counters(owner.id);
    assert_eq!(events(&world, "entities", counters).await, [revoked]);
}

/// Slots are followed whether or not they report something; receipts only if they do.
#[tokio::test]
async fn slots_are_told_with_their_record_and_receipts_with_their_events() {
    let world = World::open().await;
    let store = world.store();
    let sender = mailbox(user(1), 1);
    let claim = fixtures::slot(sender, 60, "claimer");
    let key = || keys::slot(sender, claim.id);
    let _ = store.slots.create(&claim).await.unwrap();
    let told = change(&world, "activity", key()).await.unwrap();
    assert_eq!((told.events, told.slot), (vec![], Some(claim.clone())));

    let commit = Slot {
        state: SlotState::Accepted { at: after(61) },
        version: 2,
        ..claim.clone()
    };
    let sent = vec![event(EventType::WarmupEmailSent, 1)];
    let _ = store.slots.replace(&commit, sent.clone()).await.unwrap();
    let told = change(&world, "activity", key()).await.unwrap();
    assert_eq!((told.events, told.slot), (sent, Some(commit)));

    let receipt = fixtures::receipt(sender, 60);
    let key = || keys::receipt(sender, receipt.slot);
    let spammed = vec![event(EventType::WarmupEmailSpammed, 1)];
    let _ = store.receipts.create(&receipt, spammed.clone()).await;
    assert_eq!(events(&world, "activity", key()).await, spammed);
    let opened = agentwarm_core::mail::receipt::Receipt {
        version: 2,
        ..receipt.clone()
    };
    let _ = store.receipts.replace(&opened, Vec::new()).await.unwrap();
    assert_eq!(change(&world, "activity", key()).await, None);
}

#[tokio::test]
async fn items_that_nobody_follows_tell_nothing() {
    let world = World::open().await;
    let store = world.store();
    let owner = mailbox(user(1), 1);
    let plan = fixtures::plan(owner, fixtures::today(), 5, 1);
    let _ = store.plans.create(&plan).await.unwrap();
    let day = keys::day(owner, fixtures::today());
    assert_eq!(change(&world, "activity", day).await, None);
    let plan = keys::plan(owner, fixtures::today());
    assert_eq!(change(&world, "activity", plan).await, None);
    let home = store.given_pool(user(1), 1).await;
    let first = store.given_account(&account(user(1), 1), home.id).await;
    let lock = keys::address_lock(first.email.as_str());
    assert_eq!(change(&world, "entities", lock).await, None);
}
