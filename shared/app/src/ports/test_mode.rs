//! What users say about test mode while the system runs (decision 21).

use async_trait::async_trait;

use agentwarm_core::ids::UserId;
use agentwarm_core::warmup::test_mode::TestMode;

use super::StoreError;

/// Reading it: what planning and the claim need.
#[async_trait]
pub trait TestModes: Send + Sync {
    /// What `user` said last; `None` if nothing. With all writes that were answered before.
    async fn said_by(&self, user: UserId) -> Result<Option<TestMode>, StoreError>;
}

/// Saying it.
#[async_trait]
pub trait TestModeWrites: Send + Sync {
    /// From now on this is what `user` said.
    async fn say(&self, user: UserId, mode: TestMode) -> Result<(), StoreError>;
}
