//! Schemas of what our types cannot say for themselves, for `#[schemars(schema_with = "…")]`.
//!
//! The domain's types know nothing of JSON Schema, so a wire type that holds one names its schema here.

use agentwarm_core::account::{AccountStatus, Provider, WarmupPhase};
use schemars::transform::Transform;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

/// An instant: RFC 3339 in UTC, with `Z` (decision 11).
pub fn instant(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// An instant, or null.
pub fn nullable_instant(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "format": "date-time" })
}

/// A date, `YYYY-MM-DD`.
pub fn date(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date" })
}

/// An id.
pub fn id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "uuid" })
}

/// An id, or null.
pub fn nullable_id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "format": "uuid" })
}

/// An email address.
pub fn email(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "email" })
}

/// A share, from 0 to 1.
pub fn rate(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
}

/// Marks what we add to the reference's answers (decision 11): fields that are there, but that a client may not count on where it is
/// written by the reference. For `#[schemars(transform = schema::ours(&["…"]))]`.
pub fn ours(names: &'static [&'static str]) -> impl Transform {
    move |schema: &mut Schema| {
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| name.as_str().is_none_or(|name| !names.contains(&name)));
        }
    }
}

/// An account's provider.
pub fn provider(_: &mut SchemaGenerator) -> Schema {
    one_of(Provider::ALL, Provider::as_str)
}

/// An account's status.
pub fn account_status(_: &mut SchemaGenerator) -> Schema {
    one_of(AccountStatus::ALL, AccountStatus::as_str)
}

/// A phase of warmup.
pub fn warmup_phase(_: &mut SchemaGenerator) -> Schema {
    one_of(WarmupPhase::ALL, WarmupPhase::as_str)
}

/// One of some values by their names on the wire. Wrap it: `fn status(_: &mut SchemaGenerator) -> Schema { one_of(…) }`.
pub fn one_of<T: Copy>(values: &[T], name: fn(T) -> &'static str) -> Schema {
    let names: Vec<_> = values.iter().map(|value| name(*value)).collect();
    json_schema!({ "type": "string", "enum": names })
}
