//! What is remembered of mailboxes, and their leases.

use std::collections::BTreeMap;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::mailboxes::{MailboxLease, MailboxReads, MailboxState, Mailboxes};
use agentwarm_core::warmup::connection::{MailProtocol, ServerHealth};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::MemoryStore;
use super::meter::{self, DELETE, Fresh, Kind, Partition, Place, UPDATE, UPDATE_REFUSED};

#[derive(Debug, Default)]
pub(super) struct MailboxItems(BTreeMap<AccountRef, Mailbox>);

impl MailboxItems {
    pub(super) fn of(&self, mailbox: AccountRef) -> Option<&MailboxState> {
        self.0.get(&mailbox).map(|item| &item.state)
    }
}

#[derive(Debug, Default)]
struct Mailbox {
    state: MailboxState,
    lease: Option<Lease>,
}

impl Mailbox {
    fn is_held_by(&self, owner: &str) -> bool {
        let held = self.lease.as_ref();
        held.is_some_and(|held| held.owner == owner)
    }

    /// Takes over what a visit learned; its health is not the visit's to write.
    fn learn(&mut self, state: &MailboxState) {
        self.state = MailboxState {
            health: self.state.health.clone(),
            version: self.state.version + 1,
            ..state.clone()
        };
    }
}

#[derive(Debug)]
struct Lease {
    owner: String,
    until: Timestamp,
}

#[async_trait]
impl MailboxReads for MemoryStore {
    async fn state(&self, mailbox: AccountRef) -> Result<MailboxState, StoreError> {
        self.run("mailboxes.state", |state| {
            state.meter.get(place(mailbox), Fresh::Eventual);
            let item = state.mailboxes.0.get(&mailbox);
            item.map(|item| item.state.clone()).unwrap_or_default()
        })
        .await
    }
}

#[async_trait]
impl Mailboxes for MemoryStore {
    async fn lease(
        &self,
        mailbox: AccountRef,
        owner: &str,
        now: Timestamp,
        duration: SignedDuration,
    ) -> Result<Option<MailboxLease>, StoreError> {
        self.run("mailboxes.lease", |state| {
            let item = state.mailboxes.0.entry(mailbox).or_default();
            let is_held = item
                .lease
                .as_ref()
                .is_some_and(|lease| now < lease.until && lease.owner != owner);
            if is_held {
                state.meter.refused(place(mailbox), UPDATE_REFUSED);
                return None;
            }
            item.lease = Some(Lease {
                owner: owner.to_owned(),
                until: now.checked_add(duration).unwrap_or(Timestamp::MAX),
            });
            item.state.version += 1;
            state.meter.wrote(place(mailbox), UPDATE, || bytes(item));
            Some(MailboxLease {
                mailbox,
                owner: owner.to_owned(),
                state: item.state.clone(),
            })
        })
        .await
    }

    async fn release(
        &self,
        lease: &MailboxLease,
        mailbox_state: &MailboxState,
    ) -> Result<(), StoreError> {
        self.run("mailboxes.release", |state| {
            let place = place(lease.mailbox);
            let item = state.mailboxes.0.get_mut(&lease.mailbox);
            let Some(item) = item.filter(|item| item.is_held_by(&lease.owner)) else {
                state.meter.refused(place, UPDATE_REFUSED);
                return;
            };
            item.learn(mailbox_state);
            item.lease = None;
            state.meter.wrote(place, UPDATE, || bytes(item));
        })
        .await
    }

    async fn note(
        &self,
        mailbox: AccountRef,
        noted: &MailboxState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run("mailboxes.note", |state| {
            let item = state.mailboxes.0.entry(mailbox).or_default();
            let is_held = item.lease.as_ref().is_some_and(|lease| now < lease.until);
            if is_held || item.state.version != noted.version {
                state.meter.refused(place(mailbox), UPDATE_REFUSED);
                return;
            }
            item.learn(noted);
            state.meter.wrote(place(mailbox), UPDATE, || bytes(item));
        })
        .await
    }

    async fn note_health(
        &self,
        mailbox: AccountRef,
        protocol: MailProtocol,
        health: &ServerHealth,
    ) -> Result<(), StoreError> {
        self.run("mailboxes.note_health", |state| {
            let item = state.mailboxes.0.entry(mailbox).or_default();
            *item.state.health.of_mut(protocol) = health.clone();
            state.meter.wrote(place(mailbox), UPDATE, || bytes(item));
        })
        .await
    }

    async fn forget(&self, mailbox: AccountRef) -> Result<(), StoreError> {
        self.run("mailboxes.forget", |state| {
            state.mailboxes.0.remove(&mailbox);
            state.meter.refused(place(mailbox), DELETE);
        })
        .await
    }
}

/// What stands beside a mailbox's record: keys, lease, end.
const BESIDES: usize = 200;

fn place(mailbox: AccountRef) -> Place {
    (Kind::Mailbox, Partition::Mailbox(mailbox), 0)
}

fn bytes(item: &Mailbox) -> usize {
    meter::bytes_of(&item.state, BESIDES)
}
