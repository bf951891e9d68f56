//! The due index and the roster.

use std::collections::BTreeMap;
use std::ops::Bound;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::due::{DueIndex, Roster, RosterEntry, Shards};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::MemoryStore;

/// How long an entry is kept after it was due, as in DynamoDB. (There, one that is filed long after it was due is kept as long from then.)
const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);

#[derive(Debug, Default)]
pub(super) struct DueItems {
    pub(super) entries: BTreeMap<Timestamp, Vec<DueEntry>>,
    pub(super) watermarks: BTreeMap<u16, Timestamp>,
    roster: BTreeMap<AccountId, RosterEntry>,
}

impl DueItems {
    /// Deletes what is over at `now`.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let over = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        if self
            .entries
            .first_key_value()
            .is_some_and(|(at, _)| *at <= over)
        {
            self.entries = self.entries.split_off(&over);
            self.entries.remove(&over);
        }
    }
}

#[async_trait]
impl DueIndex for MemoryStore {
    async fn put(&self, entries: &[DueEntry]) -> Result<(), StoreError> {
        self.run("due.put", |state| {
            for entry in entries {
                let same_instant = state.due.entries.entry(entry.at).or_default();
                if !same_instant.contains(entry) {
                    same_instant.push(*entry);
                }
            }
        })
        .await
    }

    async fn between(
        &self,
        shard: u16,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DueEntry>, StoreError> {
        let shards = self.shards;
        self.run("due.between", |state| {
            if after >= until {
                return Vec::new();
            }
            let range = (Bound::Excluded(after), Bound::Included(until));
            let due = state.due.entries.range(range);
            due.flat_map(|(_, entries)| entries)
                .filter(|entry| shard_of(entry, shards) == shard)
                .copied()
                .collect()
        })
        .await
    }

    async fn watermark(&self, shard: u16) -> Result<Option<Timestamp>, StoreError> {
        self.run("due.watermark", |state| {
            state.due.watermarks.get(&shard).copied()
        })
        .await
    }

    async fn reached(&self, entries: &[DueEntry]) -> Result<Option<Timestamp>, StoreError> {
        let shards = self.shards;
        self.run("due.reached", |state| {
            let shards = entries.iter().map(|entry| shard_of(entry, shards));
            shards
                .filter_map(|shard| state.due.watermarks.get(&shard).copied())
                .max()
        })
        .await
    }

    async fn advance(&self, shard: u16, to: Timestamp) -> Result<(), StoreError> {
        self.run("due.advance", |state| {
            let watermark = state.due.watermarks.entry(shard).or_insert(to);
            *watermark = to.max(*watermark);
        })
        .await
    }
}

#[async_trait]
impl Roster for MemoryStore {
    async fn enrol(&self, entry: &RosterEntry) -> Result<(), StoreError> {
        self.run("roster.enrol", |state| {
            state.due.roster.insert(entry.account, *entry);
        })
        .await
    }

    async fn remove(&self, account: AccountId) -> Result<(), StoreError> {
        self.run("roster.remove", |state| {
            state.due.roster.remove(&account);
        })
        .await
    }

    async fn of_minute(&self, minute: u8, now: Timestamp) -> Result<Vec<RosterEntry>, StoreError> {
        self.run("roster.of_minute", |state| {
            state
                .due
                .roster
                .values()
                .filter(|entry| entry.has_round(minute, now))
                .copied()
                .collect()
        })
        .await
    }
}

/// By account, as in DynamoDB: all sends of one mailbox lie in one shard.
pub(super) fn shard_of(entry: &DueEntry, shards: Shards) -> u16 {
    let account = match entry.kind {
        DueKind::Send { sender, .. } | DueKind::Settle { sender, .. } => sender,
        DueKind::Plan { account } => account,
    };
    let spread = account.as_uuid().as_u128() % u128::from(shards.0.max(1));
    u16::try_from(spread).unwrap_or(0)
}
