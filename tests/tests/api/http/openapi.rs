//! `docs/openapi.json` is what the route tables make.

use std::path::Path;

use agentwarm_lambda::http::RouteSpec;
use agentwarm_lambda::http::openapi::{Info, document};

/// Set to write the document instead of comparing it.
const WRITE: &str = "WRITE_OPENAPI";

const INFO: Info = Info {
    title: "AgentWarm",
    version: env!("CARGO_PKG_VERSION"),
    description: "Email warmup: connected mailboxes write to each other, so that receivers learn to trust them.",
    server: "https://app.agentwarm.com",
};

fn specs() -> Vec<RouteSpec> {
    let mut specs = api_keys::routes().specs();
    specs.extend(api_accounts::routes().specs());
    specs.extend(api_warmup::routes().specs());
    specs.extend(api_pools::routes().specs());
    specs.extend(api_analytics::routes().specs());
    specs.extend(api_audit_log::routes().specs());
    specs.extend(api_discovery::routes().specs());
    specs
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of this test, not configuration"
)]
fn the_checked_in_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let made = serde_json::to_string_pretty(&document(&INFO, &specs())).unwrap() + "\n";
    if std::env::var(WRITE).is_ok() {
        std::fs::write(&path, &made).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(
        made == checked_in,
        "docs/openapi.json is stale: {WRITE}=1 cargo test -p agentwarm-tests --test api openapi"
    );
}
