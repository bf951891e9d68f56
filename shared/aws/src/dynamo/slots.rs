//! Slots: the sender's half of mails. On the hot path of every mail, so nothing here is a transaction.

use async_trait::async_trait;

use agentwarm_app::ports::days::{AccountRef, Slots};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::slot::Slot;

use super::ActivityTable;
use super::expression::Expression;
use super::query::Query;
use super::table::{Freshness, Written};
use crate::actions::{Action, GET, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys::{self, SK};

/// The fields that the key says. The record does without them: it is written several times for each mail, and stays below the kilobyte
/// that one write unit pays for.
const IN_KEY: [&str; 3] = ["id", "user", "sender"];

/// [`Slots`] on the activity table.
#[derive(Debug, Clone)]
pub struct DynamoSlots(ActivityTable);

impl DynamoSlots {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Activity.may(GET),
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
        slot: &Slot,
        events: &[Event],
        condition: Expression,
    ) -> Result<Written, StoreError> {
        let item = self
            .item(slot, events)
            .map_err(|error| error.during(operation))?;
        self.0.table.put(operation, item, condition).await
    }

    async fn read(
        &self,
        sender: AccountRef,
        slot: SlotId,
        freshness: Freshness,
    ) -> Result<Option<Slot>, StoreError> {
        const OPERATION: &str = "read a slot";
        let key = keys::slot(sender, slot);
        let item = self.0.table.get(OPERATION, key, freshness).await?;
        codec::read_one(OPERATION, item, read)
    }

    /// What a query finds, without what has the id `end`: key ranges include their end.
    async fn before(&self, end: SlotId, query: Query) -> Result<Vec<Slot>, StoreError> {
        const OPERATION: &str = "read the slots of a day";
        let items = self.0.table.query_all(OPERATION, &query).await?;
        let mut slots: Vec<Slot> = codec::read_all(OPERATION, items, read)?;
        slots.retain(|slot| slot.id < end);
        Ok(slots)
    }

    fn item(&self, slot: &Slot, events: &[Event]) -> Result<Item, CodecError> {
        let sender = AccountRef {
            user: slot.user,
            account: slot.sender,
        };
        Ok(ItemBuilder::new(keys::slot(sender, slot.id))
            .data_but(&IN_KEY, slot)?
            .version(slot.version)
            .events(slot.version, events)?
            .expires_at(self.0.expiry())
            .build())
    }
}

#[async_trait]
impl Slots for DynamoSlots {
    async fn create(&self, slot: &Slot) -> Result<Created, StoreError> {
        let condition = Expression::absent(self.0.table.now());
        let written = self.put("claim a slot", slot, &[], condition).await?;
        Ok(written.created())
    }

    async fn get(&self, sender: AccountRef, slot: SlotId) -> Result<Option<Slot>, StoreError> {
        self.read(sender, slot, Freshness::Eventual).await
    }

    async fn written(&self, sender: AccountRef, slot: SlotId) -> Result<Option<Slot>, StoreError> {
        self.read(sender, slot, Freshness::Consistent).await
    }

    async fn between(
        &self,
        sender: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Slot>, StoreError> {
        let query = Query::new(keys::slots(sender, from, to));
        self.before(to, query).await
    }

    async fn written_between(
        &self,
        sender: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Slot>, StoreError> {
        let query = Query::new(keys::slots(sender, from, to)).consistent();
        self.before(to, query).await
    }

    async fn replace(&self, slot: &Slot, events: Vec<Event>) -> Result<Replaced, StoreError> {
        let condition = Expression::precedes(slot.version);
        let written = self.put("change a slot", slot, &events, condition).await?;
        Ok(written.replaced())
    }
}

/// A slot as it was written.
pub(crate) fn read(item: Item) -> Result<Slot, CodecError> {
    let key = codec::key_of(&item)?;
    let (owner, slot) = keys::slot_parts(&key).ok_or(CodecError::Form(SK))?;
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
