//! New credentials for an account (API reference §3).
//!
//! They are checked and sealed as a new account's are, and stored with what the account shows of them. They are tried at once (decision 17):
//! whatever the old ones were waiting for is over, and a visit is ordered, which heals an account in error if they work. Its failures stay
//! counted until then.

use std::sync::Arc;

use agentwarm_core::account::{Account, Provider};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::connection::MailProtocol;

use super::input::{CredentialsInput, servers_of};
use crate::change::{changed, existing};
use crate::credentials;
use crate::error::AppError;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::clock::Clock;
use crate::ports::days::AccountRef;
use crate::ports::endpoints::EndpointRules;
use crate::ports::mail::MailboxCredentials;
use crate::ports::mailboxes::Mailboxes;
use crate::ports::queue::{VisitOrder, VisitQueue};
use crate::ports::vault::Vault;
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;

/// Replaces credentials.
#[derive(Clone)]
pub struct ReplaceCredentials {
    /// Whose.
    pub accounts: Arc<dyn AccountReads>,
    /// Where they are stored.
    pub updates: Arc<dyn AccountUpdates>,
    /// Seals them.
    pub vault: Arc<dyn Vault>,
    /// Which servers may be named.
    pub endpoints: Arc<dyn EndpointRules>,
    /// What the old ones were waiting for.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// Where they are tried.
    pub visits: Arc<dyn VisitQueue>,
    /// When.
    pub clock: Arc<dyn Clock>,
}

impl ReplaceCredentials {
    /// Replaces an account's credentials, which must be of its own provider. Order: they are stored first; a process that dies after it
    /// leaves credentials that are tried when the next attempt is due.
    pub async fn replace(
        &self,
        tenant: &Tenant,
        id: AccountId,
        provider: Provider,
        new: &CredentialsInput,
    ) -> Result<Account, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        if provider != account.provider {
            let own = account.provider.as_str();
            let message = format!("must be {own}, the account's provider");
            return Err(AppError::invalid("provider", message));
        }
        let new = new.checked(provider, self.endpoints.as_ref())?;
        let account = retry_stale("The account", || self.attempt(tenant, id, &new)).await?;
        self.try_at_once(&account).await?;
        Ok(account)
    }

    async fn attempt(
        &self,
        tenant: &Tenant,
        id: AccountId,
        new: &MailboxCredentials,
    ) -> Result<Attempt<Account>, AppError> {
        let before = existing(self.accounts.as_ref(), tenant, id).await?;
        let now = self.clock.schedule();
        let sealed = credentials::seal(self.vault.as_ref(), before.user, id, new).await?;
        let after = Account {
            servers: servers_of(new),
            updated_at: now,
            ..before.clone()
        };
        let (after, events) = changed(tenant, &before, after, now);
        let replaced = self.updates.reseal(&after, &sealed, events).await?;
        Ok(Attempt::of(replaced, after))
    }

    async fn try_at_once(&self, account: &Account) -> Result<(), AppError> {
        let mailbox = AccountRef::of(account);
        let health = self.mailboxes.state(mailbox).await?.health;
        if health.works() {
            return Ok(());
        }
        for protocol in [MailProtocol::Imap, MailProtocol::Smtp] {
            let server = health.of(protocol);
            if !server.works() {
                let server = server.tried_at_once();
                self.mailboxes
                    .note_health(mailbox, protocol, &server)
                    .await?;
            }
        }
        let order = VisitOrder {
            user: account.user,
            account: account.id,
            expected: Vec::new(),
            look_anyway: true,
            sums_up: false,
        };
        Ok(self.visits.visit(&[order]).await?)
    }
}
