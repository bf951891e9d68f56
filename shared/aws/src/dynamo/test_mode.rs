//! What users say about test mode (decision 21).

use async_trait::async_trait;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::test_mode::{TestModeWrites, TestModes};
use agentwarm_core::ids::UserId;
use agentwarm_core::warmup::test_mode::TestMode;

use super::table::{Freshness, Table};
use crate::actions::{Action, GET, PUT, Resource};
use crate::codec::{self, ItemBuilder};
use crate::keys;

/// [`TestModes`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoTestModes(Table);

impl DynamoTestModes {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Entities.may(GET)];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl TestModes for DynamoTestModes {
    async fn said_by(&self, user: UserId) -> Result<Option<TestMode>, StoreError> {
        const OPERATION: &str = "read test mode";
        let key = keys::test_mode(user);
        let item = self.0.get(OPERATION, key, Freshness::Consistent).await?;
        codec::read_one(OPERATION, item, codec::record)
    }
}

/// [`TestModeWrites`] on the entities table.
#[derive(Debug, Clone)]
pub struct DynamoTestModeWrites(Table);

impl DynamoTestModeWrites {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Entities.may(PUT)];

    /// On the entities table.
    pub fn new(entities: Table) -> Self {
        Self(entities)
    }
}

#[async_trait]
impl TestModeWrites for DynamoTestModeWrites {
    async fn say(&self, user: UserId, mode: TestMode) -> Result<(), StoreError> {
        const OPERATION: &str = "set test mode";
        let item = ItemBuilder::new(keys::test_mode(user))
            .data(&mode)
            .map_err(|error| error.during(OPERATION))?
            .build();
        self.0.overwrite(OPERATION, item).await
    }
}
