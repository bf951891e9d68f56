//! What is kept of requests themselves: how many a key made, and what was answered to those with an `Idempotency-Key`.

use agentwarm_core::ids::{ApiKeyId, UserId};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::StoreError;

/// Counts requests.
#[async_trait]
pub trait RateCounter: Send + Sync {
    /// Counts one request with `key` in the minute that contains `window` (wall clock); the count with it. Atomic: two requests at once get two
    /// counts.
    async fn increment(
        &self,
        user: UserId,
        key: ApiKeyId,
        window: Timestamp,
    ) -> Result<u64, StoreError>;
}

/// Whose request it is: a key chosen by one client is no other client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestScope<'a> {
    /// The user.
    pub user: UserId,
    /// The API key.
    pub key: ApiKeyId,
    /// The idempotency key.
    pub idempotency_key: &'a str,
}

/// What is to be done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Carry it out; nobody else does.
    Started {
        /// What an earlier attempt noted, whose process died or which was abandoned.
        note: Option<String>,
    },
    /// Somebody carries it out.
    InProgress {
        /// Until when at most: the end of their lease.
        until: Timestamp,
    },
    /// It was carried out.
    Finished {
        /// What was given to [`IdempotencyStore::finish`].
        answer: Vec<u8>,
    },
    /// The key was used for another request.
    OtherRequest,
}

/// Remembers requests for 24 hours from their beginning. That they are over is checked when they are read, not left to a TTL.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Begins a request with this `fingerprint`, unless it was begun and its lease or its answer still stands. `owner` is a fresh
    /// token; the lease lasts from `now` (wall clock).
    async fn begin(
        &self,
        scope: RequestScope<'_>,
        fingerprint: &str,
        owner: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Begun, StoreError>;

    /// Stores the answer of a request that `owner` began; false when the lease was lost to somebody else meanwhile.
    async fn finish(
        &self,
        scope: RequestScope<'_>,
        owner: &str,
        answer: &[u8],
    ) -> Result<bool, StoreError>;

    /// Keeps `note` with a request that `owner` began, or nothing; false when the lease was lost to somebody else meanwhile.
    async fn note(
        &self,
        scope: RequestScope<'_>,
        owner: &str,
        note: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Forgets a request that `owner` began. If something is noted with it, that is not forgotten: the request can be begun again at once,
    /// and whoever does gets the note.
    async fn abandon(&self, scope: RequestScope<'_>, owner: &str) -> Result<(), StoreError>;
}
