//! Pools and who is in them.

use agentwarm_app::ports::{Created, Replaced};
use agentwarm_core::account::Account;
use agentwarm_core::audit::EventType;
use agentwarm_core::ids::PoolId;
use agentwarm_core::pool::Pool;
use futures::future::join_all;

use super::Store;
use super::fixtures::{account, after, changed, event, in_pool, pool, user};

async fn join(store: &Store, account: &Account, pool: PoolId) -> Replaced {
    let event = event(EventType::PoolAccountAdded, 1);
    store.pool_writes.join(account, pool, event).await.unwrap()
}

async fn leave(store: &Store, account: &Account, pool: PoolId) -> Replaced {
    let event = event(EventType::PoolAccountRemoved, 1);
    store.pool_writes.leave(account, pool, event).await.unwrap()
}

async fn count(store: &Store, pool: PoolId) -> u32 {
    let pool = store.pools.get(user(1), pool).await.unwrap();
    pool.unwrap().member_count
}

/// `account` without `pool`, one version on.
fn without(account: &Account, pool: PoolId) -> Account {
    let mut left = changed(account);
    left.pools.retain(|membership| membership.pool != pool);
    left
}

/// A second pool with the same id is refused, and the first stays.
pub async fn a_pool_is_created_once(store: &Store) {
    let first = store.given_pool(user(1), 1).await;
    let other = Pool {
        name: "Other".to_owned(),
        ..first.clone()
    };
    let event = event(EventType::PoolCreated, 1);
    let again = store.pool_writes.create(user(1), &other, Some(event));
    assert_eq!(again.await.unwrap(), Created::Exists);

    assert_eq!(
        store.pools.get(user(1), first.id).await.unwrap(),
        Some(first.clone())
    );
    assert_eq!(store.pools.get(user(2), first.id).await.unwrap(), None);
}

/// Of one user alone.
pub async fn pools_are_listed_newest_first(store: &Store) {
    for n in [2, 1, 3] {
        store.given_pool(user(1), n).await;
    }
    store.given_pool(user(2), 4).await;
    let listed = store.pools.list(user(1)).await.unwrap();
    assert_eq!(listed, [pool(3), pool(2), pool(1)]);
}

/// A change that was decided on an older count does not undo who joined since.
pub async fn a_pool_changes_by_version_and_keeps_its_count(store: &Store) {
    let first = store.given_pool(user(1), 1).await;
    store.given_account(&account(user(1), 1), first.id).await;
    let change = |name: &str| Pool {
        name: name.to_owned(),
        description: Some("for tests".to_owned()),
        updated_at: after(9),
        version: 2,
        ..first.clone()
    };
    let replace = async |pool: Pool| {
        let event = event(EventType::PoolConfigUpdated, 1);
        let replaced = store.pool_writes.replace(user(1), &pool, event);
        replaced.await.unwrap()
    };

    assert_eq!(replace(change("Second")).await, Replaced::Done);
    assert_eq!(replace(change("Late")).await, Replaced::Stale);
    let unknown = Pool {
        version: 2,
        ..pool(7)
    };
    assert_eq!(replace(unknown).await, Replaced::Stale);

    let expected = Pool {
        member_count: 1,
        ..change("Second")
    };
    let read = store.pools.get(user(1), first.id).await.unwrap();
    assert_eq!(read, Some(expected));
    assert_eq!(store.pools.get(user(1), pool(7).id).await.unwrap(), None);
}

/// And the pool's own version is not touched by it.
pub async fn joining_and_leaving_move_account_member_and_count_together(store: &Store) {
    let (home, away) = (
        store.given_pool(user(1), 1).await,
        store.given_pool(user(1), 2).await,
    );
    let first = store.given_account(&account(user(1), 1), home.id).await;

    let joined = in_pool(&changed(&first), away.id);
    assert_eq!(join(store, &joined, away.id).await, Replaced::Done);
    let read = store.accounts.get(user(1), first.id).await.unwrap();
    assert_eq!(read, Some(joined.clone()));
    let members = store.pools.members(user(1), away.id).await.unwrap();
    assert_eq!(members, [first.id]);
    assert_eq!(count(store, away.id).await, 1);

    let left = without(&joined, away.id);
    assert_eq!(leave(store, &left, away.id).await, Replaced::Done);
    let read = store.accounts.get(user(1), first.id).await.unwrap();
    assert_eq!(read, Some(left));
    let members = store.pools.members(user(1), away.id).await.unwrap();
    assert_eq!(members, []);
    assert_eq!(
        (count(store, away.id).await, count(store, home.id).await),
        (0, 1)
    );
    let read = store.pools.get(user(1), away.id).await.unwrap().unwrap();
    assert_eq!(read.version, away.version);
}

/// Nothing is half done.
pub async fn a_stale_account_joins_and_leaves_nothing(store: &Store) {
    let (home, away) = (
        store.given_pool(user(1), 1).await,
        store.given_pool(user(1), 2).await,
    );
    let first = store.given_account(&account(user(1), 1), home.id).await;
    let second = changed(&first);
    let replaced = store.account_updates.replace(&second, Vec::new());
    assert_eq!(replaced.await.unwrap(), Replaced::Done);

    let mut late = in_pool(&changed(&first), away.id);
    late.display_name.push_str(", late");
    assert_eq!(join(store, &late, away.id).await, Replaced::Stale);
    let mut late = without(&first, home.id);
    late.display_name.push_str(", late");
    assert_eq!(leave(store, &late, home.id).await, Replaced::Stale);

    let read = store.accounts.get(user(1), first.id).await.unwrap();
    assert_eq!(read, Some(second));
    assert_eq!(
        (count(store, away.id).await, count(store, home.id).await),
        (0, 1)
    );
    let members = store.pools.members(user(1), away.id).await.unwrap();
    assert_eq!(members, []);
}

/// Nor does it come into being.
pub async fn a_pool_that_is_gone_is_not_joined(store: &Store) {
    let home = store.given_pool(user(1), 1).await;
    let first = store.given_account(&account(user(1), 1), home.id).await;
    let gone = pool(8).id;

    let joined = in_pool(&changed(&first), gone);
    assert_eq!(join(store, &joined, gone).await, Replaced::Stale);

    let read = store.accounts.get(user(1), first.id).await.unwrap();
    assert_eq!(read, Some(first));
    assert_eq!(store.pools.get(user(1), gone).await.unwrap(), None);
}

/// Twenty accounts at once, none lost and none counted twice.
pub async fn parallel_joins_are_all_counted(store: &Store) {
    let (home, away) = (
        store.given_pool(user(1), 1).await,
        store.given_pool(user(1), 2).await,
    );
    let mut joining = Vec::new();
    for n in 1..=20 {
        let stored = store.given_account(&account(user(1), n), home.id).await;
        joining.push(in_pool(&changed(&stored), away.id));
    }

    let answers = join_all(joining.iter().map(|account| join(store, account, away.id))).await;

    assert!(
        answers.iter().all(|answer| *answer == Replaced::Done),
        "{answers:?}"
    );
    assert_eq!(count(store, away.id).await, 20);
    let members = store.pools.members(user(1), away.id).await.unwrap();
    assert_eq!(members.len(), 20);
}

/// In order of their ids.
pub async fn members_are_in_order(store: &Store) {
    let home = store.given_pool(user(1), 1).await;
    for n in [3, 1, 4, 2] {
        store.given_account(&account(user(1), n), home.id).await;
    }
    let members = store.pools.members(user(1), home.id).await.unwrap();
    assert_eq!(members, [1, 2, 3, 4].map(|n| account(user(1), n).id));
}
