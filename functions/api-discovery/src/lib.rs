//! `api-discovery`: what is public (API reference §20, decisions 3, 13).
//!
//! Health, metrics, the OpenAPI document, as a page too, and what agents and language models read of it. The gateway also sends every path
//! here that no other function has, so that it gets the answer of decision 4: 401 without a key, `NOT_FOUND` with one. That needs no
//! route: it is what the kit says to an unknown path.

mod docs;
pub mod wire;

use std::sync::Arc;

use agentwarm_app::health::Health;
use agentwarm_lambda::http::{Answer, Request, Response, Route, Routes};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};
use http::{Method, StatusCode};

use wire::{Liveness, Readiness};

/// The document that the route tables make; a test fails when it is stale.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");

/// What agents read first, made from the same tables.
const CAPABILITIES: &str = include_str!("../../../docs/capabilities.json");

/// The same for language models, in short.
const LLMS: &str = include_str!("../../../docs/llms.txt");

/// The same in full.
const LLMS_FULL: &str = include_str!("../../../docs/llms-full.txt");

/// Text that people and models read.
const TEXT: &str = "text/plain; charset=utf-8";

/// Prometheus' text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let health = Health {
        probes: world.probes()?,
        leases: world.visit_leases()?,
        scheduler: world.watermarks()?,
        clock: world.clock(),
    };
    world.http(routes(), health)
}

/// The operations.
pub fn routes() -> Routes<Health> {
    let routes = Routes::new("Discovery")
        .with(
            Route::public(Method::GET, "/api/healthz", liveness)
                .named("getLiveness", "Whether the API is alive")
                .answers::<Liveness>(200, "It is")
                .such_as(wire::liveness_example),
        )
        .with(
            Route::public(Method::GET, "/api/health", readiness)
                .named("getReadiness", "Whether what the API stands on answers")
                .about("`redis` is the queue service, `connectionPool` counts mailboxes that are held.")
                .answers::<Readiness>(200, "All of it does")
                .such_as(wire::readiness_example)
                .answers::<Readiness>(503, "Some of it does not")
                .such_as(wire::degraded_example),
        )
        .with(
            Route::public(Method::GET, "/metrics", metrics)
                .named("getMetrics", "Aggregates in Prometheus' text format")
                .answers_text(200, PROMETHEUS, "The metrics")
                .such_as(wire::metrics_example),
        )
        .with(
            Route::public(Method::GET, "/api/openapi.json", document)
                .named("getOpenApi", "This document")
                .answers::<wire::OpenApi>(200, "OpenAPI 3.1")
                .such_as(wire::document_example),
        )
        .with(
            Route::public(Method::GET, "/api/agent/capabilities", capabilities)
                .named("getCapabilities", "All operations by what one would use them for")
                .about("What an agent reads first, and once: what works today, and nothing else. Each session then begins with `GET /api/agent/status`.")
                .answers::<wire::Capabilities>(200, "The manifest")
                .such_as(wire::capabilities_example),
        )
        .with(
            Route::public(Method::GET, "/llms.txt", llms)
                .named("getLlms", "All operations, in short, for language models")
                .answers_text(200, TEXT, "A document as llmstxt.org has it")
                .such_as(wire::text_example),
        )
        .with(
            Route::public(Method::GET, "/llms-full.txt", llms_full)
                .named("getLlmsFull", "All operations, in full, for language models")
                .answers_text(200, TEXT, "The document")
                .such_as(wire::text_example),
        );
    docs::with_docs(routes)
}

async fn liveness(_health: Arc<Health>, _request: Request) -> Answer {
    Response::ok(&Liveness::OK)
}

async fn readiness(health: Arc<Health>, _request: Request) -> Answer {
    let readiness = health.readiness().await;
    let status = if readiness.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Response::json(status, &Readiness::from(&readiness))
}

async fn metrics(health: Arc<Health>, _request: Request) -> Answer {
    let metrics = health.metrics(env!("CARGO_PKG_VERSION")).await;
    Response::text(PROMETHEUS, metrics)
}

async fn capabilities(_health: Arc<Health>, _request: Request) -> Answer {
    Response::document("application/json", CAPABILITIES)
}

async fn llms(_health: Arc<Health>, _request: Request) -> Answer {
    Response::document(TEXT, LLMS)
}

async fn llms_full(_health: Arc<Health>, _request: Request) -> Answer {
    Response::document(TEXT, LLMS_FULL)
}

async fn document(_health: Arc<Health>, _request: Request) -> Answer {
    Response::document("application/json", OPENAPI)
}
