//! Records to items and back.
//!
//! A domain record is stored as the map attribute `data`, its serde form. What a condition, a filter or an update needs stands beside it
//! as an attribute of its own, and where both say something the attribute wins, because updates touch it alone. Absent values are
//! left out instead of stored as nulls: every record reads a missing `Option` as `None`, and an item's size is what a write costs.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use agentwarm_app::ports::StoreError;
use agentwarm_core::audit::Event;

use crate::keys::{Key, PK, SK};

/// An item, as the SDK has it.
#[expect(
    clippy::disallowed_types,
    reason = "the SDK's type; looked up by name and never iterated in an order that matters"
)]
pub type Item = std::collections::HashMap<String, AttributeValue>;

/// The record.
pub(crate) const DATA: &str = "data";
/// Counts the changes of an item.
pub(crate) const VERSION: &str = "version";
/// What the write of `eventVersion` reports.
pub(crate) const EVENTS: &str = "events";
/// The version whose write `events` belongs to.
pub(crate) const EVENT_VERSION: &str = "eventVersion";
/// When the item is over, in epoch seconds: the tables' TTL attribute.
pub(crate) const EXPIRES_AT: &str = "expiresAt";

/// An item is not what we write.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// An attribute that every version of ours writes is not there.
    #[error("attribute {0} is missing")]
    Missing(&'static str),
    /// An attribute has another type or form.
    #[error("attribute {0} is not of its type")]
    Form(&'static str),
    /// The record does not decode, or did not encode.
    #[error("the record does not fit its type")]
    Record(#[from] serde_dynamo::Error),
    /// Something that must exist does not.
    #[error("{0} does not exist")]
    Dangling(&'static str),
}

impl CodecError {
    /// This as what the caller sees.
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        StoreError::Corrupt {
            operation,
            source: Box::new(self),
        }
    }
}

/// An item in the making.
#[derive(Debug, Clone)]
pub(crate) struct ItemBuilder(Item);

impl ItemBuilder {
    /// An item with nothing but its key.
    pub(crate) fn new(key: Key) -> Self {
        Self(key_item(key))
    }

    /// With the record.
    pub(crate) fn data<T: Serialize>(self, record: &T) -> Result<Self, CodecError> {
        Ok(self.with(DATA, encode(record)?))
    }

    /// With the record but for those of its fields that its key says: [`record_with`] puts them back.
    pub(crate) fn data_but<T: Serialize>(
        self,
        in_key: &[&str],
        record: &T,
    ) -> Result<Self, CodecError> {
        let mut data = encode(record)?;
        if let AttributeValue::M(fields) = &mut data {
            for name in in_key {
                fields.remove(*name);
            }
        }
        Ok(self.with(DATA, data))
    }

    /// With a version.
    pub(crate) fn version(self, version: u64) -> Self {
        self.with(VERSION, number(version))
    }

    /// With the events that this write reports, if any.
    pub(crate) fn events(self, version: u64, events: &[Event]) -> Result<Self, CodecError> {
        if events.is_empty() {
            return Ok(self);
        }
        Ok(self
            .with(EVENTS, encode_events(events)?)
            .with(EVENT_VERSION, number(version)))
    }

    /// With an end.
    pub(crate) fn expires_at(self, at: Timestamp) -> Self {
        self.with(EXPIRES_AT, number(at.as_second()))
    }

    /// With any other attribute.
    pub(crate) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// With any other attribute, where there is a value.
    pub(crate) fn with_some(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The item.
    pub(crate) fn build(self) -> Item {
        self.0
    }
}

/// The key as attributes.
pub(crate) fn key_item(key: Key) -> Item {
    Item::from([
        (PK.to_owned(), AttributeValue::S(key.pk)),
        (SK.to_owned(), AttributeValue::S(key.sk)),
    ])
}

/// The key of an item that was read.
pub(crate) fn key_of(item: &Item) -> Result<Key, CodecError> {
    Ok(Key {
        pk: text_of(item, PK)?.to_owned(),
        sk: text_of(item, SK)?.to_owned(),
    })
}

/// A string attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn number(value: impl std::fmt::Display + Copy) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A binary attribute.
pub(crate) fn bytes(value: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// A record as an attribute, without the values that are absent.
pub(crate) fn encode<T: Serialize>(record: &T) -> Result<AttributeValue, CodecError> {
    let value = serde_dynamo::to_attribute_value(record)?;
    Ok(match value {
        AttributeValue::M(mut fields) => {
            fields.retain(|_, field| !field.is_null());
            AttributeValue::M(fields)
        }
        other => other,
    })
}

/// Events as an attribute.
pub(crate) fn encode_events(events: &[Event]) -> Result<AttributeValue, CodecError> {
    Ok(serde_dynamo::to_attribute_value(events)?)
}

/// The record of an item, taken out of it.
pub(crate) fn take_data<T: DeserializeOwned>(item: &mut Item) -> Result<T, CodecError> {
    take(item, DATA)
}

/// The record of an item that is nothing but its record.
pub(crate) fn record<T: DeserializeOwned>(mut item: Item) -> Result<T, CodecError> {
    take_data(&mut item)
}

/// The record of an item whose key says some of its fields ([`ItemBuilder::data_but`]).
pub(crate) fn record_with<T: DeserializeOwned, const N: usize>(
    mut item: Item,
    in_key: [(&'static str, String); N],
) -> Result<T, CodecError> {
    if let Some(AttributeValue::M(fields)) = item.get_mut(DATA) {
        fields.extend(in_key.map(|(name, value)| (name.to_owned(), text(value))));
    }
    record(item)
}

/// What `read` makes of an item, if there is one.
pub(crate) fn read_one<T>(
    operation: &'static str,
    item: Option<Item>,
    read: impl FnOnce(Item) -> Result<T, CodecError>,
) -> Result<Option<T>, StoreError> {
    item.map(read)
        .transpose()
        .map_err(|error| error.during(operation))
}

/// What `read` makes of items.
pub(crate) fn read_all<T>(
    operation: &'static str,
    items: Vec<Item>,
    read: impl FnMut(Item) -> Result<T, CodecError>,
) -> Result<Vec<T>, StoreError> {
    items
        .into_iter()
        .map(read)
        .collect::<Result<Vec<T>, CodecError>>()
        .map_err(|error| error.during(operation))
}

/// A record that stands in an attribute of its own, taken out of the item.
pub(crate) fn take<T: DeserializeOwned>(
    item: &mut Item,
    name: &'static str,
) -> Result<T, CodecError> {
    let value = item.remove(name).ok_or(CodecError::Missing(name))?;
    Ok(serde_dynamo::from_attribute_value(value)?)
}

/// A string attribute's value.
pub(crate) fn text_of<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, CodecError> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        Some(_) => Err(CodecError::Form(name)),
        None => Err(CodecError::Missing(name)),
    }
}

/// A string attribute's value, parsed.
pub(crate) fn parsed_of<T: std::str::FromStr>(
    item: &Item,
    name: &'static str,
) -> Result<T, CodecError> {
    text_of(item, name)?
        .parse()
        .map_err(|_| CodecError::Form(name))
}

/// A number attribute's value.
pub(crate) fn number_of<T: std::str::FromStr>(
    item: &Item,
    name: &'static str,
) -> Result<T, CodecError> {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().map_err(|_| CodecError::Form(name)),
        Some(_) => Err(CodecError::Form(name)),
        None => Err(CodecError::Missing(name)),
    }
}

/// A number attribute's value, 0 where it was never written.
pub(crate) fn count_of(item: &Item, name: &'static str) -> Result<u32, CodecError> {
    if item.contains_key(name) {
        number_of(item, name)
    } else {
        Ok(0)
    }
}

/// A binary attribute's value.
pub(crate) fn bytes_of<'a>(item: &'a Item, name: &'static str) -> Result<&'a [u8], CodecError> {
    match item.get(name) {
        Some(AttributeValue::B(blob)) => Ok(blob.as_ref()),
        Some(_) => Err(CodecError::Form(name)),
        None => Err(CodecError::Missing(name)),
    }
}

/// Whether an item is still there at `now`: the table's TTL deletes late.
pub(crate) fn is_live(item: &Item, now: Timestamp) -> bool {
    number_of::<i64>(item, EXPIRES_AT).map_or(true, |end| end > now.as_second())
}

/// Whether two items say the same: all but when they are over, which each attempt of a write reckons from its own time.
pub(crate) fn says_the_same(a: &Item, b: &Item) -> bool {
    let content = |item: &Item| item.keys().filter(|name| *name != EXPIRES_AT).count();
    content(a) == content(b)
        && a.iter().all(|(name, value)| {
            name == EXPIRES_AT || b.get(name).is_some_and(|other| is_same(value, other))
        })
}

/// Whether two attributes are equal. Numbers are compared as numbers, because DynamoDB gives them back in its own notation.
pub(crate) fn is_same(a: &AttributeValue, b: &AttributeValue) -> bool {
    match (a, b) {
        (AttributeValue::N(a), AttributeValue::N(b)) => {
            a == b
                || matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if a.total_cmp(&b).is_eq())
        }
        (AttributeValue::L(a), AttributeValue::L(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (AttributeValue::M(a), AttributeValue::M(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, value)| b.get(name).is_some_and(|other| is_same(value, other)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Sample {
        id: String,
        rate: f64,
        count: Option<u64>,
        at: Option<Timestamp>,
        #[serde(flatten)]
        kind: Kind,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Kind {
        Plain,
        Timed { since: Timestamp, share: f64 },
    }

    fn key() -> Key {
        Key {
            pk: "p".to_owned(),
            sk: "s".to_owned(),
        }
    }

    fn moments() -> impl Strategy<Value = Timestamp> {
        let range = Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond();
        range.prop_map(|nanos| Timestamp::from_nanosecond(nanos).unwrap())
    }

    fn samples() -> impl Strategy<Value = Sample> {
        let numbers = || proptest::num::f64::NORMAL | proptest::num::f64::ZERO;
        let kinds = prop_oneof![
            Just(Kind::Plain),
            (moments(), numbers()).prop_map(|(since, share)| Kind::Timed { since, share }),
        ];
        let count = proptest::option::of(any::<u64>());
        let at = proptest::option::of(moments());
        ("\\PC{1,20}", numbers(), count, at, kinds).prop_map(|(id, rate, count, at, kind)| Sample {
            id,
            rate,
            count,
            at,
            kind,
        })
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(sample in samples()) {
            let item = ItemBuilder::new(key()).data(&sample).unwrap().build();
            prop_assert_eq!(&record::<Sample>(item).unwrap(), &sample);

            let item = ItemBuilder::new(key()).data_but(&["id"], &sample).unwrap().build();
            let read: Sample = record_with(item, [("id", sample.id.clone())]).unwrap();
            prop_assert_eq!(read, sample);
        }
    }

    #[test]
    fn absent_values_take_no_room() {
        let sample = Sample {
            id: "x".to_owned(),
            rate: 0.5,
            count: None,
            at: None,
            kind: Kind::Plain,
        };
        let data = encode(&sample).unwrap();
        let mut names: Vec<_> = data.as_m().unwrap().keys().cloned().collect();
        names.sort();
        assert_eq!(names, ["id", "kind", "rate"]);
    }

    #[test]
    fn items_that_differ_only_in_their_end_or_notation_say_the_same() {
        let item = |rate: &str, end: i64| {
            ItemBuilder::new(key())
                .with("rate", AttributeValue::N(rate.to_owned()))
                .with(
                    "list",
                    AttributeValue::L(vec![AttributeValue::N(rate.to_owned())]),
                )
                .expires_at(Timestamp::from_second(end).unwrap())
                .build()
        };
        assert!(says_the_same(&item("0.00001", 1), &item("1E-5", 2)));
        assert!(!says_the_same(&item("0.5", 1), &item("0.6", 1)));
        let more = ItemBuilder(item("0.5", 1)).version(1).build();
        assert!(!says_the_same(&item("0.5", 1), &more));
        assert!(!says_the_same(&more, &item("0.5", 1)));
    }

    #[test]
    fn an_item_is_over_when_its_time_has_come() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let item = ItemBuilder::new(key()).expires_at(at(100)).build();
        assert!(is_live(&item, at(99)));
        assert!(!is_live(&item, at(100)));
        assert!(is_live(&ItemBuilder::new(key()).build(), at(100)));
    }
}
