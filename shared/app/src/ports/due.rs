//! The due index: what is to happen when, found by time without a scan. What lies in it and when it is handed out says
//! [`agentwarm_core::warmup::due`].

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use agentwarm_core::ids::{AccountId, UserId};
use agentwarm_core::warmup::day::Window;
use agentwarm_core::warmup::due::DueEntry;
use agentwarm_core::warmup::due::rounds::{self, Pace};

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
    /// When it is visited every half hour instead of every hour: its working hours of a day on which it sends. What lies outside, or over,
    /// costs a login for nothing.
    pub busy: Option<Window>,
}

impl RosterEntry {
    /// Whether it has a round in this minute of the hour, 0–59, seen from `now`.
    pub fn has_round(&self, minute: u8, now: Timestamp) -> bool {
        let is_busy = self.busy.is_some_and(|window| window.contains(now));
        let pace = if is_busy { Pace::Busy } else { Pace::Idle };
        rounds::is_in(minute, self.account, pace)
    }

    /// Whether a sitting at `now` sums up its account's day, whatever it finds.
    pub fn sums_up(&self, now: Timestamp) -> bool {
        self.busy.is_some_and(|hours| rounds::sums_up(hours, now))
    }
}

/// The index. Entries are never deleted; they lie in their hour's partition until their TTL, which is what lets the last hour be read
/// again at each tick.
#[async_trait]
pub trait DueIndex: Send + Sync {
    /// Puts entries; putting one again changes nothing. An entry in the past is found by the next tick all the same, because the caller
    /// moves it to where no tick has been (`agentwarm_core::warmup::due`).
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

    /// The furthest watermark of the shards that these entries belong to; `None` before their first tick.
    async fn reached(&self, entries: &[DueEntry]) -> Result<Option<Timestamp>, StoreError>;

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

    /// The entries that [have a round](RosterEntry::has_round) in this minute of the hour, 0–59, seen from `now`.
    async fn of_minute(&self, minute: u8, now: Timestamp) -> Result<Vec<RosterEntry>, StoreError>;
}
