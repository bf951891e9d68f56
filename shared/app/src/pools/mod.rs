//! Pools: groups of accounts that mail each other, and what they share (API reference §5).
//!
//! - here: listing, creating, configuring.
//! - [`membership`]: who is in them.

pub mod membership;

use std::sync::Arc;

use agentwarm_core::audit::{Actor, EntityType, Event, EventType};
use agentwarm_core::ids::PoolId;
use agentwarm_core::pool::{Pool, PoolConfig, PoolOverrides};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::error::{AppError, Problem};
use crate::ports::clock::{Clock, Entropy};
use crate::ports::pools::{PoolReads, PoolWrites};
use crate::retry::{Attempt, retry_stale};
use crate::tenant::Tenant;
use crate::text::{DESCRIPTION_MAX_CHARS, NAME_MAX_CHARS, check_line};

/// Listing, creating and configuring pools.
#[derive(Clone)]
pub struct Pools {
    /// Reading them.
    pub pools: Arc<dyn PoolReads>,
    /// Changing them.
    pub writes: Arc<dyn PoolWrites>,
    /// When.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<dyn Entropy>,
}

/// What counts in a pool, and which of it the pool sets itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// The pool.
    pub pool: PoolId,
    /// What counts.
    pub config: PoolConfig,
    /// What the pool sets.
    pub overrides: PoolOverrides,
}

impl Pools {
    /// The tenant's pools, newest first.
    pub async fn list(&self, tenant: &Tenant) -> Result<Vec<Pool>, AppError> {
        Ok(self.pools.list(tenant.user).await?)
    }

    /// Creates an empty pool that follows the defaults. Names need not differ.
    pub async fn create(
        &self,
        tenant: &Tenant,
        name: &str,
        description: Option<&str>,
    ) -> Result<Pool, AppError> {
        let problems = check(name, description);
        if !problems.is_empty() {
            return Err(AppError::Invalid(problems));
        }
        let now = self.clock.schedule();
        let pool = Pool {
            id: PoolId::new(now, self.entropy.bits()),
            name: name.to_owned(),
            description: description.map(ToOwned::to_owned),
            member_count: 0,
            overrides: PoolOverrides::default(),
            created_at: now,
            updated_at: now,
            version: 0,
        };
        let event = created_event(&pool, tenant.actor(), now);
        // Exists: the store took it and its first answer was lost. Nobody else draws this id.
        let _ = self.writes.create(tenant.user, &pool, Some(event)).await?;
        Ok(pool)
    }

    /// A pool's configuration, merged with the defaults.
    pub async fn configuration(
        &self,
        tenant: &Tenant,
        pool: PoolId,
    ) -> Result<Configuration, AppError> {
        configuration(&self.existing(tenant, pool).await?)
    }

    /// Puts `changes` over what the pool sets; fields that are not given stay. Applies from each account's next planned day (decision 18).
    pub async fn configure(
        &self,
        tenant: &Tenant,
        pool: PoolId,
        changes: &PoolOverrides,
    ) -> Result<Configuration, AppError> {
        retry_stale("The pool", || self.try_configure(tenant, pool, changes)).await
    }

    async fn try_configure(
        &self,
        tenant: &Tenant,
        pool: PoolId,
        changes: &PoolOverrides,
    ) -> Result<Attempt<Configuration>, AppError> {
        let before = self.existing(tenant, pool).await?;
        let now = self.clock.schedule();
        let after = Pool {
            overrides: before.overrides.with(changes),
            updated_at: now,
            version: before.version + 1,
            ..before.clone()
        };
        let configuration = configuration(&after)?;
        if after.overrides == before.overrides {
            return Ok(Attempt::Done(configuration));
        }
        let event = pool_event(EventType::PoolConfigUpdated, pool, tenant.actor(), now)
            .with("changes", wire(changes)?);
        let replaced = self.writes.replace(tenant.user, &after, event).await?;
        Ok(Attempt::of(replaced, configuration))
    }

    async fn existing(&self, tenant: &Tenant, pool: PoolId) -> Result<Pool, AppError> {
        let pool = self.pools.get(tenant.user, pool).await?;
        pool.ok_or(AppError::PoolNotFound)
    }
}

fn check(name: &str, description: Option<&str>) -> Vec<Problem> {
    let description = description.filter(|text| !text.is_empty());
    let name = check_line("name", name, NAME_MAX_CHARS);
    let description =
        description.and_then(|text| check_line("description", text, DESCRIPTION_MAX_CHARS));
    name.into_iter().chain(description).collect()
}

fn configuration(pool: &Pool) -> Result<Configuration, AppError> {
    let config = pool.overrides.merged();
    Ok(Configuration {
        pool: pool.id,
        config: config.map_err(AppError::PoolConfigInvalid)?,
        overrides: pool.overrides.clone(),
    })
}

fn wire(overrides: &PoolOverrides) -> Result<Value, AppError> {
    serde_json::to_value(overrides)
        .map_err(|_| AppError::Inconsistent("overrides that are no JSON"))
}

/// The event of a pool's making.
pub(crate) fn created_event(pool: &Pool, actor: Actor, at: Timestamp) -> Event {
    pool_event(EventType::PoolCreated, pool.id, actor, at).with("name", pool.name.as_str())
}

fn pool_event(event_type: EventType, pool: PoolId, actor: Actor, at: Timestamp) -> Event {
    Event {
        event_type,
        entity_type: EntityType::Pool,
        entity_id: pool.to_string(),
        actor,
        metadata: Map::new(),
        at,
    }
}
