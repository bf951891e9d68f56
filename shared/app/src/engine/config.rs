//! The configuration that counts for an account: that of the first pool it joined (decision 16).

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::pool::PoolConfig;

use crate::ports::StoreError;
use crate::ports::pools::PoolReads;

/// Looks configurations up.
#[derive(Clone)]
pub struct Configs {
    /// Pools.
    pub pools: Arc<dyn PoolReads>,
}

impl Configs {
    /// The configuration of `account`; the defaults when it is in no pool. Overrides are validated when they are stored; ones that a
    /// later release no longer takes fall back to the defaults rather than stop the mailbox.
    pub async fn of(&self, account: &Account) -> Result<PoolConfig, StoreError> {
        let Some(pool) = account.configuring_pool() else {
            return Ok(PoolConfig::default());
        };
        let Some(pool) = self.pools.get(account.user, pool).await? else {
            return Ok(PoolConfig::default());
        };
        Ok(pool.overrides.merged().unwrap_or_else(|problems| {
            tracing::error!(pool = %pool.id, ?problems, "stored overrides are invalid: the defaults count");
            PoolConfig::default()
        }))
    }
}
