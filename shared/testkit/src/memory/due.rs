//! The due index and the roster.

use std::collections::BTreeMap;
use std::ops::Bound;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::due::{DueIndex, Roster, RosterEntry, Shards};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::due::rounds::{self, BUSY_MINUTES};
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::meter::{
    BATCH_WRITE, DELETE, Fresh, Kind, PUT, Partition, Place, UPDATE, UPDATE_REFUSED,
};

#[derive(Debug, Default)]
pub(super) struct DueItems {
    entries: BTreeMap<Timestamp, Vec<DueEntry>>,
    watermarks: BTreeMap<u16, Timestamp>,
    roster: BTreeMap<AccountId, RosterEntry>,
}

#[async_trait]
impl DueIndex for MemoryStore {
    async fn put(&self, entries: &[DueEntry]) -> Result<(), StoreError> {
        let shards = self.shards;
        self.run("due.put", |state| {
            for entry in entries {
                let place = place(entry, shards);
                state.meter.wrote(place, BATCH_WRITE, || ENTRY_BYTES);
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
            let entries: Vec<_> = due
                .flat_map(|(_, entries)| entries)
                .filter(|entry| shard_of(entry, shards) == shard)
                .copied()
                .collect();
            for hour in hour_of(after)..=hour_of(until) {
                let of_hour = entries.iter().filter(|entry| hour_of(entry.at) == hour);
                let places = of_hour.map(|entry| place(entry, shards));
                state.meter.query(Kind::DueEntry, Fresh::Eventual, places);
            }
            entries
        })
        .await
    }

    async fn watermark(&self, shard: u16) -> Result<Option<Timestamp>, StoreError> {
        self.run("due.watermark", |state| {
            state.meter.get(watermark(shard), Fresh::Consistent);
            state.due.watermarks.get(&shard).copied()
        })
        .await
    }

    async fn advance(&self, shard: u16, to: Timestamp) -> Result<(), StoreError> {
        self.run("due.advance", |state| {
            let before = state.due.watermarks.insert(shard, to);
            match before.filter(|before| *before >= to) {
                Some(further) => {
                    state.due.watermarks.insert(shard, further);
                    state.meter.refused(watermark(shard), UPDATE_REFUSED);
                }
                None => state.meter.wrote(watermark(shard), UPDATE, || 1),
            }
        })
        .await
    }
}

#[async_trait]
impl Roster for MemoryStore {
    async fn enrol(&self, entry: &RosterEntry) -> Result<(), StoreError> {
        self.run("roster.enrol", |state| {
            state.due.roster.insert(entry.account, *entry);
            state
                .meter
                .wrote(in_roster(entry.account), PUT, || ROSTER_BYTES);
        })
        .await
    }

    async fn remove(&self, account: AccountId) -> Result<(), StoreError> {
        self.run("roster.remove", |state| {
            state.due.roster.remove(&account);
            state.meter.refused(in_roster(account), DELETE);
        })
        .await
    }

    async fn of_minute(&self, minute: u8, now: Timestamp) -> Result<Vec<RosterEntry>, StoreError> {
        self.run("roster.of_minute", |state| {
            let roster = &state.due.roster;
            for round in 0..60 / BUSY_MINUTES {
                let partition = (minute + round * BUSY_MINUTES) % 60;
                let of_minute = roster
                    .keys()
                    .map(|account| in_roster(*account))
                    .filter(|(_, place, _)| *place == Partition::Roster(partition));
                state
                    .meter
                    .query(Kind::RosterEntry, Fresh::Eventual, of_minute);
            }
            roster
                .values()
                .filter(|entry| entry.has_round(minute, now))
                .copied()
                .collect()
        })
        .await
    }
}

/// By account, as in DynamoDB: all sends of one mailbox lie in one shard.
fn shard_of(entry: &DueEntry, shards: Shards) -> u16 {
    let account = match entry.kind {
        DueKind::Send { sender, .. } | DueKind::Settle { sender, .. } => sender,
        DueKind::Plan { account } => account,
    };
    let spread = account.as_uuid().as_u128() % u128::from(shards.0.max(1));
    u16::try_from(spread).unwrap_or(0)
}

/// A due entry's keys, ids and end.
const ENTRY_BYTES: usize = 153;
/// A roster entry's keys, user and hours.
const ROSTER_BYTES: usize = 150;

/// An entry lies in its hour's partition; nothing but its account and instant tell it from others here.
fn place(entry: &DueEntry, shards: Shards) -> Place {
    let subject = match entry.kind {
        DueKind::Send { slot, .. } | DueKind::Settle { slot, .. } => slot.as_uuid().as_u128(),
        DueKind::Plan { account } => account.as_uuid().as_u128(),
    };
    let partition = Partition::Due(shard_of(entry, shards), hour_of(entry.at));
    (Kind::DueEntry, partition, subject)
}

fn watermark(shard: u16) -> Place {
    (Kind::Watermark, Partition::Watermark(shard), 0)
}

fn in_roster(account: AccountId) -> Place {
    let partition = Partition::Roster(rounds::minute_of(account));
    (Kind::RosterEntry, partition, account.as_uuid().as_u128())
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}
