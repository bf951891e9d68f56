//! A user, a store, servers and a clock that stands still.

mod mailbox;

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use agentwarm_app::accounts::create::CreateAccount;
use agentwarm_app::accounts::delete::DeleteAccount;
use agentwarm_app::accounts::input::{CredentialsInput, NewAccount};
use agentwarm_app::accounts::read::ReadAccounts;
use agentwarm_app::accounts::test_connection::TestConnection;
use agentwarm_app::accounts::totals::OpenDays;
use agentwarm_app::accounts::{Personas, ReplaceCredentials, UpdateAccount};
use agentwarm_app::agent::AgentStatus;
use agentwarm_app::crm::{CrmLinks, LinkedAccounts};
use agentwarm_app::engine::config::Configs;
use agentwarm_app::engine::figures::Figures;
use agentwarm_app::engine::test_mode::TestModeRule;
use agentwarm_app::error::AppError;
use agentwarm_app::keys::Keys;
use agentwarm_app::pools::Pools;
use agentwarm_app::pools::membership::Membership;
use agentwarm_app::ports::Created;
use agentwarm_app::ports::accounts::{AccountReads, AccountUpdates};
use agentwarm_app::ports::clock::Clock;
use agentwarm_app::ports::days::{AccountRef, Plans};
use agentwarm_app::suppressions::Suppressed;
use agentwarm_app::tenant::Tenant;
use agentwarm_app::warmup::diagnose::DiagnoseWarmup;
use agentwarm_app::warmup::pause::PauseWarmup;
use agentwarm_app::warmup::resume::ResumeWarmup;
use agentwarm_app::warmup::schedule::ReadSchedule;
use agentwarm_app::warmup::start::StartWarmup;
use agentwarm_app::warmup::test_mode::ControlTestMode;
use agentwarm_app::warmup::{Enrolment, PlanToday, PlannedToday};
use agentwarm_core::account::{Account, Provider, WarmupPhase};
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{AccountId, ScheduleId, SlotId, UserId};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::PoolConfig;
use agentwarm_core::rate::Score;
use agentwarm_core::seed::Seed;
use agentwarm_core::warmup::day::{DayFigures, DayPlan, PlannedSlot, Reason, Rule, Window};
use agentwarm_core::warmup::test_mode::TestMode;
use agentwarm_net::address::Policy;
use agentwarm_testkit::clock::{SeededEntropy, VirtualClock};
use agentwarm_testkit::memory::MemoryStore;
use agentwarm_testkit::memory::health::MemoryProbes;
use agentwarm_testkit::memory::mail::PostOffice;
use agentwarm_testkit::memory::queue::MemoryQueues;
use agentwarm_testkit::memory::uploads::MemoryUploads;
use agentwarm_testkit::memory::vault::MemoryVault;
use async_trait::async_trait;
use jiff::civil::Date;

/// A Friday, 09:00 in London and in UTC.
pub(crate) const START: &str = "2026-03-13T09:00:00Z";

/// Everything a use case can touch.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) entropy: Arc<SeededEntropy>,
    pub(crate) vault: Arc<MemoryVault>,
    pub(crate) office: PostOffice,
    pub(crate) probes: Arc<MemoryProbes>,
    pub(crate) queues: Arc<MemoryQueues>,
    pub(crate) uploads: Arc<MemoryUploads>,
    pub(crate) planner: Arc<FakePlanner>,
    pub(crate) tenant: Tenant,
}

/// Notes whose days it was asked to plan.
#[derive(Default)]
pub(crate) struct FakePlanner {
    pub(crate) planned: Mutex<Vec<AccountId>>,
}

#[async_trait]
impl PlanToday for FakePlanner {
    async fn plan_rest_of_today(&self, account: &Account) -> Result<PlannedToday, AppError> {
        self.planned.lock().unwrap().push(account.id);
        Ok(PlannedToday {
            date: Date::constant(2026, 3, 13),
            limit: 2,
        })
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let seed = Seed::root(b"app tests");
        let clock = Arc::new(VirtualClock::at(START.parse().unwrap()));
        Self {
            store: Arc::new(MemoryStore::default()),
            clock: Arc::clone(&clock),
            entropy: Arc::new(SeededEntropy::new(seed)),
            vault: Arc::new(MemoryVault::default()),
            office: PostOffice::in_world("X-AW-Token", Arc::default(), clock),
            probes: Arc::new(MemoryProbes::default()),
            queues: Arc::new(MemoryQueues::default()),
            uploads: Arc::new(MemoryUploads::default()),
            planner: Arc::new(FakePlanner::default()),
            tenant: tenant(1, Plan::Pro),
        }
    }

    pub(crate) fn on_plan(plan: Plan) -> Self {
        Self {
            tenant: tenant(1, plan),
            ..Self::new()
        }
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys {
            keys: self.store.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(crate) fn create(&self) -> CreateAccount {
        CreateAccount {
            accounts: self.store.clone(),
            pools: self.store.clone(),
            vault: self.vault.clone(),
            endpoints: Arc::new(Policy::default()),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures {
            plans: self.store.clone(),
            slots: self.store.clone(),
            receipts: self.store.clone(),
            mailboxes: self.store.clone(),
        }
    }

    pub(crate) fn days(&self) -> OpenDays {
        OpenDays {
            plans: self.store.clone(),
            figures: self.figures(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn read(&self) -> ReadAccounts {
        ReadAccounts {
            accounts: self.store.clone(),
            days: self.days(),
        }
    }

    pub(crate) fn delete(&self) -> DeleteAccount {
        DeleteAccount {
            accounts: self.store.clone(),
            links: self.store.clone(),
            life: self.store.clone(),
            roster: self.store.clone(),
            mailboxes: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn test_connection(&self) -> TestConnection {
        TestConnection {
            accounts: self.store.clone(),
            vault: self.vault.clone(),
            sender: Arc::new(self.office.clone()),
            reader: Arc::new(self.office.clone()),
            clock: self.clock.clone(),
            connect_timeout: Duration::from_millis(50),
        }
    }

    pub(crate) fn update(&self) -> UpdateAccount {
        UpdateAccount {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            roster: self.store.clone(),
            due: self.store.clone(),
            days: self.days(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn credentials(&self) -> ReplaceCredentials {
        ReplaceCredentials {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            vault: self.vault.clone(),
            endpoints: Arc::new(Policy::default()),
            mailboxes: self.store.clone(),
            visits: self.queues.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn diagnose(&self) -> DiagnoseWarmup {
        DiagnoseWarmup {
            accounts: self.store.clone(),
            plans: self.store.clone(),
            figures: self.figures(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn agent_status(&self) -> AgentStatus {
        AgentStatus {
            accounts: self.store.clone(),
            days: self.days(),
            pools: self.store.clone(),
            scheduler: self.probes.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn personas(&self) -> Personas {
        Personas {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn pools(&self) -> Pools {
        Pools {
            pools: self.store.clone(),
            writes: self.store.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(crate) fn suppressed(&self) -> Suppressed {
        Suppressed {
            list: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn membership(&self) -> Membership {
        Membership {
            pools: self.store.clone(),
            writes: self.store.clone(),
            accounts: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn crm_links(&self) -> CrmLinks {
        CrmLinks {
            accounts: self.store.clone(),
            links: self.store.clone(),
            writes: self.store.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(crate) fn linked(&self) -> LinkedAccounts {
        LinkedAccounts {
            links: self.store.clone(),
            accounts: self.store.clone(),
            days: self.days(),
        }
    }

    pub(crate) fn configs(&self) -> Configs {
        Configs {
            pools: self.store.clone(),
        }
    }

    fn enrolment(&self) -> Enrolment {
        Enrolment {
            roster: self.store.clone(),
            due: self.store.clone(),
        }
    }

    pub(crate) fn start(&self) -> StartWarmup {
        StartWarmup {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            configs: self.configs(),
            enrolment: self.enrolment(),
            planner: self.planner.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn pause(&self) -> PauseWarmup {
        PauseWarmup {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            roster: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn resume(&self) -> ResumeWarmup {
        ResumeWarmup {
            accounts: self.store.clone(),
            updates: self.store.clone(),
            enrolment: self.enrolment(),
            planner: self.planner.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn test_mode(&self) -> ControlTestMode {
        ControlTestMode {
            rule: TestModeRule {
                modes: self.store.clone(),
                deployment: TestMode::OFF,
            },
            writes: self.store.clone(),
        }
    }

    pub(crate) fn schedule(&self) -> ReadSchedule {
        ReadSchedule {
            accounts: self.store.clone(),
            plans: self.store.clone(),
            slots: self.store.clone(),
            receipts: self.store.clone(),
            ledger: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    /// An account that was just connected.
    pub(crate) async fn account(&self, email: &str) -> AccountId {
        let created = self.create().create(&self.tenant, new_account(email)).await;
        created.unwrap().account.id
    }

    /// An account that is warming since [`START`].
    pub(crate) async fn warming(&self, email: &str) -> AccountId {
        let id = self.account(email).await;
        self.start().start(&self.tenant, id, false).await.unwrap();
        id
    }

    /// The account as it is stored.
    pub(crate) async fn stored(&self, id: AccountId) -> Account {
        let store: &dyn AccountReads = self.store.as_ref();
        store.get(self.tenant.user, id).await.unwrap().unwrap()
    }

    /// Changes an account as something else in the system would.
    pub(crate) async fn change(&self, id: AccountId, change: impl FnOnce(&mut Account)) {
        let mut account = self.stored(id).await;
        change(&mut account);
        account.version += 1;
        let updates: &dyn AccountUpdates = self.store.as_ref();
        let _ = updates.replace(&account, Vec::new()).await.unwrap();
    }

    /// A planned day of an account with these figures, and the account's note of it.
    pub(crate) async fn day(&self, id: AccountId, date: Date, figures: DayFigures) -> DayPlan {
        let account = self.stored(id).await;
        let plan = day_plan(&account, date, &[]);
        let plans: &dyn Plans = self.store.as_ref();
        assert_eq!(plans.create(&plan).await.unwrap(), Created::Done);
        let owner = AccountRef::of(&account);
        let mut rows = plans.days(owner, date, date).await.unwrap();
        let mut row = rows.remove(0);
        row.figures = figures;
        // There are no mails that would add up to them.
        row.closed = true;
        row.version += 1;
        let _ = plans.replace_day(owner, &row).await.unwrap();
        self.change(id, |account| {
            if let Some(warmup) = &mut account.warmup {
                warmup.last_planned_date = warmup.last_planned_date.max(Some(date));
            }
        })
        .await;
        plan
    }
}

impl World {
    /// Judges a day.
    pub(crate) async fn judge(&self, id: AccountId, date: Date, reputation: Score) {
        let plans: &dyn Plans = self.store.as_ref();
        let owner = AccountRef::of(&self.stored(id).await);
        let mut row = plans.days(owner, date, date).await.unwrap().remove(0);
        row.reputation = Some(reputation);
        row.version += 1;
        let _ = plans.replace_day(owner, &row).await.unwrap();
    }
}

pub(crate) fn tenant(id: u128, plan: Plan) -> Tenant {
    Tenant {
        user: UserId::new(START.parse().unwrap(), id),
        plan,
    }
}

/// The reference's example of a new account, with another address.
pub(crate) fn new_account(email: &str) -> NewAccount {
    NewAccount {
        email: email.to_owned(),
        display_name: "Hello".to_owned(),
        provider: Provider::ImapSmtp,
        timezone: Some("Europe/London".to_owned()),
        credentials: credentials(email, "app-password"),
        pool: None,
    }
}

pub(crate) fn credentials(username: &str, password: &str) -> CredentialsInput {
    CredentialsInput {
        imap_host: Some("mail.example.com".to_owned()),
        imap_port: Some(993),
        smtp_host: Some("mail.example.com".to_owned()),
        smtp_port: Some(465),
        username: Some(username.to_owned()),
        password: Some(password.to_owned()),
        imap_security: None,
        smtp_security: None,
        access_token: None,
        refresh_token: None,
    }
}

/// A plan of `date` with one new thread at each of `at` (hours of the day) to each target.
pub(crate) fn day_plan(account: &Account, date: Date, slots: &[(i8, AccountId)]) -> DayPlan {
    let zone = account.zone.clone();
    let instant = |hour| zone.instant(date, hour);
    let planned: Vec<_> = slots
        .iter()
        .map(|(hour, target)| PlannedSlot {
            id: SlotId::first_at(instant(*hour)),
            at: instant(*hour),
            target: *target,
        })
        .collect();
    DayPlan {
        id: ScheduleId::new(instant(0), 7),
        user: account.user,
        account: account.id,
        span: zone.day(date),
        window: Some(Window {
            start: instant(8),
            end: instant(18),
        }),
        day_number: 1,
        phase: WarmupPhase::RampUp,
        limit: 8,
        reply_budget: 3,
        slots: planned,
        config: PoolConfig::default(),
        reasons: vec![Reason {
            rule: Rule::Ramp,
            volume: 8,
            because: "day 7 of the ramp".to_owned(),
        }],
        planned_at: instant(3),
        daily_total: None,
        zone,
    }
}

pub(crate) fn code<T>(result: Result<T, AppError>) -> ErrorCode {
    match result {
        Ok(_) => panic!("it should have failed"),
        Err(error) => error.code(),
    }
}

/// The paths of an input's problems.
pub(crate) fn paths<T>(result: Result<T, AppError>) -> Vec<String> {
    let error = result.err().expect("it should have failed");
    let problems = error.problems();
    problems.into_iter().map(|problem| problem.path).collect()
}

pub(crate) fn now(world: &World) -> jiff::Timestamp {
    world.clock.schedule()
}
