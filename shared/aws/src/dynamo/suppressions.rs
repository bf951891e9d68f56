//! Addresses that get no warmup mail (decisions 30, 33).
//!
//! Each is two items with the same record: one under the address, which is all that the engine reads, and one under its entry's id, by which
//! the list is in order of time. They are written together, which is dear and rare.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use agentwarm_app::ports::days::{SuppressionReason, Suppressions};
use agentwarm_app::ports::suppressions::{Suppression, SuppressionFilter, SuppressionList};
use agentwarm_app::ports::{PageOf, PageRequest, StoreError};
use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::UserId;

use super::expression::Expression;
use super::page::{Listing, Total};
use super::query::Wanted;
use super::table::{Freshness, Table};
use super::transaction::{Part, Transacted};
use crate::actions::{Action, BATCH_GET, DELETE, GET, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::error::{Contended, unavailable};
use crate::keys;

/// When an entry expires, in epoch nanoseconds: texts of times do not compare as times. Not the table's TTL: what has expired stays.
const UNTIL: &str = "until";

/// What both adapters do.
const SUPPRESS: &str = "suppress an address";

/// How often an address is written that others write at the same time: each time one of them is done.
const ATTEMPTS: u32 = 8;

/// [`Suppressions`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoSuppressions(Table);

impl DynamoSuppressions {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(BATCH_GET),
        Resource::Entities.may(GET),
        Resource::Entities.may(PUT),
    ];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl Suppressions for DynamoSuppressions {
    async fn suppressed(
        &self,
        user: UserId,
        emails: &[String],
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        const OPERATION: &str = "look which addresses are suppressed";
        let keys = emails
            .iter()
            .map(|email| keys::suppression(user, &email.to_lowercase()));
        let items = self.0.batch_get(OPERATION, keys, Wanted::Items).await?;
        let found: Vec<Suppression> = codec::read_all(OPERATION, items, codec::record)?;
        let in_force: BTreeSet<String> = found
            .into_iter()
            .filter(|suppression| suppression.in_force(at))
            .map(|suppression| suppression.email)
            .collect();
        let is_suppressed = |email: &&String| in_force.contains(&email.to_lowercase());
        Ok(emails.iter().filter(is_suppressed).cloned().collect())
    }

    async fn suppress(
        &self,
        user: UserId,
        email: &str,
        reason: SuppressionReason,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let there = read(&self.0, SUPPRESS, user, email).await?;
            if there.as_ref().is_some_and(|it| it.outlasts(until, at)) {
                return Ok(());
            }
            let unchanged = ends_still(there.as_ref()).map_err(|error| error.during(SUPPRESS))?;
            let entry = Suppression::of(there.as_ref(), email, reason, at, until);
            if write(&self.0, user, &entry, unchanged).await? {
                return Ok(());
            }
        }
        Err(unavailable(SUPPRESS, Contended))
    }
}

/// [`SuppressionList`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoSuppressionList(Table);

impl DynamoSuppressionList {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(QUERY),
        Resource::Entities.may(GET),
        Resource::Entities.may(PUT),
        Resource::Entities.may(DELETE),
    ];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl SuppressionList for DynamoSuppressionList {
    async fn list(
        &self,
        user: UserId,
        filter: &SuppressionFilter,
        page: &PageRequest,
    ) -> Result<PageOf<Suppression>, StoreError> {
        let listing = Listing {
            table: &self.0,
            operation: "list suppressed addresses",
            range: keys::suppression_entries(user),
            filter: filter_of(filter),
            total: Total::Unknown,
        };
        listing.page(page, codec::record).await
    }

    async fn put(
        &self,
        user: UserId,
        email: &EmailAddress,
        reason: SuppressionReason,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Suppression, StoreError> {
        let email = email.as_str();
        for _ in 0..ATTEMPTS {
            let there = read(&self.0, SUPPRESS, user, email).await?;
            let entry = Suppression::of(there.as_ref(), email, reason, at, until);
            if write(&self.0, user, &entry, is_still(there.as_ref())).await? {
                return Ok(entry);
            }
        }
        Err(unavailable(SUPPRESS, Contended))
    }

    async fn remove(&self, user: UserId, email: &EmailAddress) -> Result<bool, StoreError> {
        const OPERATION: &str = "take an address off the suppression list";
        for _ in 0..ATTEMPTS {
            let Some(there) = read(&self.0, OPERATION, user, email.as_str()).await? else {
                return Ok(false);
            };
            let parts = vec![
                Part::Delete(
                    keys::suppression(user, &there.email),
                    Some(is_still(Some(&there))),
                ),
                Part::Delete(keys::suppression_entry(user, there.id), None),
            ];
            if matches!(self.0.transact(OPERATION, parts).await?, Transacted::Done) {
                return Ok(true);
            }
        }
        Err(unavailable(OPERATION, Contended))
    }
}

/// Writes both items of an entry if `unchanged` holds of the one under its address; whether it did.
async fn write(
    table: &Table,
    user: UserId,
    entry: &Suppression,
    unchanged: Expression,
) -> Result<bool, StoreError> {
    let items = items(user, entry).map_err(|error| error.during(SUPPRESS))?;
    let [by_address, listed] = items;
    let parts = vec![
        Part::Put(by_address, Some(unchanged)),
        Part::Put(listed, None),
    ];
    let done = table.transact(SUPPRESS, parts).await?;
    Ok(matches!(done, Transacted::Done))
}

async fn read(
    table: &Table,
    operation: &'static str,
    user: UserId,
    email: &str,
) -> Result<Option<Suppression>, StoreError> {
    let key = keys::suppression(user, &email.to_lowercase());
    let item = table.get(operation, key, Freshness::Consistent).await?;
    codec::read_one(operation, item, codec::record)
}

/// An address has the entry that was read. To its user only the entry's id matters: what they say last is what counts.
fn is_still(there: Option<&Suppression>) -> Expression {
    match there {
        None => Expression::new("attribute_not_exists(#pk)"),
        Some(there) => {
            Expression::new("#data.#id = :id").value("id", codec::text(there.id.to_string()))
        }
    }
}

/// The same, and it ends when it did: an entry that was made longer meanwhile is not to be shortened.
fn ends_still(there: Option<&Suppression>) -> Result<Expression, CodecError> {
    let still = is_still(there);
    Ok(match there {
        None => still,
        Some(there) => still.and(
            Expression::new("#data.#expires_at = :ends")
                .value("ends", codec::encode(&there.expires_at)?),
        ),
    })
}

/// By its address and in the list.
fn items(user: UserId, entry: &Suppression) -> Result<[Item; 2], CodecError> {
    let until = entry
        .expires_at
        .map(|until| codec::number(until.as_nanosecond()));
    let by_address = ItemBuilder::new(keys::suppression(user, &entry.email)).data(entry)?;
    let listed = ItemBuilder::new(keys::suppression_entry(user, entry.id)).data(entry)?;
    Ok([by_address.build(), listed.with_some(UNTIL, until).build()])
}

/// A filter as DynamoDB evaluates it.
fn filter_of(filter: &SuppressionFilter) -> Option<Expression> {
    let reason = filter.reason.map(|reason| {
        Expression::new("#data.#reason = :reason").value("reason", codec::text(reason.as_str()))
    });
    let in_force = filter.in_force_at.map(|at| {
        Expression::new(format!("attribute_not_exists(#{UNTIL}) OR #{UNTIL} > :at"))
            .value("at", codec::number(at.as_nanosecond()))
    });
    [reason, in_force]
        .into_iter()
        .flatten()
        .reduce(Expression::and)
}
