//! What a request to the emulator writes, read off its body: DynamoDB's and SQS's JSON protocols.

use agentwarm_core::ids::SlotId;
use jiff::Timestamp;
use serde_json::Value;

use crate::points::{Write, WriteKind};

/// Requests that change something, by the end of their `X-Amz-Target`.
const WRITING: [&str; 9] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "SendMessageBatch",
    "DeleteMessageBatch",
    "ChangeMessageVisibility",
    "PutEvents",
];

/// A request that writes, and what it changes of what is known here.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The write.
    pub(super) write: Write,
    /// The account whose partition it is in.
    pub(super) account: Option<String>,
}

/// The runner's clock, if the request stores it.
pub(super) fn clock(target: &str, body: &Value) -> Option<Timestamp> {
    let item = body.get("Item").filter(|_| target.ends_with(".PutItem"))?;
    let text = |name: &str| item.get(name)?.get("S")?.as_str();
    if text("name")? != "stack" {
        return None;
    }
    let state: Value = serde_json::from_str(text("json")?).ok()?;
    state.get("now")?.as_str()?.parse().ok()
}

/// Reads a request; `None` if it writes nothing.
pub(super) fn read(target: &str, body: &Value) -> Option<Request> {
    let (_, operation) = target.split_once('.')?;
    if !WRITING.contains(&operation) {
        return None;
    }
    let key = ["Item", "Key"].iter().find_map(|part| body.get(part));
    let text = |name: &str| key?.get(name)?.get("S")?.as_str();
    let (pk, sk) = (
        text("pk").unwrap_or_default(),
        text("sk").unwrap_or_default(),
    );
    let (item, id) = sk.split_once('#').unwrap_or((sk, ""));
    let slot: Option<SlotId> = id.parse().ok();
    let kind = match (operation, item) {
        ("PutItem", "") | (_, "watermark") => WriteKind::EveryMinute,
        ("PutItem", "slot") => slot_kind(body),
        ("PutItem", "rcpt") => receipt_kind(body),
        ("UpdateItem", "mailbox") => mailbox_kind(body),
        _ => WriteKind::Other,
    };
    let table = ["TableName", "QueueUrl"]
        .iter()
        .find_map(|name| body.get(name)?.as_str())
        .and_then(|name| name.rsplit('/').next());
    Some(Request {
        write: Write {
            kind,
            slot: slot.filter(|_| matches!(item, "slot" | "rcpt")),
            name: format!(
                "{operation} {} {}",
                table.unwrap_or_default(),
                kind_of_item(pk, item)
            ),
        },
        account: pk.split_once("#a#").map(|(_, account)| account.to_owned()),
    })
}

fn kind_of_item<'k>(pk: &'k str, item: &'k str) -> &'k str {
    match pk.split_once('#') {
        Some((kind, _)) if kind != "u" => kind,
        _ if pk.ends_with("#audit") => "audit",
        _ => item,
    }
}

fn slot_kind(body: &Value) -> WriteKind {
    let state = body.pointer("/Item/data/M/state/M/state/S");
    match state.and_then(Value::as_str) {
        Some("claimed") => WriteKind::Claim,
        Some("accepted") => WriteKind::Commit,
        _ => WriteKind::Other,
    }
}

fn receipt_kind(body: &Value) -> WriteKind {
    match body.pointer("/Item/version/N").and_then(Value::as_str) {
        Some("0") => WriteKind::Booking,
        _ => WriteKind::Other,
    }
}

/// A mailbox is given back with the instant up to which everything was done in it.
fn mailbox_kind(body: &Value) -> WriteKind {
    let through = body.pointer("/ExpressionAttributeValues/:data/M/engaged_through");
    match through {
        Some(_) => WriteKind::Engagement,
        None => WriteKind::Other,
    }
}
