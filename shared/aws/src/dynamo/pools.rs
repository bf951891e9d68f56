//! Pools and who is in them.
//!
//! How many are in a pool stands beside its record as `memberCount`: joining and leaving change it without touching the record or its
//! version, so that they never make a change of the configuration stale.

use async_trait::async_trait;

use agentwarm_app::ports::pools::{PoolReads, PoolWrites};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, PoolId, UserId};
use agentwarm_core::pool::Pool;

use super::accounts::item_of;
use super::expression::Expression;
use super::query::{Query, Wanted};
use super::table::{Freshness, Table, Written};
use super::transaction::{Part, Transacted};
use crate::actions::{Action, DELETE, GET, PUT, QUERY, Resource, UPDATE};
use crate::codec::{self, CodecError, DATA, Item, ItemBuilder, VERSION};
use crate::keys::{self, SK};

/// How many accounts are in a pool.
const MEMBER_COUNT: &str = "memberCount";

/// [`PoolReads`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoPools(Table);

impl DynamoPools {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Entities.may(GET), Resource::Entities.may(QUERY)];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl PoolReads for DynamoPools {
    async fn get(&self, user: UserId, pool: PoolId) -> Result<Option<Pool>, StoreError> {
        const OPERATION: &str = "read a pool";
        let key = keys::pool(user, pool);
        let item = self.0.get(OPERATION, key, Freshness::Consistent).await?;
        codec::read_one(OPERATION, item, read)
    }

    async fn list(&self, user: UserId) -> Result<Vec<Pool>, StoreError> {
        const OPERATION: &str = "list pools";
        let query = Query::new(keys::pools(user)).newest_first();
        let items = self.0.query_all(OPERATION, &query).await?;
        codec::read_all(OPERATION, items, read)
    }

    async fn members(&self, user: UserId, pool: PoolId) -> Result<Vec<AccountId>, StoreError> {
        const OPERATION: &str = "list a pool's members";
        let query = Query {
            select: Wanted::Keys,
            ..Query::new(keys::members(user, pool))
        };
        let items = self.0.query_all(OPERATION, &query).await?;
        codec::read_all(OPERATION, items, |item| read_member(&item))
    }
}

/// [`PoolWrites`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoPoolWrites(Table);

impl DynamoPoolWrites {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(PUT),
        Resource::Entities.may(UPDATE),
        Resource::Entities.may(DELETE),
    ];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }

    /// Writes a changed account together with what its membership touches.
    async fn move_account(
        &self,
        operation: &'static str,
        account: &Account,
        event: Event,
        membership: [Part; 2],
    ) -> Result<Replaced, StoreError> {
        let item = item_of(account, &[event]).map_err(|error| error.during(operation))?;
        let mut parts = vec![Part::Put(
            item.clone(),
            Some(Expression::precedes(account.version)),
        )];
        parts.extend(membership);
        Ok(match self.0.transact(operation, parts).await? {
            Transacted::Done => Replaced::Done,
            Transacted::Refused(refusals) => match refusals.of(0) {
                Some(there) if codec::says_the_same(there, &item) => Replaced::Done,
                _ => Replaced::Stale,
            },
        })
    }
}

#[async_trait]
impl PoolWrites for DynamoPoolWrites {
    async fn create(
        &self,
        user: UserId,
        pool: &Pool,
        event: Option<Event>,
    ) -> Result<Created, StoreError> {
        const OPERATION: &str = "create a pool";
        let item =
            new_item(user, pool, event.as_slice()).map_err(|error| error.during(OPERATION))?;
        let condition = Expression::absent(self.0.now());
        let written = self.0.put(OPERATION, item, condition).await?;
        Ok(written.created())
    }

    async fn replace(
        &self,
        user: UserId,
        pool: &Pool,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        const OPERATION: &str = "change a pool";
        let data = codec::encode(pool).map_err(|error| error.during(OPERATION))?;
        let events = codec::encode_events(&[event]).map_err(|error| error.during(OPERATION))?;
        let text =
            "SET #data = :data, #version = :written, #events = :events, #eventVersion = :written";
        let update = Expression::new(text)
            .value("data", data.clone())
            .value("events", events)
            .value("written", codec::number(pool.version));
        let condition = Expression::precedes(pool.version);
        let key = keys::pool(user, pool.id);
        Ok(
            match self.0.update(OPERATION, key, update, condition).await? {
                Written::Done(_) => Replaced::Done,
                Written::Refused(there) => {
                    let is_ours = there.is_some_and(|there| {
                        there
                            .get(DATA)
                            .is_some_and(|stored| codec::is_same(stored, &data))
                    });
                    if is_ours {
                        Replaced::Done
                    } else {
                        Replaced::Stale
                    }
                }
            },
        )
    }

    async fn join(
        &self,
        account: &Account,
        pool: PoolId,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        let member = keys::member(account.user, pool, account.id);
        let membership = [
            Part::Put(
                ItemBuilder::new(member).build(),
                Some(Expression::new("attribute_not_exists(#pk)")),
            ),
            count_member(account.user, pool),
        ];
        self.move_account("join a pool", account, event, membership)
            .await
    }

    async fn leave(
        &self,
        account: &Account,
        pool: PoolId,
        event: Event,
    ) -> Result<Replaced, StoreError> {
        let member = keys::member(account.user, pool, account.id);
        let membership = [
            Part::Delete(member, Some(Expression::exists())),
            uncount_member(account.user, pool),
        ];
        self.move_account("leave a pool", account, event, membership)
            .await
    }
}

/// One more member, if the pool is there.
pub(super) fn count_member(user: UserId, pool: PoolId) -> Part {
    change_count(user, pool, 1)
}

/// One member less.
pub(super) fn uncount_member(user: UserId, pool: PoolId) -> Part {
    change_count(user, pool, -1)
}

/// The pool's last events go: this write does not report them, and its new image must not repeat them.
fn change_count(user: UserId, pool: PoolId, by: i32) -> Part {
    let update = Expression::new("ADD #memberCount :by REMOVE #events, #eventVersion")
        .value("by", codec::number(by));
    Part::Update(keys::pool(user, pool), update, Some(Expression::exists()))
}

fn new_item(user: UserId, pool: &Pool, events: &[Event]) -> Result<Item, CodecError> {
    Ok(ItemBuilder::new(keys::pool(user, pool.id))
        .data(pool)?
        .with(MEMBER_COUNT, codec::number(pool.member_count))
        .version(pool.version)
        .events(pool.version, events)?
        .build())
}

fn read(mut item: Item) -> Result<Pool, CodecError> {
    let mut pool: Pool = codec::take_data(&mut item)?;
    pool.member_count = codec::number_of(&item, MEMBER_COUNT)?;
    pool.version = codec::number_of(&item, VERSION)?;
    Ok(pool)
}

fn read_member(item: &Item) -> Result<AccountId, CodecError> {
    keys::member_account(codec::text_of(item, SK)?).ok_or(CodecError::Form(SK))
}
