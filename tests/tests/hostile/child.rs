//! The process that is measured: a batch of a function's work with one hostile mailbox and a good one in it.
//!
//! It is this test binary, started once more for [`process`] alone. It is told its [`Job`] on a line of its standard input, does all of it
//! once with good servers, says so, waits for a line, does it with the hostile one, and answers with a [`Report`].

use std::io::stdin;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::accounts::input::{CredentialsInput, NewAccount};
use agentwarm_app::ports::accounts::AccountReads;
use agentwarm_app::ports::days::{AccountRef, Plans, Slots};
use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{
    ConnectFailure, Folder, ImapSmtpCredentials, MailReader, MailSender, TlsMode,
};
use agentwarm_app::ports::mailboxes::MailboxReads;
use agentwarm_app::ports::queue::{SendOrder, VisitOrder};
use agentwarm_core::account::Provider;
use agentwarm_core::ids::AccountId;
use agentwarm_core::mail::slot::{SlotKind, SlotState};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_core::seed::Seed;
use agentwarm_mail::{ImapSmtp, MailConfig, TimeLimits};
use agentwarm_net::address::Policy;
use agentwarm_testkit::scripted::{PASSWORD, mail};
use agentwarm_testkit::world::EngineWorld;
use jiff::Timestamp;
use jiff::civil::date;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::behaviour::{Outcome, Task};

/// What precedes what the child says, among what the test harness says.
pub(crate) const MARK: &str = "child: ";

/// What the child says when its memory is to be looked at for the first time.
pub(crate) const WARM: &str = "warm";

/// When it is: a Tuesday, at work.
pub(crate) const NOW: &str = "2026-03-10T10:00:00Z";

/// The product's, but for what is longer than a test should be.
fn time_limits() -> TimeLimits {
    TimeLimits {
        acceptance: Duration::from_secs(20),
        session: Duration::from_secs(25),
        ..TimeLimits::default()
    }
}

/// What to do, and with which servers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) task: Task,
    pub(crate) hostile_port: u16,
    pub(crate) security: TlsMode,
    /// The good servers' ports, by IMAP and SMTP.
    pub(crate) good_ports: (u16, u16),
    pub(crate) ca_pem: String,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// What the client said, as [`Outcome`] prints it.
    pub(crate) outcome: String,
    /// What the hostile account says is wrong (`statusReason`).
    pub(crate) reason: Option<String>,
    /// What the hostile account's mail came to, and the good one's.
    pub(crate) mails: Option<(String, String)>,
    /// Whether the good mailbox was done with.
    pub(crate) good_is_done: bool,
}

#[tokio::test]
#[ignore = "the process that the other tests start"]
async fn process() {
    let mut line = String::new();
    // By hand there is nothing to do.
    if stdin().read_line(&mut line).unwrap() == 0 {
        return;
    }
    let batch = Batch::begin(serde_json::from_str(&line).unwrap()).await;
    batch.warm_up().await;
    println!("\n{MARK}{WARM}");
    stdin().read_line(&mut line).unwrap();
    let report = Box::pin(batch.run()).await;
    println!("{MARK}{}", serde_json::to_string(&report).unwrap());
    // Until it was looked at.
    stdin().read_line(&mut line).unwrap();
}

/// A user's three accounts, all of them warming.
struct Batch {
    job: Job,
    world: EngineWorld,
    clients: Arc<ImapSmtp>,
    hostile: AccountId,
    good: AccountId,
    /// Used up by warming up.
    first: AccountId,
}

impl Batch {
    async fn begin(job: Job) -> Self {
        let config = MailConfig {
            allow_loopback: true,
            private_ca_pem: Some(job.ca_pem.clone()),
            time: time_limits(),
            ..MailConfig::default()
        };
        let clients = Arc::new(ImapSmtp::new(config).unwrap());
        let seed = Seed::root(b"hostile");
        let mut world = EngineWorld::begin(&seed, now(), Plan::Pro).await;
        world.create.endpoints = Arc::new(Policy {
            allow_loopback: true,
        });
        world.sending.sender = clients.clone();
        world.visiting.sender = clients.clone();
        world.visiting.reader = clients.clone();
        let mut ids = Vec::new();
        for name in ["first", "good", "hostile"] {
            let credentials = job.credentials(name == "hostile");
            ids.push(connect(&world, name, &credentials).await);
        }
        world
            .configure(PoolOverrides {
                min_daily_emails: Some(12),
                ..PoolOverrides::default()
            })
            .await;
        for id in &ids {
            let started = world.start.start(&world.tenant, *id, false);
            started.await.unwrap();
        }
        let [first, good, hostile] = ids.try_into().unwrap();
        Self {
            job,
            world,
            clients,
            hostile,
            good,
            first,
        }
    }

    /// The same work with good servers, so that everything that is made once has been made.
    async fn warm_up(&self) {
        let credentials = self.job.credentials(false);
        for task in [Task::Read, Task::Browse, Task::Find, Task::Send] {
            let direct = self.direct(task, &credentials).await;
            assert_eq!(direct, Outcome::Works, "{task:?}");
        }
        self.visit(self.first).await;
        assert!(self.is_read(self.first).await);
        let sent = self.send(&[self.first]).await;
        assert!(matches!(sent[..], [SlotState::Accepted { .. }]), "{sent:?}");
    }

    async fn run(&self) -> Report {
        let credentials = self.job.credentials(true);
        let direct = self.direct(self.job.task, &credentials);
        let (outcome, mails, good_is_done) = match self.job.task.protocol() {
            MailProtocol::Imap => {
                let visits = futures::future::join(self.visit(self.hostile), self.visit(self.good));
                let (outcome, _) = futures::join!(direct, visits);
                (outcome, None, self.is_read(self.good).await)
            }
            MailProtocol::Smtp => {
                let both = [self.hostile, self.good];
                let sends = self.send(&both);
                let (outcome, states) = futures::join!(direct, sends);
                let is_sent = matches!(states[1], SlotState::Accepted { .. });
                let mails = states.iter().map(|state| format!("{state:?}"));
                let [hostile, good] = mails.collect::<Vec<_>>().try_into().unwrap();
                (outcome, Some((hostile, good)), is_sent)
            }
        };
        let accounts: &dyn AccountReads = self.world.store.as_ref();
        let account = accounts.get(self.world.tenant.user, self.hostile);
        Report {
            outcome: format!("{outcome:?}"),
            reason: account.await.unwrap().unwrap().status_reason,
            mails,
            good_is_done,
        }
    }

    /// A task, straight on the client.
    async fn direct(&self, task: Task, credentials: &ImapSmtpCredentials) -> Outcome {
        if task == Task::Send {
            return self.submit(credentials).await;
        }
        match self.look(task, credentials).await {
            Ok(()) => Outcome::Works,
            Err(failure) => Outcome::Fails(failure),
        }
    }

    async fn look(
        &self,
        task: Task,
        credentials: &ImapSmtpCredentials,
    ) -> Result<(), ConnectFailure> {
        let mut session = MailReader::connect(self.clients.as_ref(), credentials).await?;
        match task {
            Task::Read => {
                for folder in [Folder::Junk, Folder::Inbox] {
                    session.read(folder, None, 50).await?;
                }
            }
            Task::Browse => {
                let since = now().saturating_sub(jiff::SignedDuration::from_hours(24));
                let shown = session.headlines("inbox", since.unwrap(), 100).await?;
                let until = Instant::now() + Duration::from_secs(20);
                let messages = shown.unwrap().messages;
                session.contents(&messages, until).await?;
            }
            Task::Find | Task::Send => {
                let folders = [Folder::Inbox, Folder::Junk];
                session.find("nobody@one.test", &folders, true).await?;
            }
        }
        session.close().await;
        Ok(())
    }

    async fn submit(&self, credentials: &ImapSmtpCredentials) -> Outcome {
        use agentwarm_app::ports::mail::Submission;
        let connecting = MailSender::connect(self.clients.as_ref(), credentials);
        let mut session = match connecting.await {
            Ok(session) => session,
            Err(failure) => return Outcome::Fails(failure),
        };
        let submission = session.send(&mail()).await;
        session.close().await;
        match submission {
            Submission::Accepted => Outcome::Works,
            other => Outcome::Sends(other),
        }
    }

    /// A visit; that a server fails it is no error of it.
    async fn visit(&self, account: AccountId) {
        let order = VisitOrder {
            user: self.world.tenant.user,
            account,
            expected: Vec::new(),
            look_anyway: true,
            sums_up: false,
        };
        self.world.visiting.visit(&order).await.unwrap();
    }

    async fn is_read(&self, account: AccountId) -> bool {
        let state = self.world.store.state(self.owner(account)).await.unwrap();
        state.inbox.is_some()
    }

    /// One mail of each of these accounts, in one batch; what became of each.
    async fn send(&self, senders: &[AccountId]) -> Vec<SlotState> {
        let mut orders = Vec::new();
        for sender in senders {
            orders.push(self.order(*sender).await);
        }
        for outcome in self.world.sending.send(&orders).await {
            outcome.unwrap();
        }
        let mut states = Vec::new();
        for order in orders {
            let slots: &dyn Slots = self.world.store.as_ref();
            let slot = slots.get(self.owner(order.sender), order.slot).await;
            states.push(slot.unwrap().map(|slot| slot.state));
        }
        // A mail whose server cannot be reached is not claimed: it has no slot yet.
        let waiting = SlotState::Retry {
            not_before: now(),
            attempt: 0,
            reason: "its sender's server".into(),
        };
        states
            .into_iter()
            .map(|state| state.unwrap_or(waiting.clone()))
            .collect()
    }

    /// The order to send the first mail of an account's day.
    async fn order(&self, sender: AccountId) -> SendOrder {
        let plans: &dyn Plans = self.world.store.as_ref();
        let plan = plans.plan(self.owner(sender), date(2026, 3, 10)).await;
        let slot = plan.unwrap().expect("the day is planned").slots[0];
        SendOrder {
            user: self.world.tenant.user,
            sender,
            slot: slot.id,
            target: slot.target,
            kind: SlotKind::Thread,
            due: slot.at,
        }
    }

    fn owner(&self, account: AccountId) -> AccountRef {
        self.world.owner(account)
    }
}

impl Job {
    /// How to log in: to the good servers, or where one of them is the hostile one.
    fn credentials(&self, is_hostile: bool) -> ImapSmtpCredentials {
        let (mut imap, mut smtp) = (
            (self.good_ports.0, TlsMode::Implicit),
            (self.good_ports.1, TlsMode::Implicit),
        );
        let hostile = match self.task.protocol() {
            MailProtocol::Imap => &mut imap,
            MailProtocol::Smtp => &mut smtp,
        };
        if is_hostile {
            *hostile = (self.hostile_port, self.security);
        }
        ImapSmtpCredentials {
            imap_host: "localhost".into(),
            imap_port: imap.0,
            smtp_host: "localhost".into(),
            smtp_port: smtp.0,
            username: "ada@one.test".into(),
            password: PASSWORD.into(),
            imap_security: Some(imap.1),
            smtp_security: Some(smtp.1),
            oauth: false,
        }
    }
}

async fn connect(world: &EngineWorld, name: &str, server: &ImapSmtpCredentials) -> AccountId {
    let credentials = CredentialsInput {
        imap_host: Some(server.imap_host.clone()),
        imap_port: Some(server.imap_port.into()),
        smtp_host: Some(server.smtp_host.clone()),
        smtp_port: Some(server.smtp_port.into()),
        username: Some(server.username.clone()),
        password: Some(server.password.clone()),
        imap_security: server.imap_security,
        smtp_security: server.smtp_security,
        ..CredentialsInput::default()
    };
    let new = NewAccount {
        email: format!("{name}@{name}.test"),
        display_name: name.to_owned(),
        provider: Provider::ImapSmtp,
        timezone: Some("Europe/London".to_owned()),
        credentials,
        pool: None,
    };
    let created = world.create.create(&world.tenant, new).await;
    created.unwrap().account.id
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}
