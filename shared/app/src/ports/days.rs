//! Days: plans, slots, receipts and figures. Everything here expires after [`KEPT_DAYS`].

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, PoolId, SlotId, UserId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::Slot;
use agentwarm_core::rate::Score;
use agentwarm_core::time::{DaySpan, Zone};
use agentwarm_core::warmup::day::{DayFigures, DayPlan, FiguresSince};
use agentwarm_core::warmup::volume::PastDay;

use super::{Created, Replaced, StoreError};

/// How many days everything here is kept: the longest retention of any plan (365 days, API reference §22) and a month, so that no plan's
/// figures end early. What a plan shows is cut to its own retention when it is read (decision 10).
pub const KEPT_DAYS: u16 = 400;

/// An account of a user, as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountRef {
    /// The owner.
    pub user: UserId,
    /// The account.
    pub account: AccountId,
}

impl AccountRef {
    /// The key of `account`.
    pub fn of(account: &Account) -> Self {
        Self {
            user: account.user,
            account: account.id,
        }
    }

    /// The key of the account whose day `plan` is.
    pub fn of_plan(plan: &DayPlan) -> Self {
        Self {
            user: plan.user,
            account: plan.account,
        }
    }
}

/// The running state of one account's day: small, because it is written often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DayRow {
    /// The date.
    pub date: Date,
    /// When that is, by the zone that it was planned in: its account may have another one since. Not there in rows of before this was noted.
    #[serde(default)]
    pub span: Option<DaySpan>,
    /// The plan's limit, copied for those who look at many days and read no plans.
    pub limit: u32,
    /// How many of the limit are kept for replies, copied so that the claim can guard them in one write.
    pub reply_budget: u32,
    /// How many of them are taken.
    pub replies_taken: u32,
    /// What became of the day so far: exact once `closed`, up to an hour old before.
    pub figures: DayFigures,
    /// What became of the mails after the last resume, where that lies in this day: only they are held against the account (decision 22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_resume: Option<FiguresSince>,
    /// Its reputation, once judged.
    pub reputation: Option<Score>,
    /// Whether the figures are final (24 h after the day's end, decision 24).
    pub closed: bool,
    /// Whether planned mails were never handed out, which only an outage of ours does: such a day says nothing about what receivers are
    /// used to (decision 20).
    #[serde(default)]
    pub cut_short: bool,
    /// Counts the changes of this item; the condition of the next one.
    pub version: u64,
}

impl DayRow {
    /// The row of a day on which nothing happened yet.
    pub fn empty(plan: &DayPlan) -> Self {
        Self {
            date: plan.span.date,
            span: Some(plan.span),
            limit: plan.limit,
            reply_budget: plan.reply_budget,
            replies_taken: 0,
            figures: DayFigures::default(),
            since_resume: None,
            reputation: None,
            closed: false,
            cut_short: false,
            version: 1,
        }
    }

    /// This row, which waited for its plan, as that has it: what it was summed up to meanwhile stays.
    #[must_use]
    pub fn fitted_to(self, plan: &DayPlan) -> Self {
        Self {
            span: Some(plan.span),
            limit: plan.limit,
            reply_budget: plan.reply_budget,
            version: self.version + 1,
            ..self
        }
    }

    /// When it is, for an account that is in `zone` now: what it sends was planned by the zone that it had, what it receives is booked by the one
    /// that it has.
    pub fn span(&self, zone: &Zone) -> DaySpan {
        let here = zone.day(self.date);
        let planned = self.span.unwrap_or(here);
        DaySpan {
            date: self.date,
            start: planned.start.min(here.start),
            end: planned.end.max(here.end),
        }
    }

    /// What rules that look back see of it.
    pub fn past(&self) -> PastDay {
        PastDay {
            date: self.date,
            figures: self.figures,
            since_resume: self.since_resume,
            cut_short: self.cut_short,
        }
    }
}

/// Planning a day and reading it back.
#[async_trait]
pub trait Plans: Send + Sync {
    /// Writes the plan and its empty day row, unless the day is planned already: the mark that its due entries are all in the index.
    async fn create(&self, plan: &DayPlan) -> Result<Created, StoreError>;

    /// The plan of a date.
    async fn plan(&self, owner: AccountRef, date: Date) -> Result<Option<DayPlan>, StoreError>;

    /// The day rows from `from` to `to`, both included, oldest first.
    async fn days(
        &self,
        owner: AccountRef,
        from: Date,
        to: Date,
    ) -> Result<Vec<DayRow>, StoreError>;

    /// The day rows of one date for many accounts; those without one are left out.
    async fn days_of(
        &self,
        user: UserId,
        wanted: &[(AccountId, Date)],
    ) -> Result<BTreeMap<AccountId, DayRow>, StoreError>;

    /// Writes `day` (whose `version` is one more than what it was read with) if nobody wrote in between.
    async fn replace_day(&self, owner: AccountRef, day: &DayRow) -> Result<Replaced, StoreError>;

    /// Takes one reply from the day's budget; false when it is used up or the day is not planned. `slot` makes it repeatable: a slot
    /// that took one already takes no second.
    async fn take_reply(
        &self,
        owner: AccountRef,
        date: Date,
        slot: SlotId,
    ) -> Result<bool, StoreError>;
}

/// How many mails each sender plans for each account.
pub type PlannedMails = BTreeMap<AccountId, BTreeMap<AccountId, u32>>;

/// What each pool's members plan to send each other on a date, so that the next planner can balance (decision 27).
#[async_trait]
pub trait PoolLedger: Send + Sync {
    /// Notes how many mails `sender` plans for each target on `date`, to accounts of whatever pool: the same in each of its pools.
    /// Absolute: noting again changes nothing.
    async fn note(
        &self,
        user: UserId,
        pool: PoolId,
        date: Date,
        sender: AccountId,
        planned: &BTreeMap<AccountId, u32>,
    ) -> Result<(), StoreError>;

    /// What the senders of a pool plan on `date`, as far as noted.
    async fn planned(
        &self,
        user: UserId,
        pool: PoolId,
        date: Date,
    ) -> Result<PlannedMails, StoreError>;
}

/// How many mails each account is to receive on `date` from those who share a pool with `account`. A sender that shares several is noted in
/// each, and counts once.
pub(crate) async fn receiving(
    ledger: &dyn PoolLedger,
    account: &Account,
    date: Date,
) -> Result<BTreeMap<AccountId, u32>, StoreError> {
    let mut planned = PlannedMails::new();
    for membership in &account.pools {
        planned.extend(ledger.planned(account.user, membership.pool, date).await?);
    }
    let mut receiving = BTreeMap::new();
    for (receiver, mails) in planned.into_values().flatten() {
        *receiving.entry(receiver).or_default() += mails;
    }
    Ok(receiving)
}

/// Slots: the sender's half of mails.
#[async_trait]
pub trait Slots: Send + Sync {
    /// Creates the slot as claimed, unless it exists.
    async fn create(&self, slot: &Slot) -> Result<Created, StoreError>;

    /// One slot, as of a moment ago: for whoever writes next on condition of what was read.
    async fn get(&self, sender: AccountRef, slot: SlotId) -> Result<Option<Slot>, StoreError>;

    /// The same with every write that was answered before, at twice the price.
    async fn written(&self, sender: AccountRef, slot: SlotId) -> Result<Option<Slot>, StoreError>;

    /// The slots whose ids lie in `[from, to)`, in order.
    async fn between(
        &self,
        sender: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Slot>, StoreError>;

    /// The same with every write that was answered before, at twice the price: what a limit is kept by.
    async fn written_between(
        &self,
        sender: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Slot>, StoreError>;

    /// Writes `slot` (whose `version` is one more than what it was read with) if nobody wrote in between; `events` leave once.
    async fn replace(&self, slot: &Slot, events: Vec<Event>) -> Result<Replaced, StoreError>;
}

/// Receipts: the receiver's half of mails.
#[async_trait]
pub trait Receipts: Send + Sync {
    /// Creates the receipt, unless the mail was booked before.
    async fn create(&self, receipt: &Receipt, events: Vec<Event>) -> Result<Created, StoreError>;

    /// One receipt, as of a moment ago, at half the price: one that is missed is not booked a second time all the same.
    async fn get(&self, receiver: AccountRef, slot: SlotId) -> Result<Option<Receipt>, StoreError>;

    /// The receipts of slots planned in `[from, to)`, in order, as of a moment ago.
    async fn between(
        &self,
        receiver: AccountRef,
        from: SlotId,
        to: SlotId,
    ) -> Result<Vec<Receipt>, StoreError>;

    /// Which of these mails, given with their receivers, have been found.
    async fn found(
        &self,
        user: UserId,
        mails: &[(AccountId, SlotId)],
    ) -> Result<Vec<SlotId>, StoreError>;

    /// Writes `receipt` (whose `version` is one more than what it was read with) if nobody wrote in between; `events` leave once.
    async fn replace(&self, receipt: &Receipt, events: Vec<Event>) -> Result<Replaced, StoreError>;
}

/// Addresses that get no warmup mail (decisions 30, 33).
#[async_trait]
pub trait Suppressions: Send + Sync {
    /// Which of these addresses are suppressed at `at`.
    async fn suppressed(
        &self,
        user: UserId,
        emails: &[String],
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError>;

    /// Suppresses an address, until `until` where given; an entry that is in force for longer stays as it is. Absolute: doing it again
    /// changes nothing but the time.
    async fn suppress(
        &self,
        user: UserId,
        email: &str,
        reason: SuppressionReason,
        at: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError>;
}

/// Why an address is suppressed (API reference §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// Mail to it bounced for good.
    HardBounce,
    /// Its owner complained.
    Complaint,
    /// The user said so.
    Manual,
}

impl SuppressionReason {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::HardBounce, Self::Complaint, Self::Manual];

    /// Its name on the wire and in store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HardBounce => "hard_bounce",
            Self::Complaint => "complaint",
            Self::Manual => "manual",
        }
    }
}
