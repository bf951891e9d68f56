//! Links between accounts and the records of CRMs.

use std::collections::BTreeSet;

use async_trait::async_trait;

use agentwarm_core::account::Account;
use agentwarm_core::crm::{CrmEntity, CrmLink};
use agentwarm_core::ids::{AccountId, UserId};

use super::{Replaced, StoreError};

/// Reading links, from either end.
#[async_trait]
pub trait CrmLinkReads: Send + Sync {
    /// An account's links, newest first, with all that were made or removed before.
    async fn of_account(
        &self,
        user: UserId,
        account: AccountId,
    ) -> Result<Vec<CrmLink>, StoreError>;

    /// The accounts of `user` that are linked to `entity`. A link that is made or removed at this moment may be missing or
    /// still there.
    async fn accounts_of(
        &self,
        user: UserId,
        entity: &CrmEntity,
    ) -> Result<BTreeSet<AccountId>, StoreError>;
}

/// Making and removing links. Each writes the account too, at its next version: that is the condition of both, and what keeps a link from
/// outliving its account.
#[async_trait]
pub trait CrmLinkWrites: Send + Sync {
    /// Makes `link`, which is `account`'s. Stale: the account changed, or is gone.
    async fn create(&self, account: &Account, link: &CrmLink) -> Result<Replaced, StoreError>;

    /// Removes `link`, which is `account`'s. Stale: the account changed, or is gone.
    async fn remove(&self, account: &Account, link: &CrmLink) -> Result<Replaced, StoreError>;
}
