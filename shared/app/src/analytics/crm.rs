//! The accounts that are linked to a record of a CRM, together (API reference §3, "CRM Analytics").

use agentwarm_core::account::{Account, AccountStatus};
use agentwarm_core::crm::CrmEntity;

use super::system::average_reputation;
use crate::crm::LinkedAccounts;
use crate::error::AppError;
use crate::tenant::Tenant;

/// Sums over the accounts of a record.
#[derive(Clone)]
pub struct CrmStatistics {
    /// The accounts and their days.
    pub linked: LinkedAccounts,
}

/// A record's accounts, and them in figures.
#[derive(Debug, Clone, PartialEq)]
pub struct CrmFigures {
    /// The accounts, newest first.
    pub accounts: Vec<Account>,
    /// How many of them are warming.
    pub warming: usize,
    /// Mean reputation, one decimal; 0 without accounts.
    pub average_reputation: f64,
    /// Mails sent today, each account's own today.
    pub sent_today: u64,
    /// Warmup mails received today.
    pub received_today: u64,
    /// Mails of today that bounced.
    pub bounced_today: u64,
}

impl CrmStatistics {
    /// The figures of `entity`'s accounts. A record that nothing is linked to has none: what a CRM knows is not ours to say.
    pub async fn read(&self, tenant: &Tenant, entity: &CrmEntity) -> Result<CrmFigures, AppError> {
        let accounts = self.linked.all(tenant, entity).await?;
        let today = self.linked.days.today_of(tenant.user, &accounts).await?;
        let is_warming = |account: &&Account| account.status == AccountStatus::Warming;
        let mut figures = CrmFigures {
            warming: accounts.iter().filter(is_warming).count(),
            average_reputation: average_reputation(&accounts),
            accounts,
            sent_today: 0,
            received_today: 0,
            bounced_today: 0,
        };
        for day in today.values() {
            figures.sent_today += u64::from(day.sent);
            figures.received_today += u64::from(day.received);
            figures.bounced_today += u64::from(day.bounced);
        }
        Ok(figures)
    }
}
