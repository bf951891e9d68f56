//! What happened, for people and machines that look later: the vocabulary of events, and the audit entries made of them.
//!
//! An event is written *with* the item whose change it reports (no extra row, no transaction) and leaves through the table's stream, so
//! that it exists exactly when the change does. Its id follows from the item and its version: a stream that delivers twice makes
//! one event.

use core::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{AuditEntryId, UserId};

/// What can happen (API reference §14, `GET /api/webhooks/events/types`, as far as warmup emits it; the `api_key.*`, `pool.*` and
/// `warmup.*` names beyond that list are ours and audit-only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventType {
    /// An account was created.
    #[serde(rename = "account.created")]
    AccountCreated,
    /// An account was deleted.
    #[serde(rename = "account.deleted")]
    AccountDeleted,
    /// An account's status changed.
    #[serde(rename = "account.status_changed")]
    AccountStatusChanged,
    /// An account's phase changed.
    #[serde(rename = "account.warmup_phase_changed")]
    AccountWarmupPhaseChanged,
    /// A warmup mail was accepted by the server.
    #[serde(rename = "warmup.email_sent")]
    WarmupEmailSent,
    /// A warmup mail bounced.
    #[serde(rename = "warmup.email_bounced")]
    WarmupEmailBounced,
    /// A warmup mail was refused for what it says or who sent it (decision 30).
    #[serde(rename = "warmup.email_rejected")]
    WarmupEmailRejected,
    /// A warmup mail landed in spam.
    #[serde(rename = "warmup.email_spammed")]
    WarmupEmailSpammed,
    /// Somebody complained about a warmup mail: its recipient gets no more (decision 30). It is spam besides.
    #[serde(rename = "warmup.email_complained")]
    WarmupEmailComplained,
    /// A warmup mail was moved from spam to the inbox.
    #[serde(rename = "warmup.email_rescued")]
    WarmupEmailRescued,
    /// The fate of a warmup mail could not be settled (decision 31).
    #[serde(rename = "warmup.email_unknown")]
    WarmupEmailUnknown,
    /// An account was suspended because of its figures.
    #[serde(rename = "warmup.auto_paused")]
    WarmupAutoPaused,
    /// An account's volume was reduced because of its figures.
    #[serde(rename = "warmup.volume_reduced")]
    WarmupVolumeReduced,
    /// An account graduated.
    #[serde(rename = "warmup.graduated")]
    WarmupGraduated,
    /// A pool was created.
    #[serde(rename = "pool.created")]
    PoolCreated,
    /// A pool's configuration changed.
    #[serde(rename = "pool.config_updated")]
    PoolConfigUpdated,
    /// An account joined a pool.
    #[serde(rename = "pool.account_added")]
    PoolAccountAdded,
    /// An account left a pool.
    #[serde(rename = "pool.account_removed")]
    PoolAccountRemoved,
    /// An API key was created.
    #[serde(rename = "api_key.created")]
    ApiKeyCreated,
    /// An API key was revoked.
    #[serde(rename = "api_key.revoked")]
    ApiKeyRevoked,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityType {
    /// An account.
    Account,
    /// A pool.
    Pool,
    /// An API key.
    ApiKey,
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The user, through the API or the operator command.
    User(UserId),
    /// AgentWarm itself.
    System,
}

/// One thing that happened, as it rides on the item that it happened to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What.
    pub event_type: EventType,
    /// To what kind of thing.
    pub entity_type: EntityType,
    /// To which one.
    pub entity_id: String,
    /// By whom.
    pub actor: Actor,
    /// The numbers behind it. No secrets, no message text.
    pub metadata: Map<String, Value>,
    /// When.
    pub at: Timestamp,
}

/// An event in the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its id: follows from the item's key, version and the event's place in it, so that it is written once.
    pub id: AuditEntryId,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

impl EventType {
    /// Every type.
    pub const ALL: &'static [Self] = &[
        Self::AccountCreated,
        Self::AccountDeleted,
        Self::AccountStatusChanged,
        Self::AccountWarmupPhaseChanged,
        Self::WarmupEmailSent,
        Self::WarmupEmailBounced,
        Self::WarmupEmailRejected,
        Self::WarmupEmailSpammed,
        Self::WarmupEmailComplained,
        Self::WarmupEmailRescued,
        Self::WarmupEmailUnknown,
        Self::WarmupAutoPaused,
        Self::WarmupVolumeReduced,
        Self::WarmupGraduated,
        Self::PoolCreated,
        Self::PoolConfigUpdated,
        Self::PoolAccountAdded,
        Self::PoolAccountRemoved,
        Self::ApiKeyCreated,
        Self::ApiKeyRevoked,
    ];

    /// Whether the audit log keeps it. Single mails do not go there: they are in the schedule, and at 40 a day and mailbox they would
    /// hide every decision.
    pub const fn is_audited(self) -> bool {
        !matches!(
            self,
            Self::WarmupEmailSent | Self::WarmupEmailSpammed | Self::WarmupEmailRescued
        )
    }

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account.created",
            Self::AccountDeleted => "account.deleted",
            Self::AccountStatusChanged => "account.status_changed",
            Self::AccountWarmupPhaseChanged => "account.warmup_phase_changed",
            Self::WarmupEmailSent => "warmup.email_sent",
            Self::WarmupEmailBounced => "warmup.email_bounced",
            Self::WarmupEmailRejected => "warmup.email_rejected",
            Self::WarmupEmailSpammed => "warmup.email_spammed",
            Self::WarmupEmailComplained => "warmup.email_complained",
            Self::WarmupEmailRescued => "warmup.email_rescued",
            Self::WarmupEmailUnknown => "warmup.email_unknown",
            Self::WarmupAutoPaused => "warmup.auto_paused",
            Self::WarmupVolumeReduced => "warmup.volume_reduced",
            Self::WarmupGraduated => "warmup.graduated",
            Self::PoolCreated => "pool.created",
            Self::PoolConfigUpdated => "pool.config_updated",
            Self::PoolAccountAdded => "pool.account_added",
            Self::PoolAccountRemoved => "pool.account_removed",
            Self::ApiKeyCreated => "api_key.created",
            Self::ApiKeyRevoked => "api_key.revoked",
        }
    }
}

impl EntityType {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Account, Self::Pool, Self::ApiKey];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Pool => "pool",
            Self::ApiKey => "api_key",
        }
    }
}

/// A user's id, or `system`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => fmt::Display::fmt(user, f),
            Self::System => f.write_str("system"),
        }
    }
}

impl Event {
    /// An event about an account.
    pub fn account(
        event_type: EventType,
        account: crate::ids::AccountId,
        actor: Actor,
        at: Timestamp,
    ) -> Self {
        Self {
            event_type,
            entity_type: EntityType::Account,
            entity_id: account.to_string(),
            actor,
            metadata: Map::new(),
            at,
        }
    }

    /// This event with `value` under `key` in its metadata.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_on_every_wire() {
        for event_type in EventType::ALL {
            assert_eq!(
                serde_json::to_value(event_type).unwrap(),
                event_type.as_str()
            );
        }
        for entity_type in EntityType::ALL {
            assert_eq!(
                serde_json::to_value(entity_type).unwrap(),
                entity_type.as_str()
            );
        }
    }
}
