//! `docs/openapi.json` is what the route tables make.

use std::path::Path;

use agentwarm_app::text::{LINE_PATTERN, line_problem};
use agentwarm_lambda::http::RouteSpec;
use agentwarm_lambda::http::manifest;
use agentwarm_lambda::http::openapi::{Info, document};

use super::documented::{self, body_of, place_of, problems};

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
    specs.extend(api_agent::routes().specs());
    specs.extend(api_warmup::routes().specs());
    specs.extend(api_pools::routes().specs());
    specs.extend(api_suppression::routes().specs());
    specs.extend(api_analytics::routes().specs());
    specs.extend(api_audit_log::routes().specs());
    specs.extend(api_discovery::routes().specs());
    specs.retain(|spec| spec.is_operation);
    specs
}

/// A document as the tables make it and as it is checked in, which is written where that was asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of this test, not configuration"
)]
fn is_up_to_date(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    if std::env::var(WRITE).is_ok() {
        std::fs::write(&path, made).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == checked_in,
        "docs/{name} is stale: {WRITE}=1 cargo test -p agentwarm-tests --test api openapi"
    );
}

#[test]
fn the_checked_in_document_is_up_to_date() {
    let made = serde_json::to_string_pretty(&document(&INFO, &specs())).unwrap() + "\n";
    is_up_to_date("openapi.json", &made);
}

#[test]
fn what_agents_read_is_up_to_date_and_promises_only_what_works() {
    assert_eq!(manifest::complaints(&specs()), Vec::<String>::new());
    let capabilities = manifest::capabilities(&INFO, &specs());
    let made = serde_json::to_string_pretty(&capabilities).unwrap() + "\n";
    is_up_to_date("capabilities.json", &made);
    is_up_to_date("llms.txt", &manifest::llms(&INFO, &specs()));
    is_up_to_date("llms-full.txt", &manifest::llms_full(&INFO, &specs()));
    for spec in specs() {
        let path = spec.path.replace('{', ":").replace('}', "");
        let name = format!("{} {path}", spec.method);
        assert!(made.contains(&format!("\"{name}\"")), "{name} is missing");
    }
}

#[test]
fn every_example_is_of_its_schema() {
    let document = documented::document();
    let mut checked = 0;
    for (template, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let answers = responses
                .keys()
                .map(|status| place_of(template, method, status.parse().unwrap()));
            let body = body_of(template, method);
            for place in answers.chain([body]) {
                let Some(example) = document.pointer(&format!("{place}/example")) else {
                    continue;
                };
                let problems = problems(&document, &format!("{place}/schema"), example);
                assert!(problems.is_empty(), "{place}: {problems:#?}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 24, "{checked}");
}

/// A line's pattern is beside the code that reads it, not made from it.
#[test]
fn the_pattern_of_a_line_takes_what_a_line_takes() {
    let schema = serde_json::json!({ "pattern": LINE_PATTERN });
    let schema = jsonschema::validator_for(&schema).unwrap();
    for letter in (0..=0xffff).filter_map(char::from_u32) {
        // Around it something that is no space, so that the line is not empty.
        let line = format!("a{letter}b");
        let is_taken = line_problem(&line, 3).is_none();
        assert_eq!(schema.is_valid(&line.into()), is_taken, "{letter:?}");
    }
}

/// The check behind all of this can fail.
#[test]
fn an_answer_that_is_not_documented_is_noticed() {
    let document = documented::document();
    let place = format!("{}/schema", place_of("/api/keys", "get", 200));
    let short = serde_json::json!({ "keys": [{ "id": 5, "name": "x" }] });
    assert_eq!(problems(&document, &place, &short).len(), 4);
}
