//! What is tried again is done once: lost answers, unfinished batches, conflicts.

use crate::support::World;
use crate::support::faults::{Fault, FaultyHttp};
use agentwarm_app::ports::accounts::AccountCreated;
use agentwarm_app::ports::days::DayRow;
use agentwarm_app::ports::keys::{ApiKey, KeyCreated, KeyHash, User};
use agentwarm_app::ports::mailboxes::MailboxState;
use agentwarm_app::ports::requests::{Begun, IdempotencyStore as _, RequestScope};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_aws::clients::ClientSettings;
use agentwarm_aws::dynamo::IdempotencyTable;
use agentwarm_aws::keys;
use agentwarm_core::audit::EventType;
use agentwarm_core::ids::{ApiKeyId, SlotId};
use agentwarm_core::mail::slot::{Slot, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::Pool;
use agentwarm_testkit::store_contract::{Store, fixtures};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use fixtures::{account, after, changed, event, in_pool, mailbox, now, today, user};
use jiff::SignedDuration;
use serde_json::{Value, json};

async fn faulty() -> (World, Store, FaultyHttp) {
    let http = FaultyHttp::new();
    let settings = ClientSettings {
        http: Some(SharedHttpClient::new(http.clone())),
        ..crate::support::settings()
    };
    let world = World::with(settings).await;
    let store = world.store();
    (world, store, http)
}

/// Its planner died between the day's row and the plan, and a sitting summed the row up before the day was planned again.
#[tokio::test]
async fn a_row_that_waits_for_its_plan_is_settled_as_it_is() {
    let world = World::open().await;
    let store = world.store();
    let owner = mailbox(user(1), 1);
    let died = fixtures::plan(owner, today(), 20, 5);
    let _ = store.plans.create(&died).await.unwrap();
    let key = keys::plan(owner, today());
    let delete = world.clients.dynamodb().delete_item();
    let delete = delete
        .table_name(format!("{}-activity", world.prefix))
        .key("pk", AttributeValue::S(key.pk))
        .key("sk", AttributeValue::S(key.sk));
    delete.send().await.unwrap();
    let row = || async {
        let rows = store.plans.days(owner, today(), today()).await;
        rows.unwrap().into_iter().next().unwrap()
    };
    let mut summed_up = row().await;
    summed_up.figures.received = 3;
    summed_up.version += 1;
    let _ = store.plans.replace_day(owner, &summed_up).await.unwrap();

    let plan = fixtures::plan(owner, today(), 9, 1);
    assert_eq!(store.plans.create(&plan).await.unwrap(), Created::Done);
    assert_eq!(store.plans.plan(owner, today()).await.unwrap(), Some(plan));
    let expected = DayRow {
        limit: 9,
        reply_budget: 1,
        version: 3,
        ..summed_up
    };
    assert_eq!(row().await, expected);
    let again = fixtures::plan(owner, today(), 7, 1);
    assert_eq!(store.plans.create(&again).await.unwrap(), Created::Exists);
    assert_eq!(row().await, expected);
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_is_done() {
    let (_world, store, http) = faulty().await;
    let owner = mailbox(user(1), 1);
    let claim = fixtures::slot(owner, 60, "claimer");
    http.plan("PutItem", Fault::LoseAnswer);
    assert_eq!(store.slots.create(&claim).await.unwrap(), Created::Done);

    let commit = Slot {
        state: SlotState::Accepted { at: after(61) },
        version: 2,
        ..claim
    };
    let events = vec![event(EventType::WarmupEmailSent, 1)];
    http.plan("PutItem", Fault::LoseAnswer);
    let replaced = store.slots.replace(&commit, events).await.unwrap();
    assert_eq!(replaced, Replaced::Done);

    let receipt = fixtures::receipt(owner, 60);
    http.plan("PutItem", Fault::LoseAnswer);
    let created = store.receipts.create(&receipt, Vec::new()).await.unwrap();
    assert_eq!(created, Created::Done);
    let owner = User {
        id: user(1),
        plan: Plan::Free,
        created_at: now(),
    };
    http.plan("PutItem", Fault::LoseAnswer);
    let created = store.api_keys.create_user(&owner).await.unwrap();
    assert_eq!(created, Created::Done);
    assert!(http.is_done());
}

#[tokio::test]
async fn an_update_whose_answer_is_lost_is_done() {
    let (_world, store, http) = faulty().await;
    let pool = store.given_pool(user(1), 1).await;
    let renamed = Pool {
        name: "renamed".to_owned(),
        version: 2,
        ..pool
    };
    http.plan("UpdateItem", Fault::LoseAnswer);
    let event = event(EventType::PoolConfigUpdated, 1);
    let replaced = store.pool_writes.replace(user(1), &renamed, event);
    assert_eq!(replaced.await.unwrap(), Replaced::Done);

    let owner = mailbox(user(1), 1);
    http.plan("PutItem", Fault::LoseAnswer);
    http.plan("PutItem", Fault::LoseAnswer);
    let plan = fixtures::plan(owner, today(), 20, 1);
    assert_eq!(store.plans.create(&plan).await.unwrap(), Created::Done);
    http.plan("UpdateItem", Fault::LoseAnswer);
    let slot = SlotId::new(now(), 1);
    assert!(store.plans.take_reply(owner, today(), slot).await.unwrap());
    let days = store.plans.days(owner, today(), today()).await.unwrap();
    let mut day = days.into_iter().next().unwrap();
    assert_eq!(day.replies_taken, 1);
    day.version += 1;
    day.closed = true;
    http.plan("UpdateItem", Fault::LoseAnswer);
    let replaced = store.plans.replace_day(owner, &day).await.unwrap();
    assert_eq!(replaced, Replaced::Done);

    http.plan("UpdateItem", Fault::LoseAnswer);
    let minute = SignedDuration::from_mins(1);
    let lease = store.mailboxes.lease(owner, "a", now(), minute).await;
    let lease = lease.unwrap().unwrap();
    let learned = MailboxState {
        next_engagement: Some(now()),
        ..MailboxState::default()
    };
    http.plan("UpdateItem", Fault::LoseAnswer);
    store.mailboxes.release(&lease, &learned).await.unwrap();
    let read = store.mailboxes.state(owner).await.unwrap();
    assert_eq!(read.next_engagement, learned.next_engagement);

    let noted = MailboxState {
        next_engagement: None,
        ..read
    };
    http.plan("UpdateItem", Fault::LoseAnswer);
    store.mailboxes.note(owner, &noted, now()).await.unwrap();
    let read = store.mailboxes.state(owner).await.unwrap();
    assert_eq!(read.next_engagement, None);
    assert!(http.is_done());
}

/// A planner that dies between the row and the plan leaves a row that fits no plan: the next one's plan brings its own.
#[tokio::test]
async fn a_day_that_was_planned_by_half_is_planned_again_as_a_whole() {
    let (_world, store, http) = faulty().await;
    let owner = mailbox(user(1), 1);
    let first = fixtures::plan(owner, today(), 20, 8);
    http.plan("PutItem", Fault::Twist(Value::clone, |_| json!({})));
    for _ in 0..3 {
        http.plan(
            "PutItem",
            Fault::Answer(500, |_| json!({ "message": "down" })),
        );
    }
    let error = store.plans.create(&first).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(http.is_done());

    let second = fixtures::plan(owner, today(), 5, 2);
    assert_eq!(store.plans.create(&second).await.unwrap(), Created::Done);
    let rows = store.plans.days(owner, today(), today()).await.unwrap();
    assert_eq!((rows[0].limit, rows[0].reply_budget), (5, 2));
    assert_eq!(store.plans.create(&first).await.unwrap(), Created::Exists);
    let rows = store.plans.days(owner, today(), today()).await.unwrap();
    assert_eq!((rows[0].limit, rows[0].reply_budget), (5, 2));
}

#[tokio::test]
async fn a_transaction_whose_answer_is_lost_is_done_once() {
    let (_world, store, http) = faulty().await;
    let (home, away) = (
        store.given_pool(user(1), 1).await,
        store.given_pool(user(1), 2).await,
    );
    let first = in_pool(&account(user(1), 1), home.id);
    http.plan("TransactWriteItems", Fault::LoseAnswer);
    let answer = store.create_account(&first, home.id, 1).await;
    assert_eq!(answer, AccountCreated::Done);

    let joined = in_pool(&changed(&first), away.id);
    http.plan("TransactWriteItems", Fault::LoseAnswer);
    let event_of = |event_type| event(event_type, 1);
    let joining = event_of(EventType::PoolAccountAdded);
    let join = store.pool_writes.join(&joined, away.id, joining).await;
    assert_eq!(join.unwrap(), Replaced::Done);
    let pool = store.pools.get(user(1), away.id).await.unwrap().unwrap();
    assert_eq!(pool.member_count, 1);

    let link = fixtures::crm_link(joined.id, 1);
    let linked = changed(&joined);
    http.plan("TransactWriteItems", Fault::LoseAnswer);
    let created = store.crm_link_writes.create(&linked, &link).await;
    assert_eq!(created.unwrap(), Replaced::Done);
    let unlinked = changed(&linked);
    http.plan("TransactWriteItems", Fault::LoseAnswer);
    let removed = store.crm_link_writes.remove(&unlinked, &link).await;
    assert_eq!(removed.unwrap(), Replaced::Done);

    http.plan("TransactWriteItems", Fault::LoseAnswer);
    let deleting = event_of(EventType::AccountDeleted);
    let deleted = store.account_life.delete(&unlinked, &[], deleting).await;
    assert_eq!(deleted.unwrap(), Replaced::Done);
    let pool = store.pools.get(user(1), away.id).await.unwrap().unwrap();
    assert_eq!(pool.member_count, 0);
    // The counter is back at none: there is room for one.
    let next = store.create_account(&account(user(1), 2), home.id, 1).await;
    assert_eq!(next, AccountCreated::Done);
    assert!(http.is_done());
}

#[tokio::test]
async fn a_key_whose_creation_or_revocation_is_not_answered_is_counted_once() {
    let (_world, store, http) = faulty().await;
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
    let create = async || {
        let event = event(EventType::ApiKeyCreated, 1);
        let created = store
            .api_keys
            .create(&key, &KeyHash([1; 32]), Some(1), event);
        created.await.unwrap()
    };
    http.plan("TransactWriteItems", Fault::LoseAnswer);
    assert_eq!(create().await, KeyCreated::Done);
    http.plan("TransactWriteItems", Fault::LoseAnswer);
    let revoking = event(EventType::ApiKeyRevoked, 1);
    let revoked = store.api_keys.revoke(owner.id, key.id, revoking).await;
    assert!(revoked.unwrap());
    assert_eq!(create().await, KeyCreated::Done);
    assert!(http.is_done());
}

#[tokio::test]
async fn a_request_whose_beginning_is_not_answered_is_begun_by_its_owner() {
    let (world, _store, http) = faulty().await;
    let requests = IdempotencyTable::new(world.ephemeral());
    let scope = RequestScope {
        user: user(1),
        key: ApiKeyId::new(now(), 1),
        idempotency_key: "once",
    };
    let minute = SignedDuration::from_mins(1);
    http.plan("PutItem", Fault::LoseAnswer);
    let begun = requests.begin(scope, "print", "me", now(), minute).await;
    assert_eq!(begun.unwrap(), Begun::Started { note: None });
    http.plan("UpdateItem", Fault::LoseAnswer);
    assert!(requests.note(scope, "me", Some("note")).await.unwrap());
    // When the lease is over another takes the request; its answer is lost, too.
    let later = now() + minute;
    http.plan("UpdateItem", Fault::LoseAnswer);
    let begun = requests.begin(scope, "print", "you", later, minute).await;
    let note = Some("note".to_owned());
    assert_eq!(begun.unwrap(), Begun::Started { note });
    http.plan("UpdateItem", Fault::LoseAnswer);
    assert!(requests.finish(scope, "you", b"answer").await.unwrap());
    http.plan("DeleteItem", Fault::LoseAnswer);
    requests.abandon(scope, "you").await.unwrap();
    assert!(http.is_done());
}

/// DynamoDB may do part of a batch and give the rest back.
#[tokio::test]
async fn what_a_batch_leaves_undone_is_done_later() {
    let (_world, store, http) = faulty().await;
    let entries: Vec<_> = (1..=30)
        .map(|n| fixtures::plan_entry(i64::from(n), n))
        .collect();
    http.plan("BatchWriteItem", Fault::Answer(200, give_all_items_back));
    http.plan(
        "BatchWriteItem",
        Fault::Twist(keep_one_item, give_all_but_one_back),
    );
    store.due.put(&entries).await.unwrap();
    let mut found = Vec::new();
    for shard in 0..store.shards.0 {
        let part = store.due.between(shard, now(), after(30)).await.unwrap();
        found.extend(part);
    }
    assert_eq!(found.len(), 30);

    let pool = store.given_pool(user(1), 1).await;
    let stored = store.given_account(&account(user(1), 1), pool.id).await;
    http.plan("BatchGetItem", Fault::Answer(200, give_all_keys_back));
    let read = store
        .accounts
        .get_many(user(1), &[stored.id])
        .await
        .unwrap();
    assert_eq!(read, [stored]);
    assert!(http.is_done());
}

#[tokio::test]
async fn a_batch_that_is_never_finished_is_an_error() {
    let (_world, store, http) = faulty().await;
    for _ in 0..20 {
        http.plan("BatchWriteItem", Fault::Answer(200, give_all_items_back));
    }
    let entry = fixtures::plan_entry(1, 1);
    let error = store.due.put(&[entry]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_conflict_with_another_transaction_is_waited_out() {
    let (_world, store, http) = faulty().await;
    let pool = store.given_pool(user(1), 1).await;
    for _ in 0..3 {
        http.plan(
            "TransactWriteItems",
            Fault::Answer(400, cancelled_by_conflict),
        );
    }
    let answer = store.create_account(&account(user(1), 1), pool.id, 1).await;
    assert_eq!(answer, AccountCreated::Done);

    http.plan("PutItem", Fault::Answer(400, conflict));
    let claim = fixtures::slot(mailbox(user(1), 1), 60, "claimer");
    assert_eq!(store.slots.create(&claim).await.unwrap(), Created::Done);
    assert!(http.is_done());
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_an_error_and_not_an_answer() {
    let (_world, store, http) = faulty().await;
    for _ in 0..5 {
        http.plan(
            "PutItem",
            Fault::Answer(500, |_| json!({ "message": "down" })),
        );
    }
    let claim = fixtures::slot(mailbox(user(1), 1), 60, "claimer");
    let error = store.slots.create(&claim).await.unwrap_err();
    assert!(matches!(
        error,
        StoreError::Unavailable {
            operation: "claim a slot",
            ..
        }
    ));
}

fn give_all_items_back(request: &Value) -> Value {
    json!({ "UnprocessedItems": request["RequestItems"] })
}

fn give_all_keys_back(request: &Value) -> Value {
    json!({ "Responses": {}, "UnprocessedKeys": request["RequestItems"] })
}

fn keep_one_item(request: &Value) -> Value {
    let mut request = request.clone();
    for items in request["RequestItems"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        items.as_array_mut().unwrap().truncate(1);
    }
    request
}

fn give_all_but_one_back(request: &Value) -> Value {
    let mut request = request.clone();
    for items in request["RequestItems"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        items.as_array_mut().unwrap().remove(0);
    }
    give_all_items_back(&request)
}

fn cancelled_by_conflict(request: &Value) -> Value {
    let parts = request["TransactItems"].as_array().unwrap();
    let reasons: Vec<_> = parts
        .iter()
        .enumerate()
        .map(|(place, _)| match place {
            0 => json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" }),
            _ => json!({ "Code": "None" }),
        })
        .collect();
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    })
}

fn conflict(_request: &Value) -> Value {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        "message": "Transaction is ongoing for the item",
    })
}
