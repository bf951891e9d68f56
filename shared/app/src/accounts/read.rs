//! Showing accounts.

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::ids::{AccountId, UserId};

use super::totals::{OpenDays, Totals};
use crate::change::existing;
use crate::error::AppError;
use crate::ports::accounts::{AccountFilter, AccountReads};
use crate::ports::{PageOf, PageRequest};
use crate::tenant::Tenant;

/// An account with its totals as of now.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveAccount {
    /// The account.
    pub account: Account,
    /// Its totals.
    pub totals: Totals,
}

/// Reads accounts.
#[derive(Clone)]
pub struct ReadAccounts {
    /// Where they are.
    pub accounts: Arc<dyn AccountReads>,
    /// Their open days.
    pub days: OpenDays,
}

impl ReadAccounts {
    /// One account.
    pub async fn get(&self, tenant: &Tenant, account: AccountId) -> Result<LiveAccount, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, account).await?;
        let (totals, _) = self.days.of_one(&account).await?;
        Ok(LiveAccount { account, totals })
    }

    /// A page of the tenant's accounts, newest first.
    pub async fn list(
        &self,
        tenant: &Tenant,
        filter: &AccountFilter,
        page: &PageRequest,
    ) -> Result<PageOf<LiveAccount>, AppError> {
        let found = self.accounts.list(tenant.user, filter, page).await?;
        self.days.live(tenant.user, found).await
    }
}

impl OpenDays {
    /// A page of accounts of `user` with their totals.
    pub(crate) async fn live(
        &self,
        user: UserId,
        page: PageOf<Account>,
    ) -> Result<PageOf<LiveAccount>, AppError> {
        let totals = self.totals_of(user, &page.items).await?;
        Ok(page.map(|account| LiveAccount {
            totals: totals.get(&account.id).copied().unwrap_or_default(),
            account,
        }))
    }
}

impl LiveAccount {
    /// An account that has no days yet.
    pub(super) fn without_days(account: Account) -> Self {
        Self {
            account,
            totals: Totals::default(),
        }
    }
}
