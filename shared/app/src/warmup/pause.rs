//! Pausing an account.
//!
//! Nothing is taken back: planned mails die at their claim, which looks at the account, and the day's plan stays for the resume.

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::transition;
use tokio::time::Instant;

use super::{AT_ONCE, look_seldom};
use crate::batch;
use crate::change::{changed, existing};
use crate::error::AppError;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::clock::Clock;
use crate::ports::due::Roster;
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;

/// Pauses warmups.
#[derive(Clone)]
pub struct PauseWarmup {
    /// Which account.
    pub accounts: Arc<dyn AccountReads>,
    /// Its new status.
    pub updates: Arc<dyn AccountUpdates>,
    /// How often it is looked into from now on.
    pub roster: Arc<dyn Roster>,
    /// When.
    pub clock: Arc<dyn Clock>,
}

impl PauseWarmup {
    /// Pauses an account. The roster follows the status: if it is not reached, the mailbox is only looked at more often than need be.
    pub async fn pause(&self, tenant: &Tenant, id: AccountId) -> Result<Account, AppError> {
        let account = retry_stale("The account", || self.try_pause(tenant, id)).await?;
        if account.warmup.is_some() {
            look_seldom(self.roster.as_ref(), &account).await?;
        }
        Ok(account)
    }

    /// Pauses several, each by itself.
    pub async fn pause_each(
        &self,
        tenant: &Tenant,
        ids: &[String],
        deadline: Instant,
    ) -> Vec<Result<Account, AppError>> {
        let late = || AppError::OutOfTime;
        batch::each_account(ids, AT_ONCE, deadline, late, |id| self.pause(tenant, id)).await
    }

    async fn try_pause(
        &self,
        tenant: &Tenant,
        id: AccountId,
    ) -> Result<Attempt<Account>, AppError> {
        let before = existing(self.accounts.as_ref(), tenant, id).await?;
        let now = self.clock.schedule();
        let paused = transition::pause(&before, now)?;
        let (account, events) = changed(tenant, &before, paused, now);
        let replaced = self.updates.replace(&account, events).await?;
        Ok(Attempt::of(replaced, account))
    }
}
