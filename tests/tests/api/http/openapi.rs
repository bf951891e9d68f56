//! `docs/openapi.json` is what the route tables make.

use std::path::Path;

use agentwarm_app::text::{LINE_PATTERN, line_problem};
use agentwarm_lambda::http::manifest;
use agentwarm_lambda::http::openapi::{Info, document};
use agentwarm_lambda::http::{Access, RouteSpec};
use agentwarm_tests::documented::{body_of, place_of, problems};
use agentwarm_tests::operations::document as checked_in;
use serde_json::{Map, Value, json};

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

/// A stage may stand before all paths: what is relative finds the way, from where each document is.
#[test]
fn documents_lead_to_the_deployment_that_served_them() {
    let document = checked_in();
    let folders = "/api/openapi.json".matches('/').count() - 1;
    assert_eq!(
        document["servers"][0]["url"],
        [".."].repeat(folders).join("/")
    );
    for text in [
        manifest::llms(&INFO, &specs()),
        manifest::llms_full(&INFO, &specs()),
    ] {
        let links = text.split("](").skip(1);
        let links: Vec<_> = links.filter_map(|rest| rest.split(')').next()).collect();
        assert!(links.len() >= 4);
        for link in links {
            let path = &document["paths"][format!("/{link}")];
            assert!(path.is_object(), "{link} leads nowhere");
        }
    }
}

/// Method, path and description of every operation in the document.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((method.as_str(), path.as_str(), operation));
        }
    }
    operations
}

/// An operation's request, then its answers that are no errors, each by its media type, with where they stand.
fn contents<'d>(
    (method, path, operation): &(&str, &str, &'d Value),
) -> Vec<(String, &'d Map<String, Value>)> {
    let place = format!("/paths/{}/{method}", path.replace('/', "~1"));
    let mut contents = Vec::new();
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        contents.push((format!("{place}/requestBody"), content));
    }
    for (status, answer) in operation["responses"].as_object().unwrap() {
        let is_error = answer["content"]["application/json"]["schema"]["allOf"].is_array();
        if let Some(content) = answer["content"].as_object().filter(|_| !is_error) {
            contents.push((format!("{place}/responses/{status}"), content));
        }
    }
    contents
}

#[test]
fn requests_and_answers_have_examples_of_their_schemas() {
    let document = checked_in();
    for operation in operations(document) {
        for (place, content) in contents(&operation) {
            for (media, described) in content {
                let example = &described["example"];
                assert!(!example.is_null(), "{place} {media} has no example");
                let schema = format!("{place}/content/{}/schema", media.replace('/', "~1"));
                let problems = problems(document, &schema, example);
                assert!(problems.is_empty(), "{schema}: {problems:#?}");
            }
        }
    }
}

/// That the codes are all that an operation answers with is checked of every answer that a test here gets.
#[test]
fn every_operation_says_who_may_use_it_and_what_the_pipeline_answers() {
    let document = checked_in();
    let specs = specs();
    let operations = operations(document);
    assert_eq!(operations.len(), specs.len());
    for (method, path, operation) in operations {
        let spec = specs
            .iter()
            .find(|spec| spec.path == path && spec.method.as_str().eq_ignore_ascii_case(method));
        let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().collect();
        let has = |wanted: &[&str]| {
            wanted
                .iter()
                .all(|status| statuses.iter().any(|it| it == status))
        };
        assert!(has(&["500"]), "{method} {path}: {statuses:?}");
        // Without a word of its own the document's holds: a key.
        if spec.unwrap().access == Access::Public {
            assert_eq!(operation["security"], json!([]), "{method} {path}");
        } else {
            assert!(operation.get("security").is_none(), "{method} {path}");
            assert!(
                has(&["401", "403", "429", "503"]),
                "{method} {path}: {statuses:?}"
            );
        }
        assert!(
            statuses.iter().any(|status| status.starts_with('2')),
            "{method} {path}"
        );
    }
    assert_eq!(document["security"], json!([{ "apiKey": [] }]));
}

/// What a path names, its example shows.
#[test]
fn the_examples_of_crm_records_are_of_their_kind() {
    for (kind, path) in [
        ("person", "/api/analytics/crm/person/{personId}"),
        ("account", "/api/analytics/crm/account/{accountId}"),
    ] {
        let place = format!("{}/example", place_of(path, "get", 200));
        let example = checked_in().pointer(&place).unwrap();
        assert_eq!(example["crmIdType"], kind);
    }
}

#[test]
fn which_credentials_there_must_be_follows_from_the_provider() {
    let document = checked_in();
    let schema = format!(
        "{}/schema",
        body_of("/api/accounts/{id}/credentials", "patch")
    );
    let missing = |provider: &str, credentials: Value| {
        let body = json!({ "provider": provider, "credentials": credentials });
        problems(document, &schema, &body).len()
    };
    let tokens = json!({ "accessToken": "a", "refreshToken": "b" });
    assert_eq!(missing("imap_smtp", json!({})), 6);
    assert_eq!(missing("gmail", json!({})), 2);
    assert_eq!(missing("gmail", tokens.clone()), 0);
    assert_eq!(missing("imap_smtp", tokens), 6);
}

/// A line's pattern is beside the code that reads it, not made from it.
#[test]
fn the_pattern_of_a_line_takes_what_a_line_takes() {
    let schema = json!({ "pattern": LINE_PATTERN });
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
    let document = checked_in();
    let place = format!("{}/schema", place_of("/api/keys", "get", 200));
    let short = json!({ "keys": [{ "id": 5, "name": "x" }] });
    assert_eq!(problems(document, &place, &short).len(), 4);
}
