//! The engine's steps and the use cases around it, put together on one set of ports.

use std::sync::Arc;

use agentwarm_app::accounts::UpdateAccount;
use agentwarm_app::accounts::create::CreateAccount;
use agentwarm_app::accounts::delete::DeleteAccount;
use agentwarm_app::accounts::totals::OpenDays;
use agentwarm_app::engine::arrivals::Arrivals;
use agentwarm_app::engine::closing::Closing;
use agentwarm_app::engine::compose::Composer;
use agentwarm_app::engine::config::Configs;
use agentwarm_app::engine::fanout::Fanout;
use agentwarm_app::engine::figures::Figures;
use agentwarm_app::engine::health::HealthKeeper;
use agentwarm_app::engine::judging::Judging;
use agentwarm_app::engine::planning::Planning;
use agentwarm_app::engine::reports::Reports;
use agentwarm_app::engine::sending::{Sending, UserTotals};
use agentwarm_app::engine::test_mode::TestModeRule;
use agentwarm_app::engine::tick::{MOST_PLANS, Ticking};
use agentwarm_app::engine::visiting::Visiting;
use agentwarm_app::ports::due::Shards;
use agentwarm_app::users::Users;
use agentwarm_app::warmup::Enrolment;
use agentwarm_app::warmup::pause::PauseWarmup;
use agentwarm_app::warmup::resume::ResumeWarmup;
use agentwarm_app::warmup::start::StartWarmup;
use agentwarm_app::warmup::test_mode::ControlTestMode;
use agentwarm_core::seed::Seed;
use agentwarm_core::warmup::test_mode::TestMode;
use agentwarm_net::address::Policy;
use jiff::Timestamp;

use crate::chaos::Chaos;
use crate::clock::{SeededEntropy, SkewedClock, VirtualClock};
use crate::memory::MemoryStore;
use crate::memory::mail::PostOffice;
use crate::memory::queue::MemoryQueues;
use crate::memory::vault::MemoryVault;

const TOKEN_HEADER: &str = "X-AW-Token";

/// The ports of one world.
pub(super) struct Parts {
    pub(super) chaos: Arc<Chaos>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) queues: Arc<MemoryQueues>,
    pub(super) post: PostOffice,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) senders_clock: Arc<SkewedClock>,
    pub(super) readers_clock: Arc<SkewedClock>,
    pub(super) vault: Arc<MemoryVault>,
    entropy: Arc<SeededEntropy>,
    shards: Shards,
}

impl Parts {
    pub(super) fn new(seed: &Seed, now: Timestamp, shards: Shards) -> Self {
        let chaos = Arc::new(Chaos::seeded(&seed.child("chaos")));
        let clock = Arc::new(VirtualClock::at(now));
        Self {
            store: Arc::new(MemoryStore::in_chaos(shards, chaos.clone())),
            queues: Arc::new(MemoryQueues::in_chaos(chaos.clone())),
            post: PostOffice::in_world(TOKEN_HEADER, chaos.clone(), clock.clone()),
            senders_clock: Arc::new(SkewedClock::beside(
                clock.clone(),
                chaos.clone(),
                "senders' clock",
            )),
            readers_clock: Arc::new(SkewedClock::beside(
                clock.clone(),
                chaos.clone(),
                "readers' clock",
            )),
            clock,
            vault: Arc::default(),
            entropy: Arc::new(SeededEntropy::new(seed.child("entropy"))),
            shards,
            chaos,
        }
    }

    pub(super) fn users(&self) -> Users {
        Users {
            keys: self.store.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(super) fn ticking(&self) -> Ticking {
        Ticking {
            due: self.store.clone(),
            roster: self.store.clone(),
            sends: self.queues.clone(),
            visits: self.queues.clone(),
            plans: self.store.clone(),
            planning: self.planning(),
            clock: self.clock.clone(),
            shards: self.shards,
            most_plans: MOST_PLANS,
            queue_delays: false,
        }
    }

    /// The store for who carries out a plan, as in `agentwarm_lambda::world`.
    fn recent(&self) -> Arc<MemoryStore> {
        Arc::new(self.store.relaxed())
    }

    pub(super) fn sending(&self) -> Sending {
        Sending {
            accounts: self.recent(),
            slots: self.store.clone(),
            receipts: self.store.clone(),
            plans: self.store.clone(),
            suppressions: self.store.clone(),
            test_mode: TestModeRule {
                modes: self.recent(),
                ..self.test_mode_rule()
            },
            totals: UserTotals::new(self.store.clone()),
            due: self.store.clone(),
            health: self.health(self.senders_clock.clone()),
            sender: Arc::new(self.post.clone()),
            configs: Configs {
                pools: self.recent(),
            },
            composer: Composer {
                vault: self.vault.clone(),
                token_header: TOKEN_HEADER.to_owned(),
            },
            clock: self.senders_clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(super) fn visiting(&self) -> Visiting {
        Visiting {
            accounts: self.recent(),
            receipts: self.store.clone(),
            mailboxes: self.store.clone(),
            roster: self.store.clone(),
            health: self.health(self.readers_clock.clone()),
            reader: Arc::new(self.post.clone()),
            sender: Arc::new(self.post.clone()),
            arrivals: Arrivals {
                slots: self.store.clone(),
                receipts: self.store.clone(),
                due: self.store.clone(),
                configs: Configs {
                    pools: self.recent(),
                },
                vault: self.vault.clone(),
                clock: self.readers_clock.clone(),
            },
            reports: Reports {
                slots: self.store.clone(),
                accounts: self.recent(),
                suppressions: self.store.clone(),
                vault: self.vault.clone(),
            },
            figures: self.figures(),
            clock: self.readers_clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(super) fn fanout(&self) -> Fanout {
        Fanout {
            bus: self.queues.clone(),
            audit: self.store.clone(),
            users: self.store.clone(),
            accounts: self.store.clone(),
            figures: self.figures(),
            judging: self.judging(),
            clock: self.clock.clone(),
        }
    }

    pub(super) fn create(&self) -> CreateAccount {
        CreateAccount {
            accounts: self.store.clone(),
            pools: self.store.clone(),
            vault: self.vault.clone(),
            endpoints: Arc::new(Policy::default()),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(super) fn delete(&self) -> DeleteAccount {
        DeleteAccount {
            accounts: self.store.clone(),
            links: self.store.clone(),
            life: self.store.clone(),
            roster: self.store.clone(),
            mailboxes: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(super) fn start(&self) -> StartWarmup {
        StartWarmup {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            configs: self.configs(),
            enrolment: self.enrolment(),
            planner: Arc::new(self.planning()),
            clock: self.clock.clone(),
        }
    }

    pub(super) fn pause(&self) -> PauseWarmup {
        PauseWarmup {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            roster: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(super) fn resume(&self) -> ResumeWarmup {
        ResumeWarmup {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            enrolment: self.enrolment(),
            planner: Arc::new(self.planning()),
            clock: self.clock.clone(),
        }
    }

    pub(super) fn update(&self) -> UpdateAccount {
        UpdateAccount {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            roster: self.store.clone(),
            due: self.store.clone(),
            days: OpenDays {
                plans: self.store.clone(),
                figures: self.figures(),
                clock: self.clock.clone(),
            },
            clock: self.clock.clone(),
        }
    }

    pub(super) fn test_mode(&self) -> ControlTestMode {
        ControlTestMode {
            rule: self.test_mode_rule(),
            writes: self.store.clone(),
        }
    }

    fn test_mode_rule(&self) -> TestModeRule {
        TestModeRule {
            modes: self.store.clone(),
            deployment: TestMode::OFF,
        }
    }

    fn enrolment(&self) -> Enrolment {
        Enrolment {
            roster: self.store.clone(),
            due: self.store.clone(),
        }
    }

    fn configs(&self) -> Configs {
        Configs {
            pools: self.store.clone(),
        }
    }

    fn figures(&self) -> Figures {
        Figures {
            plans: self.store.clone(),
            slots: self.store.clone(),
            receipts: self.store.clone(),
            mailboxes: self.store.clone(),
        }
    }

    fn health(&self, clock: Arc<SkewedClock>) -> HealthKeeper {
        HealthKeeper {
            accounts: self.recent(),
            updates: self.store.clone(),
            mailboxes: self.store.clone(),
            vault: self.vault.clone(),
            clock,
        }
    }

    fn judging(&self) -> Judging {
        Judging {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            plans: self.store.clone(),
        }
    }

    fn planning(&self) -> Planning {
        Planning {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            pools: self.store.clone(),
            configs: self.configs(),
            users: self.store.clone(),
            test_mode: self.test_mode_rule(),
            plans: self.store.clone(),
            ledger: self.store.clone(),
            suppressions: self.store.clone(),
            due: self.store.clone(),
            roster: self.store.clone(),
            closing: Closing {
                plans: self.store.clone(),
                slots: self.store.clone(),
                due: self.store.clone(),
                figures: self.figures(),
                clock: self.clock.clone(),
            },
            judging: self.judging(),
            clock: self.clock.clone(),
        }
    }
}
