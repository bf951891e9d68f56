//! Addresses that get no warmup mail.

use std::collections::BTreeMap;

use agentwarm_app::paging::newest_first;
use agentwarm_app::ports::days::{SuppressionReason, Suppressions};
use agentwarm_app::ports::suppressions::{Suppression, SuppressionFilter, SuppressionList};
use agentwarm_app::ports::{PageOf, PageRequest, StoreError};
use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::UserId;
use agentwarm_core::seed::Seed;
use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::meter::{Fresh, Kind, Partition, Place};

/// Entries by user and address.
#[derive(Debug, Default)]
pub(super) struct SuppressionItems(BTreeMap<(UserId, String), Suppression>);

impl SuppressionItems {
    pub(super) fn holds(&self, user: UserId, email: &str, at: Timestamp) -> bool {
        let entry = self.0.get(&(user, email.to_lowercase()));
        entry.is_some_and(|entry| entry.in_force(at))
    }

    fn outlasts(&self, user: UserId, email: &str, until: Option<Timestamp>, at: Timestamp) -> bool {
        let entry = self.0.get(&(user, email.to_lowercase()));
        entry.is_some_and(|entry| entry.outlasts(until, at))
    }

    fn put(
        &mut self,
        user: UserId,
        email: &str,
        reason: SuppressionReason,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Suppression {
        let key = (user, email.to_lowercase());
        let entry = Suppression::of(self.0.get(&key), email, reason, at, until);
        self.0.insert(key, entry.clone());
        entry
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
            let places = emails.iter().map(|email| place(user, email));
            state.meter.batch_get(Kind::Suppression, places);
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
        reason: SuppressionReason,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.run("suppressions.suppress", |state| {
            state.meter.get(place(user, email), Fresh::Consistent);
            if state.suppressions.outlasts(user, email, until, at) {
                return;
            }
            let entry = state.suppressions.put(user, email, reason, at, until);
            let listed = (
                Kind::Suppression,
                Partition::User(user),
                entry.id.as_uuid().as_u128(),
            );
            let bytes = BESIDES + email.len();
            state
                .meter
                .transacted([place(user, email), listed].map(|place| (place, bytes)));
        })
        .await
    }
}

#[async_trait]
impl SuppressionList for MemoryStore {
    async fn list(
        &self,
        user: UserId,
        filter: &SuppressionFilter,
        page: &PageRequest,
    ) -> Result<PageOf<Suppression>, StoreError> {
        self.run("suppression_list.list", |state| {
            let mut items: Vec<_> = state
                .suppressions
                .0
                .iter()
                .filter(|((owner, _), entry)| *owner == user && filter.shows(entry))
                .map(|(_, entry)| (entry.id.to_string(), entry.clone()))
                .collect();
            items.sort_by(|(a, _), (b, _)| a.cmp(b));
            newest_first(items, page)
        })
        .await
    }

    async fn put(
        &self,
        user: UserId,
        email: &EmailAddress,
        reason: SuppressionReason,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Suppression, StoreError> {
        self.run("suppression_list.put", |state| {
            let email = email.as_str();
            state.suppressions.put(user, email, reason, at, until)
        })
        .await
    }

    async fn remove(&self, user: UserId, email: &EmailAddress) -> Result<bool, StoreError> {
        self.run("suppression_list.remove", |state| {
            let key = (user, email.as_str().to_owned());
            state.suppressions.0.remove(&key).is_some()
        })
        .await
    }
}

/// An entry without its address: keys and record.
const BESIDES: usize = 300;

fn place(user: UserId, email: &str) -> Place {
    let address = Seed::root(email.to_lowercase().as_bytes()).entropy();
    (Kind::Suppression, Partition::User(user), address)
}
