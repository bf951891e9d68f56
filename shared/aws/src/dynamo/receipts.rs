//! Receipts: the receiver's half of mails. On the hot path of every mail, so nothing here is a transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;

use agentwarm_app::ports::days::{AccountRef, Receipts};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::mail::receipt::Receipt;

use super::ActivityTable;
use super::expression::Expression;
use super::query::{Query, Wanted};
use super::table::{Freshness, Written};
use crate::actions::{Action, BATCH_GET, GET, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys::{self, SK};

/// The fields that the key says. The record does without them: it is written several times for each mail, and stays below the kilobyte
/// that one write unit pays for.
const IN_KEY: [&str; 3] = ["slot", "user", "receiver"];

/// [`Receipts`] on the activity table.
#[derive(Debug, Clone)]
pub struct DynamoReceipts(ActivityTable);

impl DynamoReceipts {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Activity.may(GET),
        Resource::Activity.may(BATCH_GET),
        Resource::Activity.may(QUERY),
        Resource::Activity.may(PUT),
    ];

    /// On the activity table.
    pub fn new(activity: ActivityTable) -> Self {
        Self(activity)
    }

    async fn put(
        &self,
        operation: &'static str,
        receipt: &Receipt,
        events: &[Event],
        condition: Expression,
    ) -> Result<Written, StoreError> {
        let item = self
            .item(receipt, events)
            .map_err(|error| error.during(operation))?;
        self.0.table.put(operation, item, condition).await
    }

    fn item(&self, receipt: &Receipt, events: &[Event]) -> Result<Item, CodecError> {
        let receiver = AccountRef {
            user: receipt.user,
            account: receipt.receiver,
        };
        Ok(ItemBuilder::new(keys::receipt(receiver, receipt.slot))
            .data_but(&IN_KEY, receipt)?
            .version(receipt.version)
            .events(receipt.version, events)?
            .expires_at(self.0.expiry())
            .build())
    }
}

#[async_trait]
impl Receipts for DynamoReceipts {
    async fn create(&self, receipt: &Receipt, events: Vec<Event>) -> Result<Created, StoreError> {
        let condition = Expression::absent(self.0.table.now());
        let written = self.put("book a mail", receipt, &events, condition).await?;
        Ok(written.created())
    }

    async fn get(&self, receiver: AccountRef, slot: SlotId) -> Result<Option<Receipt>, StoreError> {
        const OPERATION: &str = "read a receipt";
        let key = keys::receipt(receiver, slot);
        let table = &self.0.table;
        let item = table.get(OPERATION, key, Freshness::Eventual).await?;
        codec::read_one(OPERATION, item, read)
    }

    async fn between(
        &self,
        receiver: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Receipt>, StoreError> {
        const OPERATION: &str = "read the receipts of a time";
        let query = Query::new(keys::receipts(receiver, from, to));
        let items = self.0.table.query_all(OPERATION, &query).await?;
        let mut receipts: Vec<Receipt> = codec::read_all(OPERATION, items, read)?;
        // Key ranges include their end.
        receipts.retain(|receipt| receipt.slot < to);
        Ok(receipts)
    }

    async fn found(
        &self,
        user: UserId,
        mails: &[(AccountId, SlotId)],
    ) -> Result<Vec<SlotId>, StoreError> {
        const OPERATION: &str = "look which mails were found";
        let wanted = mails.iter().map(|&(account, slot)| {
            let key = keys::receipt(AccountRef { user, account }, slot);
            (key, slot)
        });
        let wanted: std::collections::BTreeMap<_, _> = wanted.collect();
        let items = self
            .0
            .table
            .batch_get(OPERATION, wanted.keys().cloned(), Wanted::Keys)
            .await?;
        let there = codec::read_all(OPERATION, items, |item| codec::key_of(&item))?;
        let there: BTreeSet<_> = there.into_iter().collect();
        Ok(wanted
            .into_iter()
            .filter_map(|(key, slot)| there.contains(&key).then_some(slot))
            .collect())
    }

    async fn replace(&self, receipt: &Receipt, events: Vec<Event>) -> Result<Replaced, StoreError> {
        let condition = Expression::precedes(receipt.version);
        let written = self
            .put("change a receipt", receipt, &events, condition)
            .await?;
        Ok(written.replaced())
    }
}

/// A receipt as it was written.
pub(crate) fn read(item: Item) -> Result<Receipt, CodecError> {
    let key = codec::key_of(&item)?;
    let (owner, slot) = keys::receipt_parts(&key).ok_or(CodecError::Form(SK))?;
    let [own_slot, user, account] = IN_KEY;
    codec::record_with(
        item,
        [
            (own_slot, slot.to_string()),
            (user, owner.user.to_string()),
            (account, owner.account.to_string()),
        ],
    )
}
