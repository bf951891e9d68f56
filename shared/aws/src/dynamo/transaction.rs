//! Transactions: several conditional writes, all or none.
//!
//! They cost double, so only what is rare uses them: creating and deleting accounts and keys, joining and leaving pools, CRM links. A request
//! token makes an attempt whose reply was lost and that the SDK repeats one transaction (AWS keeps it for ten minutes).

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use agentwarm_app::ports::StoreError;

use super::expression::{self, Expression};
use super::table::{Table, non_empty, optional_parts};
use crate::backoff::Backoff;
use crate::codec::{self, Item};
use crate::error::{TransactionTooLarge, unavailable};
use crate::keys::Key;

/// Items in one transaction (DynamoDB's limit).
const TRANSACTION_ITEMS: usize = 100;

/// One conditional write of a transaction.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Writes an item.
    Put(Item, Option<Expression>),
    /// Changes an item.
    Update(Key, Expression, Option<Expression>),
    /// Deletes an item.
    Delete(Key, Option<Expression>),
}

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Transacted {
    /// All is written.
    Done,
    /// Nothing is written: some conditions did not hold.
    Refused(Refusals),
}

/// Whose conditions did not hold.
#[derive(Debug)]
pub(super) struct Refusals(Vec<Option<Item>>);

impl Refusals {
    /// What was there where part number `part` was refused (empty: nothing was there); `None` if it was not refused.
    pub(super) fn of(&self, part: usize) -> Option<&Item> {
        self.0.get(part)?.as_ref()
    }
}

impl Table {
    /// Carries out `parts`, all or none.
    pub(super) async fn transact(
        &self,
        operation: &'static str,
        parts: Vec<Part>,
    ) -> Result<Transacted, StoreError> {
        if parts.len() > TRANSACTION_ITEMS {
            return Err(unavailable(operation, TransactionTooLarge(parts.len())));
        }
        let items = parts
            .into_iter()
            .map(|part| self.item(part))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unavailable(operation, error))?;
        let mut backoff = Backoff::new();
        loop {
            // The SDK gives each of these calls a token of its own and repeats it with its attempts.
            let result = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .send()
                .await;
            let Err(error) = result else {
                return Ok(Transacted::Done);
            };
            if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
            {
                let reasons = cancelled.cancellation_reasons();
                if reasons.iter().any(is_refusal) {
                    return Ok(Transacted::Refused(refusals(reasons)));
                }
                if reasons.iter().any(is_passing) && backoff.wait().await {
                    continue;
                }
            }
            return Err(unavailable(operation, error));
        }
    }

    fn item(&self, part: Part) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let item = TransactWriteItem::builder();
        Ok(match part {
            Part::Put(new, condition) => {
                let (text, names, values) = optional_parts(condition);
                item.put(
                    Put::builder()
                        .table_name(&*self.name)
                        .set_item(Some(new))
                        .set_condition_expression(text)
                        .set_expression_attribute_names(names)
                        .set_expression_attribute_values(values)
                        .return_values_on_condition_check_failure(old)
                        .build()?,
                )
            }
            Part::Update(key, update, condition) => {
                let (text, condition, names, values) = expression::merged(update, condition);
                let (no_names, no_values) = (names.is_empty(), values.is_empty());
                item.update(
                    Update::builder()
                        .table_name(&*self.name)
                        .set_key(Some(codec::key_item(key)))
                        .update_expression(text)
                        .set_condition_expression(condition)
                        .set_expression_attribute_names(non_empty(names, no_names))
                        .set_expression_attribute_values(non_empty(values, no_values))
                        .return_values_on_condition_check_failure(old)
                        .build()?,
                )
            }
            Part::Delete(key, condition) => {
                let (text, names, values) = optional_parts(condition);
                item.delete(
                    Delete::builder()
                        .table_name(&*self.name)
                        .set_key(Some(codec::key_item(key)))
                        .set_condition_expression(text)
                        .set_expression_attribute_names(names)
                        .set_expression_attribute_values(values)
                        .return_values_on_condition_check_failure(old)
                        .build()?,
                )
            }
        }
        .build())
    }
}

fn is_refusal(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

/// Reasons that are over in a moment (API reference of `TransactWriteItems`).
fn is_passing(reason: &CancellationReason) -> bool {
    matches!(
        reason.code(),
        Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    )
}

fn refusals(reasons: &[CancellationReason]) -> Refusals {
    let there = |reason: &CancellationReason| {
        is_refusal(reason).then(|| reason.item().cloned().unwrap_or_default())
    };
    Refusals(reasons.iter().map(there).collect())
}
