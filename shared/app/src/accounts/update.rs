//! Changing what a user may change of an account: its name, its time zone, and whether it is paused (API reference §3).
//!
//! All of a request is one write. A new zone counts from the next planned day (decision 18); when that is planned is decided anew at once,
//! because in the new zone its morning may come earlier.

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::ids::AccountId;
use agentwarm_core::time::Zone;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use agentwarm_core::warmup::transition::{self, TransitionError};
use jiff::Timestamp;

use super::read::LiveAccount;
use super::totals::OpenDays;
use crate::change::{changed, existing};
use crate::engine::file;
use crate::error::AppError;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::clock::Clock;
use crate::ports::due::{DueIndex, Roster};
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;
use crate::warmup::look_seldom;

/// Changes accounts.
#[derive(Clone)]
pub struct UpdateAccount {
    /// Which account.
    pub accounts: Arc<dyn AccountReads>,
    /// Its new version.
    pub updates: Arc<dyn AccountUpdates>,
    /// How often it is looked into once it is paused.
    pub roster: Arc<dyn Roster>,
    /// When its next day is planned.
    pub due: Arc<dyn DueIndex>,
    /// Its open days.
    pub days: OpenDays,
    /// When.
    pub clock: Arc<dyn Clock>,
}

/// What is to change. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountChanges {
    /// The name that its mails carry; one line ([`crate::text::line_problem`]).
    pub display_name: Option<String>,
    /// Its time zone.
    pub zone: Option<Zone>,
    /// Its status.
    pub status: Option<WantedStatus>,
}

/// A status that a user may set (decision 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedStatus {
    /// Not paused any more, where it was never warmed.
    Active,
    /// Paused.
    Paused,
}

impl WantedStatus {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Active, Self::Paused];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
        }
    }
}

impl UpdateAccount {
    /// Changes an account. The roster and the due index follow: if they are not reached, the mailbox is looked at more often than need be,
    /// and its next day is planned by its old zone's morning.
    pub async fn update(
        &self,
        tenant: &Tenant,
        id: AccountId,
        changes: &AccountChanges,
    ) -> Result<LiveAccount, AppError> {
        let (before, account) =
            retry_stale("The account", || self.attempt(tenant, id, changes)).await?;
        if before.status != account.status && !account.sends() && account.warmup.is_some() {
            look_seldom(self.roster.as_ref(), &account).await?;
        }
        if before.zone != account.zone && account.sends() {
            self.plan_anew(&account, self.clock.schedule()).await?;
        }
        let (totals, _) = self.days.of_one(&account).await?;
        Ok(LiveAccount { account, totals })
    }

    async fn attempt(
        &self,
        tenant: &Tenant,
        id: AccountId,
        changes: &AccountChanges,
    ) -> Result<Attempt<(Account, Account)>, AppError> {
        let before = existing(self.accounts.as_ref(), tenant, id).await?;
        let now = self.clock.schedule();
        let after = changes.applied_to(&before, now)?;
        if after == before {
            return Ok(Attempt::Done((before, after)));
        }
        let (after, events) = changed(tenant, &before, after, now);
        let replaced = self.updates.replace(&after, events).await?;
        Ok(Attempt::of(replaced, (before, after)))
    }

    async fn plan_anew(&self, account: &Account, now: Timestamp) -> Result<(), AppError> {
        let entry = DueEntry {
            at: now,
            user: account.user,
            kind: DueKind::Plan {
                account: account.id,
            },
        };
        Ok(file(self.due.as_ref(), &[entry], now).await?)
    }
}

impl AccountChanges {
    /// The account after them; the same account if they change nothing.
    fn applied_to(&self, account: &Account, now: Timestamp) -> Result<Account, TransitionError> {
        let mut after = match self.status {
            None => account.clone(),
            Some(WantedStatus::Active) => transition::activate(account, now)?,
            Some(WantedStatus::Paused) => transition::pause(account, now)?,
        };
        if let Some(name) = &self.display_name {
            after.display_name.clone_from(name);
        }
        if let Some(zone) = &self.zone {
            after.zone = zone.clone();
        }
        if after != *account {
            after.updated_at = now;
        }
        Ok(after)
    }
}
