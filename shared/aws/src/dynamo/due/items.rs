//! How entries lie in items.
//!
//! An item is small, because each tick reads the last minutes again: ids are bytes, and what the key says stands in the key alone. New
//! threads are filed a whole day at a time, so those of one mailbox that lie close together share an item: it costs one write for all of
//! them, and a few minutes more to read.

use std::collections::BTreeMap;

use agentwarm_app::ports::due::Shards;
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::mail::slot::SlotKind;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::codec::{self, CodecError, Item, ItemBuilder};
use crate::dynamo::later;
use crate::keys::{self, Key, SK};

/// How long after the first the last thread of an item may be due: how far back a tick must read. With forty
/// mails a day it halves the writes of their threads; longer would save less than reading further back at each tick costs.
pub(super) const TOGETHER: SignedDuration = SignedDuration::from_mins(30);
/// How many threads lie in one item: it stays below the kilobyte that one write unit pays for.
const MOST_TOGETHER: usize = 20;

/// How long an entry is kept after it was due: longer than any outage that its day could survive.
const KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);

const USER: &str = "user";
const SENDER: &str = "sender";
const TARGET: &str = "target";
/// The slot that an answer answers.
const ANSWERS: &str = "answers";
/// Threads that lie together, one [`Thread`] after the other.
const THREADS: &str = "threads";

/// A new thread of a mailbox, as it lies beside others: milliseconds since the item's instant, slot, target.
#[derive(Clone, Copy)]
struct Thread {
    at: Timestamp,
    slot: SlotId,
    target: AccountId,
}

/// Bytes of a [`Thread`].
const THREAD_BYTES: usize = 4 + 16 + 16;

/// The items that hold these entries.
pub(super) fn written(entries: &[DueEntry], shards: Shards, now: Timestamp) -> Vec<(Key, Item)> {
    let mut threads: BTreeMap<(UserId, AccountId), Vec<Thread>> = BTreeMap::new();
    let mut items = Vec::new();
    for entry in entries {
        match entry.kind {
            DueKind::Send {
                sender,
                slot,
                target,
                slot_kind: SlotKind::Thread,
            } => {
                let at = keys::to_next_millisecond(entry.at);
                let thread = Thread { at, slot, target };
                threads
                    .entry((entry.user, sender))
                    .or_default()
                    .push(thread);
            }
            _ => items.push(alone(entry, shards, now)),
        }
    }
    for ((user, sender), mut threads) in threads {
        threads.sort_by_key(|thread| (thread.at, thread.slot));
        let together = |threads: &[Thread]| match threads {
            [thread] => alone(&thread.entry(user, sender), shards, now),
            _ => side_by_side(threads, user, sender, shards, now),
        };
        items.extend(close_together(&threads).map(together));
    }
    items
}

/// Cuts threads, in order, into those that share an item.
fn close_together(mut rest: &[Thread]) -> impl Iterator<Item = &[Thread]> {
    std::iter::from_fn(move || {
        let first = rest.first()?.at;
        let close = |thread: &&Thread| thread.at.duration_since(first) <= TOGETHER;
        let count = rest.iter().take(MOST_TOGETHER).take_while(close).count();
        let (together, after) = rest.split_at_checked(count)?;
        rest = after;
        Some(together)
    })
}

fn alone(entry: &DueEntry, shards: Shards, now: Timestamp) -> (Key, Item) {
    let key = keys::due_entry(shard_of(entry, shards), entry);
    let item = begun(key.clone(), entry.user, entry.at, now);
    let between = |item: ItemBuilder, sender: AccountId, target: AccountId| {
        item.with(SENDER, id(sender.as_uuid()))
            .with(TARGET, id(target.as_uuid()))
    };
    let item = match entry.kind {
        DueKind::Send {
            sender,
            target,
            slot_kind,
            slot: _,
        } => {
            let answers = match slot_kind {
                SlotKind::Thread => None,
                SlotKind::Reply { answers } => Some(id(answers.as_uuid())),
            };
            between(item, sender, target).with_some(ANSWERS, answers)
        }
        DueKind::Settle {
            sender,
            target,
            slot: _,
        } => between(item, sender, target),
        // Its subject is in the key.
        DueKind::Plan { account: _ } => item,
    };
    (key, item.build())
}

/// An item of several threads.
fn side_by_side(
    threads: &[Thread],
    user: UserId,
    sender: AccountId,
    shards: Shards,
    now: Timestamp,
) -> (Key, Item) {
    let first = threads.first().map_or(now, |thread| thread.at);
    let last = threads.last().map_or(first, |thread| thread.at);
    let mut bytes = Vec::with_capacity(threads.len() * THREAD_BYTES);
    for thread in threads {
        let since = thread.at.duration_since(first).as_millis();
        bytes.extend(u32::try_from(since).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(thread.slot.as_uuid().as_bytes());
        bytes.extend(thread.target.as_uuid().as_bytes());
    }
    let key = keys::due_sends(keys::due_shard(sender, shards), first, &bytes);
    let item = begun(key.clone(), user, last, now)
        .with(SENDER, id(sender.as_uuid()))
        .with(THREADS, codec::bytes(bytes));
    (key, item.build())
}

/// What all items have.
fn begun(key: Key, user: UserId, last: Timestamp, now: Timestamp) -> ItemBuilder {
    ItemBuilder::new(key)
        .with(USER, id(user.as_uuid()))
        .expires_at(later(last.max(now), KEPT))
}

fn id(id: &Uuid) -> AttributeValue {
    codec::bytes(*id.as_bytes())
}

/// The shard that an entry is in.
pub(super) fn shard_of(entry: &DueEntry, shards: Shards) -> u16 {
    let account = match entry.kind {
        DueKind::Send { sender, .. } | DueKind::Settle { sender, .. } => sender,
        DueKind::Plan { account } => account,
    };
    keys::due_shard(account, shards)
}

impl Thread {
    fn entry(self, user: UserId, sender: AccountId) -> DueEntry {
        DueEntry {
            at: self.at,
            user,
            kind: DueKind::Send {
                sender,
                slot: self.slot,
                target: self.target,
                slot_kind: SlotKind::Thread,
            },
        }
    }
}

/// The entries that an item holds.
pub(super) fn read(item: &Item) -> Result<Vec<DueEntry>, CodecError> {
    let key = codec::key_of(item)?;
    let at = keys::due_instant(&key).ok_or(CodecError::Form(SK))?;
    let user = UserId::from_uuid(uuid_of(item, USER)?);
    let mut subject = key.sk.split('#').skip(1);
    let kind = subject.next().unwrap_or_default();
    if kind == "sends" {
        return read_threads(item, at, user);
    }
    let id: Uuid = subject
        .next()
        .and_then(|id| Uuid::try_parse(id).ok())
        .ok_or(CodecError::Form(SK))?;
    let kind = match kind {
        "send" => DueKind::Send {
            sender: AccountId::from_uuid(uuid_of(item, SENDER)?),
            slot: SlotId::from_uuid(id),
            target: AccountId::from_uuid(uuid_of(item, TARGET)?),
            slot_kind: if item.contains_key(ANSWERS) {
                SlotKind::Reply {
                    answers: SlotId::from_uuid(uuid_of(item, ANSWERS)?),
                }
            } else {
                SlotKind::Thread
            },
        },
        "settle" => DueKind::Settle {
            sender: AccountId::from_uuid(uuid_of(item, SENDER)?),
            slot: SlotId::from_uuid(id),
            target: AccountId::from_uuid(uuid_of(item, TARGET)?),
        },
        "plan" => DueKind::Plan {
            account: AccountId::from_uuid(id),
        },
        _ => return Err(CodecError::Form(SK)),
    };
    Ok(vec![DueEntry { at, user, kind }])
}

fn read_threads(item: &Item, first: Timestamp, user: UserId) -> Result<Vec<DueEntry>, CodecError> {
    let sender = AccountId::from_uuid(uuid_of(item, SENDER)?);
    let (threads, rest) = codec::bytes_of(item, THREADS)?.as_chunks::<THREAD_BYTES>();
    if !rest.is_empty() {
        return Err(CodecError::Form(THREADS));
    }
    let read = |bytes: &[u8; THREAD_BYTES]| {
        let (since, ids) = bytes.split_first_chunk()?;
        let (slot, target) = ids.split_first_chunk()?;
        let since = SignedDuration::from_millis(u32::from_be_bytes(*since).into());
        Some(Thread {
            at: first.checked_add(since).ok()?,
            slot: SlotId::from_uuid(Uuid::from_bytes(*slot)),
            target: AccountId::from_uuid(Uuid::from_slice(target).ok()?),
        })
    };
    threads
        .iter()
        .map(|bytes| Some(read(bytes)?.entry(user, sender)))
        .collect::<Option<_>>()
        .ok_or(CodecError::Form(THREADS))
}

fn uuid_of(item: &Item, name: &'static str) -> Result<Uuid, CodecError> {
    Uuid::from_slice(codec::bytes_of(item, name)?).map_err(|_| CodecError::Form(name))
}
