//! Slots and receipts: the two halves of mails.

use std::collections::BTreeMap;

use agentwarm_app::ports::days::{AccountRef, Receipts, Slots};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::Slot;
use async_trait::async_trait;

use super::meter::{self, Fresh, Kind, PUT, PUT_REFUSED, Partition, Place};
use super::{Image, MemoryStore, State};

#[derive(Debug, Default)]
pub(super) struct SlotItems {
    pub(super) slots: BTreeMap<(AccountRef, SlotId), Slot>,
    pub(super) receipts: BTreeMap<(AccountRef, SlotId), Receipt>,
    /// What slots were that changed since [`SlotItems::settle`].
    before: BTreeMap<(AccountRef, SlotId), Option<Slot>>,
}

impl SlotItems {
    pub(super) fn settle(&mut self) {
        self.before.clear();
    }

    fn write(&mut self, slot: &Slot) {
        let before = self.slots.insert(slot_key(slot), slot.clone());
        self.before.entry(slot_key(slot)).or_insert(before);
    }
}

#[async_trait]
impl Slots for MemoryStore {
    async fn create(&self, slot: &Slot) -> Result<Created, StoreError> {
        self.run("slots.create", |state| {
            if state.slots.slots.contains_key(&slot_key(slot)) {
                state.meter.refused(slot_place(slot_key(slot)), PUT_REFUSED);
                return Created::Exists;
            }
            state.put_slot(slot, Vec::new());
            Created::Done
        })
        .await
    }

    async fn get(&self, sender: AccountRef, slot: SlotId) -> Result<Option<Slot>, StoreError> {
        let operation = "slots.get";
        let lags = self.chaos.lags();
        self.run(operation, |state| {
            state.meter.get(slot_place((sender, slot)), Fresh::Eventual);
            let before = state.slots.before.get(&(sender, slot));
            if let Some(before) = before.filter(|_| lags) {
                self.chaos.note(operation, "lag");
                return before.clone();
            }
            state.slots.slots.get(&(sender, slot)).cloned()
        })
        .await
    }

    async fn written(&self, sender: AccountRef, slot: SlotId) -> Result<Option<Slot>, StoreError> {
        self.run("slots.written", |state| {
            let place = slot_place((sender, slot));
            state.meter.get(place, Fresh::Consistent);
            state.slots.slots.get(&(sender, slot)).cloned()
        })
        .await
    }

    async fn between(
        &self,
        sender: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Slot>, StoreError> {
        self.run("slots.between", |state| {
            let slots = within(&state.slots.slots, sender, from, to);
            let places = slots.iter().map(slot_key).map(slot_place);
            state.meter.query(Kind::Slot, Fresh::Eventual, places);
            slots
        })
        .await
    }

    async fn written_between(
        &self,
        sender: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Slot>, StoreError> {
        self.run("slots.written_between", |state| {
            let slots = within(&state.slots.slots, sender, from, to);
            let places = slots.iter().map(slot_key).map(slot_place);
            state.meter.query(Kind::Slot, Fresh::Consistent, places);
            slots
        })
        .await
    }

    async fn replace(&self, slot: &Slot, events: Vec<Event>) -> Result<Replaced, StoreError> {
        self.run_replace("slots.replace", |state| {
            match state.slots.slots.get(&slot_key(slot)) {
                Some(stored) if stored.version + 1 == slot.version => {}
                _ => {
                    state.meter.refused(slot_place(slot_key(slot)), PUT_REFUSED);
                    return Replaced::Stale;
                }
            }
            state.put_slot(slot, events);
            Replaced::Done
        })
        .await
    }
}

#[async_trait]
impl Receipts for MemoryStore {
    async fn create(&self, receipt: &Receipt, events: Vec<Event>) -> Result<Created, StoreError> {
        self.run("receipts.create", |state| {
            if state.slots.receipts.contains_key(&receipt_key(receipt)) {
                let place = receipt_place(receipt_key(receipt));
                state.meter.refused(place, PUT_REFUSED);
                return Created::Exists;
            }
            state.put_receipt(receipt, events);
            Created::Done
        })
        .await
    }

    async fn get(&self, receiver: AccountRef, slot: SlotId) -> Result<Option<Receipt>, StoreError> {
        self.run("receipts.get", |state| {
            let place = receipt_place((receiver, slot));
            state.meter.get(place, Fresh::Eventual);
            state.slots.receipts.get(&(receiver, slot)).cloned()
        })
        .await
    }

    async fn between(
        &self,
        receiver: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Receipt>, StoreError> {
        self.run("receipts.between", |state| {
            let receipts = within(&state.slots.receipts, receiver, from, to);
            let places = receipts.iter().map(receipt_key).map(receipt_place);
            state.meter.query(Kind::Receipt, Fresh::Eventual, places);
            receipts
        })
        .await
    }

    async fn found(
        &self,
        user: UserId,
        mails: &[(AccountId, SlotId)],
    ) -> Result<Vec<SlotId>, StoreError> {
        self.run("receipts.found", |state| {
            let keys = mails
                .iter()
                .map(|&(account, slot)| (AccountRef { user, account }, slot));
            let places = keys.map(receipt_place);
            state.meter.batch_get(Kind::Receipt, places);
            mails
                .iter()
                .filter(|&&(account, slot)| {
                    let receiver = AccountRef { user, account };
                    state.slots.receipts.contains_key(&(receiver, slot))
                })
                .map(|&(_, slot)| slot)
                .collect()
        })
        .await
    }

    async fn replace(&self, receipt: &Receipt, events: Vec<Event>) -> Result<Replaced, StoreError> {
        self.run_replace("receipts.replace", |state| {
            match state.slots.receipts.get(&receipt_key(receipt)) {
                Some(stored) if stored.version + 1 == receipt.version => {}
                _ => {
                    let place = receipt_place(receipt_key(receipt));
                    state.meter.refused(place, PUT_REFUSED);
                    return Replaced::Stale;
                }
            }
            state.put_receipt(receipt, events);
            Replaced::Done
        })
        .await
    }
}

impl State {
    fn put_slot(&mut self, slot: &Slot, events: Vec<Event>) {
        self.meter.wrote(slot_place(slot_key(slot)), PUT, || {
            slot_bytes(slot, &events)
        });
        self.slots.write(slot);
        let key = format!("slot#{}#{}", slot.sender, slot.id);
        let image = Image::Slot(Box::new(slot.clone()));
        self.report(slot.user, key, slot.version, image, events);
    }

    fn put_receipt(&mut self, receipt: &Receipt, events: Vec<Event>) {
        let place = receipt_place(receipt_key(receipt));
        self.meter
            .wrote(place, PUT, || receipt_bytes(receipt, &events));
        self.slots
            .receipts
            .insert(receipt_key(receipt), receipt.clone());
        let key = format!("rcpt#{}#{}", receipt.receiver, receipt.slot);
        let image = Image::Receipt(Box::new(receipt.clone()));
        self.report(receipt.user, key, receipt.version, image, events);
    }
}

fn within<T: Clone>(
    items: &BTreeMap<(AccountRef, SlotId), T>,
    owner: AccountRef,
    from: SlotId,
    to: SlotId,
) -> Vec<T> {
    if from >= to {
        return Vec::new();
    }
    let range = items.range((owner, from)..(owner, to));
    range.map(|(_, item)| item.clone()).collect()
}

fn slot_key(slot: &Slot) -> (AccountRef, SlotId) {
    let sender = AccountRef {
        user: slot.user,
        account: slot.sender,
    };
    (sender, slot.id)
}

fn receipt_key(receipt: &Receipt) -> (AccountRef, SlotId) {
    let receiver = AccountRef {
        user: receipt.user,
        account: receipt.receiver,
    };
    (receiver, receipt.slot)
}

fn slot_place((sender, slot): (AccountRef, SlotId)) -> Place {
    let account = Partition::Account(sender);
    (Kind::Slot, account, slot.as_uuid().as_u128())
}

fn receipt_place((receiver, slot): (AccountRef, SlotId)) -> Place {
    let account = Partition::Account(receiver);
    (Kind::Receipt, account, slot.as_uuid().as_u128())
}

/// What stands beside the record: keys, version, end.
const BESIDES: usize = 150;

/// A slot's id, user and sender stand in its key alone.
fn slot_bytes(slot: &Slot, events: &[Event]) -> usize {
    let in_key: usize = ["id", "user", "sender"].map(meter::id_field).iter().sum();
    meter::bytes_of(slot, BESIDES) - in_key + meter::event_bytes(events)
}

/// The same of a receipt.
fn receipt_bytes(receipt: &Receipt, events: &[Event]) -> usize {
    let in_key: usize = ["slot", "user", "receiver"]
        .map(meter::id_field)
        .iter()
        .sum();
    meter::bytes_of(receipt, BESIDES) - in_key + meter::event_bytes(events)
}
