//! Many mailboxes on the engine in memory, and the machinery of AWS around it, second by second.
//!
//! The engine's calls take no virtual time here, so how long a batch takes is assumed: that of the metered day on the emulator, with a second
//! for mail servers that are far away (`cost/bill.rs`).

use std::collections::BTreeMap;

use agentwarm_app::engine::fanout;
use agentwarm_app::engine::sending::Handled;
use agentwarm_app::ports::due::Shards;
use agentwarm_app::ports::queue::{SendOrder, VisitOrder};
use agentwarm_app::tenant::Tenant;
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_core::seed::Seed;
use agentwarm_local::template::Template;
use agentwarm_testkit::memory::Image;
use agentwarm_testkit::memory::meter::{Busiest, Meter};
use agentwarm_testkit::world::{EngineWorld, followed};
use jiff::{SignedDuration, Timestamp};

use super::triggers::{QueueTrigger, StreamTrigger, Workers, requests};
use crate::gathering::Gathering;
use crate::usage::{Usage, What};

/// When mailboxes are connected and started: a Tuesday evening, so that nothing is sent before the metered day.
const EVE: &str = "2026-03-10T20:00:00Z";

/// Mails a mailbox sends on the metered day: what the Pro plan allows, and a pool's default maximum.
const DAILY_EMAILS: u32 = 40;

/// Seconds of a batch of mails, of visits, of records.
const SEND_SECONDS: i64 = 2;
const VISIT_SECONDS: i64 = 2;
const FANOUT_SECONDS: i64 = 1;

/// Seconds from a batch's begin to the server's 250.
const DIALOGUE_SECONDS: i64 = 1;

/// What an invocation is billed for, far servers not counted: half as long again as the longest function's took on average on the emulator.
const BILLED_MILLIS: f64 = 1_000.0;

/// Bytes that leave for a mail and what is done with it, besides connections: somewhat more than on the emulator.
const MAIL_BYTES: f64 = 3_000.0;

/// Shards of each table's stream: a new table that is billed on demand begins with four partitions.
const STREAM_SHARDS: usize = 4;

/// Until a message that was not done with is seen again: as the template has it.
const SEND_VISIBILITY: i64 = 12 * 60;
const VISIT_VISIBILITY: i64 = 18 * 60;

/// How large a town is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Mailboxes.
    pub(super) mailboxes: u32,
    /// Users, each with as many of them.
    pub(super) users: u32,
    /// The deployment's `MaxConcurrentSends` and `MaxConcurrentVisits`.
    pub(super) concurrency: usize,
}

/// The town.
pub(super) struct Town {
    world: EngineWorld,
    sends: QueueTrigger<SendOrder>,
    visits: QueueTrigger<VisitOrder>,
    entities: StreamTrigger<fanout::Change>,
    activity: StreamTrigger<fanout::Change>,
    /// No tick runs in these hours.
    outage: Option<(Timestamp, Timestamp)>,
    counted: Usage,
    lateness: Vec<i64>,
    accepted: BTreeMap<i64, u32>,
}

impl Town {
    /// A town on the eve of its first day.
    pub(super) async fn settled(size: Size, template: &Template) -> Self {
        let eve = EVE.parse().unwrap();
        let seed = Seed::root(b"many mailboxes");
        let mut world = EngineWorld::with_shards(Shards(1), &seed, eve, Plan::Pro).await;
        world.ticking.queue_delays = true;
        world.store.meter(Meter::switch_on);
        let workers = |seconds| Workers::new(size.concurrency, seconds);
        let stream = |gathering| StreamTrigger::new(gathering, STREAM_SHARDS, FANOUT_SECONDS);
        let of = |mapping| Gathering::of(template, mapping);
        let town = Self {
            world,
            sends: QueueTrigger::new(of("JobSendSlotTrigger"), workers(SEND_SECONDS)),
            visits: QueueTrigger::new(of("JobInboxPollTrigger"), workers(VISIT_SECONDS)),
            entities: stream(of("JobEventFanoutEntitiesTrigger")),
            activity: stream(of("JobEventFanoutActivityTrigger")),
            outage: None,
            counted: Usage::default(),
            lateness: Vec::new(),
            accepted: BTreeMap::new(),
        };
        for user in 0..size.users {
            let of_user = |user: u32| size.mailboxes * user / size.users;
            town.settle(of_user(user)..of_user(user + 1)).await;
        }
        town
    }

    /// Moves one user in, with these numbered mailboxes, and starts their warmup.
    async fn settle(&self, numbers: std::ops::Range<u32>) {
        let tenant = self.world.another_user(Plan::Pro).await;
        let mut accounts = Vec::new();
        for number in numbers {
            let domain = ["acorn.test", "birch.test", "cedar.test"][number as usize % 3];
            let address = format!("w{number:05}@{domain}");
            accounts.push(self.world.connect_for(&tenant, &address, "UTC").await);
        }
        self.configure(&tenant).await;
        for account in accounts {
            let started = self.world.start.start(&tenant, account, false);
            started.await.unwrap();
        }
    }

    async fn configure(&self, tenant: &Tenant) {
        let volume = PoolOverrides {
            min_daily_emails: Some(DAILY_EMAILS),
            max_daily_emails: Some(DAILY_EMAILS),
            // A small pool's members write to each other often.
            max_per_partner_per_day: Some(DAILY_EMAILS),
            ..PoolOverrides::default()
        };
        self.world.configure_for(tenant, volume).await;
    }

    /// Lets no tick run from `from` until `to`.
    pub(super) fn without_ticks(mut self, from: &str, to: &str) -> Self {
        self.outage = Some((from.parse().unwrap(), to.parse().unwrap()));
        self
    }

    /// Lets time pass.
    pub(super) async fn run_until(&mut self, until: &str) {
        let until: Timestamp = until.parse().unwrap();
        while self.world.now() < until {
            self.second().await;
            let next = self.world.now() + SignedDuration::from_secs(1);
            self.world.clock.set(next);
        }
    }

    /// Forgets what was counted so far.
    pub(super) fn begin_counting(&mut self) {
        self.world.store.meter(Meter::reset);
        self.counted = Usage::default();
        self.lateness.clear();
        self.accepted.clear();
        // Logins are never reset.
        self.count_logins(-1.0);
    }

    async fn second(&mut self) {
        let now = self.world.now().as_second();
        if now % 60 == 0 {
            self.tick().await;
        }
        while let Some(orders) = self.sends.next(now) {
            self.send(orders).await;
        }
        while let Some(orders) = self.visits.next(now) {
            self.visit(orders).await;
        }
        while let Some(records) = self.entities.next(now).or_else(|| self.activity.next(now)) {
            self.tell(records).await;
        }
    }

    fn invoke(&mut self, function: &'static str) {
        let now = self.world.now();
        self.world.store.meter(|meter| meter.enter(function, now));
        // As the template has it.
        let gigabytes = if function == "JobSchedulerTick" {
            0.5
        } else {
            0.25
        };
        for (what, amount) in [
            (What::Invocation, 1.0),
            (What::BilledMillis, BILLED_MILLIS),
            (What::GigabyteSeconds, gigabytes * BILLED_MILLIS / 1_000.0),
        ] {
            self.counted.add(what, function, "", amount);
        }
    }

    async fn tick(&mut self) {
        let at = self.world.now();
        if self.outage.is_some_and(|(from, to)| from <= at && at < to) {
            return;
        }
        self.invoke("JobSchedulerTick");
        self.world.ticking.tick().await.unwrap();
        let now = at.as_second();
        let sends = self.world.queues.take_sends();
        self.asked_sqs(sends.len(), "sqs:SendMessage");
        for (order, delay) in sends {
            self.sends.put(now + delay.as_secs(), order);
        }
        let visits = self.world.queues.take_visits();
        self.asked_sqs(visits.len(), "sqs:SendMessage");
        for order in visits {
            self.visits.put(now, order);
        }
        self.changed();
    }

    async fn send(&mut self, orders: Vec<SendOrder>) {
        self.invoke("JobSendSlot");
        let now = self.world.now().as_second();
        let outcomes = self.world.sending.send(&orders).await;
        self.asked_sqs(orders.len(), "receive");
        self.asked_sqs(orders.len(), "delete");
        for (order, outcome) in orders.into_iter().zip(outcomes) {
            match outcome {
                Ok(Handled::Sent) => {
                    let at = now + DIALOGUE_SECONDS;
                    self.lateness.push(at - order.due.as_second());
                    *self.accepted.entry(at).or_default() += 1;
                    self.counted.add(What::Mail, "", "", 1.0);
                    self.counted.add(What::BytesOut, "", "", MAIL_BYTES);
                }
                Ok(_) => {}
                Err(_) => self.sends.put(now + SEND_VISIBILITY, order),
            }
        }
        self.world.post.forget_handed_over();
        self.changed();
    }

    async fn visit(&mut self, orders: Vec<VisitOrder>) {
        self.invoke("JobInboxPoll");
        self.asked_sqs(orders.len(), "receive");
        self.asked_sqs(orders.len(), "delete");
        let now = self.world.now().as_second();
        for order in orders {
            if self.world.visiting.visit(&order).await.is_err() {
                self.visits.put(now + VISIT_VISIBILITY, order);
            }
        }
        self.changed();
    }

    async fn tell(&mut self, records: Vec<fanout::Change>) {
        self.invoke("JobEventFanout");
        self.world.fanout.take(&records).await.unwrap();
        let events = self.world.queues.take_events().len();
        self.counted.add(What::Event, "", "", count(events));
        self.changed();
    }

    fn asked_sqs(&mut self, messages: usize, detail: &str) {
        let (requests, what) = (count(requests(messages)), detail.starts_with("sqs:"));
        let what = if what { What::Call } else { What::PollerCall };
        self.counted.add(what, "", detail, requests);
    }

    /// Hands what was written to the streams, as far as the mappings' filters let it through.
    fn changed(&mut self) {
        let now = self.world.now().as_second();
        for change in self.world.store.take_changes() {
            if change.events.is_empty() {
                continue;
            }
            let stream = match &change.image {
                Image::Slot(_) | Image::Receipt(_) => &mut self.activity,
                Image::Account(_) | Image::Other | Image::Gone => &mut self.entities,
            };
            let key = *change.partition();
            stream.put(now, &key, followed(change));
        }
    }

    fn count_logins(&mut self, sign: f64) {
        let (all, imap) = (self.world.post.logins(), self.world.post.imap_logins());
        let imap_logins = sign * number(imap);
        self.counted.add(What::ImapLogin, "", "", imap_logins);
        let smtp = sign * number(all - imap);
        self.counted.add(What::SmtpConnection, "", "", smtp);
        let key_hours = self.sends.key_hours() + self.visits.key_hours();
        let calls = sign * count(key_hours);
        self.counted.add(What::Call, "", "kms:Decrypt", calls);
    }

    /// What was counted since [`Self::begin_counting`].
    pub(super) fn day(mut self) -> Day {
        self.count_logins(1.0);
        let (used, busiest) = self
            .world
            .store
            .meter(|meter| (meter.used().clone(), meter.busiest()));
        for (calls, used) in used {
            let detail = format!("{} ({})", calls.kind.name(), calls.operation);
            let mut add = |what, amount| self.counted.add(what, calls.caller, &detail, amount);
            add(What::WriteUnits, used.write);
            add(What::ReadUnits, used.read);
            add(What::StoreCall, number(used.requests));
        }
        Day {
            used: self.counted,
            lateness: self.lateness,
            accepted: self.accepted,
            busiest: busiest.unwrap(),
        }
    }
}

/// A metered day.
pub(super) struct Day {
    /// What was used.
    pub(super) used: Usage,
    /// Seconds from a mail's instant to its server's 250.
    pub(super) lateness: Vec<i64>,
    /// Mails accepted in each second.
    pub(super) accepted: BTreeMap<i64, u32>,
    /// The partition that had to take most.
    pub(super) busiest: Busiest,
}

impl Day {
    /// What is used most, per mail, for those who wait for the report.
    pub(super) fn summary(&self) -> Vec<(What, f64)> {
        let mails = self.used.total(What::Mail);
        let of = |what| (what, self.used.total(what) / mails);
        [
            What::WriteUnits,
            What::ReadUnits,
            What::Invocation,
            What::ImapLogin,
        ]
        .map(of)
        .to_vec()
    }
}

fn count(of: usize) -> f64 {
    number(u64::try_from(of).unwrap())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn number(of: u64) -> f64 {
    of as f64
}
