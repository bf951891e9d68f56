//! The receiver's half of one mail: found, rescued, opened, flagged, answered, filed (decisions 24, 28, 29).
//!
//! A receipt is keyed by the slot of the mail, so that a message which is seen twice (two polls, a crash before the cursor moved, a copy
//! in a second folder) is booked once, after it was rescued. What the mailbox will do with the mail is decided when the receipt is made,
//! from the seed alone. That it was done is not written here: all that was due until the mailbox's last sitting is done ([`engage`]), and
//! whether it was answered says the answer's own slot.
//!
//! [`engage`]: crate::warmup::engage

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, SlotId, UserId};
use crate::mail::slot::ThreadPosition;

/// Where a message was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// In the inbox.
    Inbox,
    /// In the spam folder.
    Spam,
}

/// One warmup mail from its receiver's side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The mail's slot.
    pub slot: SlotId,
    /// The owner of both mailboxes.
    pub user: UserId,
    /// Who received it.
    pub receiver: AccountId,
    /// Who sent it.
    pub sender: AccountId,
    /// The receiver's local date on which it was found: the day it is booked on.
    pub date: Date,
    /// When it was found (schedule clock).
    pub found_at: Timestamp,
    /// Where it was found first.
    pub placement: Placement,
    /// Its Message-ID without angle brackets.
    pub message_id: String,
    /// Its place in its thread.
    pub position: ThreadPosition,
    /// What is to be done with it.
    pub engagement: Engagement,
    /// When it was moved from spam to the inbox.
    pub rescued_at: Option<Timestamp>,
    /// Counts the changes of this item; the condition of the next one.
    pub version: u64,
}

/// What a mailbox will do with one mail, and when (schedule clock). Absent: it will not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engagement {
    /// Open it.
    pub open_at: Option<Timestamp>,
    /// Mark it important; never before it is opened.
    pub important_at: Option<Timestamp>,
    /// Answer it; never before it is opened.
    pub reply: Option<PlannedReply>,
    /// File it into the warmup folder; not before anything else.
    pub file_at: Timestamp,
}

/// An answer that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedReply {
    /// The slot it will be sent as. Changes when the reply moves to another day for want of budget.
    pub slot: SlotId,
    /// When it is due.
    pub at: Timestamp,
}
