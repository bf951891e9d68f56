//! The codes that are not an operation's own: keys, sizes, JSON, queries, idempotency, paths, and ids that are somebody else's.

use agentwarm_core::error::ErrorCode;
use agentwarm_lambda::http::DEFAULT_MAX_BODY;
use agentwarm_tests::operations::Operation;
use agentwarm_tests::owned::NOBODYS;
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

use super::asking::{Contract, OPERATIONS, User, having, id};

/// The longest body that an operation takes.
fn longest(operation: &Operation) -> usize {
    match operation.id() {
        "sendEmail" => api_accounts::wire::MAX_BODY,
        _ => DEFAULT_MAX_BODY,
    }
}

pub(super) async fn keys(contract: &Contract, me: &User) {
    let made = contract.ask(me, "createApiKey").succeeds(201).await;
    let revoke = contract.ask(me, "revokeApiKey").with("id", &id(&made));
    revoke.succeeds(200).await;
    let revoked = made["key"].as_str().unwrap();
    for operation in having(ErrorCode::AuthMissingHeader) {
        let ask = || contract.ask(me, operation.id());
        let anonymous = ask().anonymously();
        let other = anonymous.clone().header("authorization", "Basic YTpi");
        anonymous.refused(ErrorCode::AuthMissingHeader).await;
        other.refused(ErrorCode::AuthInvalidFormat).await;
        let revoked = ask().with_key(revoked);
        revoked.refused(ErrorCode::AuthInvalidKey).await;
    }
    let both = format!("Bearer {revoked}");
    let both = contract.ask(me, "getMe").header("authorization", &both);
    both.refused(ErrorCode::AuthInvalidFormat).await;
}

pub(super) async fn bodies(contract: &Contract, me: &User) {
    for operation in having(ErrorCode::PayloadTooLarge) {
        let ask = |body: Vec<u8>| contract.ask(me, operation.id()).bytes(body);
        let large = vec![b' '; longest(operation) + 1];
        ask(large).refused(ErrorCode::PayloadTooLarge).await;
        let cut = ask(b"{\"name\":".to_vec());
        cut.refused_at(ErrorCode::ValidationFailed, "body").await;
    }
}

/// A value that no parameter of this schema takes, if there is one.
fn nonsense(schema: &Value) -> Option<&'static str> {
    let is_narrow = ["enum", "const", "format", "anyOf"]
        .iter()
        .any(|keyword| schema.get(*keyword).is_some());
    let is_text = schema["type"] == "string";
    (is_narrow || !is_text).then_some("%21%3F")
}

pub(super) async fn queries(contract: &Contract, me: &User) {
    let mut wrong = 0;
    for operation in OPERATIONS.iter() {
        for (name, schema) in operation.queries() {
            if let Some(value) = nonsense(&schema) {
                let ask = contract.ask(me, operation.id());
                let ask = ask.query(&format!("{name}={value}"));
                ask.refused_at(ErrorCode::ValidationFailed, &name).await;
                wrong += 1;
            }
        }
    }
    assert!(wrong > 20, "{wrong} parameters");
    // A cursor goes on under the filters that it is of.
    for (operation, filter, other) in [
        ("listAccounts", "status=active", "status=warming"),
        ("listAuditLog", "entityType=account", "entityType=pool"),
        ("listSuppressions", "reason=manual", "reason=hard_bounce"),
    ] {
        let ask = contract.ask(me, operation);
        let page = ask.query(&format!("{filter}&limit=1")).succeeds(200).await;
        let cursor = page["nextCursor"].as_str().unwrap();
        let next = |filter: &str| {
            let ask = contract.ask(me, operation);
            ask.query(&format!("{filter}&limit=1&cursor={cursor}"))
        };
        next(filter).succeeds(200).await;
        let under_other = next(other);
        under_other
            .refused_at(ErrorCode::ValidationFailed, "cursor")
            .await;
    }
}

/// One `Idempotency-Key` for everything, which was another request's.
pub(super) async fn reuse(contract: &Contract, me: &User) {
    let ask = |operation: &str| contract.ask(me, operation).once("used");
    let first = ask("createPool").body(&json!({ "name": "First" }));
    let made = first.clone().succeeds(201).await;
    assert_eq!(first.succeeds(201).await, made);
    for operation in having(ErrorCode::IdempotencyKeyReuse) {
        let again = ask(operation.id());
        again.refused(ErrorCode::IdempotencyKeyReuse).await;
    }
    let ask = contract.ask(me, "createPool").once("twice").once("twice");
    ask.refused_at(ErrorCode::ValidationFailed, "Idempotency-Key")
        .await;
}

/// The parameters of an operation's path, each with the segment before it.
fn parameters(operation: &Operation) -> Vec<(String, String)> {
    let parts: Vec<_> = operation.template.split('/').collect();
    let named = |part: &str| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned());
    parts
        .windows(2)
        .filter_map(|pair| Some((pair[0].to_owned(), named(pair[1])?)))
        .collect()
}

pub(super) async fn paths(contract: &Contract, me: &User) {
    for operation in having(ErrorCode::NotFound) {
        let (_, last) = parameters(operation).pop().unwrap();
        let ask = contract.ask(me, operation.id()).with(&last, "a/b");
        ask.refused(ErrorCode::NotFound).await;
    }
    let (nothing, other) = (ErrorCode::NotFound, ErrorCode::MethodNotAllowed);
    contract
        .refuses(me, Method::GET, "/api/nowhere", nothing)
        .await;
    contract
        .refuses(me, Method::DELETE, "/api/warmup/pools", other)
        .await;
}

/// The code of what is not there; none for a CRM's record, which nobody here has or lacks.
fn absent(before: &str, name: &str) -> Option<ErrorCode> {
    match (before, name) {
        ("person" | "account", _) => None,
        ("keys", _) => Some(ErrorCode::ApiKeyNotFound),
        (_, "poolId") => Some(ErrorCode::WarmupPoolNotFound),
        (_, "linkId") => Some(ErrorCode::CrmLinkNotFound),
        (_, "email") => Some(ErrorCode::SuppressionNotFound),
        (_, "id" | "accountId") => Some(ErrorCode::AccountNotFound),
        (before, name) => panic!("say here what the code of an absent {name} of {before} is"),
    }
}

/// Another's, nobody's, and what is no id: each alike (decision 4).
pub(super) async fn others_ids(contract: &Contract, me: &User, stranger: &User) {
    let before = theirs(contract, stranger).await;
    for operation in OPERATIONS.iter() {
        for (segment, name) in parameters(operation) {
            let Some(code) = absent(&segment, &name) else {
                continue;
            };
            let others = stranger.owned.named(&segment, &name);
            for value in [others.as_str(), NOBODYS, "nonsense"] {
                let ask = contract.ask(me, operation.id()).with(&name, value);
                ask.refused(code).await;
            }
        }
    }
    assert_eq!(theirs(contract, stranger).await, before);
    let mut account = contract.deployment.account("nobody@cedar.test");
    account["poolId"] = stranger.owned.pool.as_str().into();
    let ask = contract.ask(me, "createAccount").body(&account);
    ask.refused(ErrorCode::WarmupPoolNotFound).await;
}

/// What somebody can read of their own and what does not change by reading it.
async fn theirs(contract: &Contract, user: &User) -> Vec<Value> {
    let mut told = Vec::new();
    for operation in [
        "getAccount",
        "getAccountPersona",
        "listCrmLinks",
        "listPools",
        "getPoolConfig",
        "listSuppressions",
    ] {
        told.push(contract.ask(user, operation).succeeds(200).await);
    }
    told
}

/// Of a deployment that lets a key ask once a minute.
pub(super) async fn limits(limited: &Contract, user: &User) {
    for operation in having(ErrorCode::RateLimitExceeded) {
        let mut asked = 0;
        // A minute may have begun between two of them.
        let refused = loop {
            let answer = limited.ask(user, operation.id()).sent().await;
            if answer.json["code"] == ErrorCode::RateLimitExceeded.as_str() {
                break answer;
            }
            asked += 1;
            assert!(asked < 3, "{}: {:#}", operation.line(), answer.json);
        };
        let seconds = refused.headers["retry-after"].to_str().unwrap();
        assert!((1..=60).contains(&seconds.parse::<u32>().unwrap()));
        assert_eq!(refused.headers["ratelimit-remaining"], "0");
    }
}

/// Of a deployment whose tables are out of reach.
pub(super) async fn outage(contract: &Contract, user: &User) {
    // Each waits for its repetitions.
    let refused = having(ErrorCode::ProviderUnavailable).map(|operation| {
        let ask = contract.ask(user, operation.id());
        ask.refused(ErrorCode::ProviderUnavailable)
    });
    join_all(refused).await;
    let health = contract.ask(user, "getReadiness").anonymously();
    assert_eq!(health.succeeds(503).await["status"], "degraded");
}
