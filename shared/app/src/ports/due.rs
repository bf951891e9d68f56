//! The due index: what is to happen when, found by time without a scan (architecture §3, step 1).

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use agentwarm_core::ids::{AccountId, UserId};
use agentwarm_core::warmup::due::DueEntry;

use super::StoreError;

/// How many shards the index has: the partitions that writes of one hour spread over. A deployment parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shards(pub u16);

/// An account in the roster: the mailboxes that are looked into now and then, whatever is expected (decision 32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// The owner.
    pub user: UserId,
    /// The account.
    pub account: AccountId,
    /// Whether it sends, and so is visited every 15 minutes instead of every hour.
    pub sends: bool,
}

/// The index. Entries are never deleted; they lie in their hour's partition until their TTL, which is what lets the last hour be read
/// again at each tick.
#[async_trait]
pub trait DueIndex: Send + Sync {
    /// Puts entries; putting one again changes nothing. An entry in the past is found by the next tick all the same, because the caller
    /// moves it to the next minute (`agentwarm_core::warmup::due`).
    async fn put(&self, entries: &[DueEntry]) -> Result<(), StoreError>;

    /// The entries of a shard in `(after, until]`.
    async fn between(
        &self,
        shard: u16,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DueEntry>, StoreError>;

    /// Up to where a shard's entries were handed out; `None` before the first tick.
    async fn watermark(&self, shard: u16) -> Result<Option<Timestamp>, StoreError>;

    /// Moves a shard's watermark forward to `to`; one that is there or further stays.
    async fn advance(&self, shard: u16, to: Timestamp) -> Result<(), StoreError>;
}

/// The roster.
#[async_trait]
pub trait Roster: Send + Sync {
    /// Adds or changes an entry.
    async fn enrol(&self, entry: &RosterEntry) -> Result<(), StoreError>;

    /// Removes an entry.
    async fn remove(&self, account: AccountId) -> Result<(), StoreError>;

    /// The entries that are visited in this minute of the hour, 0–59: all whose own minute it is, and of those that send also the ones a
    /// quarter, half and three quarters of an hour away.
    async fn of_minute(&self, minute: u8) -> Result<Vec<RosterEntry>, StoreError>;
}
