//! Credentials and what connections with them taught us (decision 17).

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::audit::{Actor, Event, EventType};
use agentwarm_core::warmup::connection::{ConnectionFailure, ConnectionHealth, MailProtocol};
use agentwarm_core::warmup::transition;

use super::EngineError;
use crate::credentials;
use crate::ports::Replaced;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::clock::Clock;
use crate::ports::days::AccountRef;
use crate::ports::mail::{ConnectFailure, ImapSmtpCredentials};
use crate::ports::mailboxes::Mailboxes;
use crate::ports::vault::{Vault, VaultError};

/// Opens credentials and keeps the health of connections.
#[derive(Clone)]
pub struct HealthKeeper {
    /// Sealed credentials.
    pub accounts: Arc<dyn AccountReads>,
    /// Status changes.
    pub updates: Arc<dyn AccountUpdates>,
    /// Health.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// Secrets.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl HealthKeeper {
    /// The account's credentials in the clear.
    pub async fn credentials(&self, account: &Account) -> Result<ImapSmtpCredentials, EngineError> {
        let sealed = self
            .accounts
            .credentials(account.user, account.id)
            .await?
            .ok_or(VaultError::Unreadable)?;
        Ok(credentials::open(self.vault.as_ref(), account.user, account.id, &sealed).await?)
    }

    /// How the account's connections have fared.
    pub async fn of(&self, account: &Account) -> Result<ConnectionHealth, EngineError> {
        Ok(self.mailboxes.state(AccountRef::of(account)).await?.health)
    }

    /// Work succeeded that was tried with the health `before` and leaves it as `after`. Writes only what changed, so a healthy mailbox costs
    /// nothing. What the other protocol's server did wrong stays as it is.
    pub async fn worked(
        &self,
        account: &Account,
        before: &ConnectionHealth,
        after: &ConnectionHealth,
    ) -> Result<(), EngineError> {
        for protocol in [MailProtocol::Imap, MailProtocol::Smtp] {
            if before.of(protocol) != after.of(protocol) {
                self.note(account, protocol, after).await?;
            }
        }
        if let Some(healed) = transition::connection_ok(account, after, self.clock.schedule()) {
            self.change_status(account, healed, after).await?;
        }
        Ok(())
    }

    /// A connection or login by `protocol` failed; how its connections have fared now.
    pub async fn failed(
        &self,
        account: &Account,
        protocol: MailProtocol,
        failure: &ConnectFailure,
    ) -> Result<ConnectionHealth, EngineError> {
        let failure = match failure {
            ConnectFailure::Credentials => ConnectionFailure::LoginRefused,
            ConnectFailure::Unreachable => ConnectionFailure::Unreachable,
            ConnectFailure::Tls(_) | ConnectFailure::Protocol(_) | ConnectFailure::Busy => {
                ConnectionFailure::Unusable {
                    because: failure.to_string(),
                }
            }
        };
        self.note_failure(account, protocol, failure).await
    }

    /// The server by which the account sends accepted its login and refused a mail because of its sender.
    pub async fn turned_away(&self, account: &Account) -> Result<ConnectionHealth, EngineError> {
        let failure = ConnectionFailure::SenderRefused;
        self.note_failure(account, MailProtocol::Smtp, failure)
            .await
    }

    async fn note_failure(
        &self,
        account: &Account,
        protocol: MailProtocol,
        failure: ConnectionFailure,
    ) -> Result<ConnectionHealth, EngineError> {
        let now = self.clock.schedule();
        let health = self.of(account).await?.failed(protocol, failure, now);
        self.note(account, protocol, &health).await?;
        if let Some(changed) = transition::connection_failed(account, &health, now) {
            self.change_status(account, changed, &health).await?;
        }
        Ok(health)
    }

    async fn note(
        &self,
        account: &Account,
        protocol: MailProtocol,
        health: &ConnectionHealth,
    ) -> Result<(), EngineError> {
        let server = health.of(protocol);
        let mailbox = AccountRef::of(account);
        Ok(self
            .mailboxes
            .note_health(mailbox, protocol, server)
            .await?)
    }

    /// Writes a status that changed because of the connection. Somebody else's change in between wins: the next failure or success
    /// decides again on what it finds.
    async fn change_status(
        &self,
        before: &Account,
        after: Account,
        health: &ConnectionHealth,
    ) -> Result<(), EngineError> {
        let mut events = Vec::new();
        if before.status != after.status {
            let failing_since = health.failing_since();
            let event = Event::account(
                EventType::AccountStatusChanged,
                after.id,
                Actor::System,
                after.updated_at,
            )
            .with("from", before.status.as_str())
            .with("to", after.status.as_str())
            .with("reason", after.status_reason.clone())
            .with("failures", health.failures())
            .with("failingSince", failing_since.map(|at| at.to_string()))
            .with("previousSince", before.status_since().to_string());
            events.push(event);
        }
        let after = Account {
            version: before.version + 1,
            ..after
        };
        match self.updates.replace(&after, events).await? {
            Replaced::Done => {}
            Replaced::Stale => {
                tracing::info!(account = %after.id, "the account changed meanwhile; the next attempt judges it again");
            }
        }
        Ok(())
    }
}
