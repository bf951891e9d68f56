//! One user's things through another's key, for every operation that there is.
//!
//! Made from the documented operations, so that a new one is tested by being there: each is called by a stranger with the owner's ids and
//! with ids that nobody has, and both must be answered alike (decision 4); each list shows the stranger nothing; and afterwards the owner
//! finds everything as it was.

use http::Method;
use serde_json::{Value, json};

use super::accounts::create;
use super::client::{Api, json as body};
use super::documented;

/// An id that nobody has.
const NOBODYS: &str = "019590a5-7c00-7000-8000-0000000000ff";

/// What the owner has, by what it is called in paths.
struct Owned {
    account: String,
    pool: String,
    key: String,
    link: String,
    address: String,
}

/// What may differ between two answers without telling them apart.
const VARYING: [&str; 2] = ["requestId", "testedAt"];

async fn owner() -> (Api, Owned) {
    let api = Api::new().await;
    let account = create(&api, "mine@example.com").await;
    let account = account.rsplit('/').next().unwrap().to_owned();
    let pool = json!({ "name": "Mine" });
    let pool = api.post("/api/warmup/pools", pool, 201).await["id"].clone();
    let path = format!("/api/accounts/{account}/crm-links");
    let link = json!({ "crmPersonId": "p-1", "crmSource": "hubspot" });
    let link = api.post(&path, link, 201).await["id"].clone();
    let address = "unwanted@example.com";
    let suppressed = json!({ "email": address, "reason": "manual" });
    api.post("/api/warmup/suppression", suppressed, 201).await;
    api.post(&format!("/api/warmup/start/{account}"), Value::Null, 200)
        .await;
    // Not the one that asks, which would be gone with the first operation that takes it away.
    let key = json!({ "name": "Mine" });
    let key = api.post("/api/keys", key, 201).await["id"].clone();
    let text = |id: Value| id.as_str().unwrap().to_owned();
    let owned = Owned {
        account,
        pool: text(pool),
        key: text(key),
        link: text(link),
        address: address.to_owned(),
    };
    (api, owned)
}

impl Owned {
    /// `template` with the owner's ids, and with ids that nobody has. Panics at a parameter that it does not know: add it.
    fn paths(&self, template: &str) -> [String; 2] {
        let mut paths = [String::new(), String::new()];
        let mut before = "";
        for part in template.split('/').skip(1) {
            let name = part
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            let [own, none] = match (before, name) {
                (_, None) => [part, part],
                ("person", Some("personId")) | ("account", Some("accountId")) => ["p-1", "p-2"],
                ("keys", Some("id")) => [self.key.as_str(), NOBODYS],
                (_, Some("id" | "accountId")) => [self.account.as_str(), NOBODYS],
                (_, Some("poolId")) => [self.pool.as_str(), NOBODYS],
                (_, Some("linkId")) => [self.link.as_str(), NOBODYS],
                (_, Some("email")) => [self.address.as_str(), "nobody@example.com"],
                (_, Some(name)) => panic!("{template}: what is the owner's {name}?"),
            };
            for (path, part) in paths.iter_mut().zip([own, none]) {
                path.push('/');
                path.push_str(part);
            }
            before = part;
        }
        paths
    }
}

/// Method, path and an example of the body of each operation.
fn operations() -> Vec<(Method, String, String)> {
    let document = documented::document();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            let content = &operation["requestBody"]["content"]["application/json"];
            let example = &content["example"];
            let body = if example.is_null() {
                String::new()
            } else {
                example.to_string()
            };
            operations.push((method, path.clone(), body));
        }
    }
    assert!(operations.len() > 40);
    operations
}

/// Everything that the owner can read.
async fn seen(api: &Api, owned: &Owned) -> Vec<(String, Value)> {
    let mut seen = Vec::new();
    for (method, template, _) in operations() {
        if method == Method::GET && !template.starts_with("/api/health") && template != "/metrics" {
            let [path, _] = owned.paths(&template);
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
    for (method, template, sent) in operations() {
        if !template.contains('{') {
            continue;
        }
        let mut answers = Vec::new();
        for path in owned.paths(&template) {
            let answer = api
                .send(method.clone(), &path, Some(&stranger), sent.clone())
                .await;
            let mut told = plain(&body(&answer));
            // A CRM's record is repeated as it was asked for.
            if let Some(fields) = told.as_object_mut() {
                fields.remove("crmId");
            }
            answers.push((answer.status().as_u16(), told));
        }
        assert_eq!(answers[0], answers[1], "{method} {template}");
        assert!(
            answers[0].0 == 404 || template.starts_with("/api/analytics/crm/"),
            "{method} {template}: {answers:#?}"
        );
    }
    assert_eq!(seen(&api, &owned).await, before);
}

#[tokio::test]
async fn lists_batches_and_figures_show_a_stranger_nothing_of_mine() {
    let (api, owned) = owner().await;
    let stranger = api.stranger().await;
    let mine = [&owned.account, &owned.pool, &owned.link, &owned.key];
    for (method, template, _) in operations() {
        if method != Method::GET || template.contains('{') {
            continue;
        }
        let answer = api.send(Method::GET, &template, Some(&stranger), "").await;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        for id in mine {
            assert!(!text.contains(id.as_str()), "{template} shows {id}");
        }
        for address in ["mine@example.com", owned.address.as_str()] {
            assert!(!text.contains(address), "{template} shows {address}");
        }
    }
    let before = seen(&api, &owned).await;
    for path in [
        "/api/accounts/batch/test-connection",
        "/api/warmup/batch/start",
        "/api/warmup/batch/pause",
    ] {
        let sent = json!({ "accountIds": [owned.account] }).to_string();
        let answer = api.send(Method::POST, path, Some(&stranger), sent).await;
        assert_eq!(answer.status(), 207, "{path}");
        let code = &body(&answer)["results"][0]["code"];
        assert_eq!(code, "ACCOUNT_NOT_FOUND", "{path}");
    }
    assert_eq!(seen(&api, &owned).await, before);
}

/// Decision 8: an answer is remembered for its user and key, whatever the request.
#[tokio::test]
async fn a_strangers_idempotency_key_brings_no_answer_of_mine() {
    let (api, owned) = owner().await;
    let stranger = api.stranger().await;
    for (method, template, sent) in operations() {
        if ![Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            continue;
        }
        let [path, _] = owned.paths(&template);
        let name = format!("{method} {template}");
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
        if template != "/api/warmup/suppression"
            && let Some(id) = mine["id"].as_str()
        {
            assert!(!theirs.to_string().contains(id), "{name}: {theirs}");
        }
        assert_eq!(ask(&api.key).await, (true, mine), "{name}");
    }
}

#[tokio::test]
async fn a_strangers_cursor_opens_nothing_of_mine() {
    let (api, _) = owner().await;
    create(&api, "second@example.com").await;
    let stranger = api.stranger().await;
    let page = api.get("/api/accounts?limit=1", 200).await;
    let cursor = page["nextCursor"].as_str().unwrap();
    let path = format!("/api/accounts?limit=1&cursor={cursor}");
    let answer = api.send(Method::GET, &path, Some(&stranger), "").await;
    assert!(!String::from_utf8_lossy(answer.body()).contains("example.com"));
}
