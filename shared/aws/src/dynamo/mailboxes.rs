//! Mailboxes between two visits: the lease, and what was learned.
//!
//! The health of each server stands beside the rest of the state, because sends and visits write their own at any time. The item lives as
//! long after its last write as the receipts do, whose engagement it tells; what a send noted about an account that was deleted meanwhile
//! goes away by itself.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::mailboxes::{MailboxLease, MailboxReads, MailboxState, Mailboxes};
use agentwarm_core::warmup::connection::{MailProtocol, ServerHealth};
use aws_sdk_dynamodb::types::AttributeValue;

use super::expression::Expression;
use super::table::{Freshness, Table, Written};
use super::{ACTIVITY_TTL_DAYS, later};
use crate::actions::{Action, DELETE, GET, Resource, UPDATE};
use crate::codec::{self, CodecError, DATA, Item, VERSION};
use crate::keys;

/// How long a mailbox is remembered after its last write.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * ACTIVITY_TTL_DAYS as i64);
/// Nobody has the mailbox at `:now`.
const FREE: &str = "attribute_not_exists(#leaseUntil) OR #leaseUntil <= :now";

/// Where the health of the server of `protocol` stands.
const fn attribute(protocol: MailProtocol) -> &'static str {
    match protocol {
        MailProtocol::Imap => "imapHealth",
        MailProtocol::Smtp => "smtpHealth",
    }
}

/// [`Mailboxes`] on the ephemeral table.
#[derive(Debug, Clone)]
pub struct DynamoMailboxes(Table);

impl DynamoMailboxes {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Ephemeral.may(GET),
        Resource::Ephemeral.may(UPDATE),
        Resource::Ephemeral.may(DELETE),
    ];

    /// On the ephemeral table.
    pub fn new(ephemeral: Table) -> Self {
        Self(ephemeral)
    }

    /// A write of a lease or of what a visit learned, which all count.
    fn counted(&self, set: &str, remove: &str) -> Expression {
        let version = "#version = if_not_exists(#version, :none) + :one";
        Expression::new(format!(
            "SET {set}, {version}, #expiresAt = :expiry {remove}"
        ))
        .value("one", codec::number(1))
        .value("none", codec::number(0))
        .value("expiry", self.expiry())
    }

    fn expiry(&self) -> AttributeValue {
        codec::number(later(self.0.now(), KEPT).as_second())
    }
}

#[async_trait]
impl MailboxReads for DynamoMailboxes {
    async fn state(&self, mailbox: AccountRef) -> Result<MailboxState, StoreError> {
        const OPERATION: &str = "read the state of a mailbox";
        let key = keys::mailbox(mailbox);
        // At half the price: an older cursor reads messages again that are booked already.
        let item = self.0.get(OPERATION, key, Freshness::Eventual).await?;
        let state = codec::read_one(OPERATION, item, read)?;
        Ok(state.unwrap_or_default())
    }
}

#[async_trait]
impl Mailboxes for DynamoMailboxes {
    async fn lease(
        &self,
        mailbox: AccountRef,
        owner: &str,
        now: Timestamp,
        duration: SignedDuration,
    ) -> Result<Option<MailboxLease>, StoreError> {
        const OPERATION: &str = "lease a mailbox";
        let update = self
            .counted("#owner = :owner, #leaseUntil = :until", "")
            .value("owner", codec::text(owner))
            .value("until", millis(later(now, duration)));
        // Its own lease may be taken again: the first answer may have been lost.
        let free = Expression::new(format!("{FREE} OR #owner = :owner")).value("now", millis(now));
        let key = keys::mailbox(mailbox);
        match self.0.update(OPERATION, key, update, free).await? {
            Written::Refused(_) => Ok(None),
            Written::Done(item) => Ok(Some(MailboxLease {
                mailbox,
                owner: owner.to_owned(),
                state: read(item).map_err(|error| error.during(OPERATION))?,
            })),
        }
    }

    async fn release(&self, lease: &MailboxLease, state: &MailboxState) -> Result<(), StoreError> {
        const OPERATION: &str = "give a mailbox back";
        let data = codec::encode(state).map_err(|error| error.during(OPERATION))?;
        let update = self
            .counted("#data = :data", "REMOVE #owner, #leaseUntil")
            .value("data", data);
        let held = Expression::new("#owner = :owner").value("owner", codec::text(&lease.owner));
        let key = keys::mailbox(lease.mailbox);
        self.0
            .update(OPERATION, key, update, held)
            .await
            .map(|_| ())
    }

    async fn note(
        &self,
        mailbox: AccountRef,
        state: &MailboxState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "note what a mailbox was left as";
        let data = codec::encode(state).map_err(|error| error.during(OPERATION))?;
        let update = self.counted("#data = :data", "").value("data", data);
        let free = Expression::new(FREE).value("now", millis(now));
        let unchanged = match state.version {
            0 => Expression::new("attribute_not_exists(#version)"),
            version => Expression::new("#version = :read").value("read", codec::number(version)),
        };
        let key = keys::mailbox(mailbox);
        self.0
            .update(OPERATION, key, update, free.and(unchanged))
            .await
            .map(|_| ())
    }

    async fn note_health(
        &self,
        mailbox: AccountRef,
        protocol: MailProtocol,
        health: &ServerHealth,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "note the health of a mailbox";
        let health = codec::encode(health).map_err(|error| error.during(OPERATION))?;
        let set = format!(
            "SET #{} = :health, #expiresAt = :expiry",
            attribute(protocol)
        );
        let update = Expression::new(set)
            .value("health", health)
            .value("expiry", self.expiry());
        let key = keys::mailbox(mailbox);
        self.0
            .update(OPERATION, key, update, None)
            .await
            .map(|_| ())
    }

    async fn forget(&self, mailbox: AccountRef) -> Result<(), StoreError> {
        let key = keys::mailbox(mailbox);
        self.0
            .delete("forget a mailbox", key, None)
            .await
            .map(|_| ())
    }
}

fn millis(at: Timestamp) -> AttributeValue {
    codec::number(at.as_millisecond())
}

/// A lease or a health may have been written before any state was.
fn read(mut item: Item) -> Result<MailboxState, CodecError> {
    let mut state = if item.contains_key(DATA) {
        codec::take_data(&mut item)?
    } else {
        MailboxState::default()
    };
    for protocol in [MailProtocol::Imap, MailProtocol::Smtp] {
        if item.contains_key(attribute(protocol)) {
            *state.health.of_mut(protocol) = codec::take(&mut item, attribute(protocol))?;
        }
    }
    if item.contains_key(VERSION) {
        state.version = codec::number_of(&item, VERSION)?;
    }
    Ok(state)
}
