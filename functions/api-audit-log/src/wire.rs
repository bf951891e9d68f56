//! What this operation takes and gives.

use agentwarm_app::audit_log::AuditPage;
use agentwarm_app::ports::audit::AuditFilter;
use agentwarm_core::audit::{AuditEntry as StoredEntry, EntityType, EventType};
use agentwarm_core::ids::{AuditEntryId, UserId};
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{instant, one_of, text};
use agentwarm_lambda::http::{Fields, FromFields, Invalid, PageInfo, Paging, Wanted};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// How entries are paged (API reference §19).
pub const PAGING: Paging = Paging {
    list: "audit-log",
    default: 50,
    max: 200,
};

/// The longest id that an entry can be about: an address.
const ENTITY_ID_MAX_CHARS: usize = 254;

/// `system`, or a UUID.
const ACTOR_PATTERN: &str = "^(system|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$";

/// Which entries are wanted.
pub struct ListAuditLog {
    /// By what they say.
    pub filter: AuditFilter,
    /// By where they are in the log.
    pub wanted: Wanted,
}

impl FromFields for ListAuditLog {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let event_type = fields.optional("eventType", one_of(EventType::ALL, EventType::as_str));
        let entity_type = one_of(EntityType::ALL, EntityType::as_str);
        let entity_type = fields.optional("entityType", entity_type);
        let entity_id = fields.optional("entityId", text(1..=ENTITY_ID_MAX_CHARS));
        let actor = text(1..=36).check(|actor| match actor.parse::<UserId>() {
            Ok(user) => Ok(user.to_string()),
            Err(_) if actor == "system" => Ok(actor),
            Err(_) => Err("must be a user's id or system"),
        });
        let actor = fields.optional(
            "actor",
            actor
                .schema_with("pattern", || ACTOR_PATTERN.into())
                .about("A user's id, or `system`."),
        );
        let since = fields.optional("since", instant().about("Not before."));
        let until = fields.optional("until", instant().about("Before."));
        let wanted = PAGING.read(fields);
        let (since, until) = (since?, until?);
        if until.is_some() && until <= since {
            fields.problem("until", "must be after since");
        }
        Ok(Self {
            filter: AuditFilter {
                event_type: event_type?.map(|event_type| event_type.as_str().to_owned()),
                entity_type: entity_type?.map(|entity_type| entity_type.as_str().to_owned()),
                entity_id: entity_id?,
                actor: actor?,
                since,
                until,
            },
            wanted: wanted?,
        })
    }
}

/// A page of the log.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["retentionDays"]))]
pub struct AuditLog {
    entries: Vec<AuditEntry>,
    #[serde(flatten)]
    page: PageInfo,
    /// Days that entries are kept on your plan.
    retention_days: u16,
}

/// One thing that happened.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    #[schemars(schema_with = "schema::id")]
    id: AuditEntryId,
    #[schemars(schema_with = "event_type")]
    event_type: EventType,
    #[schemars(schema_with = "entity_type")]
    entity_type: EntityType,
    /// The id of what it happened to.
    entity_id: String,
    /// The id of the user who did it, or `system`.
    actor: String,
    /// The numbers behind it.
    metadata: Map<String, Value>,
    #[schemars(schema_with = "schema::instant")]
    created_at: Timestamp,
}

impl AuditLog {
    /// A page as its client sees it.
    pub fn new(found: AuditPage, page: PageInfo) -> Self {
        Self {
            entries: found.page.items.into_iter().map(AuditEntry::from).collect(),
            page,
            retention_days: found.retention_days,
        }
    }
}

impl From<StoredEntry> for AuditEntry {
    fn from(entry: StoredEntry) -> Self {
        Self {
            id: entry.id,
            event_type: entry.event.event_type,
            entity_type: entry.event.entity_type,
            entity_id: entry.event.entity_id,
            actor: entry.event.actor.to_string(),
            metadata: entry.event.metadata,
            created_at: entry.event.at,
        }
    }
}

fn event_type(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(EventType::ALL, EventType::as_str)
}

fn entity_type(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(EntityType::ALL, EntityType::as_str)
}

pub(crate) fn example() -> Value {
    json!({
        "entries": [{
            "id": "019ce7a0-4800-7000-8000-000000000003",
            "eventType": "account.created",
            "entityType": "account",
            "entityId": "550e8400-e29b-41d4-a716-446655440000",
            "actor": "019590a5-7c00-7000-8000-000000000004",
            "metadata": { "email": "hello@example.com", "provider": "imap_smtp" },
            "createdAt": "2026-03-13T12:00:00Z",
        }],
        "total": 42,
        "limit": 50,
        "offset": 0,
        "nextCursor": null,
        "retentionDays": 90,
    })
}
