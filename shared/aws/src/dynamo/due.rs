//! The due index: what is to happen when, found by time without a scan.
//!
//! One partition for each shard and hour. An entry is small, because each tick reads the last hour again: its ids are bytes, its instant
//! and subject stand in its key alone. Entries are never deleted; the TTL takes them three days after they were due.

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::due::{DueIndex, Shards};
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::mail::slot::SlotKind;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use uuid::Uuid;

use super::expression::Expression;
use super::later;
use super::query::Query;
use super::table::{Freshness, Table};
use crate::actions::{Action, BATCH_WRITE, GET, QUERY, Resource, UPDATE};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys::{self, Key, SK};

/// How long an entry is kept after it was due: longer than any outage that its day could survive.
const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How far back entries are looked for: what is older than a week belongs to days that are over.
const MOST_HOURS: u16 = 7 * 24;
/// Hours read at once after an outage.
const HOURS_AT_ONCE: usize = 4;

/// Up to where a shard was handed out, in epoch nanoseconds: exact, and comparable by a condition.
const AT: &str = "at";

const USER: &str = "user";
const SENDER: &str = "sender";
const TARGET: &str = "target";
/// The slot that an answer answers.
const ANSWERS: &str = "answers";

/// [`DueIndex`] on the ephemeral table.
#[derive(Debug, Clone)]
pub struct DynamoDueIndex {
    table: Table,
    shards: Shards,
}

impl DynamoDueIndex {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Ephemeral.may(GET),
        Resource::Ephemeral.may(QUERY),
        Resource::Ephemeral.may(UPDATE),
        Resource::Ephemeral.may(BATCH_WRITE),
    ];

    /// On the ephemeral table.
    pub fn new(ephemeral: Table, shards: Shards) -> Self {
        Self {
            table: ephemeral,
            shards,
        }
    }
}

#[async_trait]
impl DueIndex for DynamoDueIndex {
    async fn put(&self, entries: &[DueEntry]) -> Result<(), StoreError> {
        let now = self.table.now();
        let items = entries.iter().map(|entry| {
            let key = keys::due_entry(keys::due_shard(shard_by(entry.kind), self.shards), entry);
            let item = item(key.clone(), entry, now);
            (key, item)
        });
        self.table.batch_put("file what is due", items).await
    }

    async fn between(
        &self,
        shard: u16,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DueEntry>, StoreError> {
        const OPERATION: &str = "read what is due";
        let ranges = keys::due_entries(shard, after, until, MOST_HOURS);
        // Eventually consistent, at half the price: an entry is filed at least a minute ahead of any tick that could miss it
        // (`DueEntry::filed`), and replicas lag by much less.
        let hours: Vec<Vec<Item>> = stream::iter(ranges)
            .map(|range| async {
                let query = Query::new(range);
                self.table.query_all(OPERATION, &query).await
            })
            .buffered(HOURS_AT_ONCE)
            .try_collect()
            .await?;
        let items = hours.into_iter().flatten().collect();
        codec::read_all(OPERATION, items, |item| read(&item))
    }

    async fn watermark(&self, shard: u16) -> Result<Option<Timestamp>, StoreError> {
        const OPERATION: &str = "read how far was handed out";
        let key = keys::watermark(shard);
        let item = self
            .table
            .get(OPERATION, key, Freshness::Consistent)
            .await?;
        codec::read_one(OPERATION, item, |item| {
            let nanos = codec::number_of(&item, AT)?;
            Timestamp::from_nanosecond(nanos).map_err(|_| CodecError::Form(AT))
        })
    }

    async fn advance(&self, shard: u16, to: Timestamp) -> Result<(), StoreError> {
        let update =
            Expression::new("SET #at = :to").value("to", codec::number(to.as_nanosecond()));
        let behind = Expression::new("attribute_not_exists(#at) OR #at < :to");
        self.table
            .update(
                "note how far was handed out",
                keys::watermark(shard),
                update,
                behind,
            )
            .await
            .map(|_| ())
    }
}

/// The account that an entry's shard follows from.
fn shard_by(kind: DueKind) -> AccountId {
    match kind {
        DueKind::Send { sender, .. } | DueKind::Settle { sender, .. } => sender,
        DueKind::Plan { account } => account,
    }
}

fn item(key: Key, entry: &DueEntry, now: Timestamp) -> Item {
    let id = |id: &Uuid| codec::bytes(*id.as_bytes());
    let item = ItemBuilder::new(key)
        .with(USER, id(entry.user.as_uuid()))
        .expires_at(later(entry.at.max(now), KEPT));
    let between = |item: ItemBuilder, sender: AccountId, target: AccountId| {
        item.with(SENDER, id(sender.as_uuid()))
            .with(TARGET, id(target.as_uuid()))
    };
    match entry.kind {
        DueKind::Send {
            sender,
            target,
            slot_kind,
            slot: _,
        } => {
            let answers = match slot_kind {
                SlotKind::Thread => None,
                SlotKind::Reply { answers } => Some(id(answers.as_uuid())),
            };
            between(item, sender, target).with_some(ANSWERS, answers)
        }
        DueKind::Settle {
            sender,
            target,
            slot: _,
        } => between(item, sender, target),
        // Its subject is in the key.
        DueKind::Plan { account: _ } => item,
    }
    .build()
}

fn read(item: &Item) -> Result<DueEntry, CodecError> {
    let key = codec::key_of(item)?;
    let at = keys::due_instant(&key).ok_or(CodecError::Form(SK))?;
    let mut subject = key.sk.split('#').skip(1);
    let kind = subject.next().unwrap_or_default();
    let id: Uuid = subject
        .next()
        .and_then(|id| Uuid::try_parse(id).ok())
        .ok_or(CodecError::Form(SK))?;
    let kind = match kind {
        "send" => DueKind::Send {
            sender: AccountId::from_uuid(uuid_of(item, SENDER)?),
            slot: SlotId::from_uuid(id),
            target: AccountId::from_uuid(uuid_of(item, TARGET)?),
            slot_kind: if item.contains_key(ANSWERS) {
                SlotKind::Reply {
                    answers: SlotId::from_uuid(uuid_of(item, ANSWERS)?),
                }
            } else {
                SlotKind::Thread
            },
        },
        "settle" => DueKind::Settle {
            sender: AccountId::from_uuid(uuid_of(item, SENDER)?),
            slot: SlotId::from_uuid(id),
            target: AccountId::from_uuid(uuid_of(item, TARGET)?),
        },
        "plan" => DueKind::Plan {
            account: AccountId::from_uuid(id),
        },
        _ => return Err(CodecError::Form(SK)),
    };
    Ok(DueEntry {
        at,
        user: UserId::from_uuid(uuid_of(item, USER)?),
        kind,
    })
}

fn uuid_of(item: &Item, name: &'static str) -> Result<Uuid, CodecError> {
    Uuid::from_slice(codec::bytes_of(item, name)?).map_err(|_| CodecError::Form(name))
}
