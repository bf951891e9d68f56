//! The person behind a mailbox, in whose name its mails are written (API reference §3).
//!
//! What the owner sets is stored as they said it; what mails are written with is [`Persona::of`] it. A text that would not survive into a mail
//! as it is (markup, links) is refused rather than quietly changed.

use std::sync::Arc;

use agentwarm_core::account::{Account, OwnPersona};
use agentwarm_core::content::Persona;
use agentwarm_core::ids::AccountId;

use crate::change::{changed, existing};
use crate::error::AppError;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::clock::Clock;
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;

/// Shows and sets personas.
#[derive(Clone)]
pub struct Personas {
    /// Whose.
    pub accounts: Arc<dyn AccountReads>,
    /// Where it is stored.
    pub updates: Arc<dyn AccountUpdates>,
    /// When.
    pub clock: Arc<dyn Clock>,
}

impl Personas {
    /// The persona that an account's mails are written with.
    pub async fn get(&self, tenant: &Tenant, id: AccountId) -> Result<Persona, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        Ok(Persona::of(&account))
    }

    /// Sets it, from the next mail that is composed on; what `own` leaves out is derived again.
    pub async fn set(
        &self,
        tenant: &Tenant,
        id: AccountId,
        own: &OwnPersona,
    ) -> Result<Persona, AppError> {
        retry_stale("The account", || self.attempt(tenant, id, own)).await
    }

    async fn attempt(
        &self,
        tenant: &Tenant,
        id: AccountId,
        own: &OwnPersona,
    ) -> Result<Attempt<Persona>, AppError> {
        let before = existing(self.accounts.as_ref(), tenant, id).await?;
        let now = self.clock.schedule();
        let after = Account {
            persona: Some(own.clone()),
            updated_at: now,
            ..before.clone()
        };
        let persona = Persona::of(&after);
        let (after, events) = changed(tenant, &before, after, now);
        let replaced = self.updates.replace(&after, events).await?;
        Ok(Attempt::of(replaced, persona))
    }
}
