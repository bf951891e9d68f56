//! Deleting an account.
//!
//! The account goes first, with its lock, credentials, memberships and CRM links, in one transaction; the roster entry and the mailbox's state
//! follow. A process that dies in between leaves those two behind, which is harmless: a visit or a send whose account is gone does
//! nothing, and mails that were planned die at their claim for the same reason. The other order would leave an account that is
//! never looked into again. Days and mails stay until their retention ends.

use std::sync::Arc;

use agentwarm_core::audit::{Event, EventType};
use agentwarm_core::ids::AccountId;

use crate::change::existing;
use crate::error::AppError;
use crate::ports::accounts::{AccountLife, AccountReads};
use crate::ports::clock::Clock;
use crate::ports::crm::CrmLinkReads;
use crate::ports::days::AccountRef;
use crate::ports::due::Roster;
use crate::ports::mailboxes::Mailboxes;
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;

/// Deletes accounts.
#[derive(Clone)]
pub struct DeleteAccount {
    /// Which account.
    pub accounts: Arc<dyn AccountReads>,
    /// What it is linked to.
    pub links: Arc<dyn CrmLinkReads>,
    /// Its end.
    pub life: Arc<dyn AccountLife>,
    /// Where it is looked into now and then.
    pub roster: Arc<dyn Roster>,
    /// What is remembered of its mailbox.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// When.
    pub clock: Arc<dyn Clock>,
}

impl DeleteAccount {
    /// Deletes an account of the tenant.
    pub async fn delete(&self, tenant: &Tenant, id: AccountId) -> Result<(), AppError> {
        retry_stale("The account", || self.attempt(tenant, id)).await?;
        self.roster.remove(id).await?;
        let mailbox = AccountRef {
            user: tenant.user,
            account: id,
        };
        self.mailboxes.forget(mailbox).await?;
        Ok(())
    }

    async fn attempt(&self, tenant: &Tenant, id: AccountId) -> Result<Attempt<()>, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        let links = self.links.of_account(tenant.user, id).await?;
        let now = self.clock.schedule();
        let event = Event::account(EventType::AccountDeleted, id, tenant.actor(), now)
            .with("email", account.email.as_str())
            .with("provider", account.provider.as_str());
        let deleted = self.life.delete(&account, &links, event).await?;
        Ok(Attempt::of(deleted, ()))
    }
}
