//! The whole engine on memory: a pool of mailboxes, a virtual clock, faults on demand and by chance.
//!
//! Time moves minute by minute ([`EngineWorld::run_until`]): a tick, then everything that it handed out, then the changes that follow.
//! What fails stays in its queue and comes again when a queue's message would. Everything random follows from the world's seed, so a
//! failure replays.

mod drive;
mod parts;
mod stream;

use std::collections::BTreeSet;
use std::sync::Arc;

use agentwarm_app::accounts::UpdateAccount;
use agentwarm_app::accounts::create::CreateAccount;
use agentwarm_app::accounts::delete::DeleteAccount;
use agentwarm_app::accounts::input::{CredentialsInput, NewAccount};
use agentwarm_app::engine::fanout::Fanout;
use agentwarm_app::engine::sending::Sending;
use agentwarm_app::engine::tick::Ticking;
use agentwarm_app::engine::visiting::Visiting;
use agentwarm_app::ports::Replaced;
use agentwarm_app::ports::clock::Clock;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::due::Shards;
use agentwarm_app::ports::pools::{PoolReads, PoolWrites};
use agentwarm_app::tenant::Tenant;
use agentwarm_app::users::Users;
use agentwarm_app::warmup::pause::PauseWarmup;
use agentwarm_app::warmup::resume::ResumeWarmup;
use agentwarm_app::warmup::start::StartWarmup;
use agentwarm_app::warmup::test_mode::ControlTestMode;
use agentwarm_core::account::Provider;
use agentwarm_core::audit::{EntityType, Event, EventType};
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::{Pool, PoolOverrides};
use agentwarm_core::seed::Seed;
use jiff::Timestamp;

use self::parts::Parts;
use crate::chaos::Chaos;
use crate::clock::{SkewedClock, VirtualClock};
use crate::memory::mail::PostOffice;
use crate::memory::queue::MemoryQueues;
use crate::memory::vault::MemoryVault;
use crate::memory::{Change, MemoryStore};

use self::stream::Stream;

pub use self::drive::Turbulence;
pub use self::stream::followed;

/// The password of every mailbox that [`EngineWorld::connect`] opens.
pub const PASSWORD: &str = "secret";

/// The shards of the due index, unless told otherwise: more than one, so that it matters which is read.
const SHARDS: Shards = Shards(2);

/// An engine with everything it needs.
pub struct EngineWorld {
    /// What happens to calls by chance; calm at first.
    pub chaos: Arc<Chaos>,
    /// What goes wrong between the steps; nothing at first.
    pub turbulence: Turbulence,
    /// Everything stored.
    pub store: Arc<MemoryStore>,
    /// What was handed out.
    pub queues: Arc<MemoryQueues>,
    /// The mail servers.
    pub post: PostOffice,
    /// Secrets.
    pub vault: Arc<MemoryVault>,
    /// Time.
    pub clock: Arc<VirtualClock>,
    /// Time as the machines that send have it.
    pub senders_clock: Arc<SkewedClock>,
    /// Time as the machines that read have it.
    pub readers_clock: Arc<SkewedClock>,
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
    /// How they stop.
    pub pause: PauseWarmup,
    /// How they go on.
    pub resume: ResumeWarmup,
    /// How they change.
    pub update: UpdateAccount,
    /// How far they are limited.
    pub test_mode: ControlTestMode,
    /// How they leave.
    pub delete: DeleteAccount,
    users: Users,
    sends: drive::Sends,
    visits: drive::Visits,
    stream: Stream,
    history: Vec<Change>,
    published: Vec<(String, UserId, Event)>,
    dead_letters: u32,
    given_up: BTreeSet<SlotId>,
}

impl EngineWorld {
    /// A world that begins at `now` with one user on `plan` and no accounts.
    pub async fn begin(seed: &Seed, now: Timestamp, plan: Plan) -> Self {
        Self::with_shards(SHARDS, seed, now, plan).await
    }

    /// The same, whose due index has so many shards.
    pub async fn with_shards(shards: Shards, seed: &Seed, now: Timestamp, plan: Plan) -> Self {
        let parts = Parts::new(seed, now, shards);
        let created = parts.users().create(plan).await;
        let (user, _) = created.expect("a memory store takes a user");
        Self {
            turbulence: Turbulence::default(),
            ticking: parts.ticking(),
            sending: parts.sending(),
            visiting: parts.visiting(),
            fanout: parts.fanout(),
            create: parts.create(),
            start: parts.start(),
            pause: parts.pause(),
            resume: parts.resume(),
            update: parts.update(),
            test_mode: parts.test_mode(),
            delete: parts.delete(),
            users: parts.users(),
            tenant: Tenant::from(&user),
            chaos: parts.chaos,
            store: parts.store,
            queues: parts.queues,
            post: parts.post,
            vault: parts.vault,
            clock: parts.clock,
            senders_clock: parts.senders_clock,
            readers_clock: parts.readers_clock,
            sends: Vec::new(),
            visits: Vec::new(),
            stream: Stream::default(),
            history: Vec::new(),
            published: Vec::new(),
            dead_letters: 0,
            given_up: BTreeSet::new(),
        }
    }

    /// Another user on `plan`.
    pub async fn another_user(&self, plan: Plan) -> Tenant {
        let created = self.users.create(plan).await;
        let (user, _) = created.expect("a memory store takes a user");
        Tenant::from(&user)
    }

    /// Opens and connects a mailbox.
    pub async fn connect(&self, email: &str, zone: &str) -> AccountId {
        self.connect_for(&self.tenant, email, zone).await
    }

    /// The same for a certain user.
    pub async fn connect_for(&self, tenant: &Tenant, email: &str, zone: &str) -> AccountId {
        self.post.open_mailbox(email, PASSWORD);
        let domain = email.split_once('@').map_or("", |(_, domain)| domain);
        let credentials = CredentialsInput {
            imap_host: Some(format!("imap.{domain}")),
            imap_port: Some(993),
            smtp_host: Some(format!("smtp.{domain}")),
            smtp_port: Some(465),
            username: Some(email.to_owned()),
            password: Some(PASSWORD.to_owned()),
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
        let created = self.create.create(tenant, new).await;
        created.expect("the account is well-formed").account.id
    }

    /// Gives the user's only pool these overrides.
    pub async fn configure(&self, overrides: PoolOverrides) {
        self.configure_for(&self.tenant, overrides).await;
    }

    /// The same for a certain user.
    pub async fn configure_for(&self, tenant: &Tenant, overrides: PoolOverrides) {
        let user = tenant.user;
        let pools = PoolReads::list(self.store.as_ref(), user).await;
        let pool = pools.ok().and_then(|pools| pools.into_iter().next());
        let pool = pool.expect("a mailbox was connected, so there is a pool");
        let event = Event {
            entity_type: EntityType::Pool,
            entity_id: pool.id.to_string(),
            ..Event::account(
                EventType::PoolConfigUpdated,
                AccountId::from_uuid(*pool.id.as_uuid()),
                tenant.actor(),
                self.now(),
            )
        };
        let pool = Pool {
            overrides,
            version: pool.version + 1,
            ..pool
        };
        let replaced = PoolWrites::replace(self.store.as_ref(), user, &pool, event).await;
        assert_eq!(replaced.ok(), Some(Replaced::Done), "nobody else writes");
    }

    /// Now (schedule clock).
    pub fn now(&self) -> Timestamp {
        self.clock.schedule()
    }

    /// An account of this world's user, as a key.
    pub fn owner(&self, account: AccountId) -> AccountRef {
        AccountRef {
            user: self.tenant.user,
            account,
        }
    }

    /// Every write that others follow, since the world began.
    pub fn history(&self) -> &[Change] {
        &self.history
    }

    /// Every event that left, with its id, in order, as often as it left.
    pub fn published(&self) -> &[(String, UserId, Event)] {
        &self.published
    }

    /// The mails of which an order was given up after too many deliveries.
    pub fn given_up(&self) -> &BTreeSet<SlotId> {
        &self.given_up
    }

    /// How many messages were given up after too many deliveries.
    pub fn dead_letters(&self) -> u32 {
        self.dead_letters
    }
}
