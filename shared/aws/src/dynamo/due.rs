//! The due index: what is to happen when, found by time without a scan.
//!
//! One partition for each shard and hour. What one item holds is decided in [`items`]. Entries are never deleted; the TTL takes them three
//! days after they were due.

mod items;

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::due::{DueIndex, Shards};
use agentwarm_core::warmup::due::DueEntry;

use super::expression::Expression;
use super::query::Query;
use super::table::{Freshness, Table};
use crate::actions::{Action, BATCH_WRITE, GET, QUERY, Resource, UPDATE};
use crate::codec::{self, CodecError, Item};
use crate::keys;

/// How far back entries are looked for: what is older than a week belongs to days that are over.
const MOST_HOURS: u16 = 7 * 24;
/// Hours read at once after an outage.
const HOURS_AT_ONCE: usize = 4;

/// Up to where a shard was handed out, in epoch nanoseconds: exact, and comparable by a condition.
const AT: &str = "at";

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
        let items = items::written(entries, self.shards, self.table.now());
        self.table.batch_put("file what is due", items).await
    }

    async fn between(
        &self,
        shard: u16,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DueEntry>, StoreError> {
        const OPERATION: &str = "read what is due";
        let from = after
            .saturating_sub(items::TOGETHER)
            .unwrap_or(Timestamp::MIN);
        let ranges = keys::due_entries(shard, from, until, MOST_HOURS);
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
        let read = codec::read_all(OPERATION, items, |item| items::read(&item))?;
        let within = read.into_iter().flatten();
        let mut entries: Vec<_> = within
            .filter(|entry| after < entry.at && entry.at <= until)
            .collect();
        entries.sort_by_key(|entry| entry.at);
        Ok(entries)
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

    async fn reached(&self, entries: &[DueEntry]) -> Result<Option<Timestamp>, StoreError> {
        let shards = entries
            .iter()
            .map(|entry| items::shard_of(entry, self.shards));
        let mut reached = None;
        for shard in shards.collect::<BTreeSet<_>>() {
            reached = reached.max(self.watermark(shard).await?);
        }
        Ok(reached)
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
