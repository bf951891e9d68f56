//! What is remembered of a mailbox between two visits: how far it was read, whether it answers, who is in it.
//!
//! By IMAP a move may be a copy and a deletion, and no server promises that two sessions that move one message do not make two copies. So a
//! visit that moves mail has the mailbox to itself meanwhile, by a lease. One that moves none writes on condition that nobody was there.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use agentwarm_core::ids::SlotId;
use agentwarm_core::warmup::connection::{ConnectionHealth, MailProtocol, ServerHealth};

use super::StoreError;
use super::days::AccountRef;
use super::mail::FolderCursor;

/// The state of one mailbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailboxState {
    /// How far the inbox was read.
    pub inbox: Option<FolderCursor>,
    /// How far the spam folder was read.
    pub junk: Option<FolderCursor>,
    /// How far the second one was read, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_junk: Option<FolderCursor>,
    /// Whether it could be used lately. Written by [`Mailboxes::note_health`] alone.
    #[serde(skip)]
    pub health: ConnectionHealth,
    /// Counts the leases and what was written of them or without one; [`Mailboxes`] alone counts.
    #[serde(skip)]
    pub version: u64,
    /// All that was due with received mails until then is done (schedule clock): what was done with each follows from this
    /// ([`engage::done`](agentwarm_core::warmup::engage::done)).
    pub engaged_through: Option<Timestamp>,
    /// When something is due with a received mail that was known then: until then a visit that finds nothing need not read the receipts.
    pub next_engagement: Option<Timestamp>,
    /// No received mail of an older slot has anything left to be done: where receipts are read from. Absent: not known.
    pub engaged_before: Option<SlotId>,
}

/// A won lease: the state as it was, and the token that gives it back.
#[derive(Debug, Clone, PartialEq)]
pub struct MailboxLease {
    /// The mailbox.
    pub mailbox: AccountRef,
    /// The token.
    pub owner: String,
    /// The state when the lease was taken.
    pub state: MailboxState,
}

/// Reading the state.
#[async_trait]
pub trait MailboxReads: Send + Sync {
    /// The state, whoever holds the mailbox.
    async fn state(&self, mailbox: AccountRef) -> Result<MailboxState, StoreError>;
}

/// Leases and state.
#[async_trait]
pub trait Mailboxes: MailboxReads {
    /// Takes the mailbox for `duration` (wall clock) from `now`, unless somebody has it.
    async fn lease(
        &self,
        mailbox: AccountRef,
        owner: &str,
        now: Timestamp,
        duration: SignedDuration,
    ) -> Result<Option<MailboxLease>, StoreError>;

    /// Writes the state and gives the lease back; does nothing if it was lost meanwhile. Its health stays as it is.
    async fn release(&self, lease: &MailboxLease, state: &MailboxState) -> Result<(), StoreError>;

    /// Writes the state without a lease, for a visit that has moved nothing. Does nothing if somebody has the mailbox at `now` (wall clock) or
    /// has written since `state` was read, as its version tells. Its health stays as it is.
    async fn note(
        &self,
        mailbox: AccountRef,
        state: &MailboxState,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Writes how the server of `protocol` fares, absolutely, whoever is in the mailbox and whatever is written of its other server.
    async fn note_health(
        &self,
        mailbox: AccountRef,
        protocol: MailProtocol,
        health: &ServerHealth,
    ) -> Result<(), StoreError>;

    /// Forgets the mailbox.
    async fn forget(&self, mailbox: AccountRef) -> Result<(), StoreError>;
}
