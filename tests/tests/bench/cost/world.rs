//! A deployment with many mailboxes that mail each other at full volume.

use std::path::PathBuf;

use agentwarm_core::plan::Plan;
use agentwarm_local::Stack;
use agentwarm_local::api_client::ApiClient;
use agentwarm_local::run::new_user;
use agentwarm_local::settings::RunSettings;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use http::Method;
use serde_json::{Value, json};

use super::arrivals;
use super::published::Published;
use super::servers::Asked;
use crate::usage::{Consumed, Usage, What};

/// Mailboxes of one user: what the Pro plan allows (API reference §22).
const MAILBOXES_OF_A_USER: u32 = 50;

/// Mails a mailbox sends on the metered day: what the Pro plan allows, and a pool's default maximum.
const DAILY_EMAILS: u32 = 40;

/// The domains of the local mail servers.
const DOMAINS: [&str; 3] = ["acorn.test", "birch.test", "cedar.test"];

/// When mailboxes are connected and started: a Tuesday evening, so that nothing is sent before the metered day.
const EVE: &str = "2026-03-10T20:00:00Z";

/// The deployment and what it is metered with.
pub(super) struct Town {
    stack: Stack,
    consumed: Consumed,
    published: Published,
    logs: PathBuf,
}

impl Town {
    /// A deployment with so many mailboxes, of as many users as they need.
    pub(super) async fn begin(name: &str, mailboxes: u32) -> Self {
        let (consumed, published) = (Consumed::default(), Published::default());
        let (settings, mut config) = crate::deployment::settings(name);
        config.begin = Some(EVE.parse().unwrap());
        config.meter = Some(consumed.meters());
        config.interceptors = vec![SharedInterceptor::new(published.clone())];
        let town = Self {
            stack: Stack::start(config).await.unwrap(),
            consumed,
            published,
            logs: settings.ca_file.ancestors().nth(2).unwrap().join("log"),
        };
        for first in (0..mailboxes).step_by(MAILBOXES_OF_A_USER.try_into().unwrap()) {
            let last = mailboxes.min(first + MAILBOXES_OF_A_USER);
            town.settle(&settings, first..last).await;
        }
        town
    }

    /// Moves one user in, with these numbered mailboxes, and starts their warmup.
    async fn settle(&self, settings: &RunSettings, numbers: std::ops::Range<u32>) {
        let user = new_user(settings, &self.stack, Plan::Pro).await.unwrap();
        let api = ApiClient::new(self.stack.api_url(), user.secret);
        let pool = api
            .post("/api/warmup/pools", Some(&json!({"name": "Full volume"})))
            .await
            .unwrap();
        let pool = text(&pool, "id");
        let volume = json!({"minDailyEmails": DAILY_EMAILS, "maxDailyEmails": DAILY_EMAILS});
        let path = format!("/api/warmup/pools/{pool}/config");
        api.send(Method::PUT, &path, Some(&volume)).await.unwrap();
        let mut accounts = Vec::new();
        for number in numbers {
            let account = account(settings, number, &pool);
            let created = api.post("/api/accounts", Some(&account)).await.unwrap();
            accounts.push(text(&created, "id"));
        }
        for account in accounts {
            let path = format!("/api/warmup/start/{account}");
            api.post(&path, None).await.unwrap();
        }
    }

    pub(super) async fn run_until(&mut self, until: &str) {
        self.stack.run_until(until.parse().unwrap()).await.unwrap();
    }

    /// A reading of everything that is counted.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub(super) fn usage(&self) -> Usage {
        let mut usage = self.consumed.read();
        for ((function, action), count) in self.stack.requests() {
            usage.add(What::Call, &function, &action, count as f64);
        }
        for (function, noted) in self.stack.invocations() {
            let seconds = noted.billed.as_secs_f64();
            usage.add(What::Invocation, &function, "", noted.count as f64);
            usage.add(What::BilledMillis, &function, "", seconds * 1_000.0);
            let gigabytes = f64::from(noted.memory_mb) / 1_024.0;
            usage.add(What::GigabyteSeconds, &function, "", seconds * gigabytes);
        }
        for (queue, traffic) in self.stack.queue_traffic() {
            usage.add(What::PollerCall, &queue, "receive", traffic.receives as f64);
            usage.add(What::PollerCall, &queue, "delete", traffic.deletes as f64);
            usage.add(What::Message, &queue, "", traffic.messages as f64);
        }
        let asked = Asked::read(&self.logs);
        usage.add(What::Mail, "", "", asked.mails as f64);
        usage.add(What::ImapLogin, "", "", asked.imap_logins as f64);
        usage.add(What::SmtpConnection, "", "", asked.smtp_connections as f64);
        usage.add(What::BytesOut, "", "", asked.bytes as f64);
        usage.add(What::Event, "", "", self.published.events() as f64);
        usage
    }

    /// When its mails were due, in milliseconds.
    pub(super) async fn due(&self) -> Vec<u64> {
        arrivals::due(&self.stack).await
    }

    /// Ends it: nothing was refused, and no invocation failed.
    pub(super) async fn end(self) {
        assert_eq!(self.stack.take_flaws(), Vec::<String>::new());
        self.stack.remove().await.unwrap();
    }
}

fn account(settings: &RunSettings, number: u32, pool: &str) -> Value {
    let domain = DOMAINS[usize::try_from(number).unwrap() % DOMAINS.len()];
    let address = format!("w{number:03}@{domain}");
    let mut account = settings.mail.numbered_account(&address);
    account["poolId"] = pool.into();
    account
}

fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap().to_owned()
}
