//! The sender's half of one mail: a slot is claimed, sent, committed, and its fate settled (decisions 30, 31).
//!
//! A slot is planned as an entry of its day's plan and becomes an item of its own when it is claimed, by a conditional write that only
//! one claimer can win. From then on at most one SMTP transaction with `DATA` begins for it: a claim whose outcome is unknown is
//! *in doubt* and is settled by looking for its Message-ID, never by sending again.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, SlotId, ThreadId, UserId};

/// Whether a mail opens a thread or answers one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SlotKind {
    /// The first mail of a thread.
    Thread,
    /// An answer to the mail of `answers`.
    Reply {
        /// The slot of the mail it answers.
        answers: SlotId,
    },
}

/// Where a mail stands in its thread: enough to write the next turn without storing a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadPosition {
    /// The thread; its seed is derived from this id.
    pub thread: ThreadId,
    /// The conversation of the content bank, by its slug.
    pub conversation: String,
    /// Which turn of it, from 0.
    pub turn: u8,
    /// Message-IDs of the earlier turns, oldest first, without angle brackets (RFC 5322 §3.6.4 `References`).
    pub references: Vec<String>,
}

/// One warmup mail from its sender's side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Its id.
    pub id: SlotId,
    /// The owner of both mailboxes.
    pub user: UserId,
    /// Who sends.
    pub sender: AccountId,
    /// Who receives. A lost partner is replaced once before the claim (decision 18).
    pub recipient: AccountId,
    /// The sender's local date it is booked on.
    pub date: Date,
    /// Opening or answer.
    #[serde(flatten)]
    pub kind: SlotKind,
    /// When it was to be sent.
    pub scheduled_at: Timestamp,
    /// Its Message-ID without angle brackets, frozen at the claim.
    pub message_id: String,
    /// Its `Date` header, frozen at the claim: servers drop duplicates only if both match (RFC 5322 §3.6.1).
    pub message_date: Timestamp,
    /// Its place in its thread.
    pub position: ThreadPosition,
    /// What became of it.
    pub state: SlotState,
    /// When the receiver found it in spam, if it did. Booked on `date` (decision 24).
    pub spammed_at: Option<Timestamp>,
    /// When a complaint about it was read first (RFC 5965). A report may be read again, and its recipient is suppressed once only: who takes
    /// them off the list means it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complained_at: Option<Timestamp>,
    /// Counts the changes of this item; the condition of the next one.
    pub version: u64,
}

/// What became of a slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SlotState {
    /// Somebody is sending it.
    Claimed {
        /// Who: a fresh token of each attempt, so that a late commit of a lost attempt is recognised.
        owner: String,
        /// Wall-clock time after which the claimer is considered dead and the slot in doubt.
        lease_until: Timestamp,
        /// How often it was claimed.
        attempt: u32,
    },
    /// The server took it.
    Accepted {
        /// When.
        at: Timestamp,
    },
    /// The server refused it for good.
    Rejected {
        /// When.
        at: Timestamp,
        /// The three-digit reply (RFC 5321 §4.2).
        reply: u16,
        /// Whether the recipient does not exist (decision 30): a bounce in the figures.
        bounced: bool,
        /// The reply's first line, shortened; no addresses.
        reason: String,
    },
    /// Refused for now, before `DATA` was accepted: may be sent again.
    Retry {
        /// Not before (schedule clock).
        not_before: Timestamp,
        /// How often it was claimed.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// The connection was lost after `DATA` began: it may or may not have been accepted.
    InDoubt {
        /// Since when (schedule clock).
        since: Timestamp,
        /// How many of the searches of decision 31 have been made.
        checks: u32,
    },
    /// In doubt to the end: it used its budget and counts neither as sent nor as bounced (decision 31).
    Unknown {
        /// Since when.
        at: Timestamp,
    },
    /// Accepted, and it came back later in a DSN (RFC 3464).
    Returned {
        /// When the server had accepted it.
        accepted_at: Timestamp,
        /// When the DSN was found.
        at: Timestamp,
        /// The enhanced status code (RFC 3463), such as `5.1.1`.
        status: String,
        /// Whether the recipient does not exist (decision 30): a bounce in the figures.
        bounced: bool,
    },
    /// Not sent, and why.
    Skipped {
        /// When that was decided.
        at: Timestamp,
        /// Why.
        reason: SkipReason,
    },
}

/// Why a planned mail was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The sender is no longer sending: paused or suspended. In error its mails wait.
    SenderStopped,
    /// No eligible partner was left.
    NoPartner,
    /// The recipient was suppressed.
    RecipientSuppressed,
    /// It came up when its day's working hours were over.
    OutsideHours,
    /// A server would not have it before its day's working hours were over: the sender's could not be used, or one said "not now".
    ServerUnavailable,
    /// It was never handed out: its entry or message was lost in an outage. Found when its day was closed.
    NotHandedOut,
    /// A limit that planning could not know: test mode's, which holds from the next mail on (decision 21), or that of all accounts of
    /// the user together, who had sent as many as their plan allows on this UTC day (decision 10).
    LimitReached,
    /// Retries were used up.
    RetriesExhausted,
    /// A reply found no budget for 48 h (decision 21).
    ReplyExpired,
    /// The content bank no longer has its turn: a release came between, and its thread ends here.
    NoFurtherTurn,
}

impl SlotState {
    /// When the server accepted it, if it is known to have.
    pub fn accepted_at(&self) -> Option<Timestamp> {
        match self {
            Self::Accepted { at }
            | Self::Returned {
                accepted_at: at, ..
            } => Some(*at),
            _ => None,
        }
    }

    /// Whether nothing will change it any more by itself.
    pub fn is_final(&self) -> bool {
        !matches!(
            self,
            Self::Claimed { .. } | Self::Retry { .. } | Self::InDoubt { .. }
        )
    }
}
