//! One table: the reads and conditional writes that every adapter is made of.
//!
//! Three things are settled here once. A write whose condition fails although its own earlier attempt succeeded (the reply was lost,
//! the SDK tried again) is recognised by reading back what is there: if that says what was to be written, it is done. So
//! writing exactly what is there already counts as written. A write that meets a transaction in flight waits and tries again. And an item
//! that is over is not seen, whether or not the TTL has deleted it yet.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use jiff::Timestamp;

use agentwarm_app::ports::clock::Clock;
use agentwarm_app::ports::{Created, Replaced, StoreError};

use super::expression::{self, Expression};
use crate::backoff::Backoff;
use crate::codec::{self, Item};
use crate::error::unavailable;
use crate::keys::Key;

/// A table, as adapters use it.
#[derive(Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: Arc<str>,
    clock: Arc<dyn Clock>,
    /// Whether reads of items by key may be a moment behind.
    relaxed: bool,
}

/// What became of a conditional write.
#[derive(Debug)]
pub(crate) enum Written {
    /// It is written. After an update: the item as it is now.
    Done(Item),
    /// The condition did not hold; the item that was there, if any.
    Refused(Option<Item>),
}

impl Written {
    /// As the answer to a write that is conditional on the item's absence.
    pub(crate) fn created(self) -> Created {
        match self {
            Self::Done(_) => Created::Done,
            Self::Refused(_) => Created::Exists,
        }
    }

    /// As the answer to a write that is conditional on the item's version.
    pub(crate) fn replaced(self) -> Replaced {
        match self {
            Self::Done(_) => Replaced::Done,
            Self::Refused(_) => Replaced::Stale,
        }
    }
}

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// All writes that were answered before: twice the price.
    Consistent,
    /// Nearly always that, at half the price.
    Eventual,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Table").field(&self.name).finish()
    }
}

impl Table {
    /// The table `name`. `clock`'s wall time decides what is over.
    pub fn new(client: Client, name: impl Into<Arc<str>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            name: name.into(),
            clock,
            relaxed: false,
        }
    }

    /// The same table for who can live with items as they were a moment ago: each read by key is eventually consistent, at half the price.
    #[must_use]
    pub fn relaxed(self) -> Self {
        Self {
            relaxed: true,
            ..self
        }
    }

    /// Real time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// One item.
    pub(crate) async fn get(
        &self,
        operation: &'static str,
        key: Key,
        freshness: Freshness,
    ) -> Result<Option<Item>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&*self.name)
            .set_key(Some(codec::key_item(key)))
            .consistent_read(freshness == Freshness::Consistent && !self.relaxed)
            .send()
            .await
            .map_err(|error| unavailable(operation, error))?;
        let now = self.now();
        Ok(output.item.filter(|item| codec::is_live(item, now)))
    }

    /// Writes an item, whatever is there.
    pub(crate) async fn overwrite(
        &self,
        operation: &'static str,
        item: Item,
    ) -> Result<(), StoreError> {
        self.put(operation, item, None).await.map(|_| ())
    }

    /// Writes an item if `condition` holds, or it is there already.
    pub(crate) async fn put(
        &self,
        operation: &'static str,
        item: Item,
        condition: impl Into<Option<Expression>>,
    ) -> Result<Written, StoreError> {
        let (text, names, values) = optional_parts(condition.into());
        let mut backoff = Backoff::new();
        loop {
            let result = self
                .client
                .put_item()
                .table_name(&*self.name)
                .set_item(Some(item.clone()))
                .set_condition_expression(text.clone())
                .set_expression_attribute_names(names.clone())
                .set_expression_attribute_values(values.clone())
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send()
                .await;
            let Err(error) = result else {
                return Ok(Written::Done(item));
            };
            if let Some(there) = refusal(operation, error, &mut backoff).await? {
                return Ok(match there {
                    Some(there) if codec::says_the_same(&there, &item) => Written::Done(item),
                    there => Written::Refused(there),
                });
            }
        }
    }

    /// Changes an item if `condition` holds. Whether a refusal was caused by an own earlier attempt only the caller can tell, from the item
    /// that was there.
    pub(crate) async fn update(
        &self,
        operation: &'static str,
        key: Key,
        update: Expression,
        condition: impl Into<Option<Expression>>,
    ) -> Result<Written, StoreError> {
        let (text, condition, names, values) = expression::merged(update, condition.into());
        let mut backoff = Backoff::new();
        loop {
            let result = self
                .client
                .update_item()
                .table_name(&*self.name)
                .set_key(Some(codec::key_item(key.clone())))
                .update_expression(&text)
                .set_condition_expression(condition.clone())
                .set_expression_attribute_names(non_empty(names.clone(), names.is_empty()))
                .set_expression_attribute_values(non_empty(values.clone(), values.is_empty()))
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send()
                .await;
            let error = match result {
                Ok(output) => return Ok(Written::Done(output.attributes.unwrap_or_default())),
                Err(error) => error,
            };
            if let Some(there) = refusal(operation, error, &mut backoff).await? {
                return Ok(Written::Refused(there));
            }
        }
    }

    /// Deletes an item if `condition` holds.
    pub(crate) async fn delete(
        &self,
        operation: &'static str,
        key: Key,
        condition: impl Into<Option<Expression>>,
    ) -> Result<Written, StoreError> {
        let (text, names, values) = optional_parts(condition.into());
        let mut backoff = Backoff::new();
        loop {
            let result = self
                .client
                .delete_item()
                .table_name(&*self.name)
                .set_key(Some(codec::key_item(key.clone())))
                .set_condition_expression(text.clone())
                .set_expression_attribute_names(names.clone())
                .set_expression_attribute_values(values.clone())
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send()
                .await;
            let Err(error) = result else {
                return Ok(Written::Done(Item::new()));
            };
            if let Some(there) = refusal(operation, error, &mut backoff).await? {
                return Ok(Written::Refused(there));
            }
        }
    }
}

/// What a failed write means: `Some(there)`, its condition did not hold and this was there; `None`, it met a transaction and may be tried
/// again, now that this has waited.
async fn refusal<E: ConditionalWriteError>(
    operation: &'static str,
    error: SdkError<E, HttpResponse>,
    backoff: &mut Backoff,
) -> Result<Option<Option<Item>>, StoreError> {
    match error.as_service_error().map(E::kind) {
        Some(WriteFailure::Refused(there)) => return Ok(Some(there)),
        Some(WriteFailure::Conflict) if backoff.wait().await => return Ok(None),
        _ => {}
    }
    Err(unavailable(operation, error))
}

/// Why a conditional write failed, as far as it matters here.
enum WriteFailure {
    Refused(Option<Item>),
    Conflict,
    Other,
}

trait ConditionalWriteError: std::error::Error + Send + Sync + 'static {
    fn kind(&self) -> WriteFailure;
}

macro_rules! conditional_write_errors {
    ($($error:ident),*) => {$(
        impl ConditionalWriteError for $error {
            fn kind(&self) -> WriteFailure {
                match self {
                    Self::ConditionalCheckFailedException(refused) => WriteFailure::Refused(refused.item().cloned()),
                    Self::TransactionConflictException(_) => WriteFailure::Conflict,
                    _ => WriteFailure::Other,
                }
            }
        }
    )*};
}

conditional_write_errors!(PutItemError, UpdateItemError, DeleteItemError);

/// DynamoDB refuses empty maps of names and values.
pub(crate) fn non_empty<T>(map: T, is_empty: bool) -> Option<T> {
    (!is_empty).then_some(map)
}

/// An optional expression's parts.
pub(crate) fn optional_parts(
    expression: Option<Expression>,
) -> (Option<String>, Option<expression::Names>, Option<Item>) {
    let Some(expression) = expression else {
        return (None, None, None);
    };
    let (text, names, values) = expression.parts();
    let (no_names, no_values) = (names.is_empty(), values.is_empty());
    (
        Some(text),
        non_empty(names, no_names),
        non_empty(values, no_values),
    )
}
