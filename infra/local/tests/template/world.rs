//! A stack of its own for each test, its mailboxes those that the test names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentwarm_app::ports::clock::Clock as _;
use agentwarm_local::api_client::ApiClient;
use agentwarm_local::clock::Pace;
use agentwarm_local::demo::MailServers;
use agentwarm_local::registry::functions;
use agentwarm_local::run::{config, demo};
use agentwarm_local::settings::RunSettings;
use agentwarm_local::{Functions, Stack};
use jiff::Timestamp;
use serde_json::Value;

use crate::door::Door;
use crate::outage::Outage;
use crate::tap::Tap;

/// A stack, its user and their key.
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) key: String,
    pub(crate) api: ApiClient,
    pub(crate) outage: Outage,
    pub(crate) tap: Tap,
    settings: RunSettings,
    parameters: BTreeMap<String, String>,
    name: &'static str,
}

impl World {
    /// The stack `name` on a Wednesday at six in the morning, UTC, with a user who has the empty pool `Demo`.
    pub(crate) async fn begin(name: &'static str) -> Self {
        Self::with(name, BTreeMap::new()).await
    }

    /// The same, where a key may ask `limit` times a minute.
    pub(crate) async fn limited(name: &'static str, limit: usize) -> Self {
        let limit = ("RateLimitPerMinute".to_owned(), limit.to_string());
        Self::with(name, BTreeMap::from([limit])).await
    }

    async fn with(name: &'static str, parameters: BTreeMap<String, String>) -> Self {
        let mut settings = RunSettings::from_environment().unwrap();
        settings.api.set_port(0);
        settings.pace = Pace::DayIn(Duration::ZERO);
        settings.mail.mailboxes_file = mailboxes_file(name);
        std::fs::write(&settings.mail.mailboxes_file, "").unwrap();
        Self::start(name, settings, parameters, at("2026-03-11T06:00:00Z")).await
    }

    /// Stops the runner and starts it again: the same tables, functions that know nothing.
    pub(crate) async fn restart(self) -> Self {
        let now = self.stack.clock().schedule();
        self.stack.stop().await.unwrap();
        Self::start(self.name, self.settings, self.parameters, now).await
    }

    async fn start(
        name: &'static str,
        settings: RunSettings,
        parameters: BTreeMap<String, String>,
        begin: Timestamp,
    ) -> Self {
        let (outage, tap) = (Outage::default(), Tap::default());
        let mut config = config(&settings, Functions::Here(functions()), settings.pace).unwrap();
        config.stack.name = name.to_owned();
        config.stack.parameters.extend(parameters.clone());
        config.begin = Some(begin);
        config.interceptors = vec![outage.interceptor(), tap.interceptor()];
        let stack = Stack::start(config).await.unwrap();
        let user = demo(&settings, &stack).await.unwrap();
        let api = ApiClient::new(stack.api_url(), &user.key);
        Self {
            stack,
            key: user.key,
            api,
            outage,
            tap,
            settings,
            parameters,
            name,
        }
    }

    /// The id of the pool `Demo`.
    pub(crate) async fn demo_pool(&self) -> String {
        let pools = self.api.get("/api/warmup/pools").await.unwrap();
        id(&pools["pools"][0])
    }

    /// What connects a numbered mailbox, in `pool`.
    pub(crate) fn account(&self, address: &str, pool: &str) -> Value {
        account(&self.settings.mail, address, pool)
    }

    /// Connects a mailbox; its id.
    pub(crate) async fn connect(&self, address: &str, pool: &str) -> String {
        self.create(&self.account(address, pool)).await
    }

    /// Connects a mailbox whose IMAP and SMTP servers are behind these ports.
    pub(crate) async fn connect_behind(
        &self,
        address: &str,
        pool: &str,
        [imap, smtp]: [u16; 2],
    ) -> String {
        let mut account = self.account(address, pool);
        let credentials = &mut account["credentials"];
        (credentials["imapPort"], credentials["smtpPort"]) = (imap.into(), smtp.into());
        self.create(&account).await
    }

    /// The port of the real servers' IMAP with TLS from the start.
    pub(crate) fn imaps_port(&self) -> u16 {
        self.settings.mail.imaps_port
    }

    async fn create(&self, account: &Value) -> String {
        id(&self.api.post("/api/accounts", Some(account)).await.unwrap())
    }

    /// Opens the doors to the real servers.
    pub(crate) fn open(&self, [imap, smtp]: [Door; 2]) {
        imap.open_to(self.settings.mail.imaps_port);
        smtp.open_to(self.settings.mail.smtp_port);
    }
}

/// What connects a numbered mailbox of `servers`, in `pool`.
pub(crate) fn account(servers: &MailServers, address: &str, pool: &str) -> Value {
    let mut account = servers.numbered_account(address);
    account["poolId"] = pool.into();
    account
}

/// The id of what an answer shows.
pub(crate) fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

fn mailboxes_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.mailboxes"))
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
