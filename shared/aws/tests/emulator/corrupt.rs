//! Items that no version of ours wrote are told apart from a store that does not answer.

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::audit::AuditFilter;
use agentwarm_app::ports::keys::KeyHash;
use agentwarm_app::ports::{PageRequest, PageStart};
use agentwarm_aws::keys::{self, Key};
use agentwarm_testkit::store_contract::fixtures::{account, mailbox, now, today, user};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::support::World;

/// Writes an item with this key and one attribute.
async fn put(world: &World, table: &str, key: Key, name: &str, value: AttributeValue) {
    let put = world
        .clients
        .dynamodb()
        .put_item()
        .table_name(format!("{}-{table}", world.prefix))
        .item("pk", AttributeValue::S(key.pk))
        .item("sk", AttributeValue::S(key.sk))
        .item(name, value);
    put.send().await.unwrap();
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn assert_corrupt<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::Corrupt { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_does_not_decode_is_corrupt() {
    let world = World::open().await;
    let store = world.store();
    let owner = mailbox(user(1), 1);
    let id = owner.account;
    put(
        &world,
        "entities",
        keys::account(user(1), id),
        "data",
        text("x"),
    )
    .await;
    assert_corrupt(store.accounts.get(user(1), id).await);
    assert_corrupt(store.accounts.get_many(user(1), &[id]).await);
    assert_corrupt(store.accounts.all(user(1)).await);
    let other = account(user(1), 2).id;
    put(
        &world,
        "entities",
        keys::credentials(user(1), other),
        "data",
        text("x"),
    )
    .await;
    assert_corrupt(store.accounts.credentials(user(1), other).await);
    let hash = KeyHash([1; 32]);
    put(
        &world,
        "entities",
        keys::key_hash(&hash),
        "user",
        text("not an id"),
    )
    .await;
    assert_corrupt(store.key_lookup.owner(&hash).await);

    put(
        &world,
        "activity",
        keys::day(owner, today()),
        "version",
        text("1"),
    )
    .await;
    assert_corrupt(store.plans.days(owner, today(), today()).await);
    let entry = agentwarm_core::ids::AuditEntryId::new(now(), 1);
    put(
        &world,
        "activity",
        keys::audit_entry(user(1), entry),
        "data",
        text("x"),
    )
    .await;
    let (all, page) = (
        AuditFilter::default(),
        PageRequest {
            limit: 1,
            from: PageStart::Offset(0),
        },
    );
    assert_corrupt(store.audit.list(user(1), &all, &page).await);
    put(&world, "ephemeral", keys::watermark(0), "at", text("now")).await;
    assert_corrupt(store.due.watermark(0).await);
}
