//! What calls to DynamoDB consume: asked for without the adapters knowing, and reckoned where an emulator does not say.
//!
//! Sources: "`DynamoDB` item sizes and formats" and "`DynamoDB` read and write operations" of the developer guide.

use std::fmt;
use std::sync::Arc;

mod call;

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{
    DeleteItemError, DeleteItemInput, DeleteItemOutput,
};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::operation::update_item::{
    UpdateItemError, UpdateItemInput, UpdateItemOutput,
};
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, Output};

use crate::codec;
use call::Call;

/// Bytes of one read unit.
const READ_UNIT: usize = 4096;

/// Bytes of one write unit.
const WRITE_UNIT: usize = 1024;

/// What one call consumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consumption {
    /// The call, as in `PutItem`.
    pub operation: &'static str,
    /// The kind of item that it was about, as the data model names it; `several` where a call has more than one kind.
    pub item: &'static str,
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

/// Tells what each call consumed: as DynamoDB reports it, but at least what the items that it gave back cost to read, because the
/// emulator reports reads without regard to their size. Items that a filter kept back are taken to be as large as those that it let
/// through; what a projection kept back is seen only by the real DynamoDB. A write whose condition failed is paid for as well, and no
/// answer says how much: it is reckoned from what stood there.
#[derive(Clone)]
pub struct Meter(Arc<dyn Fn(Consumption) + Send + Sync>);

impl Meter {
    /// Tells `listener`.
    pub fn new(listener: impl Fn(Consumption) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        ask(input);
        config.interceptor_state().store_put(Call::read(input));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(call) = config.load::<Call>() else {
            return Ok(());
        };
        let consumed = match context.output_or_error() {
            Some(Ok(output)) => consumption(output, call),
            Some(Err(error)) => error
                .as_operation_error()
                .and_then(|error| failed_condition(error, call)),
            None => None,
        };
        if let Some(consumed) = consumed {
            (self.0)(consumed);
        }
        Ok(())
    }
}

/// Sets `ReturnConsumedCapacity: TOTAL` on a call that can say it.
fn ask(input: &mut Input) {
    macro_rules! ask {
        ($($operation:ty),* $(,)?) => {$(
            if let Some(input) = input.downcast_mut::<$operation>() {
                input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
            }
        )*};
    }
    ask!(
        BatchGetItemInput,
        BatchWriteItemInput,
        DeleteItemInput,
        GetItemInput,
        PutItemInput,
        QueryInput,
        TransactWriteItemsInput,
        UpdateItemInput,
    );
}

/// What a call with this output consumed, if it is one that our adapters make.
fn consumption(output: &Output, call: &Call) -> Option<Consumption> {
    let read = |operation, reported: f64, reckoned| Consumption {
        operation,
        item: call.item,
        read: reported.max(reckoned),
        write: 0.0,
    };
    if let Some(output) = output.downcast_ref::<GetItemOutput>() {
        let bytes = output.item().map_or(0, item_bytes);
        let reported = units(output.consumed_capacity());
        return Some(read(
            "GetItem",
            reported,
            read_units(bytes, call.consistent),
        ));
    }
    if let Some(output) = output.downcast_ref::<QueryOutput>() {
        let reported = units(output.consumed_capacity());
        let reckoned = read_units(looked_at_bytes(output), call.consistent);
        return Some(read("Query", reported, reckoned));
    }
    if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
        let items = output.responses().into_iter().flat_map(|all| all.values());
        let each = items.flatten();
        let reckoned = each.map(|item| read_units(item_bytes(item), false)).sum();
        let reported = units(output.consumed_capacity());
        return Some(read("BatchGetItem", reported, reckoned));
    }
    macro_rules! writes {
        ($($operation:literal: $output:ty),* $(,)?) => {$(
            if let Some(output) = output.downcast_ref::<$output>() {
                return Some(Consumption {
                    operation: $operation,
                    item: call.item,
                    read: 0.0,
                    write: units(output.consumed_capacity()),
                });
            }
        )*};
    }
    writes!(
        "PutItem": PutItemOutput,
        "UpdateItem": UpdateItemOutput,
        "DeleteItem": DeleteItemOutput,
        "BatchWriteItem": BatchWriteItemOutput,
        "TransactWriteItems": TransactWriteItemsOutput,
    );
    None
}

/// What a write consumed whose condition failed: as much as writing what stood there, and at least a unit; in a transaction two units for
/// each of its items.
fn failed_condition(error: &Error, call: &Call) -> Option<Consumption> {
    let failed = |operation, write| Consumption {
        operation,
        item: call.item,
        read: 0.0,
        write,
    };
    macro_rules! conditional {
        ($($operation:literal: $error:ident),* $(,)?) => {$(
            if let Some($error::ConditionalCheckFailedException(failure)) = error.downcast_ref::<$error>() {
                let bytes = failure.item().map_or(0, item_bytes);
                return Some(failed(concat!($operation, " refused"), write_units(bytes)));
            }
        )*};
    }
    conditional!("PutItem": PutItemError, "UpdateItem": UpdateItemError, "DeleteItem": DeleteItemError);
    match error.downcast_ref::<TransactWriteItemsError>() {
        Some(TransactWriteItemsError::TransactionCanceledException(_)) => Some(failed(
            "TransactWriteItems refused",
            2.0 * f64::from(call.writes),
        )),
        _ => None,
    }
}

/// The size of what a query looked at.
fn looked_at_bytes(output: &QueryOutput) -> usize {
    let bytes: usize = output.items().iter().map(item_bytes).sum();
    let count = |count: i32| usize::try_from(count).unwrap_or_default();
    let (passed, looked_at) = (count(output.count()), count(output.scanned_count()));
    let all = bytes * looked_at.max(passed);
    all.checked_div(passed).unwrap_or(bytes)
}

fn units<'a>(reported: impl IntoIterator<Item = &'a ConsumedCapacity>) -> f64 {
    reported
        .into_iter()
        .filter_map(ConsumedCapacity::capacity_units)
        .sum()
}

/// What reading this many bytes at once costs: a unit per 4 KB or part of it, half of that where the read need not be consistent.
fn read_units(bytes: usize, consistent: bool) -> f64 {
    let blocks = u32::try_from(bytes.div_ceil(READ_UNIT).max(1)).unwrap_or(u32::MAX);
    let price = if consistent { 1.0 } else { 0.5 };
    f64::from(blocks) * price
}

/// What writing this many bytes costs: a unit per KB or part of it.
fn write_units(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes.div_ceil(WRITE_UNIT).max(1)).unwrap_or(u32::MAX))
}

/// The size of an item, as it is paid for: the sum of its attributes' names and values.
pub fn item_bytes(item: &codec::Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_bytes(value))
        .sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // "Approximately": a byte per two significant digits, and one more.
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|n| n.len().div_ceil(2) + 1).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| blob.as_ref().len()).sum(),
        AttributeValue::L(values) => 3 + values.iter().map(|v| 1 + value_bytes(v)).sum::<usize>(),
        AttributeValue::M(fields) => {
            let field = |(name, value): (&String, _)| 1 + name.len() + value_bytes(value);
            3 + fields.iter().map(field).sum::<usize>()
        }
        // Null, Boolean.
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Item, number, text};

    #[test]
    fn sizes_follow_the_developer_guide() {
        let map = AttributeValue::M(Item::from([("ab".to_owned(), text("cde"))]));
        let item = Item::from([
            ("pk".to_owned(), text("u#1")),
            ("n".to_owned(), number(1234)),
            ("data".to_owned(), map),
            ("none".to_owned(), AttributeValue::Null(true)),
        ]);
        assert_eq!(
            item_bytes(&item),
            (2 + 3) + (1 + 3) + (4 + 3 + 1 + 2 + 3) + (4 + 1)
        );
    }

    #[test]
    fn reads_are_paid_for_by_four_kilobytes() {
        for (bytes, consistent, expected) in [
            (0, false, "0.5"),
            (4096, false, "0.5"),
            (4097, false, "1"),
            (4096, true, "1"),
            (8193, true, "3"),
        ] {
            assert_eq!(read_units(bytes, consistent).to_string(), expected);
        }
    }

    #[test]
    fn what_a_filter_kept_back_is_paid_for() {
        let item = Item::from([("pk".to_owned(), text("x".repeat(98)))]);
        let output = QueryOutput::builder()
            .items(item)
            .count(1)
            .scanned_count(50)
            .build();
        assert_eq!(looked_at_bytes(&output), 5_000);
        assert_eq!(looked_at_bytes(&QueryOutput::builder().build()), 0);
    }

    #[test]
    fn a_failed_condition_is_paid_for() {
        use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;

        let call = Call {
            item: "slot",
            ..Call::default()
        };
        let stood = Item::from([("pk".to_owned(), text("x".repeat(1_500)))]);
        for (item, expected) in [(Some(stood), "2"), (None, "1")] {
            let failure = ConditionalCheckFailedException::builder()
                .set_item(item)
                .build();
            let error = Error::erase(PutItemError::ConditionalCheckFailedException(failure));
            let consumed = failed_condition(&error, &call).unwrap();
            assert_eq!(consumed.write.to_string(), expected);
            assert_eq!(consumed.operation, "PutItem refused");
        }
        let other = PutItemError::unhandled("lost");
        assert_eq!(failed_condition(&Error::erase(other), &call), None);
    }
}
