//! Why an account does not send, or not more, today.

use std::sync::Arc;

use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::diagnosis::{Diagnosis, diagnose};

use crate::change::existing;
use crate::engine::figures::Figures;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, Plans};
use crate::tenant::Tenant;

/// Diagnoses accounts.
#[derive(Clone)]
pub struct DiagnoseWarmup {
    /// Which account.
    pub accounts: Arc<dyn AccountReads>,
    /// Its day.
    pub plans: Arc<dyn Plans>,
    /// What sums it up.
    pub figures: Figures,
    /// What is today.
    pub clock: Arc<dyn Clock>,
}

impl DiagnoseWarmup {
    /// What keeps an account from sending, or from sending more, on its current local date.
    pub async fn diagnose(&self, tenant: &Tenant, id: AccountId) -> Result<Diagnosis, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        let owner = AccountRef::of(&account);
        let now = self.clock.schedule();
        let today = account.zone.date_of(now);
        let (plan, rows) = futures::try_join!(
            self.plans.plan(owner, today),
            self.plans.days(owner, today, today)
        )?;
        let rows = self.figures.with_today(&account, rows, now).await?;
        let sent = rows.first().map_or(0, |row| row.figures.sent);
        Ok(diagnose(&account, plan.as_ref(), sent, now))
    }
}
