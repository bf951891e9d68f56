//! Reading the audit log (API reference §19).

use std::sync::Arc;

use agentwarm_core::audit::AuditEntry;
use agentwarm_core::time::shifted;
use jiff::SignedDuration;

use crate::error::AppError;
use crate::ports::audit::{AuditFilter, AuditLog};
use crate::ports::clock::Clock;
use crate::ports::{PageOf, PageRequest};
use crate::tenant::Tenant;

/// Reads the log.
#[derive(Clone)]
pub struct ReadAuditLog {
    /// Where it is.
    pub audit: Arc<dyn AuditLog>,
    /// What the retention is counted from.
    pub clock: Arc<dyn Clock>,
}

/// A page of the log and how far back it reaches.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// The entries, newest first.
    pub page: PageOf<AuditEntry>,
    /// Days that entries are kept on this plan.
    pub retention_days: u16,
}

impl ReadAuditLog {
    /// A page of the tenant's entries. What is older than the plan's retention is not shown, even where it is not deleted yet.
    pub async fn list(
        &self,
        tenant: &Tenant,
        filter: AuditFilter,
        page: &PageRequest,
    ) -> Result<AuditPage, AppError> {
        let retention_days = tenant.limits().retention_days;
        let kept = SignedDuration::from_hours(24 * i64::from(retention_days));
        let oldest = shifted(self.clock.schedule(), -kept.as_secs());
        let filter = AuditFilter {
            since: filter.since.max(Some(oldest)),
            ..filter
        };
        Ok(AuditPage {
            page: self.audit.list(tenant.user, &filter, page).await?,
            retention_days,
        })
    }
}
