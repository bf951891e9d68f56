//! Pools and who is in them.

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::pools::{PoolReads, PoolWrites};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, PoolId, UserId};
use agentwarm_core::pool::Pool;
use async_trait::async_trait;
use uuid::Uuid;

use super::meter::{Fresh, Kind, Partition, Place};
use super::{Image, MemoryStore};

#[derive(Debug, Default)]
pub(super) struct PoolItems {
    pools: BTreeMap<(UserId, PoolId), Pool>,
    members: BTreeMap<(UserId, PoolId), BTreeSet<AccountId>>,
}

impl PoolItems {
    pub(super) fn exists(&self, user: UserId, pool: PoolId) -> bool {
        self.pools.contains_key(&(user, pool))
    }

    pub(super) fn add_member(&mut self, user: UserId, pool: PoolId, account: AccountId) {
        if self
            .members
            .entry((user, pool))
            .or_default()
            .insert(account)
            && let Some(pool) = self.pools.get_mut(&(user, pool))
        {
            pool.member_count += 1;
        }
    }

    pub(super) fn remove_member(&mut self, user: UserId, pool: PoolId, account: AccountId) {
        let was_member = self
            .members
            .get_mut(&(user, pool))
            .is_some_and(|members| members.remove(&account));
        if was_member && let Some(pool) = self.pools.get_mut(&(user, pool)) {
            pool.member_count = pool.member_count.saturating_sub(1);
        }
    }
}

#[async_trait]
impl PoolReads for MemoryStore {
    async fn get(&self, user: UserId, pool: PoolId) -> Result<Option<Pool>, StoreError> {
        self.run("pools.get", |state| {
            let place = place(Kind::Pool, user, *pool.as_uuid());
            state.meter.get(place, self.entities);
            state.pools.pools.get(&(user, pool)).cloned()
        })
        .await
    }

    async fn list(&self, user: UserId) -> Result<Vec<Pool>, StoreError> {
        self.run("pools.list", |state| {
            let first = (user, PoolId::from_uuid(Uuid::nil()));
            let last = (user, PoolId::from_uuid(Uuid::max()));
            let of_user = state.pools.pools.range(first..=last).rev();
            let pools: Vec<_> = of_user.map(|(_, pool)| pool.clone()).collect();
            let places = pools
                .iter()
                .map(|pool| place(Kind::Pool, user, *pool.id.as_uuid()));
            state.meter.query(Kind::Pool, Fresh::Eventual, places);
            pools
        })
        .await
    }

    async fn members(&self, user: UserId, pool: PoolId) -> Result<Vec<AccountId>, StoreError> {
        self.run("pools.members", |state| {
            let members = state.pools.members.get(&(user, pool)).into_iter().flatten();
            let members: Vec<_> = members.copied().collect();
            let places = members
                .iter()
                .map(|account| place(Kind::Member, user, *account.as_uuid()));
            state.meter.query(Kind::Member, Fresh::Eventual, places);
            members
        })
        .await
    }
}

#[async_trait]
impl PoolWrites for MemoryStore {
    async fn create(
        &self,
        user: UserId,
        pool: &Pool,
        event: Option<Event>,
    ) -> Result<Created, StoreError> {
        self.run("pools.create", |state| {
            if state.pools.exists(user, pool.id) {
                return Created::Exists;
            }
            state.pools.pools.insert((user, pool.id), pool.clone());
            let events = event.into_iter().collect();
            state.report(
                user,
                format!("pool#{}", pool.id),
                pool.version,
                Image::Other,
                events,
            );
            Created::Done
        })
        .await
    }

    async fn replace(
        &self,
        user: UserId,
        pool: &Pool,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        self.run_replace("pools.replace", |state| {
            match state.pools.pools.get_mut(&(user, pool.id)) {
                Some(stored) if stored.version + 1 == pool.version => {
                    // The count belongs to join and leave, which do not touch the version.
                    let member_count = stored.member_count;
                    *stored = pool.clone();
                    stored.member_count = member_count;
                }
                _ => return Replaced::Stale,
            }
            state.report(
                user,
                format!("pool#{}", pool.id),
                pool.version,
                Image::Other,
                vec![event],
            );
            Replaced::Done
        })
        .await
    }

    async fn join(
        &self,
        account: &Account,
        pool: PoolId,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        self.run_replace("pools.join", |state| {
            if !state.pools.exists(account.user, pool) || !state.account_is_next(account) {
                return Replaced::Stale;
            }
            state.pools.add_member(account.user, pool, account.id);
            state.put_account(account, vec![event]);
            Replaced::Done
        })
        .await
    }

    async fn leave(
        &self,
        account: &Account,
        pool: PoolId,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        self.run_replace("pools.leave", |state| {
            if !state.account_is_next(account) {
                return Replaced::Stale;
            }
            state.pools.remove_member(account.user, pool, account.id);
            state.put_account(account, vec![event]);
            Replaced::Done
        })
        .await
    }
}

fn place(kind: Kind, user: UserId, id: Uuid) -> Place {
    (kind, Partition::User(user), id.as_u128())
}
