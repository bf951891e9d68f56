//! All accounts of a user together.
//!
//! Reads every account (at most a plan's worth) and the running row of those that planned today: at 10,000 accounts some two thousand read
//! units, so this is for a dashboard, not for a loop.

use std::sync::Arc;

use agentwarm_core::account::{Account, StatusCounts};
use agentwarm_core::rate::Score;

use crate::accounts::totals::OpenDays;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::health::{LeaseCount, LeaseGauge, ProbeFailure};
use crate::tenant::Tenant;

/// Sums over a user's accounts.
#[derive(Clone)]
pub struct SystemStatistics {
    /// The accounts.
    pub accounts: Arc<dyn AccountReads>,
    /// Their days.
    pub days: OpenDays,
    /// How many mailboxes are held, in the deployment as a whole.
    pub leases: Arc<dyn LeaseGauge>,
}

/// A user's accounts in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SystemFigures {
    /// How many accounts there are.
    pub accounts: StatusCounts,
    /// Mails sent today, each account's own today.
    pub sent_today: u64,
    /// Warmup mails received today.
    pub received_today: u64,
    /// Mean reputation, one decimal; 0 without accounts.
    pub average_reputation: f64,
    /// Mean share of mails that neither bounced nor landed in spam, of the accounts that were ever warmed, over each account's rate window
    /// (decision 22); 0 when there is none.
    pub average_inbox_placement: f64,
    /// Mailboxes that are held for a visit.
    pub leases: LeaseCount,
}

impl SystemStatistics {
    /// The tenant's figures. Leases that cannot be counted show as none: everything else is worth having without them.
    pub async fn read(&self, tenant: &Tenant) -> Result<SystemFigures, AppError> {
        let accounts = self.accounts.all(tenant.user).await?;
        let today = self.days.today_of(tenant.user, &accounts).await?;
        let mut figures = SystemFigures {
            accounts: StatusCounts::of(&accounts),
            average_reputation: average_reputation(&accounts),
            average_inbox_placement: average_inbox_placement(&accounts),
            leases: self.leases.leases().await.unwrap_or_else(uncounted),
            ..SystemFigures::default()
        };
        for day in today.values() {
            figures.sent_today += u64::from(day.sent);
            figures.received_today += u64::from(day.received);
        }
        Ok(figures)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "takes what unwrap_or_else gives"
)]
fn uncounted(failure: ProbeFailure) -> LeaseCount {
    tracing::warn!(%failure, "leases cannot be counted");
    LeaseCount::default()
}

/// The mean reputation; 0 of nothing.
pub(super) fn average_reputation(accounts: &[Account]) -> f64 {
    let scores = accounts.iter().map(|account| account.reputation.get());
    Score::clamped(mean(scores)).get()
}

fn average_inbox_placement(accounts: &[Account]) -> f64 {
    let placed = accounts
        .iter()
        .filter(|account| account.warmup.is_some())
        .map(|account| (1.0 - account.bounce_rate.get() - account.spam_rate.get()).max(0.0));
    // Two more digits than a percentage shows.
    (mean(placed) * 10_000.0).round() / 10_000.0
}

/// The mean; 0 of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in values {
        sum += value;
        count += 1;
    }
    if count == 0 {
        0.0
    } else {
        sum / f64::from(count)
    }
}
