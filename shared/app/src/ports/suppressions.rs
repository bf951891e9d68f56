//! The suppression list as its user sees it. What the engine asks of it is [`super::days::Suppressions`].

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::{SuppressionId, UserId};
use agentwarm_core::seed::Seed;

use super::days::SuppressionReason;
use super::{PageOf, PageRequest, StoreError};

/// An address that gets no warmup mail (API reference §6, decision 33).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Its id, the same however often the address is suppressed again.
    pub id: SuppressionId,
    /// The address, case-folded.
    pub email: String,
    /// Why, as said last.
    pub reason: SuppressionReason,
    /// When that was said.
    pub suppressed_at: Timestamp,
    /// Until when; for good where there is no time.
    pub expires_at: Option<Timestamp>,
    /// When the address came onto the list.
    pub created_at: Timestamp,
}

/// Which entries a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SuppressionFilter {
    /// Only these.
    pub reason: Option<SuppressionReason>,
    /// Only what has not expired at this time.
    pub in_force_at: Option<Timestamp>,
}

/// Reading and changing the list.
#[async_trait]
pub trait SuppressionList: Send + Sync {
    /// A user's entries, newest first.
    async fn list(
        &self,
        user: UserId,
        filter: &SuppressionFilter,
        page: &PageRequest,
    ) -> Result<PageOf<Suppression>, StoreError>;

    /// Suppresses an address, until `until` where given; one that is on the list keeps its id and its place.
    async fn put(
        &self,
        user: UserId,
        email: &EmailAddress,
        reason: SuppressionReason,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Suppression, StoreError>;

    /// Takes an address off the list, expired or not. False when it is not on it.
    async fn remove(&self, user: UserId, email: &EmailAddress) -> Result<bool, StoreError>;
}

impl Suppression {
    /// The entry of an address that is suppressed at `at`, whatever its case: `there`, renewed, if it is on the list. The same words at the
    /// same time make the same entry, so that saying them again after a lost answer changes nothing.
    pub fn of(
        there: Option<&Self>,
        email: &str,
        reason: SuppressionReason,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Self {
        let email = email.to_lowercase();
        let seed = Seed::root(b"suppression").child(&email);
        Self {
            id: there.map_or_else(|| SuppressionId::seeded(at, &seed), |there| there.id),
            created_at: there.map_or(at, |there| there.created_at),
            email,
            reason,
            suppressed_at: at,
            expires_at: until,
        }
    }

    /// Whether at `at` it is in force, and longer than until `until`: what the engine finds out shortens nothing that was said for longer.
    pub fn outlasts(&self, until: Option<Timestamp>, at: Timestamp) -> bool {
        match (self.expires_at, until) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(ends), Some(until)) => self.in_force(at) && until < ends,
        }
    }

    /// Whether the address gets no mail at `at`.
    pub fn in_force(&self, at: Timestamp) -> bool {
        self.expires_at.is_none_or(|until| at < until)
    }
}

impl SuppressionFilter {
    /// Whether an entry is shown.
    pub fn shows(&self, entry: &Suppression) -> bool {
        self.reason.is_none_or(|reason| reason == entry.reason)
            && self.in_force_at.is_none_or(|at| entry.in_force(at))
    }
}
