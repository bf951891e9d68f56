//! One user's things through another's key, for every operation that there is.
//!
//! Made from the documented operations, so that a new one is tested by being there: each is called by a stranger with the owner's ids and
//! with ids that nobody has, and both must be answered alike (decision 4); each list shows the stranger nothing; and afterwards the owner
//! finds everything as it was. What names something elsewhere than in a path, or in a path beside another, is in `references`.

mod references;

use agentwarm_app::ports::audit::AuditLog;
use agentwarm_app::ports::clock::Entropy as _;
use agentwarm_core::audit::AuditEntry;
use agentwarm_core::ids::AuditEntryId;
use agentwarm_tests::operations::{self, Operation};
use agentwarm_tests::owned::Owned;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::accounts::create;
use super::client::{Api, json as body};

/// What may differ between two answers without telling them apart.
const VARYING: [&str; 2] = ["requestId", "testedAt"];

/// An API whose user has one of everything.
async fn owner() -> (Api, Owned) {
    let api = Api::new().await;
    let owned = things_of(&api, "mine@example.com").await;
    (api, owned)
}

/// Gives the user of the API's key one of everything that there is.
async fn things_of(api: &Api, email: &str) -> Owned {
    api.world.office.open_mailbox(email, "app-password");
    let path = create(api, email).await;
    let account = path.rsplit('/').next().unwrap().to_owned();
    let id = async |path: &str, body: Value| {
        let made = api.post(path, body, 201).await;
        made["id"].as_str().unwrap().to_owned()
    };
    let pool = id("/api/warmup/pools", json!({ "name": "Mine" })).await;
    let link = json!({ "crmPersonId": "p-1", "crmAccountId": "a-1", "crmSource": "hubspot" });
    let link = id(&format!("{path}/crm-links"), link).await;
    let (_, name) = email.split_once('@').unwrap();
    let address = format!("unwanted-by-{}@{name}", &account);
    let suppressed = json!({ "email": address, "reason": "manual" });
    api.post("/api/warmup/suppression", suppressed, 201).await;
    api.post(&format!("/api/warmup/start/{account}"), Value::Null, 200)
        .await;
    let upload = json!({ "size": 4 });
    let upload = api.post(&format!("{path}/attachments"), upload, 201).await;
    let url = upload["url"].as_str().unwrap();
    assert!(api.world.uploads.put(url, b"mine"));
    // Not the one that asks, which would be gone with the first operation that takes it away.
    let key = id("/api/keys", json!({ "name": "Mine" })).await;
    log_events(api).await;
    Owned {
        account,
        pool,
        key,
        link,
        upload: upload["uploadId"].as_str().unwrap().to_owned(),
        person: "p-1".to_owned(),
        company: "a-1".to_owned(),
        address,
        email: email.to_owned(),
    }
}

/// Writes into the audit log what was reported since the last time, as the fan-out function does.
async fn log_events(api: &Api) {
    let log: &dyn AuditLog = api.world.store.as_ref();
    for change in api.world.store.take_changes() {
        for event in change.events {
            let id = AuditEntryId::new(event.at, api.world.entropy.bits());
            let entry = AuditEntry { id, event };
            log.append(change.user, &[entry], Timestamp::MAX)
                .await
                .unwrap();
        }
    }
}

/// The path of `operation` with the owner's ids, and with ids that nobody has.
fn paths(operation: &Operation, owned: &Owned) -> [String; 2] {
    [owned, &Owned::nobodys()].map(|whose| operation.path(|before, name| whose.named(before, name)))
}

/// An operation's example, as it is sent.
fn example(operation: &Operation) -> String {
    operation
        .body()
        .map(|body| body.to_string())
        .unwrap_or_default()
}

/// Everything that the owner can read.
async fn seen(api: &Api, owned: &Owned) -> Vec<(String, Value)> {
    let mut seen = Vec::new();
    for operation in operations::all() {
        let template = &operation.template;
        let is_own = !template.starts_with("/api/health") && template != "/metrics";
        if operation.method == Method::GET && is_own {
            let [path, _] = paths(&operation, owned);
            let answer = api.send(Method::GET, &path, Some(&api.key), "").await;
            // What is no JSON is public text.
            let told = serde_json::from_slice(answer.body()).unwrap_or_default();
            seen.push((path, plain(&told)));
        }
    }
    seen
}

fn plain(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(fields) = answer.as_object_mut() {
        for name in VARYING {
            fields.remove(name);
        }
    }
    answer
}

#[tokio::test]
async fn a_stranger_cannot_tell_mine_from_what_is_not_there_and_changes_nothing() {
    let (api, owned) = owner().await;
    let stranger = api.stranger().await;
    let before = seen(&api, &owned).await;
    for operation in operations::all() {
        let line = operation.line();
        if !line.contains('{') {
            continue;
        }
        let sent = example(&operation);
        let mut answers = Vec::new();
        for path in paths(&operation, &owned) {
            let method = operation.method.clone();
            let answer = api.send(method, &path, Some(&stranger), sent.clone()).await;
            let mut told = plain(&body(&answer));
            // A CRM's record is repeated as it was asked for.
            if let Some(fields) = told.as_object_mut() {
                fields.remove("crmId");
            }
            answers.push((answer.status().as_u16(), told));
        }
        assert_eq!(answers[0], answers[1], "{line}");
        assert!(
            answers[0].0 == 404 || line.contains("/api/analytics/crm/"),
            "{line}: {answers:#?}"
        );
    }
    assert_eq!(seen(&api, &owned).await, before);
}

#[tokio::test]
async fn lists_and_figures_show_a_stranger_nothing_of_mine() {
    let (api, owned) = owner().await;
    let stranger = api.stranger().await;
    for operation in operations::all() {
        let template = &operation.template;
        if operation.method != Method::GET || template.contains('{') {
            continue;
        }
        let answer = api.send(Method::GET, template, Some(&stranger), "").await;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        for mark in owned.marks() {
            assert!(!text.contains(mark), "{template} shows {mark}");
        }
    }
}

/// Decision 8: an answer is remembered for its user and key, whatever the request.
#[tokio::test]
async fn a_strangers_idempotency_key_brings_no_answer_of_mine() {
    let (api, owned) = owner().await;
    let stranger = api.stranger().await;
    for operation in operations::all() {
        let method = operation.method.clone();
        if ![Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            continue;
        }
        let [path, _] = paths(&operation, &owned);
        let (name, sent) = (operation.line(), example(&operation));
        let ask = async |key: &str| {
            let headers = [("idempotency-key", name.as_str())];
            let answer = api.send_with(&headers, method.clone(), &path, Some(key), sent.clone());
            let answer = answer.await;
            let is_replayed = answer.headers().contains_key("idempotent-replayed");
            (is_replayed, body(&answer))
        };
        let (is_replayed, mine) = ask(&api.key).await;
        assert!(!is_replayed, "{name}");
        let (is_replayed, theirs) = ask(&stranger).await;
        assert!(!is_replayed, "{name}");
        // A suppression's id follows from its address and time alone.
        if operation.template != "/api/warmup/suppression"
            && let Some(id) = mine["id"].as_str()
        {
            assert!(!theirs.to_string().contains(id), "{name}: {theirs}");
        }
        assert_eq!(ask(&api.key).await, (true, mine), "{name}");
    }
}
