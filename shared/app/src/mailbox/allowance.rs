//! How many mails a user may send from an account on a local day (decision 21).
//!
//! The plan's daily volume, and test mode's maximum where that is on, cover all mails of an account. What warmup planned for the day is
//! warmup's; what is left is for its user, counted by a conditional counter, so that parallel requests cannot pass it and warmup's own count
//! knows nothing of it.

use std::sync::Arc;

use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::plan::PlanLimitReached;
use jiff::civil::Date;

use crate::engine::figures::Figures;
use crate::engine::test_mode::TestModeRule;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, DayRow, Plans};
use crate::ports::hand_sent::{HandSent, Taken};
use crate::tenant::Tenant;

/// The name of the limit, as clients see it.
const LIMIT: &str = "dailyEmailsPerAccount";

/// Counts what users send.
#[derive(Clone)]
pub struct Allowance {
    /// What warmup planned.
    pub plans: Arc<dyn Plans>,
    /// What of it left.
    pub figures: Figures,
    /// What users sent.
    pub sent: Arc<dyn HandSent>,
    /// Test mode.
    pub test_mode: TestModeRule,
    /// Which day it is.
    pub clock: Arc<dyn Clock>,
}

/// Test mode allows no more today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("test mode allows {max} mails a day and account")]
pub struct DailyLimitReached {
    /// How many it allows.
    pub max: u32,
    /// How many are sent or planned.
    pub current: u32,
}

/// A place that was taken: of one mail on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    owner: AccountRef,
    date: Date,
}

impl Allowance {
    /// Counts one mail of `account` on its current local day.
    pub(super) async fn take(&self, tenant: &Tenant, account: &Account) -> Result<Place, AppError> {
        let place = Place {
            owner: AccountRef::of(account),
            date: account.zone.date_of(self.clock.schedule()),
        };
        let of_plan = tenant.limits().daily_emails_per_account;
        let in_test_mode = self.test_mode.maximum(account.user).await?;
        let max = in_test_mode.map_or(of_plan, |most| most.min(of_plan));
        let warmup = self.of_warmup(account, place.date).await?.min(max);
        let room = max.saturating_sub(warmup);
        let Taken::Full { count } = self.sent.take(place.owner, place.date, room).await? else {
            return Ok(place);
        };
        let current = warmup.saturating_add(count);
        Err(if max < of_plan {
            AppError::DailyLimit(DailyLimitReached { max, current })
        } else {
            AppError::PlanLimit(PlanLimitReached {
                limit: LIMIT,
                plan: tenant.plan,
                max,
                current,
            })
        })
    }

    /// Of a mail that was not sent.
    pub(super) async fn give_back(&self, place: Place) -> Result<(), AppError> {
        Ok(self.sent.give_back(place.owner, place.date).await?)
    }

    /// How many mails of the day are warmup's: all that are planned while they may still leave, else those that left.
    async fn of_warmup(&self, account: &Account, date: Date) -> Result<u32, AppError> {
        let owner = AccountRef::of(account);
        let rows = self.plans.days(owner, date, date).await?;
        let now = self.clock.schedule();
        let rows = self.figures.with_today(account, rows, now).await?;
        let planned = |day: &DayRow| match account.status {
            AccountStatus::Warming | AccountStatus::Active | AccountStatus::Error => {
                day.limit.max(day.figures.sent)
            }
            AccountStatus::Paused | AccountStatus::Suspended => day.figures.sent,
        };
        Ok(rows.first().map_or(0, planned))
    }
}
