//! Plans, the running rows of days, and the ledger of pools.

use std::collections::{BTreeMap, BTreeSet};

use agentwarm_app::ports::days::{AccountRef, DayRow, PlannedMails, Plans, PoolLedger};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::ids::{AccountId, PoolId, SlotId, UserId};
use agentwarm_core::warmup::day::DayPlan;
use async_trait::async_trait;
use jiff::civil::Date;

use super::MemoryStore;
use super::meter::{
    self, Fresh, Kind, Meter, PUT, PUT_REFUSED, Partition, Place, UPDATE, UPDATE_REFUSED,
};

#[derive(Debug, Default)]
pub(super) struct DayItems {
    pub(super) plans: BTreeMap<(AccountRef, Date), DayPlan>,
    pub(super) rows: BTreeMap<(AccountRef, Date), Row>,
    ledger: BTreeMap<(UserId, PoolId, Date), PlannedMails>,
}

impl DayItems {
    fn create_row(&mut self, plan: &DayPlan, meter: &mut Meter) -> Created {
        let key = (AccountRef::of_plan(plan), plan.span.date);
        let of_day = place(Kind::Day, key);
        if self.rows.contains_key(&key) {
            meter.refused(of_day, PUT_REFUSED);
            return Created::Exists;
        }
        let row = Row {
            day: DayRow::empty(plan),
            took: BTreeSet::new(),
        };
        meter.wrote(of_day, PUT, || row_bytes(&row));
        self.rows.insert(key, row);
        Created::Done
    }
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) day: DayRow,
    /// The slots that took a reply from the budget.
    took: BTreeSet<SlotId>,
}

#[async_trait]
impl Plans for MemoryStore {
    /// In two steps, like the store that it stands for: a planner may die between the day's row and its plan.
    async fn create(&self, plan: &DayPlan) -> Result<Created, StoreError> {
        let key = (AccountRef::of_plan(plan), plan.span.date);
        let row = self
            .run("plans.create_row", |state| {
                state.days.create_row(plan, &mut state.meter)
            })
            .await?;
        self.run("plans.create", |state| {
            let (of_plan, of_day) = (place(Kind::Plan, key), place(Kind::Day, key));
            let exists = state.days.plans.contains_key(&key);
            if row == Created::Exists {
                state.meter.get(of_day, Fresh::Consistent);
                let bytes = meter::bytes_of(plan, BESIDES_PLAN);
                state.meter.transacted([(of_plan, bytes), (of_day, 0)]);
            }
            if exists {
                return Created::Exists;
            }
            if row == Created::Done {
                let bytes = || meter::bytes_of(plan, BESIDES_PLAN);
                state.meter.wrote(of_plan, PUT, bytes);
            } else if let Some(row) = state.days.rows.get_mut(&key) {
                row.day = row.day.clone().fitted_to(plan);
            }
            state.days.plans.insert(key, plan.clone());
            Created::Done
        })
        .await
    }

    async fn plan(&self, owner: AccountRef, date: Date) -> Result<Option<DayPlan>, StoreError> {
        self.run("plans.plan", |state| {
            let place = place(Kind::Plan, (owner, date));
            state.meter.get(place, Fresh::Eventual);
            let plan = state.days.plans.get(&(owner, date)).cloned();
            if plan.is_none() {
                state.meter.get(place, Fresh::Consistent);
            }
            plan
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
            let places = rows.clone().map(|(key, _)| place(Kind::Day, *key));
            state.meter.query(Kind::Day, Fresh::Consistent, places);
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
            let keys = wanted
                .iter()
                .map(|&(account, date)| (AccountRef { user, account }, date));
            let places = keys.map(|key| place(Kind::Day, key));
            state.meter.batch_get(Kind::Day, places);
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
            let place = place(Kind::Day, (owner, day.date));
            match state.days.rows.get_mut(&(owner, day.date)) {
                Some(row) if row.day.version + 1 == day.version => {
                    // What was taken belongs to `take_reply`, which does not touch the version.
                    let replies_taken = row.day.replies_taken;
                    row.day = DayRow {
                        replies_taken,
                        ..day.clone()
                    };
                    state.meter.wrote(place, UPDATE, || row_bytes(row));
                    Replaced::Done
                }
                _ => {
                    state.meter.refused(place, UPDATE_REFUSED);
                    Replaced::Stale
                }
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
            let place = place(Kind::Day, (owner, date));
            let row = state.days.rows.get_mut(&(owner, date));
            let took_before = row.as_ref().is_some_and(|row| row.took.contains(&slot));
            let has_room = |row: &Row| row.day.replies_taken < row.day.reply_budget;
            let Some(row) = row.filter(|row| !took_before && has_room(row)) else {
                state.meter.refused(place, UPDATE_REFUSED);
                return took_before;
            };
            row.day.replies_taken += 1;
            row.took.insert(slot);
            state.meter.wrote(place, UPDATE, || row_bytes(row));
            true
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
            let place = ledger_place(user, pool, date, sender);
            state
                .meter
                .wrote(place, PUT, || meter::bytes_of(planned, BESIDES_LEDGER));
        })
        .await
    }

    async fn planned(
        &self,
        user: UserId,
        pool: PoolId,
        date: Date,
    ) -> Result<PlannedMails, StoreError> {
        self.run("ledger.planned", |state| {
            let senders = state.days.ledger.get(&(user, pool, date));
            let noted = senders.into_iter().flatten();
            let places = noted.map(|(sender, _)| ledger_place(user, pool, date, *sender));
            state.meter.query(Kind::Ledger, Fresh::Consistent, places);
            senders.cloned().unwrap_or_default()
        })
        .await
    }
}

/// What stands beside a plan's record: keys, end.
const BESIDES_PLAN: usize = 130;
/// What stands beside a day's record: keys, version, end, the reply budget and what is taken of it.
const BESIDES_DAY: usize = 190;
/// What stands beside a ledger row's numbers: keys, end.
const BESIDES_LEDGER: usize = 190;

fn place(kind: Kind, (owner, date): (AccountRef, Date)) -> Place {
    (kind, Partition::Account(owner), meter::date_number(date))
}

fn ledger_place(user: UserId, pool: PoolId, date: Date, sender: AccountId) -> Place {
    let partition = Partition::Ledger(user, pool, date);
    (Kind::Ledger, partition, sender.as_uuid().as_u128())
}

fn row_bytes(row: &Row) -> usize {
    meter::bytes_of(&row.day, BESIDES_DAY) + 16 * row.took.len()
}
