//! The due index and the roster.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::due::{DueIndex, Roster, RosterEntry, Shards};
use agentwarm_core::ids::AccountId;
use agentwarm_core::mail::slot::SlotKind;
use agentwarm_core::warmup::due::rounds::{self, BUSY_MINUTES};
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::MemoryStore;
use super::meter::{
    BATCH_WRITE, DELETE, Fresh, Kind, PUT, Partition, Place, UPDATE, UPDATE_REFUSED,
};

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
        if self.is_over(now) {
            self.entries = self.entries.split_off(&over);
            self.entries.remove(&over);
        }
    }

    /// Whether anything is over at `now`.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let over = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        let oldest = self.entries.first_key_value();
        oldest.is_some_and(|(at, _)| *at <= over)
    }
}

#[async_trait]
impl DueIndex for MemoryStore {
    async fn put(&self, entries: &[DueEntry]) -> Result<(), StoreError> {
        let shards = self.shards;
        self.run("due.put", |state| {
            let mut together = BTreeMap::new();
            for entry in entries {
                let place = place(entry, shards);
                if shares_an_item(entry, &mut together) {
                    state.meter.shares_an_item(place, THREAD_BYTES);
                } else {
                    state.meter.wrote(place, BATCH_WRITE, || bytes(entry));
                }
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
            let from = after.checked_sub(TOGETHER).unwrap_or(Timestamp::MIN);
            let read = state.due.entries.range(from..=until);
            let read: Vec<_> = read
                .flat_map(|(_, entries)| entries)
                .filter(|entry| shard_of(entry, shards) == shard)
                .collect();
            for hour in hour_of(from)..=hour_of(until) {
                let of_hour = read.iter().filter(|entry| hour_of(entry.at) == hour);
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

    async fn reached(&self, entries: &[DueEntry]) -> Result<Option<Timestamp>, StoreError> {
        let shards = self.shards;
        self.run("due.reached", |state| {
            let shards: BTreeSet<_> = entries.iter().map(|it| shard_of(it, shards)).collect();
            for shard in &shards {
                state.meter.get(watermark(*shard), Fresh::Consistent);
            }
            let watermarks = shards.iter().filter_map(|it| state.due.watermarks.get(it));
            watermarks.max().copied()
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

/// Within what time threads of one mailbox that are put at once share an item, as in DynamoDB.
const TOGETHER: SignedDuration = SignedDuration::from_mins(30);

/// What an answer's entry takes besides: the slot that it answers.
const ANSWERS_BYTES: usize = 23;

fn bytes(entry: &DueEntry) -> usize {
    match entry.kind {
        DueKind::Send {
            slot_kind: SlotKind::Reply { .. },
            ..
        } => ENTRY_BYTES + ANSWERS_BYTES,
        _ => ENTRY_BYTES,
    }
}

/// What a thread takes in the item of another.
const THREAD_BYTES: usize = 36;

/// Whether an entry shares the item of one before it. `firsts` are the instants of the items so far, by sender; entries come in order of
/// time, as a day is planned.
fn shares_an_item(entry: &DueEntry, firsts: &mut BTreeMap<AccountId, Timestamp>) -> bool {
    let DueKind::Send {
        sender,
        slot_kind: SlotKind::Thread,
        ..
    } = entry.kind
    else {
        return false;
    };
    let first = *firsts.entry(sender).or_insert(entry.at);
    let is_close = entry.at.duration_since(first) <= TOGETHER;
    if !is_close {
        firsts.insert(sender, entry.at);
    }
    is_close && first != entry.at
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
