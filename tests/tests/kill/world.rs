//! The deployment that the runner works in, seen past the proxies: its tables, its API, its mailboxes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use agentwarm_app::ports::accounts::AccountReads as _;
use agentwarm_app::ports::clock::{Clock as _, Entropy as _};
use agentwarm_app::ports::days::{AccountRef, DayRow, Plans as _, Receipts as _, Slots as _};
use agentwarm_app::ports::mail::{Folder, ImapSmtpCredentials, MailReader as _};
use agentwarm_app::ports::mailboxes::MailboxReads as _;
use agentwarm_aws::clients::{ClientSettings, Clients};
use agentwarm_core::account::Account;
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::Slot;
use agentwarm_core::warmup::day::DayPlan;
use agentwarm_lambda::bootstrap::{SystemClock, SystemEntropy};
use agentwarm_lambda::settings::Settings;
use agentwarm_lambda::world::World as FunctionWorld;
use agentwarm_local::api_client::ApiClient;
use agentwarm_local::demo::{DemoUser, NUMBERED_PASSWORD};
use agentwarm_local::emulator::{Emulator, credentials};
use agentwarm_local::settings::RunSettings;
use agentwarm_local::state::{RunnerState, StateStore};
use agentwarm_mail::{ImapSmtp, MailConfig};
use aws_config::Region;
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

/// The runner's stack.
const STACK: &str = "agentwarm";

/// Mailboxes at each of the three domains.
const PER_DOMAIN: usize = 6;

/// The domains of the local mail servers; the last one files a share of its mail into Junk.
const DOMAINS: [&str; 3] = ["acorn.test", "birch.test", "cedar.test"];

/// More messages than any folder gets.
const WHOLE_FOLDER: u32 = 100_000;

/// The deployment.
pub(crate) struct World {
    pub(crate) settings: RunSettings,
    emulator: Emulator,
    ports: FunctionWorld,
    state: StateStore,
    /// A Tuesday.
    pub(crate) first_day: Date,
}

/// Everything that is stored of one account.
pub(crate) struct Books {
    pub(crate) account: Account,
    pub(crate) plans: Vec<DayPlan>,
    pub(crate) days: Vec<DayRow>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) receipts: Vec<Receipt>,
    /// All that was due with them until then is done.
    pub(crate) engaged_through: Option<Timestamp>,
    /// The Message-IDs of all its mails, with the folder of each.
    pub(crate) mails: Vec<(Folder, String)>,
}

impl World {
    /// A deployment whose schedule clock stands on the morning of a Tuesday, so that the days of the test are working days.
    pub(crate) async fn new() -> Self {
        let settings = RunSettings::from_environment().unwrap();
        let emulator = Emulator::new(&settings.emulator).await;
        let state = StateStore::open(&emulator, STACK).await.unwrap();
        let first_day = next_tuesday(SystemClock.wall());
        let begin = RunnerState {
            now: morning(first_day),
            streams: BTreeMap::new(),
        };
        state.save("stack", &begin).await.unwrap();
        Self {
            ports: ports(&settings).await,
            settings,
            emulator,
            state,
            first_day,
        }
    }

    /// A file of no mailboxes, for a first start that makes the user.
    pub(crate) fn no_mailboxes() -> PathBuf {
        write_mailboxes("no-mailboxes", "# none yet\n")
    }

    /// A file of all mailboxes.
    pub(crate) fn mailboxes() -> PathBuf {
        let lines = DOMAINS.iter().flat_map(|domain| {
            (0..PER_DOMAIN).map(move |n| format!("w4{n:02}@{domain} {NUMBERED_PASSWORD}\n"))
        });
        write_mailboxes("mailboxes", &lines.collect::<String>())
    }

    async fn user(&self) -> DemoUser {
        let user = self.state.load("demo").await.unwrap();
        user.expect("the runner made its user")
    }

    /// The API, as long as a runner runs.
    pub(crate) async fn api(&self) -> ApiClient {
        let url = format!("http://{}", self.settings.api);
        ApiClient::new(url, self.user().await.key)
    }

    /// Makes days busy, weekends too: mails and engagements to be killed at.
    pub(crate) async fn make_busy(&self) {
        let api = self.api().await;
        let pools = api.get("/api/warmup/pools").await.unwrap();
        let pool = pools["pools"][0]["id"].as_str().unwrap().to_owned();
        let config = json!({
            "minDailyEmails": 8, "maxDailyEmails": 12, "sendOnWeekends": true,
            "openRate": 1.0, "markImportantRate": 0.5, "replyRate": 0.5,
        });
        let path = format!("/api/warmup/pools/{pool}/config");
        api.send(http::Method::PUT, &path, Some(&config))
            .await
            .unwrap();
    }

    /// All accounts.
    pub(crate) async fn accounts(&self) -> Vec<Account> {
        let api = self.api().await;
        let known = api.get("/api/accounts?limit=200").await.unwrap();
        let user: UserId = self.user().await.user.parse().unwrap();
        let reads = self.ports.account_reads().unwrap();
        let mut accounts = Vec::new();
        for known in known["accounts"].as_array().unwrap() {
            let id: AccountId = known["id"].as_str().unwrap().parse().unwrap();
            accounts.push(reads.get(user, id).await.unwrap().unwrap());
        }
        accounts
    }

    /// Everything about an account, from its tables and its mailbox.
    pub(crate) async fn books(&self, account: Account, last: Date) -> Books {
        let owner = AccountRef::of(&account);
        let plans = self.ports.plans().unwrap();
        let days = plans.days(owner, self.first_day, last).await.unwrap();
        let mut day_plans = Vec::new();
        for day in &days {
            day_plans.extend(plans.plan(owner, day.date).await.unwrap());
        }
        let (from, to) = (
            SlotId::first_at(Timestamp::UNIX_EPOCH),
            SlotId::first_at(morning(last.saturating_add(30.days()))),
        );
        let slots = self.ports.slots().unwrap();
        let receipts = self.ports.receipts().unwrap();
        let mailboxes = self.ports.mailboxes().unwrap();
        let mailbox = mailboxes.state(owner).await.unwrap();
        Books {
            plans: day_plans,
            days,
            slots: slots.between(owner, from, to).await.unwrap(),
            receipts: receipts.between(owner, from, to).await.unwrap(),
            engaged_through: mailbox.engaged_through,
            mails: self.mails(account.email.as_str()).await,
            account,
        }
    }

    /// The slot, if it was ever claimed.
    pub(crate) async fn slot(&self, accounts: &[Account], id: SlotId) -> Option<Slot> {
        let slots = self.ports.slots().unwrap();
        for account in accounts {
            let owner = AccountRef::of(account);
            if let Some(slot) = slots.written(owner, id).await.unwrap() {
                return Some(slot);
            }
        }
        None
    }

    /// Every mail of a mailbox, over IMAP.
    async fn mails(&self, address: &str) -> Vec<(Folder, String)> {
        let mail = &self.settings.mail;
        let config = MailConfig {
            private_ca_pem: Some(std::fs::read_to_string(&self.settings.ca_file).unwrap()),
            allow_loopback: true,
            first_look: WHOLE_FOLDER,
            ..MailConfig::default()
        };
        let login = ImapSmtpCredentials {
            imap_host: mail.host.clone(),
            imap_port: mail.imaps_port,
            smtp_host: mail.host.clone(),
            smtp_port: mail.smtp_port,
            username: address.to_owned(),
            password: NUMBERED_PASSWORD.to_owned(),
            imap_security: None,
            smtp_security: None,
            oauth: false,
        };
        let reader = ImapSmtp::new(config).unwrap();
        let mut session = reader.connect(&login).await.unwrap();
        let mut mails = Vec::new();
        for folder in [Folder::Inbox, Folder::Junk, Folder::Warmup, Folder::Sent] {
            let read = session.read(folder, None, WHOLE_FOLDER).await.unwrap();
            let Some(read) = read else { continue };
            assert!(!read.more);
            let ids = read.messages.into_iter().filter_map(|it| it.message_id);
            mails.extend(ids.map(|id| (folder, id)));
        }
        session.close().await;
        mails
    }

    /// How many messages were given up, by queue.
    pub(crate) async fn dead_letters(&self) -> BTreeMap<&'static str, String> {
        let mut letters = BTreeMap::new();
        for queue in ["send-dead", "visit-dead", "stream-failures"] {
            let url = format!("{STACK}-{queue}");
            let url = self.emulator.sqs.get_queue_url().queue_name(url).send();
            let attribute = QueueAttributeName::ApproximateNumberOfMessages;
            let attributes = self
                .emulator
                .sqs
                .get_queue_attributes()
                .queue_url(url.await.unwrap().queue_url.unwrap())
                .attribute_names(attribute.clone());
            let attributes = attributes.send().await.unwrap().attributes.unwrap();
            let count = attributes.get(&attribute).cloned().unwrap_or_default();
            letters.insert(queue, count);
        }
        letters
    }

    /// What the API says of an account's days.
    pub(crate) async fn progress(&self, account: AccountId) -> Value {
        let path = format!("/api/analytics/accounts/{account}/progress?days=90");
        self.api().await.get(&path).await.unwrap()
    }
}

/// The product's own adapters on the tables.
async fn ports(settings: &RunSettings) -> FunctionWorld {
    let clients = Clients::load(ClientSettings {
        endpoint: Some(settings.emulator.endpoint.clone()),
        region: Some(Region::new(settings.emulator.region.clone())),
        credentials: Some(credentials()),
        ..ClientSettings::default()
    });
    let tables = ["entities", "activity", "ephemeral"].map(|table| {
        (
            format!("{}_TABLE", table.to_uppercase()),
            format!("{STACK}-{table}"),
        )
    });
    let tables: Settings = tables.into_iter().collect();
    let entropy = Arc::new(SystemEntropy::default());
    FunctionWorld::new(
        tables,
        clients.await.unwrap(),
        Arc::new(SystemClock),
        entropy,
    )
}

fn write_mailboxes(name: &str, lines: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("kill-test-{name}"));
    std::fs::write(&path, lines).unwrap();
    path
}

/// Six in the morning, UTC, when nothing is in flight.
pub(crate) fn morning(date: Date) -> Timestamp {
    hour(date, 6)
}

/// An hour of a date, UTC.
pub(crate) fn hour(date: Date, hour: i8) -> Timestamp {
    TimeZone::UTC.to_timestamp(date.at(hour, 0, 0, 0)).unwrap()
}

fn next_tuesday(now: Timestamp) -> Date {
    let today = TimeZone::UTC.to_datetime(now).date();
    today.nth_weekday(1, Weekday::Tuesday).unwrap()
}

/// A number that nobody chose.
pub(crate) fn any_number() -> u64 {
    u64::try_from(SystemEntropy::default().bits() & 0xffff_ffff).unwrap()
}
