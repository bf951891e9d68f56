//! Addresses that get no warmup mail (decisions 30, 33).

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::days::{SuppressionReason, Suppressions};
use agentwarm_core::ids::UserId;

use super::query::Wanted;
use super::table::Table;
use crate::actions::{Action, BATCH_GET, PUT, Resource};
use crate::codec::{self, ItemBuilder};
use crate::keys;

/// A suppressed address, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Suppression {
    email: String,
    reason: SuppressionReason,
    since: Timestamp,
    until: Option<Timestamp>,
}

/// [`Suppressions`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoSuppressions(Table);

impl DynamoSuppressions {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(BATCH_GET),
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
            .filter(|suppression| suppression.until.is_none_or(|until| at < until))
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
        const OPERATION: &str = "suppress an address";
        let suppression = Suppression {
            email: email.to_lowercase(),
            reason,
            since: at,
            until,
        };
        let item = ItemBuilder::new(keys::suppression(user, &suppression.email))
            .data(&suppression)
            .map_err(|error| error.during(OPERATION))?
            .build();
        self.0.overwrite(OPERATION, item).await
    }
}
