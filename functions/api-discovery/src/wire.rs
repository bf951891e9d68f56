//! What these operations give.

use agentwarm_app::health::{Probe, Readiness as Probed};
use agentwarm_app::ports::health::LeaseCount;
use agentwarm_lambda::http::openapi::schema;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The API is alive.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Liveness {
    status: &'static str,
}

/// Whether what the API stands on answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Readiness {
    /// `ok`, or `degraded` when a check failed.
    #[schemars(extend("enum" = ["ok", "degraded"]))]
    status: &'static str,
    checks: Checks,
}

/// The single checks, by the reference's names.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checks {
    /// DynamoDB.
    database: Check,
    /// SQS.
    redis: Check,
    connection_pool: ConnectionPoolCheck,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["backend"]))]
pub struct Check {
    #[schemars(extend("enum" = ["ok", "error"]))]
    status: &'static str,
    /// How long it took; null if it failed.
    latency_ms: Option<u64>,
    /// What is behind it.
    backend: &'static str,
}

/// Mailboxes that are held for a visit.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectionPoolCheck {
    #[schemars(extend("enum" = ["ok", "error"]))]
    status: &'static str,
    /// How many are held, about.
    active: u32,
    /// How many more could be.
    idle: u32,
    /// How many can be held at once.
    total: u32,
}

/// An OpenAPI document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct OpenApi(Map<String, Value>);

/// What the service can do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(transform = schema::ours(&["documents"]))]
pub struct Capabilities {
    service: String,
    version: String,
    /// Operations by intent.
    #[serde(rename = "capabilities")]
    by_intent: Vec<Capability>,
    /// Steps of what is done often, by name.
    workflows: Map<String, Value>,
    authentication: Map<String, Value>,
    #[serde(rename = "rateLimits")]
    rate_limits: Map<String, Value>,
    idempotency: Map<String, Value>,
    errors: Map<String, Value>,
    /// Where to read more.
    documents: Map<String, Value>,
}

/// Operations for one purpose.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(transform = schema::ours(&["endpoints"]))]
pub struct Capability {
    intent: String,
    /// Method and path of each.
    endpoints: Vec<String>,
}

impl Liveness {
    /// It is.
    pub const OK: Self = Self { status: "ok" };
}

impl From<&Probed> for Readiness {
    fn from(probed: &Probed) -> Self {
        let leases = probed.leases.unwrap_or_default();
        Self {
            status: if probed.is_ready() { "ok" } else { "degraded" },
            checks: Checks {
                database: Check::new(probed.database, "dynamodb"),
                redis: Check::new(probed.queues, "sqs"),
                connection_pool: ConnectionPoolCheck::new(probed.leases.is_some(), leases),
            },
        }
    }
}

impl Check {
    fn new(probe: Probe, backend: &'static str) -> Self {
        Self {
            status: status(probe.is_some()),
            latency_ms: probe,
            backend,
        }
    }
}

impl ConnectionPoolCheck {
    fn new(is_known: bool, leases: LeaseCount) -> Self {
        Self {
            status: status(is_known),
            active: leases.active,
            idle: leases.idle(),
            total: leases.total,
        }
    }
}

fn status(is_ok: bool) -> &'static str {
    if is_ok { "ok" } else { "error" }
}

pub(crate) fn liveness_example() -> Value {
    json!({ "status": "ok" })
}

pub(crate) fn readiness_example() -> Value {
    json!({
        "status": "ok",
        "checks": {
            "database": { "status": "ok", "latencyMs": 2, "backend": "dynamodb" },
            "redis": { "status": "ok", "latencyMs": 1, "backend": "sqs" },
            "connectionPool": { "status": "ok", "active": 12, "idle": 42, "total": 54 },
        },
    })
}

pub(crate) fn degraded_example() -> Value {
    json!({
        "status": "degraded",
        "checks": {
            "database": { "status": "ok", "latencyMs": 2, "backend": "dynamodb" },
            "redis": { "status": "error", "latencyMs": null, "backend": "sqs" },
            "connectionPool": { "status": "error", "active": 0, "idle": 0, "total": 0 },
        },
    })
}

pub(crate) fn metrics_example() -> Value {
    "# HELP agentwarm_up Whether everything that is measured could be read.\n# TYPE agentwarm_up gauge\nagentwarm_up 1\n".into()
}

pub(crate) fn document_example() -> Value {
    json!({ "openapi": "3.1.1", "info": { "title": "AgentWarm", "version": "1.0.0" }, "paths": {} })
}

pub(crate) fn text_example() -> Value {
    "# AgentWarm\n\n> Email warmup\n".into()
}

pub(crate) fn capabilities_example() -> Value {
    json!({
        "service": "email-warmup",
        "version": "1.0.0",
        "capabilities": [{
            "intent": "manage_accounts",
            "endpoints": ["GET /api/accounts", "POST /api/accounts"],
        }],
        "workflows": {
            "monitor_warmup": {
                "steps": [{ "endpoint": "GET /api/agent/status", "why": "what is wrong, and what to do next" }],
            },
        },
        "authentication": { "method": "Bearer token", "header": "Authorization: Bearer <key>" },
        "rateLimits": { "default": "100 requests/minute" },
        "idempotency": { "header": "Idempotency-Key", "ttl": "24 hours" },
        "errors": {
            "format": { "error": "string", "code": "MACHINE_CODE", "statusCode": 400, "action": "hint" },
        },
        "documents": { "openapi": "/api/openapi.json", "docs": "/api/docs" },
    })
}
