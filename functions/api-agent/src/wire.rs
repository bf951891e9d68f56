//! What this operation gives.

use agentwarm_app::agent::Status;
use agentwarm_core::account::StatusCounts;
use agentwarm_core::advice::{Issue, IssueSeverity, IssueType, NextAction, Priority, Subject};
use agentwarm_core::ids::{AccountId, PoolId};
use agentwarm_lambda::http::Endpoint;
use agentwarm_lambda::http::openapi::schema;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

/// The most that each list holds: ten thousand accounts can have as many issues.
const MOST: usize = 100;

/// How things are.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemStatus {
    overview: Overview,
    /// Domains are not managed by this deployment yet.
    domains: Vec<DomainStatus>,
    /// The gravest first.
    issues: Vec<IssueView>,
    recommendations: Vec<String>,
    /// The most urgent first.
    next_actions: Vec<ActionView>,
}

/// All in figures.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    domains: DomainCounts,
    accounts: AccountCounts,
    today_emails: TodayEmails,
    /// `degraded` when mail is handed out late.
    #[schemars(extend("enum" = ["healthy", "degraded"]))]
    system_health: &'static str,
}

/// Domains by their verdict.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct DomainCounts {
    total: u32,
    ready: u32,
    warming: u32,
    blocked: u32,
    degraded: u32,
}

/// A domain.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DomainStatus {}

/// Accounts by their status.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(transform = schema::ours(&["suspended"]))]
pub struct AccountCounts {
    total: u32,
    warming: u32,
    active: u32,
    paused: u32,
    error: u32,
    suspended: u32,
}

/// Warmup mails of each account's own today.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TodayEmails {
    sent: u32,
    received: u32,
    bounced: u32,
    spammed: u32,
}

/// Something that is wrong.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Issue")]
pub struct IssueView {
    #[schemars(schema_with = "severity")]
    severity: &'static str,
    #[serde(rename = "type")]
    #[schemars(schema_with = "issue_type")]
    kind: &'static str,
    /// With which account, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::id")]
    account_id: Option<AccountId>,
    /// With which pool, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::id")]
    pool_id: Option<PoolId>,
    message: String,
    /// A hint for machines.
    action: &'static str,
}

/// Something to be done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NextAction")]
pub struct ActionView {
    #[schemars(schema_with = "priority")]
    priority: &'static str,
    action: String,
    reason: String,
    endpoint: Endpoint,
}

impl From<&Status> for SystemStatus {
    fn from(status: &Status) -> Self {
        let advice = &status.advice;
        Self {
            overview: Overview {
                domains: DomainCounts::default(),
                accounts: StatusCounts::of(&status.accounts).into(),
                today_emails: TodayEmails {
                    sent: status.today.sent,
                    received: status.today.received,
                    bounced: status.today.bounced,
                    spammed: status.today.spammed,
                },
                system_health: if status.is_healthy {
                    "healthy"
                } else {
                    "degraded"
                },
            },
            domains: Vec::new(),
            issues: advice
                .issues
                .iter()
                .take(MOST)
                .map(IssueView::from)
                .collect(),
            recommendations: advice.recommendations.iter().take(MOST).cloned().collect(),
            next_actions: advice
                .next_actions
                .iter()
                .take(MOST)
                .map(ActionView::from)
                .collect(),
        }
    }
}

impl From<StatusCounts> for AccountCounts {
    fn from(counts: StatusCounts) -> Self {
        Self {
            total: counts.total,
            warming: counts.warming,
            active: counts.active,
            paused: counts.paused,
            error: counts.error,
            suspended: counts.suspended,
        }
    }
}

impl From<&Issue> for IssueView {
    fn from(issue: &Issue) -> Self {
        let (account_id, pool_id) = match issue.about {
            Subject::Account(account) => (Some(account), None),
            Subject::Pool(pool) => (None, Some(pool)),
        };
        Self {
            severity: issue.severity.as_str(),
            kind: issue.kind.as_str(),
            account_id,
            pool_id,
            message: issue.message.clone(),
            action: issue.action,
        }
    }
}

impl From<&NextAction> for ActionView {
    fn from(next: &NextAction) -> Self {
        Self {
            priority: next.priority.as_str(),
            action: next.action.clone(),
            reason: next.reason.clone(),
            endpoint: next.step.into(),
        }
    }
}

fn severity(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(IssueSeverity::ALL, IssueSeverity::as_str)
}

fn issue_type(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(IssueType::ALL, IssueType::as_str)
}

fn priority(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(Priority::ALL, Priority::as_str)
}

pub(crate) fn status_example() -> Value {
    json!({
        "overview": {
            "domains": { "total": 0, "ready": 0, "warming": 0, "blocked": 0, "degraded": 0 },
            "accounts": { "total": 27, "warming": 24, "active": 0, "paused": 2, "error": 1, "suspended": 0 },
            "todayEmails": { "sent": 142, "received": 98, "bounced": 3, "spammed": 1 },
            "systemHealth": "healthy",
        },
        "domains": [],
        "issues": [{
            "severity": "warning",
            "type": "high_bounce_rate",
            "accountId": "550e8400-e29b-41d4-a716-446655440000",
            "message": "Bounce rate 8.2% exceeds 5% threshold",
            "action": "review_bounces",
        }],
        "recommendations": ["Account alice@example.com has been paused for 3 days — consider resuming"],
        "nextActions": [{
            "priority": "critical",
            "action": "Pause sales@trouble.com",
            "reason": "Bounce rate 8.2% exceeds 7% threshold",
            "endpoint": {
                "method": "POST",
                "href": "/api/warmup/pause/550e8400-e29b-41d4-a716-446655440000",
            },
        }],
    })
}
