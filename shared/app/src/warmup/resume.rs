//! Resuming an account as what it was.

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::transition;

use super::{Enrolment, PlanToday};
use crate::change::{changed, existing};
use crate::error::AppError;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::clock::Clock;
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;

/// Resumes warmups.
#[derive(Clone)]
pub struct ResumeWarmup {
    /// Which account.
    pub accounts: Arc<dyn AccountReads>,
    /// Its new status.
    pub updates: Arc<dyn AccountUpdates>,
    /// Where the scheduler finds it.
    pub enrolment: Enrolment,
    /// The engine's planner.
    pub planner: Arc<dyn PlanToday>,
    /// When.
    pub clock: Arc<dyn Clock>,
}

impl ResumeWarmup {
    /// Resumes an account. If it sends again, the rest of today is planned before this answers (decision 18).
    pub async fn resume(&self, tenant: &Tenant, id: AccountId) -> Result<Account, AppError> {
        let account = retry_stale("The account", || self.try_resume(tenant, id)).await?;
        if account.sends() {
            self.planner.plan_rest_of_today(&account).await?;
        }
        Ok(account)
    }

    async fn try_resume(
        &self,
        tenant: &Tenant,
        id: AccountId,
    ) -> Result<Attempt<Account>, AppError> {
        let before = existing(self.accounts.as_ref(), tenant, id).await?;
        let now = self.clock.schedule();
        let resumed = transition::resume(&before, now)?;
        if resumed.sends() {
            self.enrolment.enrol(&resumed, now).await?;
        }
        let (account, events) = changed(tenant, &before, resumed, now);
        let replaced = self.updates.replace(&account, events).await?;
        Ok(Attempt::of(replaced, account))
    }
}
