//! The roster: the mailboxes that are looked into now and then, by the minute of the hour that is theirs (decision 32).

use async_trait::async_trait;
use futures::future::try_join_all;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::due::{Roster, RosterEntry};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::due::{SENDER_ROUND_MINUTES, poll_due};
use aws_sdk_dynamodb::types::AttributeValue;

use super::query::Query;
use super::table::Table;
use crate::actions::{Action, DELETE, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys::{self, SK};

const USER: &str = "user";
const SENDS: &str = "sends";

/// [`Roster`] on the ephemeral table.
#[derive(Debug, Clone)]
pub struct DynamoRoster(Table);

impl DynamoRoster {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Ephemeral.may(QUERY),
        Resource::Ephemeral.may(PUT),
        Resource::Ephemeral.may(DELETE),
    ];

    /// On the ephemeral table.
    pub fn new(ephemeral: Table) -> Self {
        Self(ephemeral)
    }
}

#[async_trait]
impl Roster for DynamoRoster {
    async fn enrol(&self, entry: &RosterEntry) -> Result<(), StoreError> {
        let item = ItemBuilder::new(keys::roster_entry(entry.account))
            .with(USER, codec::text(entry.user.to_string()))
            .with(SENDS, AttributeValue::Bool(entry.sends))
            .build();
        self.0
            .overwrite("enter a mailbox in the roster", item)
            .await
    }

    async fn remove(&self, account: AccountId) -> Result<(), StoreError> {
        let key = keys::roster_entry(account);
        self.0
            .delete("take a mailbox from the roster", key, None)
            .await
            .map(|_| ())
    }

    async fn of_minute(&self, minute: u8) -> Result<Vec<RosterEntry>, StoreError> {
        const OPERATION: &str = "read the roster of a minute";
        // A mailbox that sends is visited in its own minute and in those a round away, so its own is one of these.
        let rounds = (0..60 / SENDER_ROUND_MINUTES).map(|round| round * SENDER_ROUND_MINUTES);
        let partitions = rounds.map(|away| async move {
            let query = Query::new(keys::roster((minute + away) % 60));
            self.0.query_all(OPERATION, &query).await
        });
        let items = try_join_all(partitions)
            .await?
            .into_iter()
            .flatten()
            .collect();
        let mut entries = codec::read_all(OPERATION, items, |item| read(&item))?;
        entries.retain(|entry| poll_due(minute, entry.account, entry.sends));
        Ok(entries)
    }
}

fn read(item: &Item) -> Result<RosterEntry, CodecError> {
    Ok(RosterEntry {
        user: codec::parsed_of(item, USER)?,
        account: codec::parsed_of(item, SK)?,
        sends: match item.get(SENDS) {
            Some(AttributeValue::Bool(sends)) => *sends,
            _ => return Err(CodecError::Form(SENDS)),
        },
    })
}
