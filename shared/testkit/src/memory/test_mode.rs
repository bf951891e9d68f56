//! What users say about test mode.

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::test_mode::{TestModeWrites, TestModes};
use agentwarm_core::ids::UserId;
use agentwarm_core::warmup::test_mode::TestMode;
use async_trait::async_trait;

use super::MemoryStore;
use super::meter::{Kind, Partition};

#[async_trait]
impl TestModes for MemoryStore {
    async fn said_by(&self, user: UserId) -> Result<Option<TestMode>, StoreError> {
        self.run("test_modes.said_by", |state| {
            let place = (Kind::TestMode, Partition::User(user), 0);
            state.meter.get(place, self.entities);
            state.test_modes.get(&user).copied()
        })
        .await
    }
}

#[async_trait]
impl TestModeWrites for MemoryStore {
    async fn say(&self, user: UserId, mode: TestMode) -> Result<(), StoreError> {
        self.run("test_modes.say", |state| {
            state.test_modes.insert(user, mode);
        })
        .await
    }
}
