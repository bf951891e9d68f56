//! One account today.

use std::sync::Arc;

use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::day::DayFigures;
use jiff::civil::Date;

use crate::accounts::read::{LiveAccount, ReadAccounts};
use crate::change::existing;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::tenant::Tenant;

/// Reads an account's overview.
#[derive(Clone)]
pub struct AccountOverview {
    /// The account and its days.
    pub accounts: ReadAccounts,
    /// What is today.
    pub clock: Arc<dyn Clock>,
}

/// An account today.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The account with its totals.
    pub live: LiveAccount,
    /// Which day of its warmup it is (decision 18); 0 when it was never warmed.
    pub day_number: u32,
    /// What happened today.
    pub today: DayFigures,
}

impl AccountOverview {
    /// The overview of one account.
    pub async fn read(&self, tenant: &Tenant, id: AccountId) -> Result<Overview, AppError> {
        let account = existing(self.accounts.accounts.as_ref(), tenant, id).await?;
        let (totals, today) = self.accounts.days.of_one(&account).await?;
        let date = account.zone.date_of(self.clock.schedule());
        Ok(Overview {
            day_number: day_number(&account, date),
            today,
            live: LiveAccount { account, totals },
        })
    }
}

/// Which day of its warmup `account` is in on `date`: the stored number stands still until something happens, so the dates since count
/// along while it warms.
pub(super) fn day_number(account: &Account, date: Date) -> u32 {
    let Some(warmup) = &account.warmup else {
        return 0;
    };
    match account.status {
        AccountStatus::Warming => warmup.counted_to(date).day_number,
        _ => warmup.day_number,
    }
}
