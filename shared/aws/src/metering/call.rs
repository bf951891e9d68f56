//! What a call to DynamoDB is about: read off its input, needed when its output is there.

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemInput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemInput;
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, DeleteRequest, KeysAndAttributes, Put, PutRequest, TransactWriteItem,
    Update, WriteRequest,
};
use aws_smithy_runtime_api::client::interceptors::context::Input;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::codec::Item;
use crate::keys::{PK, SK};

/// The kind of a call that is about items of more than one kind.
const SEVERAL: &str = "several";

/// The kinds of items by the beginning of their partition key (`keys`): looked at before the sort keys.
const BY_PARTITION: &[(&str, &str)] = &[("roster#", "roster entry"), ("kh#", "key by hash")];

/// The kinds of items by their sort key, up to its first `#`.
const BY_SORT: &[(&str, &str)] = &[
    ("user", "user"),
    ("counters", "counters"),
    ("key", "API key"),
    ("account", "account"),
    ("cred", "credentials"),
    ("lock", "address lock"),
    ("pool", "pool"),
    ("member", "member"),
    ("supp", "suppression"),
    ("datakey", "data key"),
    ("testmode", "test mode"),
    ("plan", "plan"),
    ("day", "day"),
    ("slot", "slot"),
    ("rcpt", "receipt"),
    ("from", "pool ledger"),
    ("mailbox", "mailbox"),
    ("watermark", "watermark"),
];

/// A call, as far as its price depends on it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Call {
    /// Whether it reads consistently.
    pub(super) consistent: bool,
    /// The kind of item that it is about.
    pub(super) item: &'static str,
    /// How many items it writes.
    pub(super) writes: u32,
}

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

impl Call {
    /// The call with this input.
    pub(super) fn read(input: &Input) -> Self {
        let kinds = kinds(input);
        Self {
            consistent: consistent(input),
            writes: u32::try_from(kinds.len()).unwrap_or(u32::MAX),
            item: match kinds.split_first() {
                None => "unknown",
                Some((first, rest)) if rest.iter().all(|kind| kind == first) => first,
                _ if kinds.iter().all(|kind| kind.starts_with("due entr")) => "due entries",
                Some(_) => SEVERAL,
            },
        }
    }
}

fn consistent(input: &Input) -> bool {
    let get = input.downcast_ref::<GetItemInput>();
    let query = input.downcast_ref::<QueryInput>();
    get.and_then(GetItemInput::consistent_read)
        .or(query.and_then(QueryInput::consistent_read))
        .unwrap_or(false)
}

/// The kinds of all items that a call names.
fn kinds(input: &Input) -> Vec<&'static str> {
    let one = |item: Option<&Item>| item.map(kind).into_iter().collect();
    if let Some(input) = input.downcast_ref::<GetItemInput>() {
        one(input.key())
    } else if let Some(input) = input.downcast_ref::<PutItemInput>() {
        one(input.item())
    } else if let Some(input) = input.downcast_ref::<UpdateItemInput>() {
        one(input.key())
    } else if let Some(input) = input.downcast_ref::<DeleteItemInput>() {
        one(input.key())
    } else if let Some(input) = input.downcast_ref::<QueryInput>() {
        let values = input.expression_attribute_values();
        vec![values.map_or("unknown", |values| {
            kind_of(text(values, ":pk"), text(values, ":first"))
        })]
    } else if let Some(input) = input.downcast_ref::<BatchGetItemInput>() {
        let tables = input
            .request_items()
            .into_iter()
            .flat_map(|tables| tables.values());
        tables.flat_map(KeysAndAttributes::keys).map(kind).collect()
    } else if let Some(input) = input.downcast_ref::<BatchWriteItemInput>() {
        let tables = input
            .request_items()
            .into_iter()
            .flat_map(|tables| tables.values());
        tables.flatten().filter_map(written).map(kind).collect()
    } else if let Some(input) = input.downcast_ref::<TransactWriteItemsInput>() {
        let parts = input.transact_items().iter();
        parts.filter_map(part).map(kind).collect()
    } else {
        Vec::new()
    }
}

fn written(request: &WriteRequest) -> Option<&Item> {
    let put = request.put_request().map(PutRequest::item);
    put.or(request.delete_request().map(DeleteRequest::key))
}

fn part(part: &TransactWriteItem) -> Option<&Item> {
    (part.put().map(Put::item))
        .or(part.update().map(Update::key))
        .or(part.delete().map(Delete::key))
        .or(part.condition_check().map(ConditionCheck::key))
}

fn kind(item: &Item) -> &'static str {
    kind_of(text(item, PK), text(item, SK))
}

fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map_or("", String::as_str)
}

/// The kind of the item with this key, or of the range that begins with it.
fn kind_of(pk: &str, sk: &str) -> &'static str {
    let before = |text: &str| text.split('#').next().unwrap_or_default().to_owned();
    let by_partition = BY_PARTITION.iter().find(|(start, _)| pk.starts_with(start));
    let by_sort = || {
        let first = before(sk);
        BY_SORT.iter().find(|(start, _)| first == *start)
    };
    if let Some((_, kind)) = by_partition.or_else(by_sort) {
        return kind;
    }
    if pk.starts_with("due#") {
        return match sk.split('#').nth(1) {
            Some("send") => "due entry: send",
            Some("plan") => "due entry: plan",
            Some("visit") => "due entry: visit",
            Some("settle") => "due entry: settle",
            _ => "due entries",
        };
    }
    if pk.ends_with("#audit") {
        "audit entry"
    } else if pk.ends_with("#idem") {
        "idempotency record"
    } else if pk.ends_with("#sent") {
        "send total"
    } else if pk.contains("#rate#") {
        "rate counter"
    } else {
        "unknown"
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::Put;
    use jiff::Timestamp;

    use agentwarm_app::ports::days::AccountRef;
    use agentwarm_core::ids::{AccountId, SlotId, UserId};
    use agentwarm_core::warmup::due::{DueEntry, DueKind};

    use super::*;
    use crate::codec::text as attribute;
    use crate::keys::{self, Key, KeyRange};

    fn mailbox() -> AccountRef {
        AccountRef {
            user: UserId::new(Timestamp::UNIX_EPOCH, 1),
            account: AccountId::new(Timestamp::UNIX_EPOCH, 2),
        }
    }

    fn slot() -> SlotId {
        SlotId::new(Timestamp::UNIX_EPOCH, 3)
    }

    fn item(key: &Key) -> Item {
        Item::from([
            (PK.to_owned(), attribute(&key.pk)),
            (SK.to_owned(), attribute(&key.sk)),
        ])
    }

    #[test]
    fn items_are_known_by_their_keys() {
        let (mailbox, slot) = (mailbox(), slot());
        let due = |kind| DueEntry {
            at: Timestamp::UNIX_EPOCH,
            user: mailbox.user,
            kind,
        };
        let settle = due(DueKind::Settle {
            sender: mailbox.account,
            slot,
            target: mailbox.account,
        });
        for (key, expected) in [
            (keys::slot(mailbox, slot), "slot"),
            (keys::receipt(mailbox, slot), "receipt"),
            (keys::mailbox(mailbox), "mailbox"),
            (keys::account(mailbox.user, mailbox.account), "account"),
            (keys::roster_entry(mailbox.account), "roster entry"),
            (keys::watermark(0), "watermark"),
            (keys::due_entry(0, &settle), "due entry: settle"),
            (
                keys::idempotency(
                    mailbox.user,
                    agentwarm_core::ids::ApiKeyId::new(Timestamp::UNIX_EPOCH, 1),
                    "k",
                ),
                "idempotency record",
            ),
        ] {
            assert_eq!(kind(&item(&key)), expected, "{key:?}");
        }
        let ranges: [(KeyRange, _); 2] = [
            (keys::receipts(mailbox, slot, slot), "receipt"),
            (keys::roster(5), "roster entry"),
        ];
        for (range, expected) in ranges {
            assert_eq!(kind_of(&range.pk, &range.first), expected);
        }
    }

    #[test]
    fn a_transaction_over_more_than_one_kind_says_so() {
        let part = |key: &Key| {
            let put = Put::builder().table_name("t").set_item(Some(item(key)));
            TransactWriteItem::builder()
                .put(put.build().unwrap())
                .build()
        };
        let (slot, receipt) = (
            keys::slot(mailbox(), slot()),
            keys::receipt(mailbox(), slot()),
        );
        let due = |kind| {
            keys::due_entry(
                0,
                &DueEntry {
                    at: Timestamp::UNIX_EPOCH,
                    user: mailbox().user,
                    kind,
                },
            )
        };
        let account = mailbox().account;
        let settle = due(DueKind::Settle {
            sender: account,
            slot: self::slot(),
            target: account,
        });
        let plan = due(DueKind::Plan { account });
        for (keys, expected) in [
            ([&slot, &slot], "slot"),
            ([&slot, &receipt], "several"),
            ([&settle, &settle], "due entry: settle"),
            ([&settle, &plan], "due entries"),
        ] {
            let input = TransactWriteItemsInput::builder()
                .set_transact_items(Some(keys.map(part).to_vec()))
                .build()
                .unwrap();
            let call = Call::read(&Input::erase(input));
            assert_eq!((call.item, call.writes), (expected, 2));
        }
    }
}
