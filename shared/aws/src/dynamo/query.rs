//! Reading many items: whole ranges, pages of them, and sets of keys.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, Select, WriteRequest};
use futures::stream::{self, StreamExt, TryStreamExt};

use agentwarm_app::ports::StoreError;

use super::expression::{self, Expression, Names};
use super::table::{Freshness, Table, non_empty};
use crate::backoff::Backoff;
use crate::codec::{self, Item};
use crate::error::{Incomplete, unavailable};
use crate::keys::{Key, KeyRange};

/// Items in one `BatchGetItem` (DynamoDB's limit).
const BATCH_GET_ITEMS: usize = 100;
/// Items in one `BatchWriteItem` (DynamoDB's limit).
const BATCH_WRITE_ITEMS: usize = 25;
/// Batches on their way at once: enough to hide the round trip, few enough not to be throttled.
const BATCHES_AT_ONCE: usize = 4;

/// What a query reads.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Where.
    pub(crate) range: KeyRange,
    /// From its end.
    pub(crate) newest_first: bool,
    /// How fresh.
    pub(crate) freshness: Freshness,
    /// Only items for which this holds. Filtered items are read, and paid for, all the same.
    pub(crate) filter: Option<Expression>,
    /// How much of each item.
    pub(crate) select: Wanted,
}

/// How much of each item a query gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Items,
    /// Its key.
    Keys,
    /// Only that it is there.
    Count,
}

/// One answer to a query.
#[derive(Debug, Default)]
pub(crate) struct QueryPage {
    /// The items that passed the filter.
    pub(crate) items: Vec<Item>,
    /// How many passed.
    pub(crate) passed: u32,
    /// How many were looked at.
    pub(crate) looked_at: u32,
    /// The key after which to go on, if there may be more.
    pub(crate) next: Option<Key>,
}

impl Query {
    /// A range from its beginning, eventually consistent, unfiltered.
    pub(crate) fn new(range: KeyRange) -> Self {
        Self {
            range,
            newest_first: false,
            freshness: Freshness::Eventual,
            filter: None,
            select: Wanted::Items,
        }
    }

    /// From the range's end.
    pub(crate) fn newest_first(self) -> Self {
        Self {
            newest_first: true,
            ..self
        }
    }

    /// With all writes that were answered before.
    pub(crate) fn consistent(self) -> Self {
        Self {
            freshness: Freshness::Consistent,
            ..self
        }
    }
}

impl Table {
    /// One answer to a query: DynamoDB ends it at `limit` items looked at, or at 1 MB.
    pub(crate) async fn query_page(
        &self,
        operation: &'static str,
        query: &Query,
        after: Option<Key>,
        limit: Option<u32>,
    ) -> Result<QueryPage, StoreError> {
        let range = &query.range;
        if range.first > range.last {
            return Ok(QueryPage::default());
        }
        let condition = Expression::new("#pk = :pk AND #sk BETWEEN :first AND :last")
            .value("pk", codec::text(&range.pk))
            .value("first", codec::text(&range.first))
            .value("last", codec::text(&range.last));
        let (condition, filter, mut names, values) =
            expression::merged(condition, query.filter.clone());
        let projection = projection(query.select, &mut names);
        let output = self
            .client
            .query()
            .table_name(&*self.name)
            .key_condition_expression(condition)
            .set_filter_expression(filter)
            .set_projection_expression(projection)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .set_select((query.select == Wanted::Count).then_some(Select::Count))
            .scan_index_forward(!query.newest_first)
            .consistent_read(query.freshness == Freshness::Consistent)
            .set_exclusive_start_key(after.map(codec::key_item))
            .set_limit(limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .send()
            .await
            .map_err(|error| unavailable(operation, error))?;
        let next = output.last_evaluated_key.as_ref().map(codec::key_of);
        let now = self.now();
        let mut items = output.items.unwrap_or_default();
        items.retain(|item| codec::is_live(item, now));
        Ok(QueryPage {
            items,
            passed: u32::try_from(output.count).unwrap_or(0),
            looked_at: u32::try_from(output.scanned_count).unwrap_or(0),
            next: next.transpose().map_err(|error| error.during(operation))?,
        })
    }

    /// All items of a query.
    pub(crate) async fn query_all(
        &self,
        operation: &'static str,
        query: &Query,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let page = self.query_page(operation, query, after, None).await?;
            items.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(items);
            }
        }
    }

    /// The first `wanted` items of an unfiltered query.
    pub(crate) async fn query_some(
        &self,
        operation: &'static str,
        query: &Query,
        wanted: u32,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let missing = wanted.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
            if missing == 0 {
                return Ok(items);
            }
            let page = self
                .query_page(operation, query, after, Some(missing))
                .await?;
            items.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(items);
            }
        }
    }

    /// Those of the items with these keys that are there, in any order. A key given twice is read once.
    pub(crate) async fn batch_get(
        &self,
        operation: &'static str,
        keys: impl IntoIterator<Item = Key>,
        wanted: Wanted,
    ) -> Result<Vec<Item>, StoreError> {
        let keys: Vec<Key> = keys
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let batches: Vec<Vec<Item>> = keys
            .chunks(BATCH_GET_ITEMS)
            .map(|chunk| chunk.iter().cloned().map(codec::key_item).collect())
            .collect();
        let found: Vec<Vec<Item>> = stream::iter(batches)
            .map(|batch| self.get_batch(operation, batch, wanted))
            .buffer_unordered(BATCHES_AT_ONCE)
            .try_collect()
            .await?;
        let now = self.now();
        Ok(found
            .into_iter()
            .flatten()
            .filter(|item| codec::is_live(item, now))
            .collect())
    }

    async fn get_batch(
        &self,
        operation: &'static str,
        mut keys: Vec<Item>,
        wanted: Wanted,
    ) -> Result<Vec<Item>, StoreError> {
        let mut names = Names::new();
        let projection = projection(wanted, &mut names);
        let mut found = Vec::new();
        let mut backoff = Backoff::new();
        loop {
            let no_names = names.is_empty();
            let request = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .set_projection_expression(projection.clone())
                .set_expression_attribute_names(non_empty(names.clone(), no_names))
                .build()
                .map_err(|error| unavailable(operation, error))?;
            let output = self
                .client
                .batch_get_item()
                .request_items(&*self.name, request)
                .send()
                .await
                .map_err(|error| unavailable(operation, error))?;
            found.extend(
                output
                    .responses
                    .into_iter()
                    .filter_map(|mut tables| tables.remove(&*self.name))
                    .flatten(),
            );
            keys = output
                .unprocessed_keys
                .and_then(|mut tables| tables.remove(&*self.name))
                .map(|left| left.keys)
                .unwrap_or_default();
            if keys.is_empty() {
                return Ok(found);
            }
            if !backoff.wait().await {
                return Err(unavailable(operation, Incomplete::Unprocessed(keys.len())));
            }
        }
    }

    /// Writes items, whatever is there. Of two with the same key the last is written.
    pub(crate) async fn batch_put(
        &self,
        operation: &'static str,
        items: impl IntoIterator<Item = (Key, Item)>,
    ) -> Result<(), StoreError> {
        let items: std::collections::BTreeMap<Key, Item> = items.into_iter().collect();
        let requests = items
            .into_values()
            .map(|item| {
                let put = PutRequest::builder().set_item(Some(item)).build();
                put.map(|put| WriteRequest::builder().put_request(put).build())
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unavailable(operation, error))?;
        let batches: Vec<Vec<WriteRequest>> = requests
            .chunks(BATCH_WRITE_ITEMS)
            .map(<[WriteRequest]>::to_vec)
            .collect();
        stream::iter(batches)
            .map(|batch| self.write_batch(operation, batch))
            .buffer_unordered(BATCHES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn write_batch(
        &self,
        operation: &'static str,
        mut requests: Vec<WriteRequest>,
    ) -> Result<(), StoreError> {
        let mut backoff = Backoff::new();
        loop {
            let output = self
                .client
                .batch_write_item()
                .request_items(&*self.name, requests)
                .send()
                .await
                .map_err(|error| unavailable(operation, error))?;
            requests = output
                .unprocessed_items
                .and_then(|mut tables| tables.remove(&*self.name))
                .unwrap_or_default();
            if requests.is_empty() {
                return Ok(());
            }
            if !backoff.wait().await {
                return Err(unavailable(
                    operation,
                    Incomplete::Unprocessed(requests.len()),
                ));
            }
        }
    }
}

/// What of each item is to be given back. With its key always goes when it is over.
fn projection(wanted: Wanted, names: &mut Names) -> Option<String> {
    (wanted == Wanted::Keys).then(|| {
        let text = "#pk, #sk, #expiresAt";
        names.extend(expression::names_in(text));
        text.to_owned()
    })
}
