//! Addresses that get no warmup mail.

use std::collections::BTreeMap;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::days::{SuppressionReason, Suppressions};
use agentwarm_core::ids::UserId;
use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;

/// Addresses by user, with the end of their suppression where it has one.
#[derive(Debug, Default)]
pub(super) struct SuppressionItems(BTreeMap<(UserId, String), Option<Timestamp>>);

impl SuppressionItems {
    pub(super) fn holds(&self, user: UserId, email: &str, at: Timestamp) -> bool {
        let entry = self.0.get(&(user, email.to_lowercase()));
        entry.is_some_and(|until| until.is_none_or(|until| at < until))
    }
}

#[async_trait]
impl Suppressions for MemoryStore {
    async fn suppressed(
        &self,
        user: UserId,
        emails: &[String],
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        self.run("suppressions.suppressed", |state| {
            emails
                .iter()
                .filter(|email| state.suppressions.holds(user, email, at))
                .cloned()
                .collect()
        })
        .await
    }

    async fn suppress(
        &self,
        user: UserId,
        email: &str,
        _reason: SuppressionReason,
        _at: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.run("suppressions.suppress", |state| {
            state
                .suppressions
                .0
                .insert((user, email.to_lowercase()), until);
        })
        .await
    }
}
