//! Who is in a pool.
//!
//! Membership stands on the account (its order decides whose configuration counts, decision 16) and beside the pool (to find its members);
//! the store writes both and the pool's count together. Both operations may be repeated: what is already so stays so.

use std::sync::Arc;

use agentwarm_core::account::{Account, PoolMembership};
use agentwarm_core::audit::EventType;
use agentwarm_core::ids::{AccountId, PoolId};

use super::pool_event;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::Clock;
use crate::ports::pools::{PoolReads, PoolWrites};
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;

/// The most pools one account can be in. The planner reads each pool's members, and an account is deleted with all its memberships in one
/// transaction of at most 100 writes (DynamoDB), two for each pool.
pub const MAX_POOLS_PER_ACCOUNT: usize = 20;

/// Adds and removes.
#[derive(Clone)]
pub struct Membership {
    /// Whether the pool exists.
    pub pools: Arc<dyn PoolReads>,
    /// Joining and leaving.
    pub writes: Arc<dyn PoolWrites>,
    /// The account.
    pub accounts: Arc<dyn AccountReads>,
    /// When.
    pub clock: Arc<dyn Clock>,
}

impl Membership {
    /// Adds an account to a pool; one that is in it stays in it.
    pub async fn add(
        &self,
        tenant: &Tenant,
        pool: PoolId,
        account: AccountId,
    ) -> Result<(), AppError> {
        retry_stale("The account", || self.try_add(tenant, pool, account)).await
    }

    /// Removes an account from a pool; one that is not in it stays out of it. Removed from its last pool, a warming account plans 0 and
    /// says so (decision 16).
    pub async fn remove(
        &self,
        tenant: &Tenant,
        pool: PoolId,
        account: AccountId,
    ) -> Result<(), AppError> {
        retry_stale("The account", || self.try_remove(tenant, pool, account)).await
    }

    async fn try_add(
        &self,
        tenant: &Tenant,
        pool: PoolId,
        account: AccountId,
    ) -> Result<Attempt<()>, AppError> {
        let mut account = self.existing(tenant, pool, account).await?;
        if is_member(&account, pool) {
            return Ok(Attempt::Done(()));
        }
        if account.pools.len() >= MAX_POOLS_PER_ACCOUNT {
            let message =
                format!("is in {MAX_POOLS_PER_ACCOUNT} pools, as many as an account can be in");
            return Err(AppError::invalid("accountId", message));
        }
        let now = self.clock.schedule();
        account.pools.push(PoolMembership {
            pool,
            joined_at: now,
        });
        account.updated_at = now;
        account.version += 1;
        let event = pool_event(EventType::PoolAccountAdded, pool, tenant.actor(), now)
            .with("accountId", account.id.to_string());
        let joined = self.writes.join(&account, pool, event).await?;
        Ok(Attempt::of(joined, ()))
    }

    async fn try_remove(
        &self,
        tenant: &Tenant,
        pool: PoolId,
        account: AccountId,
    ) -> Result<Attempt<()>, AppError> {
        let mut account = self.existing(tenant, pool, account).await?;
        if !is_member(&account, pool) {
            return Ok(Attempt::Done(()));
        }
        let now = self.clock.schedule();
        account.pools.retain(|membership| membership.pool != pool);
        account.updated_at = now;
        account.version += 1;
        let event = pool_event(EventType::PoolAccountRemoved, pool, tenant.actor(), now)
            .with("accountId", account.id.to_string());
        let left = self.writes.leave(&account, pool, event).await?;
        Ok(Attempt::of(left, ()))
    }

    /// The account, if both it and the pool are the tenant's.
    async fn existing(
        &self,
        tenant: &Tenant,
        pool: PoolId,
        account: AccountId,
    ) -> Result<Account, AppError> {
        let (pool, account) = futures::try_join!(
            self.pools.get(tenant.user, pool),
            self.accounts.get(tenant.user, account)
        )?;
        pool.ok_or(AppError::PoolNotFound)?;
        account.ok_or(AppError::AccountNotFound)
    }
}

fn is_member(account: &Account, pool: PoolId) -> bool {
    account
        .pools
        .iter()
        .any(|membership| membership.pool == pool)
}
