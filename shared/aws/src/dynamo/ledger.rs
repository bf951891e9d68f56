//! What the members of a pool plan to send each other on a date.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::civil::Date;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::days::{PlannedMails, PoolLedger};
use agentwarm_core::ids::{AccountId, PoolId, UserId};

use super::ActivityTable;
use super::query::Query;
use crate::actions::{Action, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys::{self, SK};

/// How many mails are planned for each account.
const PLANNED: &str = "planned";

/// [`PoolLedger`] on the activity table.
#[derive(Debug, Clone)]
pub struct DynamoPoolLedger(ActivityTable);

impl DynamoPoolLedger {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Activity.may(PUT), Resource::Activity.may(QUERY)];

    /// On the activity table.
    pub fn new(activity: ActivityTable) -> Self {
        Self(activity)
    }
}

#[async_trait]
impl PoolLedger for DynamoPoolLedger {
    async fn note(
        &self,
        user: UserId,
        pool: PoolId,
        date: Date,
        sender: AccountId,
        planned: &BTreeMap<AccountId, u32>,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "note what a sender plans";
        let planned = codec::encode(planned).map_err(|error| error.during(OPERATION))?;
        let item = ItemBuilder::new(keys::ledger_row(user, pool, date, sender))
            .with(PLANNED, planned)
            .expires_at(self.0.expiry())
            .build();
        self.0.table.overwrite(OPERATION, item).await
    }

    async fn planned(
        &self,
        user: UserId,
        pool: PoolId,
        date: Date,
    ) -> Result<PlannedMails, StoreError> {
        const OPERATION: &str = "read what a pool plans";
        // Consistent, or two members planned one after the other could choose the same partner.
        let query = Query::new(keys::ledger(user, pool, date)).consistent();
        let items = self.0.table.query_all(OPERATION, &query).await?;
        Ok(codec::read_all(OPERATION, items, read)?
            .into_iter()
            .collect())
    }
}

fn read(mut item: Item) -> Result<(AccountId, BTreeMap<AccountId, u32>), CodecError> {
    let sender = keys::ledger_sender(codec::text_of(&item, SK)?).ok_or(CodecError::Form(SK))?;
    Ok((sender, codec::take(&mut item, PLANNED)?))
}
