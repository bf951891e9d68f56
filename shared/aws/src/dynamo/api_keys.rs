//! Users and their API keys (decisions 1, 2).
//!
//! A key is two items: one under its user, for managing, and one under its hash, which is all that authentication reads. The hash's item
//! copies the user's plan, so that a request costs one read.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use agentwarm_app::ports::keys::{
    ApiKey, ApiKeys, KeyCreated, KeyHash, KeyLookup, KeyOwner, Usage, User, UserPlans,
};
use agentwarm_app::ports::{Created, StoreError};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{ApiKeyId, UserId};
use agentwarm_core::plan::Plan;

use super::counters::Counter;
use super::expression::Expression;
use super::query::Query;
use super::table::{Freshness, Table};
use super::transaction::{Part, Transacted};
use crate::actions::{Action, DELETE, GET, PUT, QUERY, Resource, UPDATE};
use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::keys;

/// The hash of a key, on the key's own item: where to revoke.
const HASH: &str = "hash";
/// When a key was last used. Beside the record, because it is written without reading.
const LAST_USED_AT: &str = "lastUsedAt";

/// [`KeyLookup`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoKeyLookup(Table);

impl DynamoKeyLookup {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Entities.may(GET), Resource::Entities.may(UPDATE)];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl KeyLookup for DynamoKeyLookup {
    async fn owner(&self, hash: &KeyHash) -> Result<Option<KeyOwner>, StoreError> {
        const OPERATION: &str = "find the owner of an API key";
        let item = self
            .0
            .get(OPERATION, keys::key_hash(hash), Freshness::Consistent)
            .await?;
        codec::read_one(OPERATION, item, read_owner)
    }

    async fn touch(&self, user: UserId, key: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        let update = Expression::new("SET #lastUsedAt = :at REMOVE #events, #eventVersion")
            .value("at", codec::text(at.to_string()));
        let key = keys::api_key(user, key);
        self.0
            .update(
                "note the use of an API key",
                key,
                update,
                Expression::exists(),
            )
            .await
            .map(|_| ())
    }
}

/// [`ApiKeys`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoApiKeys(Table);

impl DynamoApiKeys {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(GET),
        Resource::Entities.may(QUERY),
        Resource::Entities.may(PUT),
        Resource::Entities.may(UPDATE),
        Resource::Entities.may(DELETE),
    ];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl ApiKeys for DynamoApiKeys {
    async fn list(&self, user: UserId) -> Result<Vec<ApiKey>, StoreError> {
        const OPERATION: &str = "list API keys";
        let query = Query::new(keys::api_keys(user)).newest_first().consistent();
        let items = self.0.query_all(OPERATION, &query).await?;
        codec::read_all(OPERATION, items, read_key)
    }

    async fn create(
        &self,
        key: &ApiKey,
        hash: &KeyHash,
        max: Option<u32>,
        event: Event,
    ) -> Result<KeyCreated, StoreError> {
        const OPERATION: &str = "create an API key";
        let plan = plan_of(&self.0, OPERATION, key.user)
            .await?
            .ok_or_else(|| CodecError::Dangling("the key's user").during(OPERATION))?;
        let parts =
            creation(key, hash, max, plan, event).map_err(|error| error.during(OPERATION))?;
        let refusals = match self.0.transact(OPERATION, parts).await? {
            Transacted::Done => return Ok(KeyCreated::Done),
            Transacted::Refused(refusals) => refusals,
        };
        match refusals.of(0) {
            Some(counters) => codec::count_of(counters, Counter::ApiKeys.attribute())
                .map(|current| KeyCreated::LimitReached { current })
                .map_err(|error| error.during(OPERATION)),
            // Ids and hashes are unguessable: what is there is this key, written before.
            None => Ok(KeyCreated::Done),
        }
    }

    async fn revoke(&self, user: UserId, key: ApiKeyId, event: Event) -> Result<bool, StoreError> {
        const OPERATION: &str = "revoke an API key";
        let key = keys::api_key(user, key);
        let Some(item) = self
            .0
            .get(OPERATION, key.clone(), Freshness::Consistent)
            .await?
        else {
            return Ok(false);
        };
        let parts = revocation(user, key, &item, event).map_err(|error| error.during(OPERATION))?;
        let transacted = self.0.transact(OPERATION, parts).await?;
        Ok(matches!(transacted, Transacted::Done))
    }

    async fn rotate(
        &self,
        old: ApiKeyId,
        key: &ApiKey,
        hash: &KeyHash,
        revoked: Event,
        created: Event,
    ) -> Result<bool, StoreError> {
        const OPERATION: &str = "rotate an API key";
        let plan = plan_of(&self.0, OPERATION, key.user)
            .await?
            .ok_or_else(|| CodecError::Dangling("the key's user").during(OPERATION))?;
        let old = keys::api_key(key.user, old);
        let Some(item) = self
            .0
            .get(OPERATION, old.clone(), Freshness::Consistent)
            .await?
        else {
            return Ok(false);
        };
        let parts = rotation(old, &item, key, hash, plan, revoked, created);
        let parts = parts.map_err(|error| error.during(OPERATION))?;
        let transacted = self.0.transact(OPERATION, parts).await?;
        Ok(matches!(transacted, Transacted::Done))
    }

    async fn usage(&self, user: UserId) -> Result<Usage, StoreError> {
        const OPERATION: &str = "read a user's counters";
        let counters = self
            .0
            .get(OPERATION, keys::counters(user), Freshness::Consistent)
            .await?
            .unwrap_or_default();
        let count = |counter: Counter| {
            codec::count_of(&counters, counter.attribute()).map_err(|error| error.during(OPERATION))
        };
        Ok(Usage {
            accounts: count(Counter::Accounts)?,
            api_keys: count(Counter::ApiKeys)?,
        })
    }

    async fn create_user(&self, user: &User) -> Result<Created, StoreError> {
        const OPERATION: &str = "create a user";
        let item = ItemBuilder::new(keys::user(user.id))
            .data(user)
            .map_err(|error| error.during(OPERATION))?
            .build();
        let condition = Expression::absent(self.0.now());
        let written = self.0.put(OPERATION, item, condition).await?;
        Ok(written.created())
    }

    async fn user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        read_user(&self.0, "read a user", user).await
    }
}

/// [`UserPlans`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoUserPlans(Table);

impl DynamoUserPlans {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Entities.may(GET)];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl UserPlans for DynamoUserPlans {
    async fn plan_of(&self, user: UserId) -> Result<Option<Plan>, StoreError> {
        plan_of(&self.0, "read a user's plan", user).await
    }
}

async fn plan_of(
    table: &Table,
    operation: &'static str,
    user: UserId,
) -> Result<Option<Plan>, StoreError> {
    Ok(read_user(table, operation, user)
        .await?
        .map(|user| user.plan))
}

async fn read_user(
    table: &Table,
    operation: &'static str,
    user: UserId,
) -> Result<Option<User>, StoreError> {
    let item = table
        .get(operation, keys::user(user), Freshness::Consistent)
        .await?;
    codec::read_one(operation, item, codec::record)
}

/// The counter first: its refusal says how many there are.
fn creation(
    key: &ApiKey,
    hash: &KeyHash,
    max: Option<u32>,
    plan: Plan,
    event: Event,
) -> Result<Vec<Part>, CodecError> {
    let [managed, lookup] = items(key, hash, plan, event)?;
    let absent = Expression::new("attribute_not_exists(#pk)");
    Ok(vec![
        Counter::ApiKeys.one_more(key.user, max),
        Part::Put(managed, Some(absent.clone())),
        Part::Put(lookup, Some(absent)),
    ])
}

/// The old key's two items go and the new one's come.
fn rotation(
    old: keys::Key,
    item: &Item,
    key: &ApiKey,
    hash: &KeyHash,
    plan: Plan,
    revoked: Event,
    created: Event,
) -> Result<Vec<Part>, CodecError> {
    let [managed, lookup] = items(key, hash, plan, created)?;
    let absent = Expression::new("attribute_not_exists(#pk)");
    Ok(vec![
        Part::Delete(old, Some(Expression::exists())),
        Part::Delete(keys::key_by_hash_pk(codec::text_of(item, HASH)?), None),
        Counter::ApiKeys.unchanged(key.user, revoked)?,
        Part::Put(managed, Some(absent.clone())),
        Part::Put(lookup, Some(absent)),
    ])
}

/// A key's own item and that under its hash.
fn items(key: &ApiKey, hash: &KeyHash, plan: Plan, event: Event) -> Result<[Item; 2], CodecError> {
    let by_hash = keys::key_hash(hash);
    let managed = ItemBuilder::new(keys::api_key(key.user, key.id))
        .data(key)?
        .with(HASH, codec::text(&by_hash.pk))
        .with_some(
            LAST_USED_AT,
            key.last_used_at.map(|at| codec::text(at.to_string())),
        )
        .version(1)
        .events(1, &[event])?
        .build();
    let lookup = ItemBuilder::new(by_hash)
        .with("user", codec::text(key.user.to_string()))
        .with("key", codec::text(key.id.to_string()))
        .with("plan", codec::encode(&plan)?)
        .build();
    Ok([managed, lookup])
}

fn revocation(
    user: UserId,
    key: keys::Key,
    item: &Item,
    event: Event,
) -> Result<Vec<Part>, CodecError> {
    let by_hash = keys::key_by_hash_pk(codec::text_of(item, HASH)?);
    Ok(vec![
        Part::Delete(key, Some(Expression::exists())),
        Part::Delete(by_hash, None),
        Counter::ApiKeys.one_less(user, event)?,
    ])
}

fn read_owner(mut item: Item) -> Result<KeyOwner, CodecError> {
    Ok(KeyOwner {
        user: codec::parsed_of(&item, "user")?,
        key: codec::parsed_of(&item, "key")?,
        plan: codec::take(&mut item, "plan")?,
    })
}

fn read_key(mut item: Item) -> Result<ApiKey, CodecError> {
    let mut key: ApiKey = codec::take_data(&mut item)?;
    if let Some(AttributeValue::S(_)) = item.get(LAST_USED_AT) {
        key.last_used_at = Some(codec::parsed_of(&item, LAST_USED_AT)?);
    }
    Ok(key)
}
