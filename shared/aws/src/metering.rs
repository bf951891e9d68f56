//! What calls to DynamoDB consume: asked for without the adapters knowing, and reckoned where an emulator does not say.
//!
//! Sources: "`DynamoDB` item sizes and formats" and "`DynamoDB` read and write operations" of the developer guide.

use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsInput, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};

use crate::codec::Item;

/// Bytes of one read unit.
const READ_UNIT: usize = 4096;

/// Sets `ReturnConsumedCapacity: TOTAL` on every call that can say it. Who counts is another interceptor's business.
#[derive(Debug)]
pub(crate) struct MeterConsumption;

impl Intercept for MeterConsumption {
    fn name(&self) -> &'static str {
        "MeterConsumption"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        macro_rules! meter {
            ($($operation:ty),* $(,)?) => {$(
                if let Some(input) = input.downcast_mut::<$operation>() {
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                }
            )*};
        }
        meter!(
            BatchGetItemInput,
            BatchWriteItemInput,
            DeleteItemInput,
            GetItemInput,
            PutItemInput,
            QueryInput,
            TransactWriteItemsInput,
            UpdateItemInput,
        );
        Ok(())
    }
}

/// What one call consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumption {
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

impl Consumption {
    /// What the call with this input and output consumed: as reported (`ClientSettings::meter`), but at least what the items that it gave
    /// back cost to read, because the emulator reports reads without regard to their size. Items that a filter or a projection kept
    /// back cannot be seen here. `None` if it is no call of DynamoDB's that our adapters make.
    pub fn of(input: &Input, output: &Output) -> Option<Self> {
        let read = |reported, reckoned: f64| Self {
            read: units(reported).max(reckoned),
            write: 0.0,
        };
        let write = |reported| Self {
            read: 0.0,
            write: units(reported),
        };
        if let Some(output) = output.downcast_ref::<GetItemOutput>() {
            let consistent = input.downcast_ref::<GetItemInput>()?.consistent_read();
            let bytes = output.item().map_or(0, item_bytes);
            let reckoned = read_units(bytes, consistent);
            return Some(read(output.consumed_capacity().as_slice(), reckoned));
        }
        if let Some(output) = output.downcast_ref::<QueryOutput>() {
            let consistent = input.downcast_ref::<QueryInput>()?.consistent_read();
            let bytes = output.items().iter().map(item_bytes).sum();
            let reckoned = read_units(bytes, consistent);
            return Some(read(output.consumed_capacity().as_slice(), reckoned));
        }
        if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
            let items = output.responses().into_iter().flat_map(|all| all.values());
            let each = items
                .flatten()
                .map(|item| read_units(item_bytes(item), None));
            let reckoned = each.sum();
            let reported: Vec<_> = output.consumed_capacity().iter().collect();
            return Some(read(&reported, reckoned));
        }
        if let Some(output) = output.downcast_ref::<PutItemOutput>() {
            return Some(write(output.consumed_capacity().as_slice()));
        }
        if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
            return Some(write(output.consumed_capacity().as_slice()));
        }
        if let Some(output) = output.downcast_ref::<DeleteItemOutput>() {
            return Some(write(output.consumed_capacity().as_slice()));
        }
        if let Some(output) = output.downcast_ref::<BatchWriteItemOutput>() {
            let reported: Vec<_> = output.consumed_capacity().iter().collect();
            return Some(write(&reported));
        }
        let output = output.downcast_ref::<TransactWriteItemsOutput>()?;
        let reported: Vec<_> = output.consumed_capacity().iter().collect();
        Some(write(&reported))
    }
}

fn units(reported: &[&ConsumedCapacity]) -> f64 {
    reported
        .iter()
        .filter_map(|consumed| consumed.capacity_units())
        .sum()
}

/// What reading this many bytes at once costs: a unit per 4 KB or part of it, half of that where the read need not be consistent.
fn read_units(bytes: usize, consistent: Option<bool>) -> f64 {
    let blocks = u32::try_from(bytes.div_ceil(READ_UNIT).max(1)).unwrap_or(u32::MAX);
    let price = if consistent == Some(true) { 1.0 } else { 0.5 };
    f64::from(blocks) * price
}

/// The size of an item, as it is paid for: the sum of its attributes' names and values.
pub fn item_bytes(item: &Item) -> usize {
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
    use crate::codec::{number, text};

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
            (0, None, "0.5"),
            (4096, None, "0.5"),
            (4097, None, "1"),
            (4096, Some(true), "1"),
            (8193, Some(true), "3"),
        ] {
            assert_eq!(read_units(bytes, consistent).to_string(), expected);
        }
    }
}
