//! Starting to warm an account.

use std::sync::Arc;

use agentwarm_core::account::{Account, WarmupPhase};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::{ramp, transition};
use tokio::time::Instant;

use super::{AT_ONCE, Enrolment, PlanToday, PlannedToday};
use crate::batch;
use crate::change::{changed, existing};
use crate::engine::config::Configs;
use crate::error::AppError;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::clock::Clock;
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;

/// Starts warmups.
#[derive(Clone)]
pub struct StartWarmup {
    /// Which account.
    pub accounts: Arc<dyn AccountReads>,
    /// Its new status.
    pub updates: Arc<dyn AccountUpdates>,
    /// Its configuration.
    pub configs: Configs,
    /// Where the scheduler finds it.
    pub enrolment: Enrolment,
    /// The engine's planner.
    pub planner: Arc<dyn PlanToday>,
    /// When.
    pub clock: Arc<dyn Clock>,
}

/// A warmup that was started.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The account.
    pub account: AccountId,
    /// Its phase.
    pub phase: WarmupPhase,
    /// Mails on a whole first day.
    pub initial_daily_limit: u32,
    /// What is left of today.
    pub today: PlannedToday,
}

impl StartWarmup {
    /// Starts to warm an account; `restart` lets a graduated one begin again from day 1. The rest of today is planned before this answers
    /// (decision 18). If only that fails, the account warms all the same, and the scheduler plans within two minutes.
    pub async fn start(
        &self,
        tenant: &Tenant,
        id: AccountId,
        restart: bool,
    ) -> Result<Started, AppError> {
        let account = retry_stale("The account", || self.try_start(tenant, id, restart)).await?;
        let today = self.planner.plan_rest_of_today(&account).await?;
        let config = self.configs.of(&account).await?;
        let allowed = tenant.limits().daily_emails_per_account;
        Ok(Started {
            account: id,
            phase: account.phase(),
            initial_daily_limit: ramp::limit(1, &config).min(allowed),
            today,
        })
    }

    /// Starts several, each by itself.
    pub async fn start_each(
        &self,
        tenant: &Tenant,
        ids: &[String],
        deadline: Instant,
    ) -> Vec<Result<Started, AppError>> {
        let late = || AppError::OutOfTime;
        batch::each_account(ids, AT_ONCE, deadline, late, |id| {
            self.start(tenant, id, false)
        })
        .await
    }

    async fn try_start(
        &self,
        tenant: &Tenant,
        id: AccountId,
        restart: bool,
    ) -> Result<Attempt<Account>, AppError> {
        let before = existing(self.accounts.as_ref(), tenant, id).await?;
        if !before.provider.has_transport() {
            return Err(AppError::ProviderNotConfigured(before.provider));
        }
        let now = self.clock.schedule();
        let started = transition::start(&before, now, restart)?;
        self.enrolment.enrol(&started, now).await?;
        let (account, events) = changed(tenant, &before, started, now);
        let replaced = self.updates.replace(&account, events).await?;
        Ok(Attempt::of(replaced, account))
    }
}
