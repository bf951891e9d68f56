//! Planned days and their running rows.
//!
//! A plan is written once and is large; what is left of its day changes with every mail and is a small row of its own. The row is
//! written first and the plan last: whoever sees a plan finds its row (and, as the caller has it, its due entries). `repliesTaken` and
//! the slots that took one stand beside the row's record, because taking a reply is one write without a read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;

use agentwarm_app::ports::days::{AccountRef, DayRow, Plans};
use agentwarm_app::ports::{Created, Replaced, StoreError};
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::warmup::day::DayPlan;

use super::ActivityTable;
use super::expression::Expression;
use super::query::{Query, Wanted};
use super::table::{Freshness, Written};
use super::transaction::{Part, Transacted};
use crate::actions::{Action, BATCH_GET, GET, PUT, QUERY, Resource, UPDATE};
use crate::codec::{self, CodecError, DATA, Item, ItemBuilder, VERSION};
use crate::keys::{self, SK};

/// How many replies the day may take.
const REPLY_BUDGET: &str = "replyBudget";
/// How many it took.
const REPLIES_TAKEN: &str = "repliesTaken";
/// The slots that took them: a set of 16-byte ids, because the row is paid for by its size.
const REPLY_SLOTS: &str = "replySlots";

/// [`Plans`] on the activity table.
#[derive(Debug, Clone)]
pub struct DynamoPlans(ActivityTable);

impl DynamoPlans {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Activity.may(GET),
        Resource::Activity.may(BATCH_GET),
        Resource::Activity.may(QUERY),
        Resource::Activity.may(PUT),
        Resource::Activity.may(UPDATE),
    ];

    /// On the activity table.
    pub fn new(activity: ActivityTable) -> Self {
        Self(activity)
    }

    fn plan_item(&self, plan: &DayPlan) -> Result<Item, CodecError> {
        Ok(
            ItemBuilder::new(keys::plan(AccountRef::of_plan(plan), plan.span.date))
                .data(plan)?
                .expires_at(self.0.expiry())
                .build(),
        )
    }

    fn row_item(&self, owner: AccountRef, row: &DayRow) -> Result<Item, CodecError> {
        Ok(ItemBuilder::new(keys::day(owner, row.date))
            .data(row)?
            .with(REPLY_BUDGET, codec::number(row.reply_budget))
            .with(REPLIES_TAKEN, codec::number(row.replies_taken))
            .version(row.version)
            .expires_at(self.0.expiry())
            .build())
    }

    /// Another planning of the day came as far as its row and planned otherwise: the plan and its row are settled together, so that they
    /// fit each other whoever wins. A row that waited for its plan may have been summed up meanwhile; what it was summed up to stays.
    async fn settle(
        &self,
        operation: &'static str,
        plan: &DayPlan,
        item: Item,
    ) -> Result<Created, StoreError> {
        let table = &self.0.table;
        let key = keys::day(AccountRef::of_plan(plan), plan.span.date);
        let there = table
            .get(operation, key.clone(), Freshness::Consistent)
            .await?;
        let Some(there) = codec::read_one(operation, there, read_row)? else {
            return Ok(Created::Exists);
        };
        let row = there.fitted_to(plan);
        let absent = Expression::absent(table.now());
        let parts = vec![
            Part::Put(item, Some(absent)),
            Part::Update(
                key,
                self.row_update(&row)
                    .map_err(|error| error.during(operation))?,
                Some(Expression::precedes(row.version)),
            ),
        ];
        Ok(match table.transact(operation, parts).await? {
            Transacted::Done => Created::Done,
            Transacted::Refused(_) => Created::Exists,
        })
    }

    /// A row as it shall be. What was taken from its budget belongs to `take_reply`.
    fn row_update(&self, row: &DayRow) -> Result<Expression, CodecError> {
        let update =
            "SET #data = :data, #version = :written, #replyBudget = :budget, #expiresAt = :expiry";
        Ok(Expression::new(update)
            .value("data", codec::encode(row)?)
            .value("written", codec::number(row.version))
            .value("budget", codec::number(row.reply_budget))
            .value("expiry", codec::number(self.0.expiry().as_second())))
    }
}

#[async_trait]
impl Plans for DynamoPlans {
    async fn create(&self, plan: &DayPlan) -> Result<Created, StoreError> {
        const OPERATION: &str = "write the plan of a day";
        let row = DayRow::empty(plan);
        let row = self
            .row_item(AccountRef::of_plan(plan), &row)
            .map_err(|error| error.during(OPERATION))?;
        let item = self
            .plan_item(plan)
            .map_err(|error| error.during(OPERATION))?;
        let absent = Expression::absent(self.0.table.now());
        let table = &self.0.table;
        match table.put(OPERATION, row, absent.clone()).await? {
            Written::Done(_) => {
                let written = table.put(OPERATION, item, absent).await?;
                Ok(written.created())
            }
            Written::Refused(_) => self.settle(OPERATION, plan, item).await,
        }
    }

    async fn plan(&self, owner: AccountRef, date: Date) -> Result<Option<DayPlan>, StoreError> {
        const OPERATION: &str = "read the plan of a day";
        let key = keys::plan(owner, date);
        let table = &self.0.table;
        // Never written twice: one that is found is whole at half the price, and only whether there is none needs a look that cannot be late.
        let item = match table
            .get(OPERATION, key.clone(), Freshness::Eventual)
            .await?
        {
            Some(item) => Some(item),
            None => table.get(OPERATION, key, Freshness::Consistent).await?,
        };
        codec::read_one(OPERATION, item, codec::record)
    }

    async fn days(
        &self,
        owner: AccountRef,
        from: Date,
        to: Date,
    ) -> Result<Vec<DayRow>, StoreError> {
        const OPERATION: &str = "read days";
        // Consistent: the next change of a row is conditional on the version that is read here.
        let query = Query::new(keys::days(owner, from, to)).consistent();
        let items = self.0.table.query_all(OPERATION, &query).await?;
        codec::read_all(OPERATION, items, read_row)
    }

    async fn days_of(
        &self,
        user: UserId,
        wanted: &[(AccountId, Date)],
    ) -> Result<BTreeMap<AccountId, DayRow>, StoreError> {
        const OPERATION: &str = "read a day of many accounts";
        let accounts: BTreeMap<_, _> = wanted
            .iter()
            .map(|&(account, date)| (keys::day(AccountRef { user, account }, date), account))
            .collect();
        let items = self
            .0
            .table
            .batch_get(OPERATION, accounts.keys().cloned(), Wanted::Items)
            .await?;
        let rows = codec::read_all(OPERATION, items, |item| {
            let key = codec::key_of(&item)?;
            let account = accounts.get(&key).copied().ok_or(CodecError::Form(SK))?;
            Ok((account, read_row(item)?))
        })?;
        Ok(rows.into_iter().collect())
    }

    async fn replace_day(&self, owner: AccountRef, day: &DayRow) -> Result<Replaced, StoreError> {
        const OPERATION: &str = "change a day";
        let data = codec::encode(day).map_err(|error| error.during(OPERATION))?;
        let update = self
            .row_update(day)
            .map_err(|error| error.during(OPERATION))?;
        let condition = Expression::precedes(day.version);
        let key = keys::day(owner, day.date);
        let written = self
            .0
            .table
            .update(OPERATION, key, update, condition)
            .await?;
        Ok(match written {
            Written::Refused(Some(there)) if has_data(&there, &data) => Replaced::Done,
            other => other.replaced(),
        })
    }

    async fn take_reply(
        &self,
        owner: AccountRef,
        date: Date,
        slot: SlotId,
    ) -> Result<bool, StoreError> {
        let id = slot.as_uuid().as_bytes().to_vec();
        let set = AttributeValue::Bs(vec![aws_sdk_dynamodb::primitives::Blob::new(id.clone())]);
        let update = Expression::new("ADD #repliesTaken :one, #replySlots :slots")
            .value("one", codec::number(1))
            .value("slots", set);
        let condition =
            Expression::new("#repliesTaken < #replyBudget AND NOT contains(#replySlots, :slot)")
                .value("slot", codec::bytes(id.clone()))
                .and(Expression::live(self.0.table.now()));
        let key = keys::day(owner, date);
        let written = self
            .0
            .table
            .update("take a reply from a day", key, update, condition)
            .await?;
        Ok(match written {
            Written::Done(_) => true,
            Written::Refused(there) => there.is_some_and(|there| took(&there, &id)),
        })
    }
}

fn read_row(mut item: Item) -> Result<DayRow, CodecError> {
    let mut row: DayRow = codec::take_data(&mut item)?;
    row.replies_taken = codec::number_of(&item, REPLIES_TAKEN)?;
    row.version = codec::number_of(&item, VERSION)?;
    Ok(row)
}

fn has_data(item: &Item, data: &AttributeValue) -> bool {
    item.get(DATA)
        .is_some_and(|stored| codec::is_same(stored, data))
}

/// Whether a slot took a reply before.
fn took(row: &Item, slot: &[u8]) -> bool {
    match row.get(REPLY_SLOTS) {
        Some(AttributeValue::Bs(slots)) => slots.iter().any(|taken| taken.as_ref() == slot),
        _ => false,
    }
}
