//! Accounts: creating, changing, deleting, reading by id.

use agentwarm_app::ports::Replaced;
use agentwarm_app::ports::accounts::AccountCreated;
use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::audit::EventType;
use agentwarm_core::ids::AccountId;
use futures::future::join_all;

use super::Store;
use super::fixtures::{account, changed, credentials, event, in_pool, user};

async fn delete(store: &Store, account: &Account) -> Replaced {
    let event = event(EventType::AccountDeleted, 1);
    store
        .account_life
        .delete(account, &[], event)
        .await
        .unwrap()
}

async fn replace(store: &Store, account: &Account) -> Replaced {
    let events = vec![event(EventType::AccountStatusChanged, 1)];
    store
        .account_updates
        .replace(account, events)
        .await
        .unwrap()
}

/// Every field, its credentials, its membership and its pool's count.
pub async fn an_account_is_read_as_it_was_written(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    let mut written = account(owner, 1);
    written.status_reason = Some("The server refused the login".to_owned());
    let written = store.given_account(&written, pool.id).await;

    let read = store.accounts.get(owner, written.id).await.unwrap();
    assert_eq!(read, Some(written.clone()));
    let sealed = store.accounts.credentials(owner, written.id).await.unwrap();
    assert_eq!(sealed, Some(credentials(1)));
    let all = store.accounts.all(owner).await.unwrap();
    assert_eq!(all, std::slice::from_ref(&written));
    let members = store.pools.members(owner, pool.id).await.unwrap();
    assert_eq!(members, [written.id]);
    let pool = store.pools.get(owner, pool.id).await.unwrap().unwrap();
    assert_eq!(pool.member_count, 1);
}

/// Not by another user either.
pub async fn what_is_not_there_is_not_read(store: &Store) {
    let (owner, other) = (user(1), user(2));
    let pool = store.given_pool(owner, 1).await;
    let own = store.given_account(&account(owner, 1), pool.id).await;
    let none = account(owner, 2).id;

    assert_eq!(store.accounts.get(owner, none).await.unwrap(), None);
    assert_eq!(store.accounts.get(other, own.id).await.unwrap(), None);
    assert_eq!(store.accounts.credentials(owner, none).await.unwrap(), None);
    assert_eq!(
        store.accounts.credentials(other, own.id).await.unwrap(),
        None
    );
    assert_eq!(store.accounts.get_many(other, &[own.id]).await.unwrap(), []);
    assert_eq!(store.accounts.all(other).await.unwrap(), []);
}

/// And the one that was refused leaves nothing: neither a count nor a member.
pub async fn an_address_is_registered_once_whoever_owns_it(store: &Store) {
    let (owner, other) = (user(1), user(2));
    let pool = store.given_pool(owner, 1).await;
    store.given_account(&account(owner, 1), pool.id).await;
    let others_pool = store.given_pool(other, 2).await;
    let mut copy = account(other, 2);
    copy.email = account(owner, 1).email;

    let answer = store.create_account(&copy, others_pool.id, 1).await;

    assert_eq!(answer, AccountCreated::AddressTaken);
    assert_eq!(store.accounts.get(other, copy.id).await.unwrap(), None);
    let members = store.pools.members(other, others_pool.id).await;
    assert_eq!(members.unwrap(), []);
    let another = account(other, 3);
    let answer = store.create_account(&another, others_pool.id, 1).await;
    assert_eq!(answer, AccountCreated::Done);
}

/// Ten at once: one account.
pub async fn an_address_is_registered_once_however_many_try(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    let rivals: Vec<_> = (1..=10)
        .map(|n| {
            let mut rival = account(owner, n);
            rival.email = account(owner, 1).email;
            rival
        })
        .collect();
    let tries = rivals
        .iter()
        .map(|rival| store.create_account(rival, pool.id, 100));
    let answers = join_all(tries).await;

    let done = answers
        .iter()
        .filter(|answer| **answer == AccountCreated::Done);
    assert_eq!(done.count(), 1, "{answers:?}");
    let taken = answers
        .iter()
        .filter(|answer| **answer == AccountCreated::AddressTaken);
    assert_eq!(taken.count(), 9, "{answers:?}");
    assert_eq!(store.accounts.all(owner).await.unwrap().len(), 1);
}

/// The address stays free and the counter untouched.
pub async fn without_its_pool_nothing_of_an_account_is_written(store: &Store) {
    let owner = user(1);
    let missing = super::fixtures::pool(9);
    let written = account(owner, 1);

    let answer = store.create_account(&written, missing.id, 1).await;

    assert_eq!(answer, AccountCreated::PoolGone);
    assert_eq!(store.accounts.get(owner, written.id).await.unwrap(), None);
    assert_eq!(
        store.pools.get(owner, missing.id).await.unwrap(),
        None,
        "no pool came into being"
    );
    let pool = store.given_pool(owner, 1).await;
    let again = store.create_account(&written, pool.id, 1).await;
    assert_eq!(again, AccountCreated::Done);
}

/// Twenty at once with room for seven make seven, and the pool counts seven.
pub async fn parallel_accounts_do_not_pass_the_limit(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    let wanted: Vec<_> = (1..=20)
        .map(|n| in_pool(&account(owner, n), pool.id))
        .collect();
    let tries = wanted
        .iter()
        .map(|account| store.create_account(account, pool.id, 7));
    let answers = join_all(tries).await;

    let done = answers
        .iter()
        .filter(|answer| **answer == AccountCreated::Done);
    assert_eq!(done.count(), 7, "{answers:?}");
    let refused = AccountCreated::LimitReached { current: 7 };
    let refused = answers.iter().filter(|answer| **answer == refused);
    assert_eq!(refused.count(), 13, "{answers:?}");
    assert_eq!(store.accounts.all(owner).await.unwrap().len(), 7);
    let pool = store.pools.get(owner, pool.id).await.unwrap().unwrap();
    assert_eq!(pool.member_count, 7);
}

/// A write over what was not read is stale, and so is one over nothing.
pub async fn a_change_needs_the_version_before_it(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    let first = store.given_account(&account(owner, 1), pool.id).await;
    let mut second = changed(&first);
    second.status = AccountStatus::Paused;
    let mut late = changed(&first);
    late.status = AccountStatus::Suspended;

    assert_eq!(replace(store, &second).await, Replaced::Done);
    assert_eq!(replace(store, &late).await, Replaced::Stale);
    assert_eq!(replace(store, &first).await, Replaced::Stale);
    let unknown = changed(&account(owner, 2));
    assert_eq!(replace(store, &unknown).await, Replaced::Stale);

    let read = store.accounts.get(owner, first.id).await.unwrap();
    assert_eq!(read, Some(second.clone()));
    assert_eq!(store.accounts.get(owner, unknown.id).await.unwrap(), None);
    // Literally again: whatever the answer, nothing changes.
    let _ = replace(store, &second).await;
    let read = store.accounts.get(owner, first.id).await.unwrap();
    assert_eq!(read, Some(second));
}

/// Twenty from the same version: one.
pub async fn of_parallel_changes_one_wins(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    let first = store.given_account(&account(owner, 1), pool.id).await;
    let changes: Vec<_> = (0..20)
        .map(|n| Account {
            total_received: 1000 + n,
            ..changed(&first)
        })
        .collect();
    let answers = join_all(changes.iter().map(|change| replace(store, change))).await;

    let winners: Vec<_> = changes
        .iter()
        .zip(&answers)
        .filter_map(|(change, answer)| (*answer == Replaced::Done).then_some(change))
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let read = store.accounts.get(owner, first.id).await.unwrap();
    assert_eq!(read.as_ref(), winners.first().copied());
}

/// Both are of one moment.
pub async fn new_credentials_come_with_the_change_or_not_at_all(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    let first = store.given_account(&account(owner, 1), pool.id).await;
    let reseal = async |account: &Account, sealed| {
        let events = vec![event(EventType::AccountStatusChanged, 1)];
        let resealed = store.account_updates.reseal(account, &sealed, events);
        resealed.await.unwrap()
    };
    let second = changed(&first);
    assert_eq!(reseal(&second, credentials(2)).await, Replaced::Done);
    assert_eq!(reseal(&second, credentials(3)).await, Replaced::Stale);

    let read = store.accounts.get(owner, first.id).await.unwrap();
    assert_eq!(read, Some(second));
    let sealed = store.accounts.credentials(owner, first.id).await.unwrap();
    assert_eq!(sealed, Some(credentials(2)));
}

/// Its address, its place under the limit, its credentials and memberships are free again; deleting it again is stale.
pub async fn a_deleted_account_leaves_nothing_behind(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    let second_pool = store.given_pool(owner, 2).await;
    let first = store.given_account(&account(owner, 1), pool.id).await;
    let joined = in_pool(&changed(&first), second_pool.id);
    let joining = event(EventType::PoolAccountAdded, 1);
    let join = store.pool_writes.join(&joined, second_pool.id, joining);
    assert_eq!(join.await.unwrap(), Replaced::Done);

    assert_eq!(delete(store, &joined).await, Replaced::Done);
    assert_eq!(delete(store, &joined).await, Replaced::Stale);

    assert_eq!(store.accounts.get(owner, first.id).await.unwrap(), None);
    let sealed = store.accounts.credentials(owner, first.id).await.unwrap();
    assert_eq!(sealed, None);
    for pool in [pool.id, second_pool.id] {
        assert_eq!(store.pools.members(owner, pool).await.unwrap(), []);
        let pool = store.pools.get(owner, pool).await.unwrap().unwrap();
        assert_eq!(pool.member_count, 0);
    }
    let mut heir = account(owner, 2);
    heir.email = first.email;
    assert_eq!(
        store.create_account(&heir, pool.id, 1).await,
        AccountCreated::Done
    );
}

/// What changed since it was read is not deleted.
pub async fn only_the_newest_version_can_be_deleted(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    let first = store.given_account(&account(owner, 1), pool.id).await;
    let second = changed(&first);
    assert_eq!(replace(store, &second).await, Replaced::Done);

    assert_eq!(delete(store, &first).await, Replaced::Stale);

    let read = store.accounts.get(owner, first.id).await.unwrap();
    assert_eq!(read, Some(second));
    let members = store.pools.members(owner, pool.id).await.unwrap();
    assert_eq!(members, [first.id]);
}

/// Over a hundred, some given twice, some unknown.
pub async fn many_accounts_are_read_at_once(store: &Store) {
    let owner = user(1);
    let pool = store.given_pool(owner, 1).await;
    for n in 1..=105 {
        store.given_account(&account(owner, n), pool.id).await;
    }
    let mut wanted: Vec<AccountId> = (1..=120).map(|n| account(owner, n).id).collect();
    wanted.push(account(owner, 1).id);

    let read = store.accounts.get_many(owner, &wanted).await.unwrap();

    let mut ids: Vec<_> = read.iter().map(|account| account.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 105);
    assert_eq!(store.accounts.get_many(owner, &[]).await.unwrap(), []);
    assert_eq!(store.accounts.all(owner).await.unwrap().len(), 105);
}
