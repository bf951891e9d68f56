//! Users and their API keys.

use agentwarm_app::ports::Created;
use agentwarm_app::ports::keys::{ApiKey, KeyCreated, KeyHash, KeyOwner, Usage, User};
use agentwarm_core::audit::EventType;
use agentwarm_core::ids::{ApiKeyId, UserId};
use agentwarm_core::plan::Plan;
use futures::future::join_all;

use super::Store;
use super::fixtures::{account, after, event, now, user};

fn key(owner: UserId, n: u8) -> (ApiKey, KeyHash) {
    let key = ApiKey {
        id: ApiKeyId::new(after(i64::from(n)), u128::from(n)),
        user: owner,
        name: format!("key {n}"),
        prefix: "aw_abcde...".to_owned(),
        last_used_at: None,
        created_at: after(i64::from(n)),
    };
    (key, KeyHash([n; 32]))
}

async fn given_user(store: &Store) -> UserId {
    let user = User {
        id: user(1),
        plan: Plan::Pro,
        created_at: now(),
    };
    assert_eq!(
        store.api_keys.create_user(&user).await.unwrap(),
        Created::Done
    );
    user.id
}

async fn create(store: &Store, owner: UserId, n: u8, max: Option<u32>) -> KeyCreated {
    let (key, hash) = key(owner, n);
    let event = event(EventType::ApiKeyCreated, 1);
    store
        .api_keys
        .create(&key, &hash, max, event)
        .await
        .unwrap()
}

async fn revoke(store: &Store, owner: UserId, n: u8) -> bool {
    let event = event(EventType::ApiKeyRevoked, 1);
    store
        .api_keys
        .revoke(owner, key(owner, n).0.id, event)
        .await
        .unwrap()
}

/// A second user with the same id is refused, and the first stays.
pub async fn a_user_is_created_once(store: &Store) {
    let id = given_user(store).await;
    let other = User {
        id,
        plan: Plan::Free,
        created_at: after(5),
    };
    assert_eq!(
        store.api_keys.create_user(&other).await.unwrap(),
        Created::Exists
    );

    let read = store.api_keys.user(id).await.unwrap().unwrap();
    assert_eq!(
        (read.id, read.plan, read.created_at),
        (id, Plan::Pro, now())
    );
    assert_eq!(store.api_keys.user(user(2)).await.unwrap(), None);
    assert_eq!(store.user_plans.plan_of(id).await.unwrap(), Some(Plan::Pro));
    assert_eq!(store.user_plans.plan_of(user(2)).await.unwrap(), None);
}

/// The hash leads to the user, their plan and the key; another hash to nobody.
pub async fn a_key_is_found_by_its_hash(store: &Store) {
    let owner = given_user(store).await;
    assert_eq!(create(store, owner, 1, Some(5)).await, KeyCreated::Done);

    let found = store.key_lookup.owner(&KeyHash([1; 32])).await.unwrap();
    let expected = KeyOwner {
        user: owner,
        plan: Plan::Pro,
        key: key(owner, 1).0.id,
    };
    assert_eq!(found, Some(expected));
    assert_eq!(
        store.key_lookup.owner(&KeyHash([2; 32])).await.unwrap(),
        None
    );
}

/// As they were written, newest first.
pub async fn keys_are_listed_newest_first(store: &Store) {
    let owner = given_user(store).await;
    for n in [2, 1, 3] {
        assert_eq!(create(store, owner, n, Some(5)).await, KeyCreated::Done);
    }

    let listed = store.api_keys.list(owner).await.unwrap();
    let expected: Vec<_> = [3, 2, 1].map(|n| key(owner, n).0).into();
    assert_eq!(listed, expected);
    assert_eq!(store.api_keys.list(user(2)).await.unwrap(), []);
}

/// A use shows in the list; a use of a key that is gone makes none.
pub async fn the_use_of_a_key_is_noted(store: &Store) {
    let owner = given_user(store).await;
    assert_eq!(create(store, owner, 1, None).await, KeyCreated::Done);

    let used = key(owner, 1).0.id;
    store
        .key_lookup
        .touch(owner, used, after(60))
        .await
        .unwrap();
    let gone = key(owner, 2).0.id;
    store
        .key_lookup
        .touch(owner, gone, after(60))
        .await
        .unwrap();

    let listed = store.api_keys.list(owner).await.unwrap();
    let uses: Vec<_> = listed.iter().map(|key| key.last_used_at).collect();
    assert_eq!(uses, [Some(after(60))]);
}

/// With the next look-up; revoking again says that there is none.
pub async fn a_revoked_key_stops_working(store: &Store) {
    let owner = given_user(store).await;
    for n in [1, 2] {
        assert_eq!(create(store, owner, n, Some(2)).await, KeyCreated::Done);
    }

    assert!(revoke(store, owner, 1).await);
    assert!(!revoke(store, owner, 1).await);
    assert!(!revoke(store, user(2), 2).await);
    let found = store.key_lookup.owner(&KeyHash([1; 32])).await.unwrap();
    assert_eq!(found, None);
    assert_eq!(store.api_keys.list(owner).await.unwrap().len(), 1);
    assert_eq!(create(store, owner, 3, Some(2)).await, KeyCreated::Done);
}

/// Twenty at once with room for five make five; a limit of none lets the operator in; revoking makes room.
pub async fn parallel_keys_do_not_pass_the_limit(store: &Store) {
    let owner = given_user(store).await;
    let answers = join_all((0..20).map(|n| create(store, owner, n, Some(5)))).await;

    let done = answers.iter().filter(|answer| **answer == KeyCreated::Done);
    assert_eq!(done.count(), 5, "{answers:?}");
    let refused = KeyCreated::LimitReached { current: 5 };
    assert!(
        answers
            .iter()
            .all(|answer| [KeyCreated::Done, refused].contains(answer)),
        "{answers:?}"
    );
    assert_eq!(store.api_keys.list(owner).await.unwrap().len(), 5);
    assert_eq!(create(store, owner, 30, None).await, KeyCreated::Done);
    assert_eq!(
        create(store, owner, 31, Some(5)).await,
        KeyCreated::LimitReached { current: 6 }
    );
}

/// Whatever the plan allows; what is not there, or another's, is not rotated.
pub async fn a_rotated_key_gives_its_place_to_the_new_one(store: &Store) {
    let owner = given_user(store).await;
    assert_eq!(create(store, owner, 1, Some(1)).await, KeyCreated::Done);
    let rotate = async |old: u8, owner: UserId, new: u8| {
        let (new, hash) = key(owner, new);
        let (revoked, created) = (
            event(EventType::ApiKeyRevoked, 1),
            event(EventType::ApiKeyCreated, 1),
        );
        let old = key(owner, old).0.id;
        let rotated = store.api_keys.rotate(old, &new, &hash, revoked, created);
        rotated.await.unwrap()
    };
    assert!(rotate(1, owner, 2).await);
    assert!(!rotate(1, owner, 3).await);

    let listed = store.api_keys.list(owner).await.unwrap();
    assert_eq!(listed, [key(owner, 2).0]);
    assert_eq!(
        store.key_lookup.owner(&key(owner, 1).1).await.unwrap(),
        None
    );
    let found = store.key_lookup.owner(&key(owner, 2).1).await.unwrap();
    assert_eq!(found.map(|found| found.key), Some(key(owner, 2).0.id));
    assert_eq!(
        store.key_lookup.owner(&key(owner, 3).1).await.unwrap(),
        None
    );
    let full = KeyCreated::LimitReached { current: 1 };
    assert_eq!(create(store, owner, 4, Some(1)).await, full);
}

/// Nothing for whom nothing was ever counted.
pub async fn usage_follows_what_is_created_and_deleted(store: &Store) {
    let owner = given_user(store).await;
    let usage = async || store.api_keys.usage(owner).await.unwrap();
    assert_eq!(usage().await, Usage::default());
    for n in 1..=3 {
        create(store, owner, n, None).await;
    }
    revoke(store, owner, 2).await;
    let pool = store.given_pool(owner, 1).await;
    store.given_account(&account(owner, 1), pool.id).await;
    let expected = Usage {
        accounts: 1,
        api_keys: 2,
    };
    assert_eq!(usage().await, expected);
}
