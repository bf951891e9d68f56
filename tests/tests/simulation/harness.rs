//! A world under observation.

use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::queue::SendOrder;
use agentwarm_core::account::Account;
use agentwarm_core::ids::AccountId;
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{Slot, SlotKind};
use agentwarm_core::plan::Plan;
use agentwarm_core::pool::PoolOverrides;
use agentwarm_core::warmup::day::PlannedSlot;
use agentwarm_testkit::world::EngineWorld;
use jiff::{SignedDuration, Timestamp};

use crate::audit::{self, Patience};
use crate::seeds;
use crate::watch::Watch;

/// Six mailboxes on three domains, around the world.
pub(crate) const AROUND_THE_WORLD: [(&str, &str); 6] = [
    ("alice@acorn.test", "Europe/Berlin"),
    ("adam@acorn.test", "America/New_York"),
    ("bella@birch.test", "UTC"),
    ("boris@birch.test", "Asia/Kolkata"),
    ("clara@cedar.test", "Europe/London"),
    ("carlos@cedar.test", "America/Sao_Paulo"),
];

/// A world that is looked at after every minute. What is wrong fails the test at that minute.
pub(crate) struct Sim {
    pub(crate) world: EngineWorld,
    pub(crate) accounts: Vec<AccountId>,
    pub(crate) watch: Watch,
    /// How long something may take before it counts as stuck.
    pub(crate) patience: Patience,
    name: String,
    number: u64,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Mailboxes that begin with so many mails a day.
pub(crate) fn mails_a_day(minimum: u32) -> PoolOverrides {
    PoolOverrides {
        min_daily_emails: Some(minimum),
        ..PoolOverrides::default()
    }
}

pub(crate) fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

pub(crate) fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// The order that a tick makes of a planned mail.
pub(crate) fn order_of(sender: AccountRef, planned: &PlannedSlot) -> SendOrder {
    SendOrder {
        user: sender.user,
        sender: sender.account,
        slot: planned.id,
        target: planned.target,
        kind: SlotKind::Thread,
        due: planned.at,
    }
}

impl Sim {
    /// World `number` of the test `name` from `now` on, in which these mailboxes warm each other.
    pub(crate) async fn of(
        name: &str,
        number: u64,
        mailboxes: &[(&str, &str)],
        now: &str,
        overrides: PoolOverrides,
    ) -> Self {
        Self::of_user_on(Plan::Pro, name, number, mailboxes, now, overrides).await
    }

    /// The same of a user on `plan`.
    pub(crate) async fn of_user_on(
        plan: Plan,
        name: &str,
        number: u64,
        mailboxes: &[(&str, &str)],
        now: &str,
        overrides: PoolOverrides,
    ) -> Self {
        let seed = seeds::seed(name, number);
        let world = EngineWorld::begin(&seed, at(now), plan).await;
        let mut sim = Self {
            watch: Watch::default(),
            world,
            accounts: Vec::new(),
            patience: Patience::default(),
            name: name.to_owned(),
            number,
        };
        for (email, zone) in mailboxes {
            sim.accounts.push(sim.world.connect(email, zone).await);
        }
        sim.world.configure(overrides).await;
        for account in sim.accounts.clone() {
            let started = sim.world.start.start(&sim.world.tenant, account, false);
            started.await.unwrap();
        }
        sim.world.drain();
        sim.look();
        sim
    }

    /// A story's world: six mailboxes in London that send a dozen mails on their first day.
    pub(crate) async fn story(name: &str, now: &str) -> Self {
        Self::story_on(Plan::Pro, name, now).await
    }

    /// The same of a user on `plan`.
    pub(crate) async fn story_on(plan: Plan, name: &str, now: &str) -> Self {
        let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, "Europe/London"));
        Self::of_user_on(plan, name, seeds::story(), &mailboxes, now, mails_a_day(12)).await
    }

    /// Lets time pass under observation; once a virtual day the whole world is audited.
    pub(crate) fn run_until(&mut self, until: Timestamp) {
        while self.world.now() < until {
            let next = self.world.next_minute();
            self.world.run_until(next);
            self.look();
            if next.as_second() % 86_400 == 0 {
                self.audit(false);
            }
        }
    }

    /// Lets time pass under observation.
    pub(crate) fn run_for(&mut self, time: SignedDuration) {
        self.run_until(self.world.now() + time);
    }

    /// Lets time pass in which nothing of ours runs.
    pub(crate) fn stand_still_until(&mut self, until: Timestamp) {
        self.world.stand_still_until(until);
    }

    /// The end: everything must have come to rest, and add up.
    pub(crate) fn finish(&mut self) {
        self.audit(true);
        let unmet = self.world.store.unmet_faults();
        assert!(unmet.is_empty(), "faults that nothing met: {unmet:?}");
    }

    fn look(&mut self) {
        let violations = self.watch.minute(&self.world);
        self.fail_on(&violations);
    }

    fn audit(&mut self, at_rest: bool) {
        let violations = audit::audit(&self.world, &self.watch, self.patience, at_rest);
        self.fail_on(&violations);
    }

    fn fail_on(&self, violations: &[String]) {
        if violations.is_empty() {
            return;
        }
        let shown: Vec<_> = violations.iter().take(12).map(String::as_str).collect();
        panic!(
            "{} things are wrong in world {} of {:?} at {} after {} dead letters{}:\n{}",
            violations.len(),
            self.number,
            self.name,
            self.world.now(),
            self.world.dead_letters(),
            seeds::replay(self.number),
            shown.join("\n")
        );
    }

    /// The account of the `n`-th mailbox, as it is stored.
    pub(crate) fn account(&self, n: usize) -> Account {
        let look = self.world.store.look();
        let account = look.account(self.world.tenant.user, self.accounts[n]);
        account.expect("the account exists").clone()
    }

    /// The slots of the `n`-th mailbox.
    pub(crate) fn slots(&self, n: usize) -> Vec<Slot> {
        let look = self.world.store.look();
        let slots = look.slots().filter(|slot| slot.sender == self.accounts[n]);
        slots.cloned().collect()
    }

    /// The receipts of the `n`-th mailbox.
    pub(crate) fn receipts(&self, n: usize) -> Vec<Receipt> {
        let look = self.world.store.look();
        let receipts = look.receipts();
        receipts
            .filter(|receipt| receipt.receiver == self.accounts[n])
            .cloned()
            .collect()
    }

    /// Until when all that was due in the `n`-th mailbox is done.
    pub(crate) fn engaged_through(&self, n: usize) -> Option<Timestamp> {
        let look = self.world.store.look();
        let mailbox = self.world.owner(self.accounts[n]);
        look.mailbox(mailbox)?.engaged_through
    }

    /// All slots.
    pub(crate) fn all_slots(&self) -> Vec<Slot> {
        self.world.store.look().slots().cloned().collect()
    }
}
