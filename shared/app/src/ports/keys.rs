//! Users and their API keys (decisions 1, 2).

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use agentwarm_core::audit::Event;
use agentwarm_core::ids::{ApiKeyId, UserId};
use agentwarm_core::plan::Plan;

use super::StoreError;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their plan.
    pub plan: Plan,
    /// When they were created.
    pub created_at: Timestamp,
}

/// The SHA-256 of an API key: all that is stored of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHash(pub [u8; 32]);

/// What is known of an API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its owner.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// Its first characters and `...`.
    pub prefix: String,
    /// When it was last used, to within some minutes.
    pub last_used_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Who a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyOwner {
    /// The user.
    pub user: UserId,
    /// Their plan.
    pub plan: Plan,
    /// The key.
    pub key: ApiKeyId,
}

/// How much of their plan a user has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Email accounts.
    pub accounts: u32,
    /// API keys.
    pub api_keys: u32,
}

/// What became of a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCreated {
    /// It is stored and works.
    Done,
    /// The user has `current` keys, as many as allowed.
    LimitReached {
        /// How many.
        current: u32,
    },
}

/// Finding the owner of a presented key: all that authentication may do.
#[async_trait]
pub trait KeyLookup: Send + Sync {
    /// The owner of the key with this hash, unless unknown or revoked.
    async fn owner(&self, hash: &KeyHash) -> Result<Option<KeyOwner>, StoreError>;

    /// Notes that a key was used. Called at most every few minutes per key and process.
    async fn touch(&self, user: UserId, key: ApiKeyId, at: Timestamp) -> Result<(), StoreError>;
}

/// Managing keys.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// A user's keys, newest first. At most a plan's worth, so never paged.
    async fn list(&self, user: UserId) -> Result<Vec<ApiKey>, StoreError>;

    /// Stores a key, unless the user has `max` already. `max: None` is the operator's way in (decision 2).
    async fn create(
        &self,
        key: &ApiKey,
        hash: &KeyHash,
        max: Option<u32>,
        event: Event,
    ) -> Result<KeyCreated, StoreError>;

    /// Revokes a key: it stops working with the next request. False when the user has no such key.
    async fn revoke(&self, user: UserId, key: ApiKeyId, event: Event) -> Result<bool, StoreError>;

    /// Puts `key` in the place of `old`, which stops working with the next request: both or neither, whatever the plan allows. False when
    /// the user has no key `old`. `revoked` and `created` tell of it.
    async fn rotate(
        &self,
        old: ApiKeyId,
        key: &ApiKey,
        hash: &KeyHash,
        revoked: Event,
        created: Event,
    ) -> Result<bool, StoreError>;

    /// How much of their plan a user has taken.
    async fn usage(&self, user: UserId) -> Result<Usage, StoreError>;

    /// Creates `user` unless they exist.
    async fn create_user(&self, user: &User) -> Result<super::Created, StoreError>;

    /// A user.
    async fn user(&self, user: UserId) -> Result<Option<User>, StoreError>;
}

/// Reading a user's plan: what planning and retention need of a user.
#[async_trait]
pub trait UserPlans: Send + Sync {
    /// The plan of `user`, `None` if there is no such user.
    async fn plan_of(&self, user: UserId) -> Result<Option<Plan>, StoreError>;
}
