//! The roster: the mailboxes that are looked into now and then, by the minute of the hour that is theirs (decision 32).

use async_trait::async_trait;
use futures::future::try_join_all;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::due::{Roster, RosterEntry};
use agentwarm_core::ids::AccountId;
use agentwarm_core::warmup::due::rounds::BUSY_MINUTES;
use jiff::Timestamp;

use super::query::Query;
use super::table::Table;
use crate::actions::{Action, DELETE, PUT, QUERY, Resource};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys::{self, SK};

const USER: &str = "user";
const BUSY: &str = "busy";

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
        const OPERATION: &str = "enter a mailbox in the roster";
        let busy = entry.busy.as_ref().map(codec::encode).transpose();
        let busy = busy.map_err(|error| error.during(OPERATION))?;
        let item = ItemBuilder::new(keys::roster_entry(entry.account))
            .with(USER, codec::text(entry.user.to_string()))
            .with_some(BUSY, busy)
            .build();
        self.0.overwrite(OPERATION, item).await
    }

    async fn remove(&self, account: AccountId) -> Result<(), StoreError> {
        let key = keys::roster_entry(account);
        self.0
            .delete("take a mailbox from the roster", key, None)
            .await
            .map(|_| ())
    }

    async fn of_minute(&self, minute: u8, now: Timestamp) -> Result<Vec<RosterEntry>, StoreError> {
        const OPERATION: &str = "read the roster of a minute";
        // A busy mailbox is visited in its own minute and in those a round away, so its own is one of these.
        let rounds = (0..60 / BUSY_MINUTES).map(|round| round * BUSY_MINUTES);
        let partitions = rounds.map(|away| async move {
            let query = Query::new(keys::roster((minute + away) % 60));
            self.0.query_all(OPERATION, &query).await
        });
        let items = try_join_all(partitions)
            .await?
            .into_iter()
            .flatten()
            .collect();
        let mut entries = codec::read_all(OPERATION, items, read)?;
        entries.retain(|entry| entry.has_round(minute, now));
        Ok(entries)
    }
}

fn read(mut item: Item) -> Result<RosterEntry, CodecError> {
    Ok(RosterEntry {
        user: codec::parsed_of(&item, USER)?,
        account: codec::parsed_of(&item, SK)?,
        busy: if item.contains_key(BUSY) {
            Some(codec::take(&mut item, BUSY)?)
        } else {
            None
        },
    })
}
