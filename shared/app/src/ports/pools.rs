//! Pools and who is in them.

use async_trait::async_trait;

use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, PoolId, UserId};
use agentwarm_core::pool::Pool;

use super::{Created, Replaced, StoreError};

/// Reading pools.
#[async_trait]
pub trait PoolReads: Send + Sync {
    /// One pool of `user`.
    async fn get(&self, user: UserId, pool: PoolId) -> Result<Option<Pool>, StoreError>;

    /// A user's pools, newest first.
    async fn list(&self, user: UserId) -> Result<Vec<Pool>, StoreError>;

    /// The accounts in a pool, in order of their ids.
    async fn members(&self, user: UserId, pool: PoolId) -> Result<Vec<AccountId>, StoreError>;
}

/// Changing pools.
#[async_trait]
pub trait PoolWrites: Send + Sync {
    /// Creates a pool.
    async fn create(
        &self,
        user: UserId,
        pool: &Pool,
        event: Option<Event>,
    ) -> Result<Created, StoreError>;

    /// Writes `pool` (whose `version` is one more than what it was read with) if nobody wrote in between.
    async fn replace(
        &self,
        user: UserId,
        pool: &Pool,
        event: Event,
    ) -> Result<Replaced, StoreError>;

    /// Adds `account` to `pool`: `account` already carries the new membership and version; the member row, the pool's count and the
    /// account are written together. Stale: the account changed, or the pool is gone.
    async fn join(
        &self,
        account: &Account,
        pool: PoolId,
        event: Event,
    ) -> Result<Replaced, StoreError>;

    /// Takes `account` (which no longer carries the membership) out of `pool`.
    async fn leave(
        &self,
        account: &Account,
        pool: PoolId,
        event: Event,
    ) -> Result<Replaced, StoreError>;
}
