//! Least privilege: what `template.yaml` grants is used when the whole product is, and what is used is granted.

use std::collections::BTreeSet;

use agentwarm_app::ports::clock::Clock as _;
use agentwarm_local::api_client::ApiError;
use agentwarm_local::http_client::HttpClient;
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::door::Door;
use crate::world::{World, at, id};

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_is_used_and_what_is_used_is_granted() {
    let mut world = World::begin("local-grants").await;
    let doors = [Door::closed(), Door::closed()];
    let never = Door::closed();
    let warming = begin_to_warm(&world, [&doors[0], &doors[1]], &never).await;
    let doomed = begin_to_bounce(&world).await;
    world.run_until("2026-03-11T14:00:00Z").await;
    pause_and_resume(&world, &warming[0]).await;
    limit_generously(&world).await;
    is_suspended(&mut world, &doomed).await;

    // The scheduler stands still for a day; then mails are found in Junk that were sent the day before. A night later the first day is closed.
    let tomorrow = at("2026-03-12T17:00:00Z").duration_since(world.stack.clock().schedule());
    world.stack.skip(tomorrow);
    world.open(doors);
    world.run_until("2026-03-12T19:00:00Z").await;
    world.stack.skip(SignedDuration::from_hours(9));
    world.run_until("2026-03-13T05:00:00Z").await;
    let unused_at_first = take_notes(&world);

    // Functions that begin anew have to unwrap keys that others made.
    let mut world = world.restart().await;
    keys(&world).await;
    pools(&world, &warming[0]).await;
    crm(&world, &warming).await;
    suppression(&world).await;
    accounts(&world, &warming[1]).await;
    new_credentials(&world, &warming[5], "w199@acorn.test").await;
    read_everything(&world, &warming[0]).await;
    world.stack.advance(10).await.unwrap();
    let unused_later = take_notes(&world);

    let idle: Vec<_> = unused_at_first.intersection(&unused_later).collect();
    assert!(
        idle.is_empty(),
        "template.yaml grants what nothing uses; take out:\n{idle:#?}"
    );
    world.stack.remove().await.unwrap();
}

/// Three of the account's mails bounce before its hours are over, whenever they leave.
async fn is_suspended(world: &mut World, account: &str) {
    let path = format!("/api/accounts/{account}");
    while world.get(&path).await["status"] != "suspended" {
        let is_day = world.stack.clock().schedule() < at("2026-03-11T18:00:00Z");
        assert!(is_day, "the brake was never put on");
        world.stack.advance(10).await.unwrap();
    }
}

/// Nothing was refused and nothing failed; the grants that nothing used.
fn take_notes(world: &World) -> BTreeSet<String> {
    assert_eq!(world.stack.take_flaws(), Vec::<String>::new());
    world.stack.unused_grants().into_iter().collect()
}

/// Mailboxes that write much to each other: at one provider some mail lands in Junk, one mailbox's mail comes back later, one's servers
/// are behind `doors`, and one can be read but never sends.
async fn begin_to_warm(world: &World, [imap, smtp]: [&Door; 2], never: &Door) -> Vec<String> {
    let pool = world.demo_pool().await;
    let much = json!({
        "minDailyEmails": 12, "maxDailyEmails": 40, "maxPerPartnerPerDay": 20,
        "replyRate": 0.6, "openRate": 1.0, "markImportantRate": 0.5,
    });
    let configuration = format!("/api/warmup/pools/{pool}/config");
    world.send(Method::PUT, &configuration, Some(&much)).await;
    let mut accounts = Vec::new();
    for address in [
        "w191@acorn.test",
        "w192@birch.test",
        "w193@cedar.test",
        "late-bounce@birch.test",
    ] {
        accounts.push(world.connect(address, &pool).await);
    }
    for (address, ports) in [
        ("w198@cedar.test", [imap.port, smtp.port]),
        ("w199@acorn.test", [world.imaps_port(), never.port]),
    ] {
        accounts.push(world.connect_behind(address, &pool, ports).await);
    }
    for account in &accounts {
        world
            .post(&format!("/api/warmup/start/{account}"), None)
            .await;
    }
    accounts
}

/// A mailbox whose partners do not exist: three bounces end its warmup at once (decision 22).
async fn begin_to_bounce(world: &World) -> String {
    let pool = id(&world
        .post("/api/warmup/pools", Some(&json!({"name": "Gone"})))
        .await);
    let much = json!({"minDailyEmails": 12, "maxDailyEmails": 40});
    let configuration = format!("/api/warmup/pools/{pool}/config");
    world.send(Method::PUT, &configuration, Some(&much)).await;
    let doomed = world.connect("w194@acorn.test", &pool).await;
    for address in [
        "gone-1@birch.test",
        "gone-2@birch.test",
        "gone-3@cedar.test",
        "gone-4@cedar.test",
    ] {
        world.connect(address, &pool).await;
    }
    world
        .post(&format!("/api/warmup/start/{doomed}"), None)
        .await;
    doomed
}

async fn pause_and_resume(world: &World, account: &str) {
    world
        .post(&format!("/api/warmup/pause/{account}"), None)
        .await;
    world
        .post(&format!("/api/warmup/resume/{account}"), None)
        .await;
    twice(world, "/api/warmup/pause", account).await;
    let resume = format!("/api/warmup/resume/{account}");
    world.refused_while("account#", &resume, &json!({})).await;
    world.post(&resume, None).await;
}

/// Test mode counts what is sent, and lets everything go.
async fn limit_generously(world: &World) {
    let mode = json!({"enabled": true, "maxDailyEmails": 50_000});
    world.post("/api/warmup/test-mode", Some(&mode)).await;
    let in_force = world.get("/api/warmup/test-mode").await;
    assert_eq!(in_force["source"], "runtime");
}

/// Pauses `account` twice with one `Idempotency-Key`: the second time it is only told of the first.
async fn twice(world: &World, path: &str, account: &str) {
    let once = world.api.once("pause");
    for _ in 0..2 {
        once.post(&format!("{path}/{account}"), None).await.unwrap();
    }
}

async fn keys(world: &World) {
    let once = world.api.once("a key");
    let wanted = json!({"name": "Spare"});
    let spare = once.post("/api/keys", Some(&wanted)).await.unwrap();
    assert_eq!(once.post("/api/keys", Some(&wanted)).await.unwrap(), spare);
    world.refused_while("key#", "/api/keys", &wanted).await;
    world.get("/api/keys").await;
    world.get("/api/me").await;
    let rotate = format!("/api/keys/{}/rotate", id(&spare));
    let rotated = world.post(&rotate, None).await;
    world
        .send(Method::DELETE, &format!("/api/keys/{}", id(&rotated)), None)
        .await;
}

async fn pools(world: &World, account: &str) {
    let once = world.api.once("a pool");
    let wanted = json!({"name": "Sales"});
    let pool = id(&once.post("/api/warmup/pools", Some(&wanted)).await.unwrap());
    once.post("/api/warmup/pools", Some(&wanted)).await.unwrap();
    world
        .refused_while("pool#", "/api/warmup/pools", &wanted)
        .await;
    world.get("/api/warmup/pools").await;
    world.get(&format!("/api/warmup/pools/{pool}/config")).await;
    let member = format!("/api/warmup/pools/{pool}/accounts/{account}");
    world.post(&member, None).await;
    world.send(Method::DELETE, &member, None).await;
}

/// Links both mailboxes; the second is deleted with its links later.
async fn crm(world: &World, accounts: &[String]) {
    let mut links = Vec::new();
    for account in accounts.iter().take(2) {
        let path = format!("/api/accounts/{account}/crm-links");
        let both = json!({"crmPersonId": "p-1", "crmAccountId": "a-1", "crmSource": "hubspot"});
        let once = world.api.once(format!("a link of {account}"));
        let link = id(&once.post(&path, Some(&both)).await.unwrap());
        once.post(&path, Some(&both)).await.unwrap();
        let other = json!({"crmPersonId": "p-2", "crmSource": "hubspot"});
        world.refused_while("crm#", &path, &other).await;
        world.get(&path).await;
        links.push(format!("{path}/{link}"));
    }
    for query in ["", "&status=warming"] {
        let path = format!("/api/accounts?crmPersonId=p-1{query}");
        assert_eq!(world.get(&path).await["total"], 2, "{path}");
    }
    let person = "/api/analytics/crm/person/p-1?crmSource=hubspot";
    let figures = world.get(person).await;
    assert_eq!(figures["aggregate"]["totalAccounts"], 2, "{figures:#}");
    world.get("/api/analytics/crm/account/a-1").await;
    world.send(Method::DELETE, &links[0], None).await;
}

async fn suppression(world: &World) {
    let once = world.api.once("a suppression");
    let list = "/api/warmup/suppression";
    let wanted = json!({"email": "nobody@acorn.test"});
    let entry = once.post(list, Some(&wanted)).await.unwrap();
    assert_eq!(once.post(list, Some(&wanted)).await.unwrap(), entry);
    world.refused_while("listed#", list, &wanted).await;
    let listed = world.get(&format!("{list}?reason=manual")).await;
    assert_eq!(listed["entries"], json!([entry]));
    let path = format!("{list}/nobody%40acorn.test");
    world.send(Method::DELETE, &path, None).await;
}

async fn accounts(world: &World, warming: &str) {
    let pool = world.demo_pool().await;
    let tested = world
        .post(&format!("/api/accounts/{warming}/test-connection"), None)
        .await;
    assert_eq!(tested["overall"], true, "{tested}");
    let upload = uploaded(world, warming).await;
    let mail = json!({
        "to": "w197@acorn.test", "subject": "By hand", "textBody": "Hello.",
        "attachments": [{ "filename": "a.txt", "uploadId": upload }],
    });
    let send = format!("/api/accounts/{warming}/send");
    world
        .api
        .once("a mail")
        .post(&send, Some(&mail))
        .await
        .unwrap();
    let messages = format!("/api/accounts/{warming}/messages?includeWarmup=true");
    world.get(&messages).await;
    let once = world.api.once("an account");
    let wanted = world.account("w195@acorn.test", &pool);
    let account = once.post("/api/accounts", Some(&wanted)).await.unwrap();
    once.post("/api/accounts", Some(&wanted)).await.unwrap();
    let other = world.account("w196@acorn.test", &pool);
    world
        .refused_while("account#", "/api/accounts", &other)
        .await;
    // One that names no pool makes the user's own.
    let mut homeless = world.account("w197@acorn.test", &pool);
    homeless.as_object_mut().unwrap().remove("poolId");
    world.post("/api/accounts", Some(&homeless)).await;
    let ids = json!({ "accountIds": [id(&account), warming] });
    let batch = json!({ "accounts": [wanted, world.account("w196@acorn.test", &pool)] });
    world.post("/api/accounts/batch", Some(&batch)).await;
    for path in [
        "/api/accounts/batch/test-connection",
        "/api/warmup/batch/start",
        "/api/warmup/batch/pause",
    ] {
        world.post(path, Some(&ids)).await;
    }
    changes(world, warming).await;
    for account in [id(&account).as_str(), warming] {
        world
            .send(Method::DELETE, &format!("/api/accounts/{account}"), None)
            .await;
    }
}

/// The id of a file that was uploaded for an account's mails.
async fn uploaded(world: &World, account: &str) -> Value {
    let path = format!("/api/accounts/{account}/attachments");
    let announced = world.post(&path, Some(&json!({ "size": 5 }))).await;
    let put = Request::put(announced["url"].as_str().unwrap()).body(b"Hello".to_vec());
    let answer = HttpClient::default().send(put.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    announced["uploadId"].clone()
}

/// All that can be changed of an account that is paused.
async fn changes(world: &World, account: &str) {
    let path = format!("/api/accounts/{account}");
    world
        .post(&format!("/api/warmup/resume/{account}"), None)
        .await;
    let elsewhere = json!({ "timezone": "Europe/Lisbon", "displayName": "Another Name" });
    world.send(Method::PATCH, &path, Some(&elsewhere)).await;
    let paused = json!({ "status": "paused" });
    world.send(Method::PATCH, &path, Some(&paused)).await;
    let persona = format!("{path}/persona");
    world.get(&persona).await;
    let own = json!({ "title": "Buyer" });
    world.send(Method::PUT, &persona, Some(&own)).await;
}

/// New credentials for a mailbox whose old ones failed: it is to be tried at once.
async fn new_credentials(world: &World, account: &str, address: &str) {
    let pool = world.demo_pool().await;
    let credentials = &world.account(address, &pool)["credentials"];
    let body = json!({ "provider": "imap_smtp", "credentials": credentials });
    let path = format!("/api/accounts/{account}/credentials");
    world.send(Method::PATCH, &path, Some(&body)).await;
}

async fn read_everything(world: &World, account: &str) {
    for path in [
        "/api/healthz",
        "/api/health",
        "/metrics",
        "/api/openapi.json",
        "/api/accounts?status=warming",
        "/api/accounts",
        "/api/analytics/system",
        "/api/agent/status",
        "/api/audit-log",
    ] {
        world.get(path).await;
    }
    for path in [
        format!("/api/accounts/{account}"),
        format!("/api/warmup/schedule/{account}"),
        format!("/api/warmup/diagnose/{account}"),
        format!("/api/warmup/schedule/{account}?date=2026-03-11"),
        format!("/api/analytics/accounts/{account}"),
        format!("/api/analytics/accounts/{account}/progress"),
        format!("/api/analytics/accounts/{account}/deliverability"),
    ] {
        world.get(&path).await;
    }
    let nowhere = world.api.get("/api/nowhere").await;
    assert!(matches!(
        nowhere,
        Err(ApiError::Refused {
            status: StatusCode::NOT_FOUND,
            ..
        })
    ));
}

impl World {
    async fn run_until(&mut self, until: &str) {
        self.stack.run_until(at(until)).await.unwrap();
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Option<&Value>) -> Value {
        self.send(Method::POST, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        self.api.send(method, path, body).await.unwrap()
    }

    /// Asks for a write, with an `Idempotency-Key`, while what holds `text` cannot be stored: it is refused and forgotten.
    async fn refused_while(&self, text: &'static str, path: &str, body: &Value) {
        self.outage.of(Some(text));
        let refused = self.api.once(path).post(path, Some(body)).await;
        self.outage.of(None);
        assert!(
            matches!(&refused, Err(ApiError::Refused { status, .. }) if status.is_server_error()),
            "{refused:?}"
        );
    }
}
