//! Secrets through every flow that takes or makes one, with everything logged at TRACE, by libraries too: none of them stands in a log
//! line, in what functions send to AWS, in a table, in an answer or in the metrics, neither as it is nor in base64. Every documented
//! operation is called.

mod covered;
mod mails;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use agentwarm_app::ports::clock::Clock as _;
use agentwarm_local::http_client::HttpClient;
use agentwarm_testkit::log::Log;
use agentwarm_tests::operations;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use self::covered::Ids;
use crate::promises::Answer;
use crate::world::{World, at};

// Each holds the word `canary`, which nothing else does.
const WRONG_PASSWORD: &str = "canary-wrong-password-Hq7x";
const LONG_PASSWORD: &str = "canary-long-password-Zt4k";
const ACCESS_TOKEN: &str = "canary-access-token-Jw2m";
const REFRESH_TOKEN: &str = "canary-refresh-token-Vb9p";
const NEW_ACCESS_TOKEN: &str = "canary-new-access-token-Lk3s";
const IDEMPOTENCY_KEY: &str = "canary-idempotency-key-Xd6n";
const NOBODYS_KEY: &str = "aw_canary00000000000000000000000000";
const NO_KEY: &str = "canary-not-even-a-key-Gf5r";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_told_to_anybody() {
    let mut world = World::begin("local-secrets").await;
    let log = Log::of_all();
    world.tap.open();
    let mut flows = Flows::default();
    let key = flows.keys(&world).await;
    let accounts = flows.warm(&mut world).await;
    flows.mail(&world, &accounts).await;
    flows.fail_to_log_in(&mut world, &accounts[0]).await;
    flows.tokens(&world).await;
    flows.mistakes(&world).await;
    flows.batch(&world).await;
    flows.read(&world, &accounts[0]).await;
    let ids = Ids {
        account: &accounts[0],
        pool: &world.demo_pool().await,
        key: &key,
    };
    flows.rest(&world, &ids).await;
    assert_eq!(world.stack.take_flaws(), Vec::<String>::new());

    let mut tables = String::new();
    for table in world
        .stack
        .deployed()
        .keys()
        .filter(|id| id.ends_with("Table"))
    {
        tables.push_str(&world.everything_in(table).await);
    }
    let sent = world.tap.text();
    assert!(tables.contains(MAILBOXES[0]), "tables are read");
    assert!(sent.contains("CiphertextBlob"), "what is sent is read");
    let places = [
        ("log", log.text()),
        ("calls", sent),
        ("tables", tables),
        ("answers", flows.told),
    ];
    flows.secrets.insert("canary".to_owned());
    for needle in flows.secrets.iter().flat_map(|secret| forms(secret)) {
        for (place, text) in &places {
            let found = text.find(&needle).map(|at| excerpt(text, at));
            assert_eq!(found, None, "{needle} in {place}");
        }
    }
    world.stack.remove().await.unwrap();
}

/// Addresses of real mailboxes.
const MAILBOXES: [&str; 2] = ["w231@acorn.test", "w232@birch.test"];

/// What was asked, and what is not to be found.
#[derive(Default)]
struct Flows {
    client: HttpClient,
    told: String,
    secrets: BTreeSet<String>,
    /// The operations that were called, as the document names them.
    called: BTreeSet<String>,
}

impl Flows {
    /// Makes keys, one of them twice with one `Idempotency-Key`, and replaces one. Their own answers may show them. The id
    /// of the last.
    async fn keys(&mut self, world: &World) -> String {
        let once = [("idempotency-key", IDEMPOTENCY_KEY)];
        let named = json!({ "name": "Bird" }).to_string();
        let mut made = Vec::new();
        for _ in 0..2 {
            let answer = self.call(world, "POST /api/keys", &world.key, &once, &named);
            made.push(parsed(&answer.await));
        }
        assert_eq!(made[0], made[1]);
        let rotate = format!("POST /api/keys/{}/rotate", made[0]["id"].as_str().unwrap());
        let rotated = self.call(world, &rotate, &world.key, &[], "");
        made.push(parsed(&rotated.await));
        let mut key = "";
        for answer in &made {
            key = answer["key"].as_str().unwrap();
            self.secrets.insert(key.to_owned());
        }
        self.ask(world, "GET /api/me", key, "", 200).await;
        self.ask(world, "GET /api/me", NOBODYS_KEY, "", 403).await;
        self.ask(world, "GET /api/me", NO_KEY, "", 401).await;
        made[2]["id"].as_str().unwrap().to_owned()
    }

    /// Two mailboxes that write to each other, with a password that is right.
    async fn warm(&mut self, world: &mut World) -> Vec<String> {
        let pool = world.demo_pool().await;
        let much = json!({ "minDailyEmails": 12, "maxDailyEmails": 40, "maxPerPartnerPerDay": 20 });
        let line = format!("PUT /api/warmup/pools/{pool}/config");
        self.json(world, &line, &much, 200).await;
        let mut accounts = Vec::new();
        for address in MAILBOXES {
            let account = world.account(address, &pool);
            let password = account["credentials"]["password"].as_str().unwrap();
            self.secrets.insert(password.to_owned());
            let made = self.json(world, "POST /api/accounts", &account, 201).await;
            let id = made["id"].as_str().unwrap().to_owned();
            let test = format!("POST /api/accounts/{id}/test-connection");
            let tested = self.json(world, &test, &Value::Null, 200).await;
            assert_eq!(tested["overall"], true, "{tested}");
            accounts.push(id);
        }
        for id in &accounts {
            let start = format!("POST /api/warmup/start/{id}");
            self.json(world, &start, &Value::Null, 200).await;
        }
        while self.sent(world, &accounts[0]).await == 0 {
            assert!(world.stack.clock().schedule() < at("2026-03-11T18:00:00Z"));
            world.stack.advance(30).await.unwrap();
        }
        accounts
    }

    async fn sent(&mut self, world: &World, id: &str) -> u64 {
        let line = format!("GET /api/accounts/{id}");
        let account = self.json(world, &line, &Value::Null, 200).await;
        account["totalSent"].as_u64().unwrap()
    }

    /// The same mailbox with a password that is wrong: asked for, and when mails are due.
    async fn fail_to_log_in(&mut self, world: &mut World, id: &str) {
        let pool = world.demo_pool().await;
        let mut credentials = world.account(MAILBOXES[0], &pool)["credentials"].take();
        credentials["password"] = WRONG_PASSWORD.into();
        let body = json!({ "provider": "imap_smtp", "credentials": credentials });
        let line = format!("PATCH /api/accounts/{id}/credentials");
        self.json(world, &line, &body, 200).await;
        let test = format!("POST /api/accounts/{id}/test-connection");
        let tested = self.json(world, &test, &Value::Null, 200).await;
        assert_eq!(tested["overall"], false, "{tested}");
        world.stack.advance(60).await.unwrap();
    }

    /// A mailbox that is opened by tokens.
    async fn tokens(&mut self, world: &World) {
        let tokens = json!({ "accessToken": ACCESS_TOKEN, "refreshToken": REFRESH_TOKEN });
        let account = json!({
            "email": "bird@gmail.com", "displayName": "Bird", "provider": "gmail", "credentials": tokens,
        });
        let made = self.json(world, "POST /api/accounts", &account, 201).await;
        let path = format!("/api/accounts/{}", made["id"].as_str().unwrap());
        let tokens = json!({ "accessToken": NEW_ACCESS_TOKEN, "refreshToken": REFRESH_TOKEN });
        let body = json!({ "provider": "gmail", "credentials": tokens });
        self.json(world, &format!("PATCH {path}/credentials"), &body, 200)
            .await;
        self.ask(
            world,
            &format!("POST {path}/test-connection"),
            &world.key,
            "",
            501,
        )
        .await;
    }

    /// Requests that are refused for what is beside the secret, for where it stands, or for the secret itself.
    async fn mistakes(&mut self, world: &World) {
        let pool = world.demo_pool().await;
        let mut account = world.account("w233@cedar.test", &pool);
        let create = "POST /api/accounts";
        account["credentials"]["password"] = WRONG_PASSWORD.into();
        account["timezone"] = "No/Where".into();
        self.json(world, create, &account, 400).await;
        account["credentials"]["password"] = LONG_PASSWORD.repeat(60).into();
        self.json(world, create, &account, 400).await;
        account["credentials"]["password"] = json!([WRONG_PASSWORD]);
        self.json(world, create, &account, 400).await;
        account["credentials"]["secret"] = WRONG_PASSWORD.into();
        self.json(world, create, &account, 400).await;
        let cut_off = format!("{{\"credentials\": {{\"password\": \"{WRONG_PASSWORD}");
        self.ask(world, create, &world.key, &cut_off, 400).await;
        world.outage.of(Some("account#"));
        let account = world.account("w233@cedar.test", &pool);
        self.json(world, create, &account, 503).await;
        world.outage.of(None);
    }

    /// Everything that can be read.
    async fn read(&mut self, world: &World, id: &str) {
        for path in [
            "/api/accounts",
            "/api/keys",
            "/api/audit-log",
            "/api/health",
            "/api/agent/status",
            "/metrics",
        ] {
            self.ask(world, &format!("GET {path}"), &world.key, "", 200)
                .await;
        }
        for path in [
            "accounts",
            "warmup/diagnose",
            "warmup/schedule",
            "analytics/accounts",
        ] {
            let line = format!("GET /api/{path}/{id}");
            self.ask(world, &line, &world.key, "", 200).await;
        }
    }

    async fn json(&mut self, world: &World, line: &str, body: &Value, status: u16) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = self.ask(world, line, &world.key, &body, status).await;
        parsed(&answer)
    }

    /// Asks, and keeps what is answered.
    async fn ask(
        &mut self,
        world: &World,
        line: &str,
        key: &str,
        body: &str,
        status: u16,
    ) -> Answer {
        let answer = self.call(world, line, key, &[], body).await;
        let told = String::from_utf8_lossy(answer.body());
        let expected = StatusCode::from_u16(status).unwrap();
        assert_eq!(answer.status(), expected, "{line}: {told}");
        self.keep(&answer, &[]);
        answer
    }

    /// Asks, and notes which operation it was.
    async fn call(
        &mut self,
        world: &World,
        line: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let path = path.split('?').next().unwrap_or_default();
        let template = operations::template_of(path).unwrap_or_else(|| panic!("{line}"));
        self.called.insert(format!("{method} {template}"));
        let body = body.as_bytes().to_vec();
        world.ask(&self.client, line, key, headers, body).await
    }

    /// Keeps an answer without the words that may stand in it.
    fn keep(&mut self, answer: &Answer, may_say: &[&str]) {
        let mut told = String::from_utf8_lossy(answer.body()).into_owned();
        for word in may_say {
            told = told.replace(word, "");
        }
        writeln!(self.told, "{:?}\n{told}", answer.headers()).unwrap();
    }
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_slice(answer.body()).unwrap()
}

/// A text as it is, and what of its base64 is the same wherever it stands among other bytes.
fn forms(text: &str) -> BTreeSet<String> {
    let encoded = |before: usize| {
        let bytes = [vec![0; before], text.as_bytes().to_vec()].concat();
        let whole = STANDARD_NO_PAD.encode(&bytes);
        whole[(before * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned()
    };
    let standard: BTreeSet<String> = (0..3).map(encoded).collect();
    let for_urls = |form: &String| form.replace('+', "-").replace('/', "_");
    let mut forms: BTreeSet<String> = standard.iter().map(for_urls).collect();
    forms.extend(standard);
    forms.insert(text.to_owned());
    forms
}

fn excerpt(text: &str, at: usize) -> String {
    let before = text[..at].chars().rev().take(200).collect::<Vec<_>>();
    before
        .iter()
        .rev()
        .chain(&text[at..].chars().take(80).collect::<Vec<_>>())
        .collect()
}
