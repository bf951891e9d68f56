//! Reading the audit log (API reference §19).

use std::sync::Arc;

use agentwarm_core::audit::{AuditEntry, EntityType, EventType};
use agentwarm_core::ids::UserId;
use jiff::{SignedDuration, Timestamp};

use crate::error::{AppError, Problem};
use crate::ports::audit::{AuditFilter, AuditLog};
use crate::ports::clock::Clock;
use crate::ports::{PageOf, PageRequest};
use crate::tenant::Tenant;

/// The longest id that an entry can be about: an address.
const ENTITY_ID_MAX_BYTES: usize = 254;

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
        let problems = problems(&filter);
        if !problems.is_empty() {
            return Err(AppError::Invalid(problems));
        }
        let retention_days = tenant.limits().retention_days;
        let kept = SignedDuration::from_hours(24 * i64::from(retention_days));
        let oldest = self
            .clock
            .schedule()
            .checked_sub(kept)
            .unwrap_or(Timestamp::MIN);
        let filter = AuditFilter {
            since: filter.since.max(Some(oldest)),
            actor: filter.actor.map(canonical),
            ..filter
        };
        Ok(AuditPage {
            page: self.audit.list(tenant.user, &filter, page).await?,
            retention_days,
        })
    }
}

/// An actor as entries spell it: UUIDs in lower case.
fn canonical(actor: String) -> String {
    actor
        .parse::<UserId>()
        .map_or(actor, |user| user.to_string())
}

fn problems(filter: &AuditFilter) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut check = |path, is_wrong: bool, message: &str| {
        if is_wrong {
            problems.push(Problem::new(path, message));
        }
    };
    let event_types = EventType::ALL.iter().map(|known| known.as_str());
    let entity_types = EntityType::ALL.iter().map(|known| known.as_str());
    check(
        "eventType",
        is_unknown(filter.event_type.as_deref(), event_types.clone()),
        &one_of(event_types),
    );
    check(
        "entityType",
        is_unknown(filter.entity_type.as_deref(), entity_types.clone()),
        &one_of(entity_types),
    );
    let entity_id = filter.entity_id.as_deref();
    check(
        "entityId",
        entity_id.is_some_and(|id| id.is_empty() || id.len() > ENTITY_ID_MAX_BYTES),
        "must have from 1 to 254 bytes",
    );
    let actor = filter.actor.as_deref();
    check(
        "actor",
        actor.is_some_and(|actor| actor != "system" && actor.parse::<UserId>().is_err()),
        "must be a user's id or system",
    );
    let ends_before =
        matches!((filter.since, filter.until), (Some(since), Some(until)) if until <= since);
    check("until", ends_before, "must be after since");
    problems
}

fn is_unknown(value: Option<&str>, mut known: impl Iterator<Item = &'static str>) -> bool {
    value.is_some_and(|value| !known.any(|name| name == value))
}

fn one_of(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.collect();
    format!("must be one of {}", names.join(", "))
}
