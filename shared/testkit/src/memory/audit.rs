//! The audit log.

use std::collections::BTreeMap;

use agentwarm_app::paging::newest_first;
use agentwarm_app::ports::audit::{AuditFilter, AuditLog};
use agentwarm_app::ports::{PageOf, PageRequest, StoreError};
use agentwarm_core::audit::{Actor, AuditEntry};
use agentwarm_core::ids::{AuditEntryId, UserId};
use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::meter::{self, Kind, PUT, Partition};

#[derive(Debug, Default)]
pub(super) struct AuditItems(BTreeMap<(UserId, AuditEntryId), AuditEntry>);

impl AuditItems {
    pub(super) fn entries(&self) -> impl Iterator<Item = &AuditEntry> {
        self.0.values()
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn append(
        &self,
        user: UserId,
        entries: &[AuditEntry],
        _expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run("audit.append", |state| {
            for entry in entries {
                let place = (
                    Kind::AuditEntry,
                    Partition::Audit(user),
                    entry.id.as_uuid().as_u128(),
                );
                let bytes = || meter::bytes_of(entry, BESIDES);
                state.meter.wrote(place, PUT, bytes);
                state
                    .audit
                    .0
                    .entry((user, entry.id))
                    .or_insert_with(|| entry.clone());
            }
        })
        .await
    }

    async fn list(
        &self,
        user: UserId,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<PageOf<AuditEntry>, StoreError> {
        self.run("audit.list", |state| {
            let items = state
                .audit
                .0
                .iter()
                .filter(|((owner, _), entry)| *owner == user && shows(filter, entry))
                .map(|((_, id), entry)| (id.to_string(), entry.clone()))
                .collect();
            newest_first(items, page)
        })
        .await
    }
}

fn shows(filter: &AuditFilter, entry: &AuditEntry) -> bool {
    let event = &entry.event;
    let actor = match event.actor {
        Actor::User(user) => user.to_string(),
        Actor::System => "system".to_owned(),
    };
    let is =
        |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
    is(&filter.event_type, event.event_type.as_str())
        && is(&filter.entity_type, event.entity_type.as_str())
        && is(&filter.entity_id, &event.entity_id)
        && is(&filter.actor, &actor)
        && filter.since.is_none_or(|since| since <= event.at)
        && filter.until.is_none_or(|until| event.at < until)
}

/// What stands beside an entry's record: keys, end.
const BESIDES: usize = 110;
