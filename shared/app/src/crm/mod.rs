//! Links between accounts and the records of CRMs (API reference §3, "CRM Entity Links").
//!
//! - here: making, listing and removing an account's links.
//! - [`linked`]: the accounts that are linked to a record.

pub mod linked;

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::crm::{CrmIds, CrmLink, CrmSource};
use agentwarm_core::ids::{AccountId, CrmLinkId};

use crate::change::existing;
use crate::error::AppError;
use crate::pools::membership::MAX_POOLS_PER_ACCOUNT;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::{Clock, Entropy};
use crate::ports::crm::{CrmLinkReads, CrmLinkWrites};
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;

pub use linked::LinkedAccounts;

/// The most links one account can have. An account is deleted with all its links in one transaction of at most 100 writes (DynamoDB): up to
/// three for each, besides two for each of its pools and four of its own. That leaves eleven for what else will have to go with it.
pub const MAX_LINKS_PER_ACCOUNT: usize = 15;

const _: () = assert!(
    4 + 2 * MAX_POOLS_PER_ACCOUNT + 3 * MAX_LINKS_PER_ACCOUNT <= 100,
    "an account that has all it can have must still fit into one transaction when it is deleted"
);

/// Makes, lists and removes links.
#[derive(Clone)]
pub struct CrmLinks {
    /// The accounts.
    pub accounts: Arc<dyn AccountReads>,
    /// Their links.
    pub links: Arc<dyn CrmLinkReads>,
    /// Changing them.
    pub writes: Arc<dyn CrmLinkWrites>,
    /// When.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<dyn Entropy>,
}

impl CrmLinks {
    /// An account's links, newest first.
    pub async fn list(
        &self,
        tenant: &Tenant,
        account: AccountId,
    ) -> Result<Vec<CrmLink>, AppError> {
        Ok(self.existing(tenant, account).await?.1)
    }

    /// Links an account to `ids` of `source`. A link that says exactly that and exists already is the answer.
    pub async fn create(
        &self,
        tenant: &Tenant,
        account: AccountId,
        ids: &CrmIds,
        source: &CrmSource,
    ) -> Result<CrmLink, AppError> {
        retry_stale("The account", || {
            self.try_create(tenant, account, ids, source)
        })
        .await
    }

    /// Removes a link of an account.
    pub async fn remove(
        &self,
        tenant: &Tenant,
        account: AccountId,
        link: CrmLinkId,
    ) -> Result<(), AppError> {
        retry_stale("The account", || self.try_remove(tenant, account, link)).await
    }

    async fn try_create(
        &self,
        tenant: &Tenant,
        account: AccountId,
        ids: &CrmIds,
        source: &CrmSource,
    ) -> Result<Attempt<CrmLink>, AppError> {
        let (account, links) = self.existing(tenant, account).await?;
        if let Some(same) = links.iter().find(|link| link.leads_to(ids, source)) {
            return Ok(Attempt::Done(same.clone()));
        }
        if links.len() >= MAX_LINKS_PER_ACCOUNT {
            let message = format!(
                "has {MAX_LINKS_PER_ACCOUNT} CRM links, as many as an account can have; remove one first"
            );
            return Err(AppError::invalid("id", message));
        }
        let account = self.changed(account);
        let link = CrmLink {
            id: CrmLinkId::new(account.updated_at, self.entropy.bits()),
            account: account.id,
            ids: ids.clone(),
            source: source.clone(),
            created_at: account.updated_at,
        };
        let created = self.writes.create(&account, &link).await?;
        Ok(Attempt::of(created, link))
    }

    async fn try_remove(
        &self,
        tenant: &Tenant,
        account: AccountId,
        link: CrmLinkId,
    ) -> Result<Attempt<()>, AppError> {
        let (account, links) = self.existing(tenant, account).await?;
        let link = links.iter().find(|own| own.id == link);
        let link = link.ok_or(AppError::CrmLinkNotFound)?;
        let removed = self.writes.remove(&self.changed(account), link).await?;
        Ok(Attempt::of(removed, ()))
    }

    /// The account and its links. The account is read first: what is linked after that makes it stale.
    async fn existing(
        &self,
        tenant: &Tenant,
        account: AccountId,
    ) -> Result<(Account, Vec<CrmLink>), AppError> {
        let account = existing(self.accounts.as_ref(), tenant, account).await?;
        let links = self.links.of_account(tenant.user, account.id).await?;
        Ok((account, links))
    }

    fn changed(&self, account: Account) -> Account {
        Account {
            updated_at: self.clock.schedule(),
            version: account.version + 1,
            ..account
        }
    }
}
