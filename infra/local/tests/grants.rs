//! Least privilege the other way round: every grant of the template is used. A scenario touches everything that this deployment can do, with
//! real mail servers; what no function used by then is a grant to remove (or a part of the product that the scenario should learn).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

use agentwarm_local::api_client::ApiClient;
use agentwarm_local::clock::Pace;
use agentwarm_local::demo::MailServers;
use agentwarm_local::http_client::HttpClient;
use agentwarm_local::registry::functions;
use agentwarm_local::run::{config, demo};
use agentwarm_local::settings::RunSettings;
use agentwarm_local::{Functions, Stack};
use http::{Method, Request};
use serde_json::{Value, json};

/// The password of the mail servers' numbered mailboxes.
const PASSWORD: &str = "warm-enough";

struct Scenario {
    stack: Stack,
    api: ApiClient,
    key: String,
    mail: MailServers,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_is_used_and_nothing_else_is_wanted() {
    let mut scenario = Scenario::begin().await;
    scenario.discovery().await;
    scenario.keys().await;
    let accounts = scenario.accounts().await;
    scenario.pools(&accounts).await;
    scenario.warm(&accounts).await;
    scenario.run("2026-03-12T09:00:00Z").await;
    scenario.look(&accounts).await;
    scenario.delete(&accounts[0]).await;
    assert_eq!(scenario.stack.refusals(), Vec::<String>::new());
    let unused = scenario.stack.unused_grants();
    assert!(unused.is_empty(), "never used:\n{}", unused.join("\n"));
    scenario.stack.remove().await.unwrap();
}

impl Scenario {
    /// A deployment with the demo's user on a Wednesday morning.
    async fn begin() -> Self {
        let mut settings = RunSettings::from_environment().unwrap();
        settings.api.set_port(0);
        settings.pace = Pace::DayIn(std::time::Duration::ZERO);
        settings.mail.mailboxes_file = "/dev/null".into();
        let mut config = config(&settings, Functions::Here(functions()), settings.pace).unwrap();
        "local-grants".clone_into(&mut config.stack.name);
        config.begin = Some("2026-03-11T06:00:00Z".parse().unwrap());
        let stack = Stack::start(config).await.unwrap();
        let user = demo(&settings, &stack).await.unwrap();
        Self {
            api: ApiClient::new(stack.api_url(), &user.key),
            key: user.key,
            mail: settings.mail,
            stack,
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.api.get(path).await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.api.post(path, Some(&body)).await.unwrap()
    }

    async fn run(&mut self, until: &str) {
        self.stack.run_until(until.parse().unwrap()).await.unwrap();
    }

    async fn discovery(&self) {
        for path in [
            "/api/healthz",
            "/api/health",
            "/metrics",
            "/api/openapi.json",
        ] {
            self.get(path).await;
        }
        assert!(self.api.get("/nobody/home").await.is_err());
    }

    /// Keys, with an idempotency key that is replayed.
    async fn keys(&self) {
        let http = HttpClient::default();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let request = Request::post(format!("{}/api/keys", self.stack.api_url()))
                .header("authorization", format!("Bearer {}", self.key))
                .header("idempotency-key", "once")
                .body(br#"{"name": "Second"}"#.to_vec())
                .unwrap();
            let answer = http.send(request).await.unwrap();
            let created: Value = serde_json::from_slice(answer.body()).unwrap();
            ids.push(created["id"].clone());
        }
        assert_eq!(ids[0], ids[1]);
        self.get("/api/keys").await;
        let path = format!("/api/keys/{}", ids[0].as_str().unwrap());
        self.api.send(Method::DELETE, &path, None).await.unwrap();
    }

    async fn connect(&self, address: &str, password: &str) -> String {
        let account = json!({
            "email": address, "displayName": "Robin", "provider": "imap_smtp",
            "credentials": {
                "imapHost": self.mail.host, "imapPort": self.mail.imaps_port,
                "smtpHost": self.mail.host, "smtpPort": self.mail.smtp_port,
                "username": address, "password": password,
            },
        });
        let created = self.post("/api/accounts", account).await;
        created["id"].as_str().unwrap().to_owned()
    }

    /// Two mailboxes on each domain, one that bounces and one whose password is wrong.
    async fn accounts(&self) -> Vec<String> {
        let mut accounts = Vec::new();
        for number in 201..=202 {
            for domain in ["acorn.test", "birch.test", "cedar.test"] {
                accounts.push(self.connect(&format!("w{number}@{domain}"), PASSWORD).await);
            }
        }
        accounts.push(self.connect("disabled@birch.test", PASSWORD).await);
        accounts.push(self.connect("w203@acorn.test", "wrong").await);
        self.get("/api/accounts?email=w20").await;
        self.get(&format!("/api/accounts/{}", accounts[0])).await;
        let tested = self
            .post(
                &format!("/api/accounts/{}/test-connection", accounts[0]),
                Value::Null,
            )
            .await;
        assert_eq!(tested["overall"], true, "{tested}");
        accounts
    }

    /// A pool that begins with ten mails a day, so that answers fit in.
    async fn pools(&self, accounts: &[String]) {
        let pool = self
            .post("/api/warmup/pools", json!({"name": "Busy"}))
            .await;
        let pool = format!("/api/warmup/pools/{}", pool["id"].as_str().unwrap());
        let config = json!({"minDailyEmails": 10, "workingHoursStart": 7, "workingHoursEnd": 18});
        let known = self.get("/api/warmup/pools").await;
        for pool in known["pools"].as_array().unwrap() {
            let path = format!("/api/warmup/pools/{}/config", pool["id"].as_str().unwrap());
            self.get(&path).await;
            self.api
                .send(Method::PUT, &path, Some(&config))
                .await
                .unwrap();
        }
        let member = format!("{pool}/accounts/{}", accounts[0]);
        self.post(&member, Value::Null).await;
        self.api.send(Method::DELETE, &member, None).await.unwrap();
    }

    async fn warm(&self, accounts: &[String]) {
        for account in accounts {
            self.post(&format!("/api/warmup/start/{account}"), Value::Null)
                .await;
        }
        self.post(&format!("/api/warmup/pause/{}", accounts[1]), Value::Null)
            .await;
        self.post(&format!("/api/warmup/resume/{}", accounts[1]), Value::Null)
            .await;
    }

    async fn look(&self, accounts: &[String]) {
        self.get("/api/analytics/system").await;
        self.get("/api/audit-log").await;
        for account in accounts {
            self.get(&format!("/api/analytics/accounts/{account}"))
                .await;
            self.get(&format!("/api/analytics/accounts/{account}/progress"))
                .await;
            self.get(&format!("/api/warmup/schedule/{account}?date=2026-03-11"))
                .await;
        }
    }

    async fn delete(&self, account: &str) {
        let path = format!("/api/accounts/{account}");
        self.api.send(Method::DELETE, &path, None).await.unwrap();
    }
}
