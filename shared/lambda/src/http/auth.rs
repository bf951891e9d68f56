//! Who is asking (decision 1).
//!
//! A handler of a route that needs a key is given a [`Caller`]. It cannot be built outside this module, so a handler that acts for a
//! user has been through here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use agentwarm_app::keys::{KEY_PREFIX, KEY_RANDOM_CHARS};
use agentwarm_app::ports::keys::{KeyHash, KeyLookup, KeyOwner};
use agentwarm_app::tenant::Tenant;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{ApiKeyId, UserId};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::error::{ApiError, chain};

/// How old a key's `lastUsedAt` may be before it is written again. One write per key and process in five minutes is nothing; one
/// per request would double the writes of a read-only API.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// How many keys' last touches a process remembers before it forgets those that are due anyway.
const REMEMBERED_KEYS: usize = 1_000;

/// The authenticated user behind a request.
pub struct Caller {
    owner: KeyOwner,
    secret: Zeroizing<String>,
}

impl Caller {
    /// On whose behalf use cases run.
    pub fn tenant(&self) -> Tenant {
        self.owner.into()
    }

    /// The user.
    pub const fn user(&self) -> UserId {
        self.owner.user
    }

    /// The key that they used.
    pub const fn key(&self) -> ApiKeyId {
        self.owner.key
    }

    /// The key itself, as the source of other keys: never stored, logged or answered.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("user", &self.owner.user)
            .field("key", &self.owner.key)
            .finish_non_exhaustive()
    }
}

/// Finds out who sent `headers`. The store is asked each time, so a revoked key stops working with the next request.
pub(super) async fn authenticate(
    keys: &dyn KeyLookup,
    headers: &HeaderMap,
) -> Result<Caller, ApiError> {
    let secret = presented_key(headers)?;
    let owner = if is_well_formed(&secret) {
        keys.owner(&KeyHash::of(&secret)).await?
    } else {
        None
    };
    match owner {
        Some(owner) => Ok(Caller { owner, secret }),
        None => Err(ApiError::new(
            ErrorCode::AuthInvalidKey,
            "The API key is unknown or was revoked",
        )),
    }
}

/// What stands after `Bearer`. The scheme's name is case-insensitive (RFC 9110 §11.1). Of two headers nobody could say which one counts.
fn presented_key(headers: &HeaderMap) -> Result<Zeroizing<String>, ApiError> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let header = given.next().ok_or_else(|| {
        ApiError::new(
            ErrorCode::AuthMissingHeader,
            "The Authorization header is missing",
        )
        .challenge()
    })?;
    Some(header)
        .filter(|_| given.next().is_none())
        .and_then(|header| header.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim())
        .filter(|key| key.starts_with(KEY_PREFIX))
        .map(|key| Zeroizing::new(key.to_owned()))
        .ok_or_else(|| {
            ApiError::new(
                ErrorCode::AuthInvalidFormat,
                "The Authorization header must be \"Bearer aw_...\"",
            )
            .challenge()
        })
}

/// Whether a key can exist at all. What cannot is "unknown" without asking the store.
fn is_well_formed(key: &str) -> bool {
    key.strip_prefix(KEY_PREFIX).is_some_and(|random| {
        random.len() == KEY_RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// When each key was last noted as used, as far as this process did it.
#[derive(Debug, Default)]
pub(super) struct Touches(Mutex<BTreeMap<ApiKeyId, Timestamp>>);

impl Touches {
    /// Notes the use of the caller's key, if that is due. A failure is logged and otherwise without effect.
    pub(super) async fn note(&self, keys: &dyn KeyLookup, caller: &Caller, now: Timestamp) {
        if !self.is_due(caller.key(), now) {
            return;
        }
        if let Err(error) = keys.touch(caller.user(), caller.key(), now).await {
            tracing::warn!(cause = chain(&error), "the use of a key was not noted");
        }
    }

    fn is_due(&self, key: ApiKeyId, now: Timestamp) -> bool {
        let recent = |at: Timestamp| now.duration_since(at) < TOUCH_EVERY;
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.get(&key).copied().is_some_and(recent) {
            return false;
        }
        if last.len() >= REMEMBERED_KEYS {
            last.retain(|_, at| recent(*at));
        }
        last.insert(key, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn code_of(header: Option<&'static str>) -> Result<String, ErrorCode> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
        }
        presented_key(&headers)
            .map(|key| key.to_string())
            .map_err(|error| error.code())
    }

    #[test]
    fn the_header_is_bearer_and_a_key() {
        assert_eq!(code_of(None), Err(ErrorCode::AuthMissingHeader));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "aw_abc",
            "Basic aw_abc",
            "Bearer sk_abc",
            "Bearer AW_abc",
            "Beareraw_abc",
        ] {
            assert_eq!(
                code_of(Some(wrong)),
                Err(ErrorCode::AuthInvalidFormat),
                "{wrong}"
            );
        }
        for right in ["Bearer aw_abc", "bearer aw_abc", "BEARER   aw_abc "] {
            assert_eq!(code_of(Some(right)).as_deref(), Ok("aw_abc"), "{right}");
        }
    }

    #[test]
    fn two_headers_are_none() {
        let mut headers = HeaderMap::new();
        for key in ["Bearer aw_abc", "Bearer aw_abc"] {
            headers.append(AUTHORIZATION, HeaderValue::from_static(key));
        }
        let refused = presented_key(&headers).map_err(|error| error.code());
        assert!(matches!(refused, Err(ErrorCode::AuthInvalidFormat)));
    }

    #[test]
    fn keys_are_35_characters() {
        assert!(is_well_formed("aw_0123456789abcdefABCDEF0123456789"));
        for wrong in [
            "aw_",
            "aw_0123456789abcdefABCDEF012345678",
            "aw_0123456789abcdefABCDEF01234567890",
            "aw_0123456789abcdefABCDEF012345678-",
        ] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_touched_every_five_minutes() {
        let touches = Touches::default();
        let key = ApiKeyId::from_uuid(uuid::Uuid::nil());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(touches.is_due(key, at("2026-03-13T09:00:00Z")));
        assert!(!touches.is_due(key, at("2026-03-13T09:04:59Z")));
        assert!(touches.is_due(key, at("2026-03-13T09:05:00Z")));
    }
}
