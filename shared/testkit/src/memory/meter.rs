//! What the calls of a [`MemoryStore`](super::MemoryStore) would consume of DynamoDB, where somebody wants to know.
//!
//! Each operation of the store says which calls its DynamoDB adapter makes for it; what they cost follows from the sizes of the items, which
//! are reckoned from the records that are written ("`DynamoDB` item sizes and formats" and "`DynamoDB` read and write operations" of the
//! developer guide). That both agree is a test beside the adapters (`shared/aws/tests/emulator/costs.rs`).
//!
//! Not counted are the calls that only the API makes.

use std::collections::BTreeMap;

use agentwarm_app::ports::days::AccountRef;
use agentwarm_core::audit::Event;
use agentwarm_core::ids::{AccountId, PoolId, UserId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

/// Bytes of one read unit.
const READ_UNIT: usize = 4096;

/// Bytes of one write unit.
const WRITE_UNIT: usize = 1024;

/// Operations that write.
pub(super) const PUT: &str = "PutItem";
pub(super) const PUT_REFUSED: &str = "PutItem refused";
pub(super) const UPDATE: &str = "UpdateItem";
pub(super) const UPDATE_REFUSED: &str = "UpdateItem refused";
pub(super) const DELETE: &str = "DeleteItem";
pub(super) const BATCH_WRITE: &str = "BatchWriteItem";

/// Items that a transaction's write is paid for twice.
const TRANSACTION: f64 = 2.0;

/// The kinds of items, by their names in the data model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the data model explains them")]
pub enum Kind {
    Account,
    AuditEntry,
    Credentials,
    Day,
    DueEntry,
    Ledger,
    Mailbox,
    Member,
    Plan,
    Pool,
    Receipt,
    RosterEntry,
    SendTotal,
    Slot,
    Suppression,
    TestMode,
    User,
    Watermark,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::AuditEntry => "audit entry",
            Self::Credentials => "credentials",
            Self::Day => "day",
            Self::DueEntry => "due entry",
            Self::Ledger => "pool ledger",
            Self::Mailbox => "mailbox",
            Self::Member => "member",
            Self::Plan => "plan",
            Self::Pool => "pool",
            Self::Receipt => "receipt",
            Self::RosterEntry => "roster entry",
            Self::SendTotal => "total of a user",
            Self::Slot => "slot",
            Self::Suppression => "suppression",
            Self::TestMode => "test mode",
            Self::User => "user",
            Self::Watermark => "watermark",
        }
    }
}

/// Where items lie together: what DynamoDB limits the writes of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Partition {
    /// A user's entities.
    User(UserId),
    /// An account's activity.
    Account(AccountRef),
    /// An account's place in the ephemeral table.
    Mailbox(AccountRef),
    /// What a pool's members plan for each other on a date.
    Ledger(UserId, PoolId, Date),
    /// A user's audit log.
    Audit(UserId),
    /// An hour of the due index, by its number since 1970.
    Due(u16, i64),
    /// A shard's watermark.
    Watermark(u16),
    /// A minute of the roster.
    Roster(u8),
    /// A user's total.
    Total(UserId),
}

/// An item: its kind, partition and what tells it from its neighbours.
pub type Place = (Kind, Partition, u128);

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    /// All writes that were answered before: twice the price.
    Consistent,
    /// Nearly always that.
    Eventual,
}

/// Whose calls to which kind of item these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Calls {
    /// Who called ([`Meter::enter`]).
    pub caller: &'static str,
    /// The kind of item.
    pub kind: Kind,
    /// Such as `GetItem`.
    pub operation: &'static str,
}

/// What calls used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// Requests.
    pub requests: u64,
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

/// The second in which a partition had to take more than any other in any second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Busiest {
    /// The partition.
    pub partition: Partition,
    /// The second.
    pub second: i64,
    /// Write units in it.
    pub units: f64,
}

/// Counts what is used. Off at first: then it does nothing.
#[derive(Debug, Default)]
pub struct Meter {
    is_on: bool,
    caller: &'static str,
    second: i64,
    sizes: BTreeMap<Place, usize>,
    used: BTreeMap<Calls, Used>,
    in_second: BTreeMap<Partition, f64>,
    busiest: Option<Busiest>,
}

impl Meter {
    /// Begins to count. What is stored already has no size.
    pub fn switch_on(&mut self) {
        self.is_on = true;
    }

    /// Forgets what was counted; sizes are kept.
    pub fn reset(&mut self) {
        self.used.clear();
        self.in_second.clear();
        self.busiest = None;
    }

    /// Says who calls from here on, and when that is.
    pub fn enter(&mut self, caller: &'static str, now: Timestamp) {
        self.caller = caller;
        if self.second != now.as_second() {
            self.second = now.as_second();
            self.in_second.clear();
        }
    }

    /// What was used since it was reset.
    pub fn used(&self) -> &BTreeMap<Calls, Used> {
        &self.used
    }

    /// The partition that had to take most in one second since it was reset.
    pub fn busiest(&self) -> Option<Busiest> {
        self.busiest
    }

    /// One item was asked for, whether it is there or not.
    pub(super) fn get(&mut self, place: Place, fresh: Fresh) {
        if self.is_on {
            let units = read_units(self.size(&place), fresh);
            self.read(place.0, "GetItem", units);
        }
    }

    /// Neighbouring items were read.
    pub(super) fn query(
        &mut self,
        kind: Kind,
        fresh: Fresh,
        places: impl IntoIterator<Item = Place>,
    ) {
        if self.is_on {
            let bytes = places.into_iter().map(|place| self.size(&place)).sum();
            self.read(kind, "Query", read_units(bytes, fresh));
        }
    }

    /// Items were asked for by their keys.
    pub(super) fn batch_get(&mut self, kind: Kind, places: impl IntoIterator<Item = Place>) {
        if self.is_on {
            let each = places.into_iter();
            let units = each.map(|place| read_units(self.size(&place), Fresh::Eventual));
            let units: f64 = units.sum();
            if units > 0.0 {
                self.read(kind, "BatchGetItem", units);
            }
        }
    }

    /// An item was written.
    pub(super) fn wrote(
        &mut self,
        place: Place,
        operation: &'static str,
        bytes: impl FnOnce() -> usize,
    ) {
        if self.is_on {
            let (bytes, before) = (bytes(), self.size(&place));
            self.sizes.insert(place, bytes);
            self.write(&place, operation, write_units(bytes.max(before)));
        }
    }

    /// Something stands in an item that was paid for by what stands there besides.
    pub(super) fn shares_an_item(&mut self, place: Place, bytes: usize) {
        if self.is_on {
            self.sizes.insert(place, bytes);
        }
    }

    /// Items were written in one transaction.
    pub(super) fn transacted(&mut self, places: impl IntoIterator<Item = (Place, usize)>) {
        if self.is_on {
            for (place, bytes) in places {
                self.sizes.insert(place, bytes);
                self.write(
                    &place,
                    "TransactWriteItems",
                    TRANSACTION * write_units(bytes),
                );
            }
        }
    }

    /// A write was refused: it is paid for by what stands there.
    pub(super) fn refused(&mut self, place: Place, operation: &'static str) {
        if self.is_on {
            let units = write_units(self.size(&place));
            self.write(&place, operation, units);
        }
    }

    fn size(&self, place: &Place) -> usize {
        self.sizes.get(place).copied().unwrap_or_default()
    }

    fn read(&mut self, kind: Kind, operation: &'static str, units: f64) {
        let used = self.calls(kind, operation);
        used.requests += 1;
        used.read += units;
    }

    fn write(&mut self, place: &Place, operation: &'static str, units: f64) {
        let used = self.calls(place.0, operation);
        used.requests += 1;
        used.write += units;
        let in_second = self.in_second.entry(place.1).or_default();
        *in_second += units;
        let second = Busiest {
            partition: place.1,
            second: self.second,
            units: *in_second,
        };
        if self
            .busiest
            .is_none_or(|busiest| busiest.units < second.units)
        {
            self.busiest = Some(second);
        }
    }

    fn calls(&mut self, kind: Kind, operation: &'static str) -> &mut Used {
        let calls = Calls {
            caller: self.caller,
            kind,
            operation,
        };
        self.used.entry(calls).or_default()
    }
}

/// What reading this many bytes at once costs: a unit per 4 KB or part of it, half of that where the read need not be consistent.
fn read_units(bytes: usize, fresh: Fresh) -> f64 {
    let price = match fresh {
        Fresh::Consistent => 1.0,
        Fresh::Eventual => 0.5,
    };
    blocks(bytes, READ_UNIT) * price
}

/// What writing this many bytes costs: a unit per KB or part of it.
fn write_units(bytes: usize) -> f64 {
    blocks(bytes, WRITE_UNIT)
}

fn blocks(bytes: usize, block: usize) -> f64 {
    f64::from(u32::try_from(bytes.div_ceil(block).max(1)).unwrap_or(u32::MAX))
}

/// The bytes of an item with this record: of its `data`, and of `besides` in its key and its other attributes.
pub(super) fn bytes_of<T: Serialize>(record: &T, besides: usize) -> usize {
    besides + serde_json::to_value(record).map_or(0, |value| value_bytes(&value))
}

/// The bytes of the events that ride on a write.
pub(super) fn event_bytes(events: &[Event]) -> usize {
    if events.is_empty() {
        return 0;
    }
    bytes_of(&events, "events".len() + "eventVersion".len() + 2)
}

/// "Approximately": a digit pair and one byte for a number; three and one for each entry of a list or map. Absent values are left out.
fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(number) => number.to_string().len().div_ceil(2) + 1,
        Value::String(text) => text.len(),
        Value::Array(values) => 3 + values.iter().map(|v| 1 + value_bytes(v)).sum::<usize>(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            3 + fields
                .map(|(name, value)| 1 + name.len() + value_bytes(value))
                .sum::<usize>()
        }
    }
}

/// The bytes of an id in a record, with its name: what a record leaves out because its key says it.
pub(super) fn id_field(name: &str) -> usize {
    1 + name.len() + 36
}

/// An account's place.
pub(super) fn account(user: UserId, account: AccountId) -> Place {
    (
        Kind::Account,
        Partition::User(user),
        account.as_uuid().as_u128(),
    )
}

/// An account's day, as a number.
pub(super) fn date_number(date: Date) -> u128 {
    let [year, month, day] = [
        i32::from(date.year()),
        i32::from(date.month()),
        i32::from(date.day()),
    ];
    u128::try_from(year * 10_000 + month * 100 + day).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(n: u128) -> Place {
        let user = UserId::new(Timestamp::UNIX_EPOCH, n);
        (Kind::Slot, Partition::User(user), n)
    }

    fn total(meter: &Meter) -> (String, String) {
        let used = meter.used().values();
        let (read, write) = used.fold((0.0, 0.0), |(read, write), used| {
            (read + used.read, write + used.write)
        });
        (read.to_string(), write.to_string())
    }

    #[test]
    fn units_follow_the_sizes_that_were_written() {
        let mut meter = Meter::default();
        meter.wrote(place(1), "PutItem", || 5_000);
        assert!(meter.used().is_empty(), "it is off");
        meter.switch_on();
        meter.wrote(place(1), "PutItem", || 1_025);
        meter.wrote(place(2), "PutItem", || 4_000);
        assert_eq!(total(&meter), ("0".to_owned(), "6".to_owned()));
        // Smaller than before: paid for by what was there.
        meter.wrote(place(2), "PutItem", || 10);
        meter.refused(place(1), "PutItem refused");
        assert_eq!(total(&meter), ("0".to_owned(), "12".to_owned()));
        meter.reset();
        meter.get(place(1), Fresh::Consistent);
        meter.get(place(9), Fresh::Eventual);
        meter.wrote(place(2), "PutItem", || 4_000);
        meter.query(Kind::Slot, Fresh::Eventual, [place(1), place(2)]);
        meter.batch_get(Kind::Slot, [place(1), place(2), place(9)]);
        assert_eq!(total(&meter), ("4".to_owned(), "4".to_owned()));
        meter.reset();
        meter.transacted([(place(3), 100), (place(4), 1_100)]);
        assert_eq!(total(&meter).1, "6");
    }

    #[test]
    fn the_busiest_second_of_a_partition_is_remembered() {
        let mut meter = Meter::default();
        meter.switch_on();
        for (second, writes) in [(0, 2), (1, 3), (2, 1)] {
            meter.enter("F", Timestamp::from_second(second).unwrap());
            for _ in 0..writes {
                meter.wrote(place(1), "PutItem", || 10);
            }
            meter.wrote(place(2), "PutItem", || 10);
        }
        let busiest = meter.busiest().unwrap();
        assert_eq!((busiest.partition, busiest.second), (place(1).1, 1));
        assert_eq!(busiest.units.to_string(), "3");
    }

    #[test]
    fn absent_values_take_no_room() {
        let record = json!({"ab": "cde", "n": 1234, "none": null, "all": [true]});
        let bytes = 3 + (1 + 2 + 3) + (1 + 1 + 3) + (1 + 3 + 3 + 2);
        assert_eq!(bytes_of(&record, 7), bytes + 7);
    }
}
