//! API keys: listing, creating, rotating, revoking; and who a key speaks for (API reference §1, decisions 1, 2).
//!
//! The key itself exists in the answer that creates it and nowhere else: stored are its SHA-256, by which it is found, and its first
//! characters, by which its owner knows it. A plain hash is enough, because a key has 190 bits of entropy: there is nothing to guess.

use std::sync::Arc;

use agentwarm_core::audit::{Actor, EntityType, Event, EventType};
use agentwarm_core::ids::{ApiKeyId, UserId};
use agentwarm_core::plan::PlanLimitReached;
use serde_json::Map;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::error::AppError;
use crate::ports::clock::{Clock, Entropy};
use crate::ports::keys::{ApiKey, ApiKeys, KeyCreated, KeyHash, Usage, User};
use crate::tenant::Tenant;
use crate::text::{NAME_MAX_CHARS, check_line};

/// What every key begins with.
pub const KEY_PREFIX: &str = "aw_";

/// Random characters of a key, after the prefix (decision 1): 35 in all.
pub const KEY_RANDOM_CHARS: usize = 32;

/// Characters of a key that its owner may see later.
const SHOWN_CHARS: usize = 8;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Listing, creating and revoking keys.
#[derive(Clone)]
pub struct Keys {
    /// Where they are.
    pub keys: Arc<dyn ApiKeys>,
    /// When.
    pub clock: Arc<dyn Clock>,
    /// What they are made of.
    pub entropy: Arc<dyn Entropy>,
}

/// A key that was just made: the only time its secret is known.
pub struct IssuedKey {
    /// What is kept of it.
    pub key: ApiKey,
    /// The secret.
    pub secret: Zeroizing<String>,
}

/// A user as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The user.
    pub user: User,
    /// How much of their plan they have taken.
    pub usage: Usage,
}

impl Keys {
    /// The tenant's keys, newest first.
    pub async fn list(&self, tenant: &Tenant) -> Result<Vec<ApiKey>, AppError> {
        Ok(self.keys.list(tenant.user).await?)
    }

    /// Makes a key called `name`, if the plan allows another.
    pub async fn create(&self, tenant: &Tenant, name: &str) -> Result<IssuedKey, AppError> {
        if let Some(problem) = check_line("name", name, NAME_MAX_CHARS) {
            return Err(AppError::Invalid(vec![problem]));
        }
        let max = tenant.limits().api_keys;
        match self.issue(tenant.user, name, Some(max)).await? {
            Ok(issued) => Ok(issued),
            Err(current) => Err(AppError::PlanLimit(PlanLimitReached {
                limit: "apiKeys",
                plan: tenant.plan,
                max,
                current,
            })),
        }
    }

    /// Revokes a key for good. Never refused, not even for the last one (decision 2).
    pub async fn revoke(&self, tenant: &Tenant, key: ApiKeyId) -> Result<(), AppError> {
        let event = self.event(EventType::ApiKeyRevoked, tenant.user, key);
        if self.keys.revoke(tenant.user, key, event).await? {
            Ok(())
        } else {
            Err(AppError::ApiKeyNotFound)
        }
    }

    /// Puts a new key in the place of one, under its name (decision 2). The old one works no longer, also where it is the one that asked: its
    /// owner must keep the answer.
    pub async fn rotate(&self, tenant: &Tenant, old: ApiKeyId) -> Result<IssuedKey, AppError> {
        let keys = self.keys.list(tenant.user).await?;
        let known = keys.into_iter().find(|key| key.id == old);
        let known = known.ok_or(AppError::ApiKeyNotFound)?;
        let issued = self.fresh(tenant.user, &known.name);
        let revoked = self.event(EventType::ApiKeyRevoked, tenant.user, old);
        let created = self.created(&issued.key).with("replaces", old.to_string());
        let hash = KeyHash::of(&issued.secret);
        let rotated = self.keys.rotate(old, &issued.key, &hash, revoked, created);
        if rotated.await? {
            Ok(issued)
        } else {
            Err(AppError::ApiKeyNotFound)
        }
    }

    /// Who the tenant is, and how much of their plan they have taken.
    pub async fn me(&self, tenant: &Tenant) -> Result<Me, AppError> {
        let user = self.keys.user(tenant.user).await?;
        Ok(Me {
            user: user.ok_or(AppError::Inconsistent("a key without its user"))?,
            usage: self.keys.usage(tenant.user).await?,
        })
    }

    /// Makes and stores a key unless its user has `max`; then the error is how many they have.
    pub(crate) async fn issue(
        &self,
        user: UserId,
        name: &str,
        max: Option<u32>,
    ) -> Result<Result<IssuedKey, u32>, AppError> {
        let issued = self.fresh(user, name);
        let hash = KeyHash::of(&issued.secret);
        let event = self.created(&issued.key);
        let created = self.keys.create(&issued.key, &hash, max, event).await?;
        Ok(match created {
            KeyCreated::Done => Ok(issued),
            KeyCreated::LimitReached { current } => Err(current),
        })
    }

    fn fresh(&self, user: UserId, name: &str) -> IssuedKey {
        let now = self.clock.wall();
        let secret = random_key(self.entropy.as_ref());
        let key = ApiKey {
            id: ApiKeyId::new(now, self.entropy.bits()),
            user,
            name: name.to_owned(),
            prefix: shown_prefix(&secret),
            last_used_at: None,
            created_at: now,
        };
        IssuedKey { key, secret }
    }

    fn created(&self, key: &ApiKey) -> Event {
        self.event(EventType::ApiKeyCreated, key.user, key.id)
            .with("name", key.name.as_str())
            .with("keyPrefix", key.prefix.as_str())
    }

    fn event(&self, event_type: EventType, user: UserId, key: ApiKeyId) -> Event {
        Event {
            event_type,
            entity_type: EntityType::ApiKey,
            entity_id: key.to_string(),
            actor: Actor::User(user),
            metadata: Map::new(),
            at: self.clock.schedule(),
        }
    }
}

impl KeyHash {
    /// The hash of a key as its owner presents it.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

/// A fresh key. Each character is equally likely: bytes that would favour the first ones are left out.
fn random_key(entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut key = Zeroizing::new(String::with_capacity(KEY_PREFIX.len() + KEY_RANDOM_CHARS));
    key.push_str(KEY_PREFIX);
    while key.len() < KEY_PREFIX.len() + KEY_RANDOM_CHARS {
        let mut bytes = entropy.bits().to_be_bytes();
        for byte in &bytes {
            let in_range = usize::from(*byte) < 4 * BASE62.len();
            if let Some(c) = BASE62.get(usize::from(*byte) % BASE62.len())
                && in_range
                && key.len() < KEY_PREFIX.len() + KEY_RANDOM_CHARS
            {
                key.push(char::from(*c));
            }
        }
        bytes.zeroize();
    }
    key
}

fn shown_prefix(key: &str) -> String {
    let shown: String = key.chars().take(SHOWN_CHARS).collect();
    format!("{shown}...")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use agentwarm_core::seed::Seed;

    use super::*;

    struct Counting(AtomicU64);

    impl Entropy for Counting {
        fn bits(&self) -> u128 {
            let draw = self.0.fetch_add(1, Ordering::Relaxed);
            Seed::root(&draw.to_be_bytes()).entropy()
        }
    }

    #[test]
    fn keys_have_35_characters_and_all_of_base62() {
        let entropy = Counting(AtomicU64::new(0));
        let keys: Vec<_> = (0..200).map(|_| random_key(&entropy)).collect();
        let mut seen: Vec<char> = Vec::new();
        for key in &keys {
            assert_eq!(key.len(), 35);
            let random = key.strip_prefix("aw_").unwrap();
            assert!(random.bytes().all(|b| b.is_ascii_alphanumeric()));
            seen.extend(random.chars());
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 62);
    }

    #[test]
    fn the_shown_prefix_is_eight_characters_and_dots() {
        assert_eq!(
            shown_prefix("aw_abc12defghijklmnopqrstuvwxyz0123"),
            "aw_abc12..."
        );
    }

    #[test]
    fn the_hash_is_sha_256_of_the_whole_key() {
        // `printf %s aw_test | sha256sum`
        let expected = "12c8f07e874d";
        let hash = KeyHash::of("aw_test").0;
        let hex: String = hash
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert!(hex.starts_with(expected), "{hex}");
    }
}
