//! What these operations take and give.

use agentwarm_app::keys::IssuedKey;
use agentwarm_app::ports::keys::ApiKey;
use agentwarm_app::text::NAME_MAX_CHARS;
use agentwarm_core::ids::{ApiKeyId, UserId};
use agentwarm_core::plan::Plan;
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::line;
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

/// A key to be made.
pub struct CreateApiKey {
    /// What its owner calls it.
    pub name: String,
}

impl FromFields for CreateApiKey {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let name = fields.required("name", line(NAME_MAX_CHARS));
        Ok(Self { name: name? })
    }
}

/// All keys of a user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedApiKeys {
    keys: Vec<ListedApiKey>,
}

/// A key as its owner sees it later.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedApiKey {
    #[schemars(schema_with = "schema::id")]
    id: ApiKeyId,
    name: String,
    /// Its first characters.
    key_prefix: String,
    /// When it was last used, to within some minutes.
    #[schemars(schema_with = "schema::nullable_instant")]
    last_used_at: Option<Timestamp>,
    #[schemars(schema_with = "schema::instant")]
    created_at: Timestamp,
}

/// A key that was just made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiKey {
    #[schemars(schema_with = "schema::id")]
    id: ApiKeyId,
    name: String,
    /// The key itself. Keep it: it is not shown again.
    key: String,
    /// Its first characters.
    key_prefix: String,
    #[schemars(schema_with = "schema::instant")]
    created_at: Timestamp,
}

/// That a key was revoked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedApiKey {
    /// Always true.
    pub deleted: bool,
}

/// Who a key speaks for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Me {
    user: UserView,
    #[schemars(schema_with = "plan")]
    plan: Plan,
    limits: Limits,
    usage: UsageView,
}

/// The user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "User")]
pub struct UserView {
    #[schemars(schema_with = "schema::id")]
    id: UserId,
    #[schemars(schema_with = "schema::instant")]
    created_at: Timestamp,
}

/// What the plan allows.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    accounts: u32,
    api_keys: u32,
    /// Mails of one account and day.
    daily_emails_per_account: u32,
    /// Mails of all accounts together in a day of UTC; null where only each account's count.
    daily_emails_total: Option<u32>,
    /// Days that analytics and the audit log are kept.
    retention_days: u16,
}

/// What is taken of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Usage")]
pub struct UsageView {
    accounts: u32,
    api_keys: u32,
}

impl From<&agentwarm_app::keys::Me> for Me {
    fn from(me: &agentwarm_app::keys::Me) -> Self {
        let limits = me.user.plan.limits();
        Self {
            user: UserView {
                id: me.user.id,
                created_at: me.user.created_at,
            },
            plan: me.user.plan,
            limits: Limits {
                accounts: limits.accounts,
                api_keys: limits.api_keys,
                daily_emails_per_account: limits.daily_emails_per_account,
                daily_emails_total: limits.daily_emails_total,
                retention_days: limits.retention_days,
            },
            usage: UsageView {
                accounts: me.usage.accounts,
                api_keys: me.usage.api_keys,
            },
        }
    }
}

fn plan(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(&[Plan::Free, Plan::Pro, Plan::Enterprise], Plan::as_str)
}

impl From<Vec<ApiKey>> for ListedApiKeys {
    fn from(keys: Vec<ApiKey>) -> Self {
        Self {
            keys: keys.into_iter().map(ListedApiKey::from).collect(),
        }
    }
}

impl From<ApiKey> for ListedApiKey {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            key_prefix: key.prefix,
            last_used_at: key.last_used_at,
            created_at: key.created_at,
        }
    }
}

impl From<IssuedKey> for CreatedApiKey {
    fn from(issued: IssuedKey) -> Self {
        Self {
            id: issued.key.id,
            name: issued.key.name,
            key: issued.secret.to_string(),
            key_prefix: issued.key.prefix,
            created_at: issued.key.created_at,
        }
    }
}

pub(crate) fn create_example() -> Value {
    json!({ "name": "My Agent Key" })
}

pub(crate) fn listed_example() -> Value {
    json!({
        "keys": [{
            "id": "019590a5-7c00-7000-8000-000000000001",
            "name": "Production",
            "keyPrefix": "aw_abc12...",
            "lastUsedAt": "2026-03-13T10:00:00Z",
            "createdAt": "2026-03-10T08:00:00Z",
        }],
    })
}

pub(crate) fn created_example() -> Value {
    json!({
        "id": "019590a5-7c00-7000-8000-000000000001",
        "name": "My Agent Key",
        "key": "aw_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "keyPrefix": "aw_xxxxx...",
        "createdAt": "2026-03-13T12:00:00Z",
    })
}

pub(crate) fn me_example() -> Value {
    json!({
        "user": { "id": "019590a5-7c00-7000-8000-000000000009", "createdAt": "2026-03-01T08:00:00Z" },
        "plan": "pro",
        "limits": {
            "accounts": 50,
            "apiKeys": 5,
            "dailyEmailsPerAccount": 40,
            "dailyEmailsTotal": null,
            "retentionDays": 90,
        },
        "usage": { "accounts": 12, "apiKeys": 2 },
    })
}

pub(crate) fn deleted_example() -> Value {
    json!({ "deleted": true })
}
