//! One deployment per test, and a user in it.

use std::time::Duration;

use agentwarm_core::plan::Plan;
use agentwarm_local::api_client::{ApiClient, ApiError};
use agentwarm_local::clock::Pace;
use agentwarm_local::registry::functions;
use agentwarm_local::run::{config, new_user};
use agentwarm_local::settings::RunSettings;
use agentwarm_local::{Functions, Stack, StackConfig};
use http::Method;
use jiff::Timestamp;
use serde_json::Value;

/// A deployment with one user.
pub(crate) struct Deployment {
    pub(crate) stack: Stack,
    pub(crate) api: ApiClient,
    /// The user's key.
    pub(crate) key: String,
    settings: RunSettings,
}

impl Deployment {
    /// A deployment of its own for the test `name`, on a Wednesday at six in the morning, UTC.
    pub(crate) async fn begin(name: &str) -> Self {
        Self::begin_at(name, "2026-03-11T06:00:00Z").await
    }

    /// The same at `begin` of the schedule clock.
    pub(crate) async fn begin_at(name: &str, begin: &str) -> Self {
        Self::begin_with(name, begin, |_| {}).await
    }

    /// The same of a stack that is configured otherwise.
    pub(crate) async fn begin_with(
        name: &str,
        begin: &str,
        configure: impl FnOnce(&mut StackConfig),
    ) -> Self {
        let mut settings = RunSettings::from_environment().unwrap();
        settings.api.set_port(0);
        settings.pace = Pace::DayIn(Duration::ZERO);
        let mut config = config(&settings, Functions::Here(functions()), settings.pace).unwrap();
        config.stack.name = name.to_owned();
        config.begin = Some(at(begin));
        config.remember = false;
        configure(&mut config);
        let stack = Stack::start(config).await.unwrap();
        let user = new_user(&settings, &stack, Plan::Pro).await.unwrap();
        let key = user.secret;
        let api = ApiClient::new(stack.api_url(), &key);
        Self {
            stack,
            api,
            key,
            settings,
        }
    }

    /// The key of another user on `plan`.
    pub(crate) async fn another_user(&self, plan: Plan) -> String {
        let user = new_user(&self.settings, &self.stack, plan).await.unwrap();
        user.secret
    }

    /// What it takes to connect a mailbox of the local servers.
    pub(crate) fn account(&self, address: &str) -> Value {
        self.settings.mail.numbered_account(address)
    }

    /// The port of the servers' IMAP with TLS from the start.
    pub(crate) fn imaps_port(&self) -> u16 {
        self.settings.mail.imaps_port
    }

    /// The port of the servers' SMTP with STARTTLS.
    pub(crate) fn smtp_port(&self) -> u16 {
        self.settings.mail.smtp_port
    }

    /// Overrides the configuration of the pool that accounts are in unless they name another.
    pub(crate) async fn configure_default_pool(&self, overrides: &Value) {
        let pools = self.get("/api/warmup/pools").await;
        let pool = pools["pools"][0]["id"].as_str().unwrap();
        self.configure_pool(pool, overrides).await;
    }

    /// Overrides a pool's configuration.
    pub(crate) async fn configure_pool(&self, pool: &str, overrides: &Value) {
        let path = format!("/api/warmup/pools/{pool}/config");
        self.api
            .send(Method::PUT, &path, Some(overrides))
            .await
            .unwrap();
    }

    /// Creates an account; its id.
    pub(crate) async fn create(&self, account: &Value) -> String {
        let created = self.api.post("/api/accounts", Some(account)).await.unwrap();
        created["id"].as_str().unwrap().to_owned()
    }

    /// Connects a mailbox with `password`; its id.
    pub(crate) async fn connect(&self, address: &str, password: &str) -> String {
        let mut account = self.account(address);
        account["credentials"]["password"] = password.into();
        self.create(&account).await
    }

    /// Connects a numbered mailbox as it is.
    pub(crate) async fn connect_numbered(&self, address: &str) -> String {
        self.create(&self.account(address)).await
    }

    pub(crate) async fn start(&self, account: &str) -> Value {
        self.api
            .post(&format!("/api/warmup/start/{account}"), None)
            .await
            .unwrap()
    }

    /// Reads. Who reads a lot is told to wait for the next minute (decision 7), and does.
    pub(crate) async fn get(&self, path: &str) -> Value {
        loop {
            match self.api.get(path).await {
                Err(ApiError::Refused { code, .. }) if code == "RATE_LIMIT_EXCEEDED" => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                answer => return answer.unwrap(),
            }
        }
    }

    pub(crate) async fn run_until(&mut self, until: &str) {
        self.stack.run_until(at(until)).await.unwrap();
    }

    /// Ends the test: nothing was refused to a function that its policy does not grant, and no invocation failed.
    pub(crate) async fn end(self) {
        assert_eq!(self.stack.take_flaws(), Vec::<String>::new());
        self.stack.remove().await.unwrap();
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
