//! The audit log.

use async_trait::async_trait;
use jiff::Timestamp;

use agentwarm_core::audit::AuditEntry;
use agentwarm_core::ids::UserId;

use super::{PageOf, PageRequest, StoreError};

/// Which entries a list shows (API reference §19).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this event type.
    pub event_type: Option<String>,
    /// Only this kind of thing.
    pub entity_type: Option<String>,
    /// Only this thing.
    pub entity_id: Option<String>,
    /// Only by this actor: a user's id or `system`.
    pub actor: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// Reading and writing the log.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes entries; one that is there already stays. They expire at `expires_at`, their plan's retention.
    async fn append(
        &self,
        user: UserId,
        entries: &[AuditEntry],
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// A user's entries, newest first.
    async fn list(
        &self,
        user: UserId,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<PageOf<AuditEntry>, StoreError>;
}
