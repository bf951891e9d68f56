//! Users and their API keys.

use std::collections::BTreeMap;

use agentwarm_app::ports::keys::{
    ApiKey, ApiKeys, KeyCreated, KeyHash, KeyLookup, KeyOwner, Usage, User, UserPlans,
};
use agentwarm_app::ports::{Created, StoreError};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{ApiKeyId, UserId};
use agentwarm_core::plan::Plan;
use async_trait::async_trait;
use jiff::Timestamp;

use super::meter::{Fresh, Kind, Partition};
use super::{Image, MemoryStore};

#[derive(Debug, Default)]
pub(super) struct KeyItems {
    users: BTreeMap<UserId, User>,
    keys: BTreeMap<(UserId, ApiKeyId), ApiKey>,
    hashes: BTreeMap<[u8; 32], (UserId, ApiKeyId)>,
}

impl KeyItems {
    fn of(&self, user: UserId) -> impl DoubleEndedIterator<Item = &ApiKey> {
        self.keys
            .iter()
            .filter(move |((owner, _), _)| *owner == user)
            .map(|(_, key)| key)
    }
}

#[async_trait]
impl KeyLookup for MemoryStore {
    async fn owner(&self, hash: &KeyHash) -> Result<Option<KeyOwner>, StoreError> {
        self.run("keys.owner", |state| {
            let (user, key) = *state.keys.hashes.get(&hash.0)?;
            let plan = state.keys.users.get(&user)?.plan;
            Some(KeyOwner { user, plan, key })
        })
        .await
    }

    async fn touch(&self, user: UserId, key: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.run("keys.touch", |state| {
            if let Some(key) = state.keys.keys.get_mut(&(user, key)) {
                key.last_used_at = Some(at);
            }
        })
        .await
    }
}

#[async_trait]
impl ApiKeys for MemoryStore {
    async fn list(&self, user: UserId) -> Result<Vec<ApiKey>, StoreError> {
        self.run("keys.list", |state| {
            state.keys.of(user).rev().cloned().collect()
        })
        .await
    }

    async fn create(
        &self,
        key: &ApiKey,
        hash: &KeyHash,
        max: Option<u32>,
        event: Event,
    ) -> Result<KeyCreated, StoreError> {
        self.run("keys.create", |state| {
            let current = u32::try_from(state.keys.of(key.user).count()).unwrap_or(u32::MAX);
            if max.is_some_and(|max| current >= max) {
                return KeyCreated::LimitReached { current };
            }
            state.keys.keys.insert((key.user, key.id), key.clone());
            state.keys.hashes.insert(hash.0, (key.user, key.id));
            let item = format!("key#{}", key.id);
            state.report(key.user, item, 1, Image::Other, vec![event]);
            KeyCreated::Done
        })
        .await
    }

    async fn revoke(&self, user: UserId, key: ApiKeyId, event: Event) -> Result<bool, StoreError> {
        self.run("keys.revoke", |state| {
            if state.keys.keys.remove(&(user, key)).is_none() {
                return false;
            }
            state.keys.hashes.retain(|_, of| *of != (user, key));
            state.report(user, format!("key#{key}"), 2, Image::Gone, vec![event]);
            true
        })
        .await
    }

    async fn rotate(
        &self,
        old: ApiKeyId,
        key: &ApiKey,
        hash: &KeyHash,
        revoked: Event,
        created: Event,
    ) -> Result<bool, StoreError> {
        self.run("keys.rotate", |state| {
            let user = key.user;
            if state.keys.keys.remove(&(user, old)).is_none() {
                return false;
            }
            state.keys.hashes.retain(|_, of| *of != (user, old));
            state.keys.keys.insert((user, key.id), key.clone());
            state.keys.hashes.insert(hash.0, (user, key.id));
            state.report(user, format!("key#{old}"), 2, Image::Gone, vec![revoked]);
            let item = format!("key#{}", key.id);
            state.report(user, item, 1, Image::Other, vec![created]);
            true
        })
        .await
    }

    async fn usage(&self, user: UserId) -> Result<Usage, StoreError> {
        self.run("keys.usage", |state| Usage {
            accounts: u32::try_from(state.accounts.count(user)).unwrap_or(u32::MAX),
            api_keys: u32::try_from(state.keys.of(user).count()).unwrap_or(u32::MAX),
        })
        .await
    }

    async fn create_user(&self, user: &User) -> Result<Created, StoreError> {
        self.run("keys.create_user", |state| {
            if state.keys.users.contains_key(&user.id) {
                return Created::Exists;
            }
            state.keys.users.insert(user.id, user.clone());
            Created::Done
        })
        .await
    }

    async fn user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        self.run("keys.user", |state| {
            let place = (Kind::User, Partition::User(user), 0);
            state.meter.get(place, Fresh::Consistent);
            state.keys.users.get(&user).cloned()
        })
        .await
    }
}

#[async_trait]
impl UserPlans for MemoryStore {
    async fn plan_of(&self, user: UserId) -> Result<Option<Plan>, StoreError> {
        self.run("keys.plan_of", |state| {
            let place = (Kind::User, Partition::User(user), 0);
            state.meter.get(place, Fresh::Consistent);
            state.keys.users.get(&user).map(|user| user.plan)
        })
        .await
    }
}
