//! What agents read before they call anything: a manifest of capabilities for machines, and the same for language models as text
//! (<https://llmstxt.org>).
//!
//! Made from the route tables, so that nothing is promised that does not work today; checked in and served as they are, like the OpenAPI
//! document, so that reading them costs nothing.

use std::fmt::Write;

use agentwarm_core::error::ErrorCode;
use http::Method;
use serde_json::{Value, json};

use super::idempotency;
use super::openapi::Info;
use super::openapi::operation::{OF_BODIES, OF_IDEMPOTENCY, OF_KEYS};
use super::route::{Access, RouteSpec};

/// What one would use a group of operations for (API reference §2), by the group's tag.
const INTENTS: [(&str, &str); 9] = [
    ("Agent", "get_oriented"),
    ("Accounts", "manage_accounts"),
    ("Warmup", "control_warmup"),
    ("Warmup pools", "manage_pools"),
    ("Suppression list", "manage_suppressions"),
    ("Analytics", "analyze_results"),
    ("Audit log", "investigate_changes"),
    ("API keys", "manage_keys"),
    ("Discovery", "discover_the_api"),
];

/// Requests in the order in which one thing is done, each with why.
struct Workflow {
    name: &'static str,
    steps: &'static [(Method, &'static str, &'static str)],
}

/// What agents do most (API reference §2 and §23), as far as it works today.
const WORKFLOWS: [Workflow; 3] = [
    Workflow {
        name: "connect_and_warm",
        steps: &[
            (
                Method::POST,
                "/api/accounts",
                "connect a mailbox; it joins the default pool",
            ),
            (
                Method::POST,
                "/api/accounts/{id}/test-connection",
                "see that both servers let us in",
            ),
            (
                Method::POST,
                "/api/warmup/start/{accountId}",
                "start; needs another mailbox in the pool",
            ),
            (
                Method::GET,
                "/api/warmup/schedule/{accountId}",
                "see what is planned for today",
            ),
        ],
    },
    Workflow {
        name: "monitor_warmup",
        steps: &[
            (
                Method::GET,
                "/api/agent/status",
                "what is wrong, and what to do next",
            ),
            (
                Method::GET,
                "/api/analytics/accounts/{accountId}/progress",
                "day by day",
            ),
            (
                Method::GET,
                "/api/accounts",
                "done is what has the `warmupPhase` \"graduated\"; the `status` \"active\" has those, too, that never began",
            ),
        ],
    },
    Workflow {
        name: "investigate_issues",
        steps: &[
            (
                Method::GET,
                "/api/warmup/diagnose/{accountId}",
                "what keeps an account from sending, or from sending more",
            ),
            (
                Method::POST,
                "/api/accounts/{id}/test-connection",
                "whether its servers let us in",
            ),
            (
                Method::GET,
                "/api/audit-log",
                "what changed, when, and by whom",
            ),
        ],
    },
];

/// The manifest: `GET /api/agent/capabilities`.
pub fn capabilities(info: &Info, specs: &[RouteSpec]) -> Value {
    let capabilities: Vec<_> = INTENTS
        .iter()
        .map(|&(tag, intent)| {
            let endpoints = specs.iter().filter(|spec| spec.tag == tag).map(name);
            json!({ "intent": intent, "endpoints": endpoints.collect::<Vec<_>>() })
        })
        .collect();
    let workflows: serde_json::Map<_, _> = WORKFLOWS
        .iter()
        .map(|workflow| {
            let steps = workflow.steps.iter().map(|(method, path, why)| {
                json!({ "endpoint": format!("{method} {}", colons(path)), "why": why })
            });
            let steps = json!({ "steps": steps.collect::<Vec<_>>() });
            (workflow.name.to_owned(), steps)
        })
        .collect();
    json!({
        "service": "email-warmup",
        "version": info.version,
        "capabilities": capabilities,
        "workflows": workflows,
        "authentication": { "method": "Bearer token", "header": "Authorization: Bearer <key>" },
        "rateLimits": { "default": "100 requests/minute" },
        "idempotency": { "header": "Idempotency-Key", "ttl": "24 hours" },
        "errors": {
            "format": { "error": "string", "code": "MACHINE_CODE", "statusCode": 400, "action": "hint" },
        },
        "documents": { "openapi": "/api/openapi.json", "docs": "/api/docs", "llms": "/llms.txt", "llmsFull": "/llms-full.txt" },
    })
}

/// What the tables lack of what is written here, as sentences: a group without an intent, a step that is no operation.
pub fn complaints(specs: &[RouteSpec]) -> Vec<String> {
    let is_known = |tag: &str| INTENTS.iter().any(|(known, _)| *known == tag);
    let mut complaints: Vec<_> = specs
        .iter()
        .filter(|spec| !is_known(spec.tag))
        .map(|spec| format!("the group \"{}\" has no intent", spec.tag))
        .collect();
    for workflow in &WORKFLOWS {
        for (method, path, _) in workflow.steps {
            let exists = specs
                .iter()
                .any(|spec| spec.method == method && spec.path == *path);
            if !exists {
                complaints.push(format!(
                    "{}: {method} {path} is no operation",
                    workflow.name
                ));
            }
        }
    }
    complaints.dedup();
    complaints
}

/// The operations in short: `GET /llms.txt`.
pub fn llms(info: &Info, specs: &[RouteSpec]) -> String {
    let mut text = preamble(info);
    for (tag, _) in INTENTS {
        let _ = writeln!(text, "\n## {tag}\n");
        for spec in specs.iter().filter(|spec| spec.tag == tag) {
            let _ = writeln!(text, "- [{}](llms-full.txt): {}", name(spec), spec.summary);
        }
    }
    text
}

/// The operations in full: `GET /llms-full.txt`.
pub fn llms_full(info: &Info, specs: &[RouteSpec]) -> String {
    let mut text = preamble(info);
    for (tag, _) in INTENTS {
        let _ = writeln!(text, "\n## {tag}");
        for spec in specs.iter().filter(|spec| spec.tag == tag) {
            describe(spec, &mut text);
        }
    }
    text
}

/// What holds for all operations. Its links are relative: a deployment may have a stage before all paths.
fn preamble(info: &Info) -> String {
    format!(
        "# {title}\n\n> {description}\n\n\
         - Addresses: all paths here, and each `href` of an answer, are below the folder that you have this document from: if it came from \
         `https://example.com/v1/llms.txt`, then `GET /api/accounts` is `https://example.com/v1/api/accounts`.\n\
         - Order: read [what can be done](api/agent/capabilities) once, then begin each session with `GET /api/agent/status`: how things \
         are, and what to do next.\n\
         - Keys: send `Authorization: Bearer <key>` with each request, except to operations marked as public.\n\
         - Errors: `{{\"error\", \"code\", \"statusCode\", \"action\", \"requestId\"}}`, of bad input with `errors`, where each `path` has \
         its `message`. Branch on `code`. With a key all operations may fail with {keyed}; POST, PUT and \
         PATCH also with {writes}; one with a query also with {invalid}.\n\
         - Lists: send `nextCursor` as `cursor`, with the same filters, until it is null.\n\
         - Batches: 207 is that some items failed: look at each of `results`.\n\
         - Waiting: after 429 and `{in_progress}` as many seconds as `Retry-After` says, after 503 some seconds, longer each time. \
         100 requests a minute and key are allowed; the `RateLimit-*` headers say how many are left.\n\
         - `Idempotency-Key`: {promise}\n\n\
         Documents:\n\n\
         - [OpenAPI 3.1](api/openapi.json), and [as a page](api/docs)\n\
         - [Capabilities by intent](api/agent/capabilities)\n\
         - [All operations in full](llms-full.txt)\n",
        title = info.title,
        description = info.description,
        keyed = listed(OF_KEYS.iter().chain([&ErrorCode::InternalError])),
        writes = listed(OF_BODIES.iter().chain(&OF_IDEMPOTENCY)),
        invalid = ErrorCode::ValidationFailed.as_str(),
        in_progress = ErrorCode::IdempotencyInProgress.as_str(),
        promise = idempotency::PROMISE,
    )
}

fn listed<'c>(codes: impl Iterator<Item = &'c ErrorCode>) -> String {
    let codes: Vec<_> = codes.map(|code| code.as_str()).collect();
    codes.join(", ")
}

fn describe(spec: &RouteSpec, text: &mut String) {
    let access = match spec.access {
        Access::Public => " (public)",
        Access::Key => "",
    };
    let _ = writeln!(text, "\n### {}{access}\n\n{}.", name(spec), spec.summary);
    if let Some(description) = spec.description {
        let _ = writeln!(text, "{description}");
    }
    if let Some(query) = spec.query {
        let _ = writeln!(text, "\nQuery: `{}`", query().into_value());
    }
    if let Some(body) = spec.body {
        let _ = writeln!(text, "\nBody: `{}`", body().into_value());
    }
    if let Some(example) = spec.body_example {
        let _ = writeln!(text, "\nFor example: `{}`", example());
    }
    for answer in &spec.answers {
        let _ = writeln!(
            text,
            "\nAnswers {}: {}.",
            answer.status.as_u16(),
            answer.description
        );
        if let Some(example) = answer.example {
            let _ = writeln!(text, "\n`{}`", example());
        }
    }
    if !spec.errors.is_empty() {
        let _ = writeln!(text, "\nFails with {}.", listed(spec.errors.iter()));
    }
}

/// As the reference writes it: `GET /api/accounts/:id`.
fn name(spec: &RouteSpec) -> String {
    format!("{} {}", spec.method, colons(spec.path))
}

fn colons(path: &str) -> String {
    path.replace('{', ":").replace('}', "")
}
