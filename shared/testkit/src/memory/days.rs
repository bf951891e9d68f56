//! Plans, the running rows of days, and the ledger of pools.

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::days::{AccountRef, DayRow, Plans, PoolLedger};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::ids::{AccountId, PoolId, SlotId, UserId};
use agentwarm_core::warmup::day::{DayFigures, DayPlan};
use async_trait::async_trait;
use jiff::civil::Date;

use super::MemoryStore;

#[derive(Debug, Default)]
pub(super) struct DayItems {
    pub(super) plans: BTreeMap<(AccountRef, Date), DayPlan>,
    pub(super) rows: BTreeMap<(AccountRef, Date), Row>,
    ledger: BTreeMap<(UserId, PoolId, Date), BySender>,
}

/// How many mails each sender plans for each target.
type BySender = BTreeMap<AccountId, BTreeMap<AccountId, u32>>;

#[derive(Debug)]
pub(super) struct Row {
    pub(super) day: DayRow,
    /// The slots that took a reply from the budget.
    took: BTreeSet<SlotId>,
}

#[async_trait]
impl Plans for MemoryStore {
    async fn create(&self, plan: &DayPlan) -> Result<Created, StoreError> {
        self.run("plans.create", |state| {
            let owner = AccountRef {
                user: plan.user,
                account: plan.account,
            };
            let key = (owner, plan.span.date);
            if state.days.plans.contains_key(&key) {
                return Created::Exists;
            }
            state.days.plans.insert(key, plan.clone());
            let row = Row {
                day: empty_row(plan),
                took: BTreeSet::new(),
            };
            state.days.rows.insert(key, row);
            Created::Done
        })
        .await
    }

    async fn plan(&self, owner: AccountRef, date: Date) -> Result<Option<DayPlan>, StoreError> {
        self.run("plans.plan", |state| {
            state.days.plans.get(&(owner, date)).cloned()
        })
        .await
    }

    async fn days(
        &self,
        owner: AccountRef,
        from: Date,
        to: Date,
    ) -> Result<Vec<DayRow>, StoreError> {
        self.run("plans.days", |state| {
            if from > to {
                return Vec::new();
            }
            let range = (owner, from)..=(owner, to);
            let rows = state.days.rows.range(range);
            rows.map(|(_, row)| row.day.clone()).collect()
        })
        .await
    }

    async fn days_of(
        &self,
        user: UserId,
        wanted: &[(AccountId, Date)],
    ) -> Result<BTreeMap<AccountId, DayRow>, StoreError> {
        self.run("plans.days_of", |state| {
            wanted
                .iter()
                .filter_map(|&(account, date)| {
                    let row = state.days.rows.get(&(AccountRef { user, account }, date))?;
                    Some((account, row.day.clone()))
                })
                .collect()
        })
        .await
    }

    async fn replace_day(&self, owner: AccountRef, day: &DayRow) -> Result<Replaced, StoreError> {
        self.run_replace("plans.replace_day", |state| {
            match state.days.rows.get_mut(&(owner, day.date)) {
                Some(row) if row.day.version + 1 == day.version => {
                    // What was taken belongs to `take_reply`, which does not touch the version.
                    let replies_taken = row.day.replies_taken;
                    row.day = DayRow {
                        replies_taken,
                        ..day.clone()
                    };
                    Replaced::Done
                }
                _ => Replaced::Stale,
            }
        })
        .await
    }

    async fn take_reply(
        &self,
        owner: AccountRef,
        date: Date,
        slot: SlotId,
    ) -> Result<bool, StoreError> {
        self.run("plans.take_reply", |state| {
            let Some(row) = state.days.rows.get_mut(&(owner, date)) else {
                return false;
            };
            if row.took.contains(&slot) {
                return true;
            }
            if row.day.replies_taken >= row.day.reply_budget {
                return false;
            }
            row.day.replies_taken += 1;
            row.took.insert(slot)
        })
        .await
    }
}

#[async_trait]
impl PoolLedger for MemoryStore {
    async fn note(
        &self,
        user: UserId,
        pool: PoolId,
        date: Date,
        sender: AccountId,
        planned: &BTreeMap<AccountId, u32>,
    ) -> Result<(), StoreError> {
        self.run("ledger.note", |state| {
            let senders = state.days.ledger.entry((user, pool, date)).or_default();
            senders.insert(sender, planned.clone());
        })
        .await
    }

    async fn receiving(
        &self,
        user: UserId,
        pool: PoolId,
        date: Date,
    ) -> Result<BTreeMap<AccountId, u32>, StoreError> {
        self.run("ledger.receiving", |state| {
            let mut receiving = BTreeMap::new();
            let senders = state.days.ledger.get(&(user, pool, date));
            for (target, mails) in senders
                .into_iter()
                .flatten()
                .flat_map(|(_, planned)| planned)
            {
                *receiving.entry(*target).or_default() += mails;
            }
            receiving
        })
        .await
    }
}

fn empty_row(plan: &DayPlan) -> DayRow {
    DayRow {
        date: plan.span.date,
        limit: plan.limit,
        reply_budget: plan.reply_budget,
        replies_taken: 0,
        figures: DayFigures::default(),
        reputation: None,
        closed: false,
        cut_short: false,
        version: 1,
    }
}
