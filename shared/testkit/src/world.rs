//! The whole engine on memory: a pool of mailboxes, a virtual clock, faults on demand.
//!
//! Time moves minute by minute ([`EngineWorld::run_until`]): a tick, then everything that it handed out, then the changes that follow,
//! until nothing is left. What fails is handed in again the next minute, as a queue does. Everything random follows from the world's seed,
//! so a failure replays.

use std::sync::Arc;

use agentwarm_app::accounts::create::CreateAccount;
use agentwarm_app::accounts::input::{CredentialsInput, NewAccount};
use agentwarm_app::engine::arrivals::Arrivals;
use agentwarm_app::engine::closing::Closing;
use agentwarm_app::engine::compose::Composer;
use agentwarm_app::engine::config::Configs;
use agentwarm_app::engine::fanout::{Change, Fanout};
use agentwarm_app::engine::figures::Figures;
use agentwarm_app::engine::health::HealthKeeper;
use agentwarm_app::engine::judging::Judging;
use agentwarm_app::engine::planning::Planning;
use agentwarm_app::engine::reports::Reports;
use agentwarm_app::engine::sending::Sending;
use agentwarm_app::engine::tick::Ticking;
use agentwarm_app::engine::visiting::Visiting;
use agentwarm_app::ports::clock::Clock;
use agentwarm_app::ports::due::Shards;
use agentwarm_app::ports::queue::{SendOrder, VisitOrder};
use agentwarm_app::tenant::Tenant;
use agentwarm_app::users::Users;
use agentwarm_app::warmup::Enrolment;
use agentwarm_app::warmup::start::StartWarmup;
use agentwarm_core::account::Provider;
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, UserId};
use agentwarm_core::plan::Plan;
use agentwarm_core::seed::Seed;
use agentwarm_net::address::Policy;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{SeededEntropy, VirtualClock};
use crate::endpoints::NetRules;
use crate::memory::mail::PostOffice;
use crate::memory::queue::MemoryQueues;
use crate::memory::vault::MemoryVault;
use crate::memory::{self, Image, MemoryStore};

/// How often work that fails within one minute is handed in again before the minute passes.
const REDELIVERIES: usize = 8;

/// An engine with everything it needs.
pub struct EngineWorld {
    /// Everything stored.
    pub store: Arc<MemoryStore>,
    /// What was handed out.
    pub queues: Arc<MemoryQueues>,
    /// The mail servers.
    pub post: PostOffice,
    /// Time.
    pub clock: Arc<VirtualClock>,
    /// On whose behalf.
    pub tenant: Tenant,
    /// The scheduler.
    pub ticking: Ticking,
    /// The sender.
    pub sending: Sending,
    /// The reader.
    pub visiting: Visiting,
    /// The way out.
    pub fanout: Fanout,
    /// How accounts come into this world.
    pub create: CreateAccount,
    /// How they begin.
    pub start: StartWarmup,
    sends: Vec<SendOrder>,
    visits: Vec<VisitOrder>,
    published: Vec<(String, UserId, Event)>,
}

impl EngineWorld {
    /// A world that begins at `now` with one user on `plan` and no accounts.
    pub async fn begin(seed: &Seed, now: Timestamp, plan: Plan) -> Self {
        let store = Arc::new(MemoryStore::new(Shards(2)));
        let queues = Arc::new(MemoryQueues::default());
        let post = PostOffice::new("X-AW-Token");
        let clock = Arc::new(VirtualClock::at(now));
        let entropy = Arc::new(SeededEntropy::new(seed.child("entropy")));
        let vault = Arc::new(MemoryVault::default());
        let users = Users {
            keys: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let (user, _) = users
            .create(plan)
            .await
            .expect("a memory store takes a user");

        let configs = Configs {
            pools: store.clone(),
        };
        let figures = Figures {
            plans: store.clone(),
            slots: store.clone(),
            receipts: store.clone(),
        };
        let health = HealthKeeper {
            accounts: store.clone(),
            updates: store.clone(),
            mailboxes: store.clone(),
            vault: vault.clone(),
            clock: clock.clone(),
        };
        let judging = Judging {
            accounts: store.clone(),
            updates: store.clone(),
            plans: store.clone(),
        };
        let closing = Closing {
            plans: store.clone(),
            slots: store.clone(),
            due: store.clone(),
            figures: figures.clone(),
            clock: clock.clone(),
        };
        let planning = Planning {
            accounts: store.clone(),
            updates: store.clone(),
            pools: store.clone(),
            configs: configs.clone(),
            users: store.clone(),
            plans: store.clone(),
            ledger: store.clone(),
            suppressions: store.clone(),
            due: store.clone(),
            closing,
            judging: judging.clone(),
            clock: clock.clone(),
        };
        Self {
            ticking: Ticking {
                due: store.clone(),
                roster: store.clone(),
                sends: queues.clone(),
                visits: queues.clone(),
                plans: store.clone(),
                planning: planning.clone(),
                clock: clock.clone(),
                shards: Shards(2),
                queue_delays: false,
            },
            sending: Sending {
                accounts: store.clone(),
                slots: store.clone(),
                receipts: store.clone(),
                plans: store.clone(),
                suppressions: store.clone(),
                due: store.clone(),
                health: health.clone(),
                sender: Arc::new(post.clone()),
                configs: configs.clone(),
                composer: Composer {
                    vault: vault.clone(),
                    token_header: "X-AW-Token".to_owned(),
                },
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            visiting: Visiting {
                accounts: store.clone(),
                receipts: store.clone(),
                mailboxes: store.clone(),
                health,
                reader: Arc::new(post.clone()),
                arrivals: Arrivals {
                    slots: store.clone(),
                    receipts: store.clone(),
                    due: store.clone(),
                    configs: configs.clone(),
                    vault: vault.clone(),
                    clock: clock.clone(),
                },
                reports: Reports {
                    slots: store.clone(),
                    accounts: store.clone(),
                    suppressions: store.clone(),
                },
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            fanout: Fanout {
                bus: queues.clone(),
                audit: store.clone(),
                users: store.clone(),
                accounts: store.clone(),
                figures,
                judging,
                clock: clock.clone(),
            },
            create: CreateAccount {
                accounts: store.clone(),
                pools: store.clone(),
                vault,
                endpoints: Arc::new(NetRules(Policy {
                    allow_loopback: false,
                })),
                clock: clock.clone(),
                entropy,
            },
            start: StartWarmup {
                accounts: store.clone(),
                updates: store.clone(),
                configs,
                enrolment: Enrolment {
                    roster: store.clone(),
                    due: store.clone(),
                },
                planner: Arc::new(planning),
                clock: clock.clone(),
            },
            tenant: Tenant::from(&user),
            store,
            queues,
            post,
            clock,
            sends: Vec::new(),
            visits: Vec::new(),
            published: Vec::new(),
        }
    }

    /// Connects a mailbox that exists.
    pub async fn connect(&self, email: &str, zone: &str) -> AccountId {
        self.post.open_mailbox(email, "secret");
        let domain = email.split_once('@').map_or("", |(_, domain)| domain);
        let credentials = CredentialsInput {
            imap_host: Some(format!("imap.{domain}")),
            imap_port: Some(993),
            smtp_host: Some(format!("smtp.{domain}")),
            smtp_port: Some(465),
            username: Some(email.to_owned()),
            password: Some("secret".to_owned()),
            ..CredentialsInput::default()
        };
        let new = NewAccount {
            email: email.to_owned(),
            display_name: email.split('@').next().unwrap_or_default().to_owned(),
            provider: Provider::ImapSmtp,
            timezone: Some(zone.to_owned()),
            credentials,
            pool: None,
        };
        let created = self
            .create
            .create(&self.tenant, new)
            .await
            .expect("the account is well-formed");
        created.account.id
    }

    /// Lets minutes pass until `until`, and all work of each be done.
    pub async fn run_until(&mut self, until: Timestamp) {
        while self.clock.schedule() < until {
            self.clock.advance(SignedDuration::from_mins(1));
            self.minute().await;
        }
    }

    /// A tick, and everything that follows from it now.
    pub async fn minute(&mut self) {
        // A tick that fails is simply the next tick's work.
        let _ = self.ticking.tick().await;
        self.drain().await;
    }

    /// Does all work that was handed out. What fails comes again, some times now and then next minute.
    pub async fn drain(&mut self) {
        self.sends
            .extend(self.queues.take_sends().into_iter().map(|(order, _)| order));
        self.visits.extend(self.queues.take_visits());
        for _ in 0..REDELIVERIES {
            let orders = std::mem::take(&mut self.sends);
            let visits = std::mem::take(&mut self.visits);
            if orders.is_empty() && visits.is_empty() {
                break;
            }
            for batch in orders.chunks(10) {
                let outcomes = self.sending.send(batch).await;
                let failed = batch
                    .iter()
                    .zip(outcomes)
                    .filter(|(_, outcome)| outcome.is_err());
                self.sends.extend(failed.map(|(order, _)| order.clone()));
            }
            for visit in visits {
                if self.visiting.visit(&visit).await.is_err() {
                    self.visits.push(visit);
                }
            }
        }
        self.fan_out().await;
    }

    async fn fan_out(&mut self) {
        loop {
            let changes: Vec<_> = self
                .store
                .take_changes()
                .into_iter()
                .map(followed)
                .collect();
            if changes.is_empty() {
                break;
            }
            // A stream hands a failed batch in again until it is taken.
            while self.fanout.take(&changes).await.is_err() {}
        }
        self.published.extend(self.queues.take_events());
    }

    /// Every event that left, with its id, in order.
    pub fn published(&self) -> &[(String, UserId, Event)] {
        &self.published
    }
}

fn followed(change: memory::Change) -> Change {
    Change {
        id: format!("{}|{}", change.key, change.version),
        user: change.user,
        events: change.events,
        slot: match change.image {
            Image::Slot(slot) => Some(*slot),
            _ => None,
        },
    }
}
