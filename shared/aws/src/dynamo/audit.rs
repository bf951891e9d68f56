//! The audit log.

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use agentwarm_app::ports::audit::{AuditFilter, AuditLog};
use agentwarm_app::ports::{PageOf, PageRequest, StoreError};
use agentwarm_core::audit::AuditEntry;
use agentwarm_core::ids::UserId;

use super::expression::Expression;
use super::page::{Listing, Total};
use super::table::Table;
use crate::actions::{Action, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys;

/// Entries on their way at once.
const WRITES_AT_ONCE: usize = 8;

/// [`AuditLog`] on the activity table.
#[derive(Debug, Clone)]
pub struct DynamoAuditLog(Table);

impl DynamoAuditLog {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Activity.may(PUT), Resource::Activity.may(QUERY)];

    /// On the activity table.
    pub fn new(activity: Table) -> Self {
        Self(activity)
    }
}

#[async_trait]
impl AuditLog for DynamoAuditLog {
    async fn append(
        &self,
        user: UserId,
        entries: &[AuditEntry],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "write to the audit log";
        let items = entries
            .iter()
            .map(|entry| item(user, entry, expires_at))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.during(OPERATION))?;
        // One conditional write each: a batch would overwrite. They cost the same.
        let absent = Expression::absent(self.0.now());
        stream::iter(items)
            .map(|item| self.0.put(OPERATION, item, absent.clone()))
            .buffer_unordered(WRITES_AT_ONCE)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await
    }

    async fn list(
        &self,
        user: UserId,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<PageOf<AuditEntry>, StoreError> {
        let listing = Listing {
            table: &self.0,
            operation: "list the audit log",
            range: keys::audit_entries(user, filter.since, filter.until),
            filter: Some(filter_of(filter, self.0.now())),
            total: Total::Unknown,
        };
        listing.page(page, codec::record).await
    }
}

fn item(user: UserId, entry: &AuditEntry, expires_at: Timestamp) -> Result<Item, CodecError> {
    Ok(ItemBuilder::new(keys::audit_entry(user, entry.id))
        .data(entry)?
        .expires_at(expires_at)
        .build())
}

/// A filter as DynamoDB evaluates it; the times are in the range already.
fn filter_of(filter: &AuditFilter, now: Timestamp) -> Expression {
    let is = |attribute: &'static str, wanted: &Option<String>| {
        wanted.as_deref().map(|wanted| {
            Expression::new(format!("#data.#{attribute} = :{attribute}"))
                .value(attribute, codec::text(wanted))
        })
    };
    let actor = filter.actor.as_deref().map(|actor| {
        let path = if actor == "system" {
            "#data.#actor = :actor"
        } else {
            "#data.#actor.#user = :actor"
        };
        Expression::new(path).value("actor", codec::text(actor))
    });
    [
        is("event_type", &filter.event_type),
        is("entity_type", &filter.entity_type),
        is("entity_id", &filter.entity_id),
        actor,
    ]
    .into_iter()
    .flatten()
    .fold(Expression::live(now), Expression::and)
}
