//! Pages of long lists, newest first (decision 12).
//!
//! A page begins after a sort key, so it is stable under writes and page 100 costs what page 1 costs; an offset is honoured by walking
//! over that many keys. Filtered items are read and thrown away by DynamoDB, so a page is read until it is full. Totals are counted, up to
//! [`COUNTED_TOTAL`] matches and [`MOST_LOOKED_AT`] items: a filter that matches little of a huge log must not keep a request busy.

use agentwarm_app::ports::{COUNTED_TOTAL, PageOf, PageRequest, PageStart, StoreError};

use super::expression::Expression;
use super::query::{Query, Wanted};
use super::table::{Freshness, Table};
use crate::codec::{self, CodecError, Item};
use crate::keys::{Key, KeyRange, SK};

/// How many items a list looks at before it calls its total a lower bound and ends a page early: some 25 MB, or a second or two.
const MOST_LOOKED_AT: u32 = 50_000;

/// A list, whatever page of it is wanted.
pub(super) struct Listing<'a> {
    pub(super) table: &'a Table,
    pub(super) operation: &'static str,
    pub(super) range: KeyRange,
    pub(super) filter: Option<Expression>,
    pub(super) total: Total,
}

/// What is known of a list's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Total {
    /// A counter says it.
    Known(u32),
    /// It must be counted.
    Unknown,
}

/// How far a walk over the list got.
#[derive(Debug, Default)]
struct Walk {
    /// Where it stands.
    after: Option<Key>,
    /// How many items of the list it passed.
    passed: u32,
    /// How many items it looked at.
    looked_at: u32,
    /// Whether it came to the end.
    ended: bool,
    /// Whether it left out a part without counting it.
    left_out: bool,
}

/// The items of a page.
struct Found {
    items: Vec<Item>,
    /// Whether there is more after them.
    more: bool,
}

impl Listing<'_> {
    /// The page that `wanted` asks for.
    pub(super) async fn page<T>(
        &self,
        wanted: &PageRequest,
        decode: impl Fn(Item) -> Result<T, CodecError>,
    ) -> Result<PageOf<T>, StoreError> {
        let mut walk = self.start(&wanted.from).await?;
        let found = self.collect(&mut walk, wanted.limit).await?;
        let next = found.more.then_some(walk.after.as_ref()).flatten();
        let next = next.map(|key| key.sk.clone());
        let (total, total_is_lower_bound) = self.count(walk).await?;
        let items: Result<Vec<T>, _> = found.items.into_iter().map(decode).collect();
        Ok(PageOf {
            items: items.map_err(|error| error.during(self.operation))?,
            next,
            total,
            total_is_lower_bound,
        })
    }

    /// Walks to where the page begins.
    async fn start(&self, from: &PageStart) -> Result<Walk, StoreError> {
        let mut walk = Walk::default();
        match from {
            PageStart::Offset(offset) => self.skip(&mut walk, *offset).await?,
            // A key from elsewhere is where no page goes on.
            PageStart::After(sk) if !self.range.contains(sk) => walk.ended = true,
            PageStart::After(sk) => {
                if self.total == Total::Unknown {
                    let newer = KeyRange {
                        first: sk.clone(),
                        ..self.range.clone()
                    };
                    self.count_on(&mut walk, newer).await?;
                }
                walk.ended = false;
                walk.after = Some(Key {
                    pk: self.range.pk.clone(),
                    sk: sk.clone(),
                });
            }
        }
        Ok(walk)
    }

    /// Walks over the first `offset` items, reading only their keys. Where they lie too far apart, the page is empty.
    async fn skip(&self, walk: &mut Walk, offset: u32) -> Result<(), StoreError> {
        let query = self.query(Wanted::Keys, self.range.clone());
        while walk.passed < offset && !walk.ended && walk.looked_at <= MOST_LOOKED_AT {
            let missing = offset - walk.passed;
            let limit = self.filter.is_none().then_some(missing);
            let page = self
                .table
                .query_page(self.operation, &query, walk.after.take(), limit)
                .await?;
            walk.looked_at += page.looked_at;
            let last_wanted = usize::try_from(missing - 1).unwrap_or(usize::MAX);
            if let Some(last) = page.items.get(last_wanted) {
                walk.passed = offset;
                walk.after = Some(self.key_of(last)?);
                return Ok(());
            }
            walk.passed += u32::try_from(page.items.len()).unwrap_or(u32::MAX);
            walk.ended = page.next.is_none();
            walk.after = page.next;
        }
        walk.left_out |= !walk.ended && walk.passed < offset;
        walk.ended |= walk.left_out;
        Ok(())
    }

    /// Reads items until there are `limit` and one more is known of, and leaves the walk after the last of them; or, where too much had to be
    /// looked at, after the last that was looked at.
    async fn collect(&self, walk: &mut Walk, limit: u32) -> Result<Found, StoreError> {
        let query = self.query(Wanted::Items, self.range.clone());
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let size = Some(self.page_size(limit));
        let mut items: Vec<Item> = Vec::new();
        let mut looked_at = 0;
        while !walk.ended && items.len() <= wanted && looked_at < MOST_LOOKED_AT {
            let after = walk.after.take();
            let page = self
                .table
                .query_page(self.operation, &query, after, size)
                .await?;
            looked_at += page.looked_at;
            walk.ended = page.next.is_none();
            walk.after = page.next;
            items.extend(page.items);
        }
        let more = items.len() > wanted || !walk.ended;
        if items.len() > wanted {
            items.truncate(wanted);
            walk.ended = false;
            walk.after = items.last().map(|last| self.key_of(last)).transpose()?;
        }
        walk.looked_at += looked_at;
        walk.passed += u32::try_from(items.len()).unwrap_or(u32::MAX);
        Ok(Found { items, more })
    }

    /// How many items to look at at once: one more than the page where all pass, some more where a filter throws some away.
    fn page_size(&self, limit: u32) -> u32 {
        let one_more = limit.saturating_add(1);
        match self.filter {
            None => one_more,
            Some(_) => one_more.saturating_mul(4).max(200),
        }
    }

    /// The total, and whether it is only a lower bound.
    async fn count(&self, mut walk: Walk) -> Result<(u32, bool), StoreError> {
        if let Total::Known(total) = self.total {
            return Ok((total.min(COUNTED_TOTAL), total > COUNTED_TOTAL));
        }
        self.count_on(&mut walk, self.range.clone()).await?;
        Ok((
            walk.passed.min(COUNTED_TOTAL),
            walk.left_out || walk.passed > COUNTED_TOTAL,
        ))
    }

    /// Counts the items of `range` from where the walk stands, as far as totals are counted.
    async fn count_on(&self, walk: &mut Walk, range: KeyRange) -> Result<(), StoreError> {
        let query = self.query(Wanted::Count, range);
        while !walk.ended && walk.passed <= COUNTED_TOTAL && walk.looked_at <= MOST_LOOKED_AT {
            let page = self
                .table
                .query_page(self.operation, &query, walk.after.take(), None)
                .await?;
            walk.looked_at += page.looked_at;
            walk.passed += page.passed;
            walk.ended = page.next.is_none();
            walk.after = page.next;
        }
        walk.left_out |= !walk.ended;
        Ok(())
    }

    fn query(&self, select: Wanted, range: KeyRange) -> Query {
        Query {
            range,
            newest_first: true,
            freshness: Freshness::Eventual,
            filter: self.filter.clone(),
            select,
        }
    }

    fn key_of(&self, item: &Item) -> Result<Key, StoreError> {
        codec::text_of(item, SK)
            .map(|sk| Key {
                pk: self.range.pk.clone(),
                sk: sk.to_owned(),
            })
            .map_err(|error| error.during(self.operation))
    }
}
