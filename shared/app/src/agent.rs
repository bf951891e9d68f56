//! What an agent reads first in each session (API reference §2): how the user's accounts are, what is wrong, and what to do next.

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::advice::{Advice, advise};
use agentwarm_core::warmup::day::DayFigures;
use jiff::SignedDuration;

use crate::accounts::totals::OpenDays;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::Clock;
use crate::ports::health::SchedulerGauge;
use crate::ports::pools::PoolReads;
use crate::tenant::Tenant;

/// How far the scheduler may be behind before that is worth telling: it runs every minute, and a tick that fails is made up for by the next.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// Tells agents how things are.
#[derive(Clone)]
pub struct AgentStatus {
    /// The accounts.
    pub accounts: Arc<dyn AccountReads>,
    /// Their days.
    pub days: OpenDays,
    /// Their pools.
    pub pools: Arc<dyn PoolReads>,
    /// Whether mail is handed out.
    pub scheduler: Arc<dyn SchedulerGauge>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// How things are.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The user's accounts.
    pub accounts: Vec<Account>,
    /// What they did today, each account's own today.
    pub today: DayFigures,
    /// Whether the deployment does its work; not known counts as not.
    pub is_healthy: bool,
    /// What to know and do.
    pub advice: Advice,
}

impl AgentStatus {
    /// How the tenant's accounts are.
    pub async fn read(&self, tenant: &Tenant) -> Result<Status, AppError> {
        let (accounts, pools) =
            futures::try_join!(self.accounts.all(tenant.user), self.pools.list(tenant.user))?;
        let days = self.days.today_of(tenant.user, &accounts).await?;
        let mut today = DayFigures::default();
        for day in days.values() {
            today.sent += day.sent;
            today.received += day.received;
            today.bounced += day.bounced;
            today.spammed += day.spammed;
        }
        let advice = advise(&accounts, &pools, self.clock.schedule());
        Ok(Status {
            today,
            is_healthy: self.is_healthy().await,
            advice,
            accounts,
        })
    }

    async fn is_healthy(&self) -> bool {
        match self.scheduler.handed_out_to().await {
            Ok(None) => true,
            Ok(Some(at)) => self.clock.schedule().duration_since(at) <= LATE,
            Err(failure) => {
                tracing::warn!(%failure, "the scheduler's progress cannot be read");
                false
            }
        }
    }
}
