//! The accounts that are linked to a record of a CRM.
//!
//! The lookup gives all their ids, so pages are cut from those and only a page's accounts are read. Where other filters narrow the list, all
//! linked accounts are read: half a read unit each, and a record has a handful.

use std::collections::BTreeSet;
use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::crm::CrmEntity;
use agentwarm_core::ids::{AccountId, UserId};

use crate::accounts::{LiveAccount, OpenDays};
use crate::error::AppError;
use crate::paging::newest_first;
use crate::ports::accounts::{AccountFilter, AccountReads};
use crate::ports::crm::CrmLinkReads;
use crate::ports::{PageOf, PageRequest};
use crate::tenant::Tenant;

/// Lists the accounts that are linked to records.
#[derive(Clone)]
pub struct LinkedAccounts {
    /// The links.
    pub links: Arc<dyn CrmLinkReads>,
    /// The accounts.
    pub accounts: Arc<dyn AccountReads>,
    /// Their open days.
    pub days: OpenDays,
}

impl LinkedAccounts {
    /// A page of the tenant's accounts that are linked to each of `entities` and that `filter` shows, newest first.
    pub async fn list(
        &self,
        tenant: &Tenant,
        entities: &[CrmEntity],
        filter: &AccountFilter,
        page: &PageRequest,
    ) -> Result<PageOf<LiveAccount>, AppError> {
        let linked = self.linked(tenant.user, entities).await?;
        let found = if filter.is_open() {
            self.of_a_page(tenant.user, linked, page).await?
        } else {
            let mut accounts = self.read(tenant.user, &linked).await?;
            accounts.retain(|account| filter.shows(account));
            newest_first(accounts.into_iter().map(keyed).collect(), page)
        };
        self.days.live(tenant.user, found).await
    }

    /// All of the tenant's accounts that are linked to `entity`, newest first.
    pub async fn all(&self, tenant: &Tenant, entity: &CrmEntity) -> Result<Vec<Account>, AppError> {
        let linked = self.links.accounts_of(tenant.user, entity).await?;
        let mut accounts = self.read(tenant.user, &linked).await?;
        accounts.reverse();
        Ok(accounts)
    }

    async fn linked(
        &self,
        user: UserId,
        entities: &[CrmEntity],
    ) -> Result<BTreeSet<AccountId>, AppError> {
        let mut linked: Option<BTreeSet<AccountId>> = None;
        for entity in entities {
            let also = self.links.accounts_of(user, entity).await?;
            linked = Some(match linked {
                Some(linked) => linked.intersection(&also).copied().collect(),
                None => also,
            });
        }
        Ok(linked.unwrap_or_default())
    }

    /// The page of `linked`, of which only the page is read.
    async fn of_a_page(
        &self,
        user: UserId,
        linked: BTreeSet<AccountId>,
        page: &PageRequest,
    ) -> Result<PageOf<Account>, AppError> {
        let ids = linked.into_iter().map(|id| (id.to_string(), id)).collect();
        let found = newest_first(ids, page);
        let mut accounts = self.read(user, &found.items.into_iter().collect()).await?;
        accounts.reverse();
        Ok(PageOf {
            items: accounts,
            next: found.next,
            total: found.total,
            total_is_lower_bound: found.total_is_lower_bound,
        })
    }

    /// Those of `ids` that are there, oldest first. One whose deletion the lookup has not heard of is not.
    async fn read(
        &self,
        user: UserId,
        ids: &BTreeSet<AccountId>,
    ) -> Result<Vec<Account>, AppError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<AccountId> = ids.iter().copied().collect();
        let mut accounts = self.accounts.get_many(user, &ids).await?;
        accounts.sort_by_key(|account| account.id);
        Ok(accounts)
    }
}

fn keyed(account: Account) -> (String, Account) {
    (account.id.to_string(), account)
}
