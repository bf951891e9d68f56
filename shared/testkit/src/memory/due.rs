//! The due index and the roster.

use std::collections::BTreeMap;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::due::{DueIndex, Roster, RosterEntry, Shards};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::due::{DueEntry, poll_due};
use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;

#[derive(Debug, Default)]
pub(super) struct DueItems {
    entries: Vec<DueEntry>,
    watermarks: BTreeMap<u16, Timestamp>,
    roster: BTreeMap<AccountId, RosterEntry>,
}

#[async_trait]
impl DueIndex for MemoryStore {
    async fn put(&self, entries: &[DueEntry]) -> Result<(), StoreError> {
        self.run("due.put", |state| {
            for entry in entries {
                if !state.due.entries.contains(entry) {
                    state.due.entries.push(*entry);
                }
            }
        })
    }

    async fn between(
        &self,
        shard: u16,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DueEntry>, StoreError> {
        let shards = self.shards;
        self.run("due.between", |state| {
            let mut due: Vec<_> = state
                .due
                .entries
                .iter()
                .filter(|entry| shard_of(entry, shards) == shard)
                .filter(|entry| after < entry.at && entry.at <= until)
                .copied()
                .collect();
            due.sort_by_key(|entry| entry.at);
            due
        })
    }

    async fn watermark(&self, shard: u16) -> Result<Option<Timestamp>, StoreError> {
        self.run("due.watermark", |state| {
            state.due.watermarks.get(&shard).copied()
        })
    }

    async fn advance(&self, shard: u16, to: Timestamp) -> Result<(), StoreError> {
        self.run("due.advance", |state| {
            let watermark = state.due.watermarks.entry(shard).or_insert(to);
            *watermark = to.max(*watermark);
        })
    }
}

#[async_trait]
impl Roster for MemoryStore {
    async fn enrol(&self, entry: &RosterEntry) -> Result<(), StoreError> {
        self.run("roster.enrol", |state| {
            state.due.roster.insert(entry.account, *entry);
        })
    }

    async fn remove(&self, account: AccountId) -> Result<(), StoreError> {
        self.run("roster.remove", |state| {
            state.due.roster.remove(&account);
        })
    }

    async fn of_minute(&self, minute: u8) -> Result<Vec<RosterEntry>, StoreError> {
        self.run("roster.of_minute", |state| {
            state
                .due
                .roster
                .values()
                .filter(|entry| poll_due(minute, entry.account, entry.sends))
                .copied()
                .collect()
        })
    }
}

/// Any rule that spreads will do: which shard an entry is in is the store's own affair.
fn shard_of(entry: &DueEntry, shards: Shards) -> u16 {
    let spread = entry.user.as_uuid().as_u128() % u128::from(shards.0.max(1));
    u16::try_from(spread).unwrap_or(0)
}
