//! What these operations take and give.

use agentwarm_app::ports::days::SuppressionReason;
use agentwarm_app::ports::suppressions::Suppression as StoredSuppression;
use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::SuppressionId;
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{boolean, email, instant, one_of};
use agentwarm_lambda::http::{Fields, FromFields, Invalid, PageInfo, Paging, Wanted};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

/// How entries are paged (API reference §6).
pub const PAGING: Paging = Paging {
    list: "suppression",
    default: 100,
    max: 500,
};

/// Which entries are wanted.
pub struct ListSuppressions {
    /// Only these.
    pub reason: Option<SuppressionReason>,
    /// Whether what has expired is shown too.
    pub include_expired: bool,
    /// By where they are in the list.
    pub wanted: Wanted,
}

impl FromFields for ListSuppressions {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let reason = one_of(SuppressionReason::ALL, SuppressionReason::as_str);
        let reason = fields.optional("reason", reason);
        let include_expired = boolean().about("Shows what has expired too.");
        let include_expired = fields.or("includeExpired", false, include_expired);
        let wanted = PAGING.read(fields);
        Ok(Self {
            reason: reason?,
            include_expired: include_expired?,
            wanted: wanted?,
        })
    }
}

/// An address to be suppressed.
pub struct SuppressAddress {
    /// The address.
    pub email: EmailAddress,
    /// Why.
    pub reason: SuppressionReason,
    /// Until when; for good where there is no time.
    pub expires_at: Option<Timestamp>,
}

impl FromFields for SuppressAddress {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let email = fields.required("email", email());
        let reason = one_of(SuppressionReason::ALL, SuppressionReason::as_str);
        let reason = fields.optional("reason", reason.about("`manual` when not given."));
        let expires_at = instant().about("In the future; for good when not given.");
        let expires_at = fields.nullable("expiresAt", expires_at);
        Ok(Self {
            email: email?,
            reason: reason?.unwrap_or(SuppressionReason::Manual),
            expires_at: expires_at?,
        })
    }
}

/// An address that gets no warmup mail.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suppression {
    #[schemars(schema_with = "schema::id")]
    id: SuppressionId,
    /// Case-folded.
    #[schemars(schema_with = "schema::email")]
    email: String,
    #[schemars(schema_with = "reason")]
    reason: &'static str,
    /// When it was suppressed last.
    #[schemars(schema_with = "schema::instant")]
    suppressed_at: Timestamp,
    /// Until when; null is for good.
    #[schemars(schema_with = "schema::nullable_instant")]
    expires_at: Option<Timestamp>,
    /// When it came onto the list.
    #[schemars(schema_with = "schema::instant")]
    created_at: Timestamp,
}

/// A page of the list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["limit", "offset"]))]
pub struct SuppressionPage {
    /// The entries, newest first.
    pub entries: Vec<Suppression>,
    /// Where they are in the list.
    #[serde(flatten)]
    pub page: PageInfo,
}

impl From<StoredSuppression> for Suppression {
    fn from(entry: StoredSuppression) -> Self {
        Self {
            id: entry.id,
            email: entry.email,
            reason: entry.reason.as_str(),
            suppressed_at: entry.suppressed_at,
            expires_at: entry.expires_at,
            created_at: entry.created_at,
        }
    }
}

fn reason(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(SuppressionReason::ALL, SuppressionReason::as_str)
}

pub(crate) fn suppress_example() -> Value {
    json!({ "email": "bad@example.com", "reason": "manual", "expiresAt": "2026-06-13T00:00:00Z" })
}

pub(crate) fn suppression_example() -> Value {
    json!({
        "id": "019ce7a0-4800-7000-8000-000000000005",
        "email": "bad@example.com",
        "reason": "manual",
        "suppressedAt": "2026-03-13T12:00:00Z",
        "expiresAt": "2026-06-13T00:00:00Z",
        "createdAt": "2026-03-13T12:00:00Z",
    })
}

pub(crate) fn list_example() -> Value {
    json!({
        "entries": [{
            "id": "019ce279-ec00-7000-8000-000000000006",
            "email": "bounced@example.com",
            "reason": "hard_bounce",
            "suppressedAt": "2026-03-12T12:00:00Z",
            "expiresAt": null,
            "createdAt": "2026-03-12T12:00:00Z",
        }],
        "total": 5,
        "limit": 100,
        "offset": 0,
        "nextCursor": null,
    })
}
