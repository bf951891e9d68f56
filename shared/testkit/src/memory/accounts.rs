//! Accounts, their locks and credentials.

use std::collections::BTreeMap;

use agentwarm_app::paging::newest_first;
use agentwarm_app::ports::accounts::{
    AccountCreated, AccountFilter, AccountLife, AccountReads, AccountUpdates,
};
use agentwarm_app::ports::vault::Sealed;
use agentwarm_app::ports::{PageOf, PageRequest, Replaced, StoreError};
use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::crm::CrmLink;
use agentwarm_core::ids::{AccountId, PoolId, UserId};
use async_trait::async_trait;
use uuid::Uuid;

use super::meter::{self, Fresh, Kind, PUT, PUT_REFUSED, Partition, Place};
use super::{Image, MemoryStore, State};

#[derive(Debug, Default)]
pub(super) struct AccountItems {
    pub(super) by_id: BTreeMap<(UserId, AccountId), Account>,
    credentials: BTreeMap<(UserId, AccountId), Sealed>,
    addresses: BTreeMap<String, AccountId>,
    /// What accounts were that changed since [`AccountItems::settle`].
    before: BTreeMap<(UserId, AccountId), Option<Account>>,
}

impl AccountItems {
    pub(super) fn settle(&mut self) {
        self.before.clear();
    }

    /// Remembers what an account is before it changes.
    fn remember(&mut self, key: (UserId, AccountId)) {
        let now = self.by_id.get(&key).cloned();
        self.before.entry(key).or_insert(now);
    }

    fn of(&self, user: UserId) -> impl Iterator<Item = &Account> {
        self.by_id
            .range((user, AccountId::from_uuid(Uuid::nil()))..)
            .take_while(move |((owner, _), _)| *owner == user)
            .map(|(_, account)| account)
    }

    pub(super) fn count(&self, user: UserId) -> usize {
        self.of(user).count()
    }
}

#[async_trait]
impl AccountReads for MemoryStore {
    async fn get(&self, user: UserId, account: AccountId) -> Result<Option<Account>, StoreError> {
        let operation = "accounts.get";
        let lags = self.entities == Fresh::Eventual && self.chaos.lags();
        self.run(operation, |state| {
            let place = meter::account(user, account);
            state.meter.get(place, self.entities);
            let before = state.accounts.before.get(&(user, account));
            if let Some(before) = before.filter(|_| lags) {
                self.chaos.note(operation, "lag");
                return before.clone();
            }
            state.accounts.by_id.get(&(user, account)).cloned()
        })
        .await
    }

    async fn get_many(
        &self,
        user: UserId,
        accounts: &[AccountId],
    ) -> Result<Vec<Account>, StoreError> {
        self.run("accounts.get_many", |state| {
            let places = accounts.iter().map(|id| meter::account(user, *id));
            state.meter.batch_get(Kind::Account, places);
            accounts
                .iter()
                .filter_map(|id| state.accounts.by_id.get(&(user, *id)).cloned())
                .collect()
        })
        .await
    }

    async fn list(
        &self,
        user: UserId,
        filter: &AccountFilter,
        page: &PageRequest,
    ) -> Result<PageOf<Account>, StoreError> {
        self.run("accounts.list", |state| {
            let items = state
                .accounts
                .of(user)
                .filter(|account| filter.shows(account))
                .map(|account| (account.id.to_string(), account.clone()))
                .collect();
            newest_first(items, page)
        })
        .await
    }

    async fn all(&self, user: UserId) -> Result<Vec<Account>, StoreError> {
        self.run("accounts.all", |state| {
            let all: Vec<_> = state.accounts.of(user).cloned().collect();
            let places = all.iter().map(|account| meter::account(user, account.id));
            state.meter.query(Kind::Account, Fresh::Eventual, places);
            all
        })
        .await
    }

    async fn credentials(
        &self,
        user: UserId,
        account: AccountId,
    ) -> Result<Option<Sealed>, StoreError> {
        self.run("accounts.credentials", |state| {
            let place = credentials_place(user, account);
            state.meter.get(place, self.entities);
            state.accounts.credentials.get(&(user, account)).cloned()
        })
        .await
    }
}

#[async_trait]
impl AccountUpdates for MemoryStore {
    async fn replace(&self, account: &Account, events: Vec<Event>) -> Result<Replaced, StoreError> {
        self.run_replace("accounts.replace", |state| {
            state.replace_account(account, events)
        })
        .await
    }

    async fn reseal(
        &self,
        account: &Account,
        credentials: &Sealed,
        events: Vec<Event>,
    ) -> Result<Replaced, StoreError> {
        self.run_replace("accounts.reseal", |state| {
            let replaced = state.replace_account(account, events);
            if replaced == Replaced::Done {
                let key = (account.user, account.id);
                state.accounts.credentials.insert(key, credentials.clone());
                let place = credentials_place(account.user, account.id);
                state.meter.transacted([(place, credentials.0.len())]);
            }
            replaced
        })
        .await
    }
}

#[async_trait]
impl AccountLife for MemoryStore {
    async fn create(
        &self,
        account: &Account,
        credentials: &Sealed,
        pool: PoolId,
        max: u32,
        event: Event,
    ) -> Result<AccountCreated, StoreError> {
        self.run("accounts.create", |state| {
            state.create_account(account, credentials, pool, max, event)
        })
        .await
    }

    async fn delete(
        &self,
        account: &Account,
        links: &[CrmLink],
        event: Event,
    ) -> Result<Replaced, StoreError> {
        self.run_replace("accounts.delete", |state| {
            state.delete_account(account, links, event)
        })
        .await
    }
}

impl State {
    /// Whether `account`, one version further, may be written over what is stored.
    pub(super) fn account_is_next(&self, account: &Account) -> bool {
        self.accounts
            .by_id
            .get(&(account.user, account.id))
            .is_some_and(|stored| stored.version + 1 == account.version)
    }

    pub(super) fn put_account(&mut self, account: &Account, events: Vec<Event>) {
        let place = meter::account(account.user, account.id);
        self.meter
            .wrote(place, PUT, || account_bytes(account, &events));
        let key = (account.user, account.id);
        self.accounts.remember(key);
        self.accounts.by_id.insert(key, account.clone());
        let image = Image::Account(Box::new(account.clone()));
        self.report(
            account.user,
            format!("account#{}", account.id),
            account.version,
            image,
            events,
        );
    }

    fn replace_account(&mut self, account: &Account, events: Vec<Event>) -> Replaced {
        if !self.account_is_next(account) {
            let place = meter::account(account.user, account.id);
            self.meter.refused(place, PUT_REFUSED);
            return Replaced::Stale;
        }
        self.put_account(account, events);
        Replaced::Done
    }

    fn create_account(
        &mut self,
        account: &Account,
        credentials: &Sealed,
        pool: PoolId,
        max: u32,
        event: Event,
    ) -> AccountCreated {
        if self.accounts.addresses.contains_key(account.email.as_str()) {
            return AccountCreated::AddressTaken;
        }
        let current = u32::try_from(self.accounts.of(account.user).count()).unwrap_or(u32::MAX);
        if current >= max {
            return AccountCreated::LimitReached { current };
        }
        if !self.pools.exists(account.user, pool) {
            return AccountCreated::PoolGone;
        }
        let key = (account.user, account.id);
        self.accounts
            .addresses
            .insert(account.email.as_str().to_owned(), account.id);
        self.accounts.credentials.insert(key, credentials.clone());
        self.pools.add_member(account.user, pool, account.id);
        self.put_account(account, vec![event]);
        AccountCreated::Done
    }

    fn delete_account(&mut self, account: &Account, links: &[CrmLink], event: Event) -> Replaced {
        let key = (account.user, account.id);
        let is_newest = self
            .accounts
            .by_id
            .get(&key)
            .is_some_and(|stored| stored.version == account.version);
        if !is_newest {
            return Replaced::Stale;
        }
        self.accounts.remember(key);
        self.accounts.by_id.remove(&key);
        self.accounts.credentials.remove(&key);
        self.accounts.addresses.remove(account.email.as_str());
        for membership in &account.pools {
            self.pools
                .remove_member(account.user, membership.pool, account.id);
        }
        for link in links {
            self.crm.remove(account.user, link);
        }
        self.report(
            account.user,
            format!("account#{}", account.id),
            account.version + 1,
            Image::Gone,
            vec![event],
        );
        Replaced::Done
    }
}

fn credentials_place(user: UserId, account: AccountId) -> Place {
    let partition = Partition::User(user);
    (Kind::Credentials, partition, account.as_uuid().as_u128())
}

/// Beside an account's record stand its keys, its version and its domain.
fn account_bytes(account: &Account, events: &[Event]) -> usize {
    let besides = 120 + account.email.domain().len();
    meter::bytes_of(account, besides) + meter::event_bytes(events)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use agentwarm_app::ports::due::Shards;

    use super::*;
    use crate::chaos::Rates;
    use crate::store_contract::Store;
    use crate::store_contract::fixtures::{account, changed, user};

    #[tokio::test]
    async fn a_relaxed_read_is_one_write_behind_until_time_passes() {
        let store = Arc::new(MemoryStore::default());
        let recent = store.relaxed();
        let port = Store::in_memory(&store, Shards(1));
        let pool = port.given_pool(user(1), 1).await;
        let first = port.given_account(&account(user(1), 1), pool.id).await;
        store.settle();
        store.chaos.set(Rates {
            lag: 1.0,
            ..Rates::default()
        });
        let second = changed(&first);
        let replaced = AccountUpdates::replace(store.as_ref(), &second, Vec::new()).await;
        assert_eq!(replaced.unwrap(), Replaced::Done);
        let read = async |store: &MemoryStore| {
            let account = AccountReads::get(store, user(1), first.id).await.unwrap();
            account.unwrap().version
        };
        assert_eq!(read(&recent).await, first.version);
        assert_eq!(read(&store).await, second.version);
        assert_eq!(store.chaos.met()[&("accounts.get", "lag")], 1);
        store.settle();
        assert_eq!(read(&recent).await, second.version);
    }
}
