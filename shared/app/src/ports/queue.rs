//! Work handed from one function to the next. Delivered at least once, in any order.

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::mail::slot::SlotKind;

/// One mail to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendOrder {
    /// The owner.
    pub user: UserId,
    /// Who sends.
    pub sender: AccountId,
    /// The slot.
    pub slot: SlotId,
    /// To whom.
    pub target: AccountId,
    /// Opening or answer.
    #[serde(flatten)]
    pub kind: SlotKind,
    /// When it is due.
    pub due: Timestamp,
}

/// One mailbox to look into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VisitOrder {
    /// The owner.
    pub user: UserId,
    /// The mailbox.
    pub account: AccountId,
    /// Mails that are expected there, with their senders. A visit that is for nothing else is skipped once they have all been found, and
    /// where there are none.
    pub expected: Vec<(AccountId, SlotId)>,
    /// Why besides expected mails: `true` for engagement that is due, settling, healing or the roster's turn.
    pub look_anyway: bool,
    /// Whether a sitting sums up the account's day whatever it finds; else only if there was something new.
    #[serde(default)]
    pub sums_up: bool,
}

/// A queue did not take what it was given.
#[derive(Debug, thiserror::Error)]
#[error("{queue}: the queue is unavailable")]
pub struct QueueError {
    /// Which.
    pub queue: &'static str,
    /// The adapter's error.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// The queue of mails to send.
#[async_trait]
pub trait SendQueue: Send + Sync {
    /// Hands out mails, each after its delay (at most 15 min; SQS).
    async fn send(&self, orders: &[(SendOrder, SignedDuration)]) -> Result<(), QueueError>;
}

/// The queue of mailboxes to look into.
#[async_trait]
pub trait VisitQueue: Send + Sync {
    /// Hands out visits.
    async fn visit(&self, orders: &[VisitOrder]) -> Result<(), QueueError>;
}

/// The bus that events leave by.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Publishes events, each with an id that is stable over redeliveries.
    async fn publish(&self, events: &[(String, UserId, Event)]) -> Result<(), QueueError>;
}
