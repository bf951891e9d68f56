//! Every key of every item.
//!
//! Nothing else in the workspace builds a key, so what lies beside what, and what one query can read, is decided here alone (data model).
//! A user's id leads every partition key; the exceptions are looked up before a user is known (key hash, address lock), by time (due
//! index, roster) or belong to nobody (the deployment's data keys). Every part is of fixed form (an id, a date, a number, a hash, a CRM's name
//! without `#`) except addresses, which always come last, so that no text of a client can reach into another part.

mod crm;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::due::Shards;
use agentwarm_app::ports::keys::KeyHash;
use agentwarm_app::text::hex;
use agentwarm_core::ids::{
    AccountId, ApiKeyId, AuditEntryId, PoolId, SlotId, SuppressionId, UserId,
};
use agentwarm_core::warmup::due::{DueEntry, DueKind, rounds};

pub use crm::{crm_link, crm_links, crm_lookup, crm_lookup_account, crm_lookups};

/// The name of the partition key, in every table.
pub const PK: &str = "pk";

/// The name of the sort key, in every table.
pub const SK: &str = "sk";

/// An item's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Partition.
    pub pk: String,
    /// Place in the partition.
    pub sk: String,
}

/// Neighbouring items of one partition: what one query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// Partition.
    pub pk: String,
    /// The first sort key, inclusive.
    pub first: String,
    /// The last sort key, inclusive.
    pub last: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }
}

impl KeyRange {
    /// Sorts after everything that our sort keys hold: lower-case letters, digits, `-`, `_`, `#`, `:`, `.`.
    const END: char = '~';

    fn prefix(pk: String, prefix: &str) -> Self {
        Self {
            pk,
            first: prefix.to_owned(),
            last: format!("{prefix}{}", Self::END),
        }
    }

    fn all(pk: String) -> Self {
        // A bound may not be empty, and a space sorts before everything that our sort keys begin with.
        Self {
            pk,
            first: " ".to_owned(),
            last: Self::END.to_string(),
        }
    }

    /// Whether `sk` lies in it.
    pub fn contains(&self, sk: &str) -> bool {
        self.first.as_str() <= sk && sk <= self.last.as_str()
    }
}

// ---------------------------------------------------------------- entities

/// A user.
pub fn user(user: UserId) -> Key {
    Key::new(user_pk(user), "user")
}

/// How many accounts and API keys a user has; also carries the events of what was deleted.
pub fn counters(user: UserId) -> Key {
    Key::new(user_pk(user), "counters")
}

/// An API key.
pub fn api_key(user: UserId, key: ApiKeyId) -> Key {
    Key::new(user_pk(user), format!("key#{key}"))
}

/// A user's API keys, oldest first.
pub fn api_keys(user: UserId) -> KeyRange {
    KeyRange::prefix(user_pk(user), "key#")
}

/// An API key by its hash.
pub fn key_hash(hash: &KeyHash) -> Key {
    Key::new(format!("kh#{}", hex(&hash.0)), "key")
}

/// An API key by the partition key that [`key_hash`] gave it.
pub fn key_by_hash_pk(pk: &str) -> Key {
    Key::new(pk, "key")
}

/// An account.
pub fn account(user: UserId, account: AccountId) -> Key {
    Key::new(user_pk(user), format!("account#{account}"))
}

/// A user's accounts, oldest first.
pub fn accounts(user: UserId) -> KeyRange {
    KeyRange::prefix(user_pk(user), "account#")
}

/// An account's sealed credentials.
pub fn credentials(user: UserId, account: AccountId) -> Key {
    Key::new(user_pk(user), format!("cred#{account}"))
}

/// The lock on an address (decision 15). `address` is case-folded.
pub fn address_lock(address: &str) -> Key {
    Key::new(format!("addr#{address}"), "lock")
}

/// A pool.
pub fn pool(user: UserId, pool: PoolId) -> Key {
    Key::new(user_pk(user), format!("pool#{pool}"))
}

/// A user's pools, oldest first.
pub fn pools(user: UserId) -> KeyRange {
    KeyRange::prefix(user_pk(user), "pool#")
}

/// That an account is in a pool.
pub fn member(user: UserId, pool: PoolId, account: AccountId) -> Key {
    Key::new(user_pk(user), format!("{}{account}", member_prefix(pool)))
}

/// The members of a pool, in order of their ids.
pub fn members(user: UserId, pool: PoolId) -> KeyRange {
    KeyRange::prefix(user_pk(user), &member_prefix(pool))
}

/// The account of a member's sort key.
pub fn member_account(sk: &str) -> Option<AccountId> {
    sk.rsplit('#').next()?.parse().ok()
}

/// A suppressed address. `address` is case-folded.
pub fn suppression(user: UserId, address: &str) -> Key {
    Key::new(user_pk(user), format!("supp#{address}"))
}

/// A suppressed address's entry in the list.
pub fn suppression_entry(user: UserId, entry: SuppressionId) -> Key {
    Key::new(user_pk(user), format!("listed#{entry}"))
}

/// A user's suppression list, oldest first.
pub fn suppression_entries(user: UserId) -> KeyRange {
    KeyRange::prefix(user_pk(user), "listed#")
}

/// What a user says about test mode.
pub fn test_mode(user: UserId) -> Key {
    Key::new(user_pk(user), "testmode")
}

/// The deployment's data key number `n`, wrapped by KMS.
pub fn data_key(n: u32) -> Key {
    Key::new("deployment", format!("datakey#{n:06}"))
}

/// The deployment's data keys, oldest first.
pub fn data_keys() -> KeyRange {
    KeyRange::prefix("deployment".to_owned(), "datakey#")
}

/// The number of a data key's sort key.
pub fn data_key_number(sk: &str) -> Option<u32> {
    sk.strip_prefix("datakey#")?.parse().ok()
}

fn user_pk(user: UserId) -> String {
    format!("u#{user}")
}

fn member_prefix(pool: PoolId) -> String {
    format!("member#{pool}#")
}

/// The owner that a partition key begins with.
pub fn owner(pk: &str) -> Option<UserId> {
    pk.strip_prefix("u#")?.split('#').next()?.parse().ok()
}

// ---------------------------------------------------------------- activity

/// The plan of a day.
pub fn plan(owner: AccountRef, date: Date) -> Key {
    Key::new(account_pk(owner), format!("plan#{date}"))
}

/// The running row of a day.
pub fn day(owner: AccountRef, date: Date) -> Key {
    Key::new(account_pk(owner), format!("day#{date}"))
}

/// The running rows of the days `from` to `to`, both included.
pub fn days(owner: AccountRef, from: Date, to: Date) -> KeyRange {
    KeyRange {
        pk: account_pk(owner),
        first: format!("day#{from}"),
        last: format!("day#{to}"),
    }
}

/// The sender's half of a mail.
pub fn slot(sender: AccountRef, slot: SlotId) -> Key {
    Key::new(account_pk(sender), format!("slot#{slot}"))
}

/// The slots `from` to `to`, both included.
pub fn slots(sender: AccountRef, from: SlotId, to: SlotId) -> KeyRange {
    KeyRange {
        pk: account_pk(sender),
        first: format!("slot#{from}"),
        last: format!("slot#{to}"),
    }
}

/// The sender and the slot of a slot's key.
pub fn slot_parts(key: &Key) -> Option<(AccountRef, SlotId)> {
    let slot = key.sk.strip_prefix("slot#")?.parse().ok()?;
    Some((account_of(&key.pk)?, slot))
}

/// The receiver's half of a mail.
pub fn receipt(receiver: AccountRef, slot: SlotId) -> Key {
    Key::new(account_pk(receiver), format!("rcpt#{slot}"))
}

/// The receiver and the slot of a receipt's key.
pub fn receipt_parts(key: &Key) -> Option<(AccountRef, SlotId)> {
    let slot = key.sk.strip_prefix("rcpt#")?.parse().ok()?;
    Some((account_of(&key.pk)?, slot))
}

/// The receipts of the slots `from` to `to`, both included.
pub fn receipts(receiver: AccountRef, from: SlotId, to: SlotId) -> KeyRange {
    KeyRange {
        pk: account_pk(receiver),
        first: format!("rcpt#{from}"),
        last: format!("rcpt#{to}"),
    }
}

/// What one sender plans for the others of a pool on a date.
pub fn ledger_row(user: UserId, pool: PoolId, date: Date, sender: AccountId) -> Key {
    Key::new(ledger_pk(user, pool, date), format!("from#{sender}"))
}

/// The sender of a ledger row's sort key.
pub fn ledger_sender(sk: &str) -> Option<AccountId> {
    sk.strip_prefix("from#")?.parse().ok()
}

/// What all senders of a pool plan on a date.
pub fn ledger(user: UserId, pool: PoolId, date: Date) -> KeyRange {
    KeyRange::prefix(ledger_pk(user, pool, date), "from#")
}

/// An entry of the audit log.
pub fn audit_entry(user: UserId, entry: AuditEntryId) -> Key {
    Key::new(audit_pk(user), entry.to_string())
}

/// A user's audit entries, oldest first: not before `since`, before `until`, to the millisecond that the ids carry.
pub fn audit_entries(user: UserId, since: Option<Timestamp>, until: Option<Timestamp>) -> KeyRange {
    let mut range = KeyRange::all(audit_pk(user));
    if let Some(since) = since {
        range.first = AuditEntryId::new(since, 0).to_string();
    }
    if let Some(until) = until {
        let last = until
            .checked_sub(SignedDuration::from_nanos(1))
            .unwrap_or(Timestamp::MIN);
        range.last = AuditEntryId::new(last, u128::MAX).to_string();
    }
    range
}

fn account_pk(account: AccountRef) -> String {
    format!("u#{}#a#{}", account.user, account.account)
}

fn account_of(pk: &str) -> Option<AccountRef> {
    let (user, account) = pk.strip_prefix("u#")?.split_once("#a#")?;
    Some(AccountRef {
        user: user.parse().ok()?,
        account: account.parse().ok()?,
    })
}

fn ledger_pk(user: UserId, pool: PoolId, date: Date) -> String {
    format!("u#{user}#p#{pool}#{date}")
}

fn audit_pk(user: UserId) -> String {
    format!("u#{user}#audit")
}

// ---------------------------------------------------------------- ephemeral

/// The state and lease of a mailbox.
pub fn mailbox(mailbox: AccountRef) -> Key {
    Key::new(account_pk(mailbox), "mailbox")
}

/// How many mails people sent from an account on a local date.
pub fn hand_sent(owner: AccountRef, date: Date) -> Key {
    Key::new(account_pk(owner), format!("sent#{date}"))
}

/// How often an API key was used in the minute that begins at `minute`.
pub fn rate_counter(user: UserId, key: ApiKeyId, minute: Timestamp) -> Key {
    Key::new(
        format!("u#{user}#rate#{key}"),
        minute.as_second().div_euclid(60).to_string(),
    )
}

/// How many mails of a user were let go on a UTC day.
pub fn send_total(user: UserId, date: Date) -> Key {
    Key::new(format!("u#{user}#sent"), date.to_string())
}

/// What is remembered of a request with an idempotency key. It is hashed, because its client chose it: whatever it holds and however
/// long it is, the sort key stays within DynamoDB's 1,024 bytes.
pub fn idempotency(user: UserId, key: ApiKeyId, idempotency_key: &str) -> Key {
    let digest = Sha256::digest(idempotency_key.as_bytes());
    Key::new(format!("u#{user}#idem"), format!("{key}#{}", hex(&digest)))
}

/// An entry of the due index. The hour is the partition, so the sort key says only where in the hour; entries are read again at each
/// tick for an hour, and every byte of them is paid for sixty times.
pub fn due_entry(shard: u16, entry: &DueEntry) -> Key {
    let at = to_next_millisecond(entry.at);
    let (kind, subject) = match entry.kind {
        DueKind::Send { slot, .. } => ("send", slot.to_string()),
        DueKind::Plan { account } => ("plan", account.to_string()),
        DueKind::Settle { slot, .. } => ("settle", slot.to_string()),
    };
    Key::new(
        due_pk(shard, at),
        format!("{}#{kind}#{subject}", in_hour(at)),
    )
}

/// Mails of one mailbox that lie together in the due index, filed at the first of them. What they are is part of the key, so that putting
/// them again changes nothing and putting others takes none away.
pub fn due_sends(shard: u16, first: Timestamp, mails: &[u8]) -> Key {
    let digest = Sha256::digest(mails);
    let name = hex(digest.first_chunk::<8>().map_or(&digest[..], |it| &it[..]));
    Key::new(
        due_pk(shard, first),
        format!("{}#sends#{name}", in_hour(first)),
    )
}

/// The entries of a shard in `(after, until]`, one range for each hour, in order; of a longer time the last `most_hours`.
pub fn due_entries(
    shard: u16,
    after: Timestamp,
    until: Timestamp,
    most_hours: u16,
) -> Vec<KeyRange> {
    let millisecond = SignedDuration::from_millis(1);
    let first = truncated(after, 1).saturating_add(millisecond);
    let first = first.unwrap_or(Timestamp::MAX);
    let last = truncated(until, 1);
    let mut ranges = Vec::new();
    let mut hour = truncated(last, HOUR_MILLIS);
    while ranges.len() < usize::from(most_hours) && first <= last {
        let mut range = KeyRange::all(due_pk(shard, hour));
        if ranges.is_empty() {
            range.last = format!("{}#{}", in_hour(last), KeyRange::END);
        }
        let is_first = hour <= first;
        if is_first {
            range.first = in_hour(first);
        }
        ranges.push(range);
        match hour.checked_sub(SignedDuration::from_hours(1)) {
            Ok(before) if !is_first => hour = before,
            _ => break,
        }
    }
    ranges.reverse();
    ranges
}

/// The shard of the due index that an account's entries are in: its id's random bits spread accounts evenly.
pub fn due_shard(account: AccountId, shards: Shards) -> u16 {
    let shards = u128::from(shards.0.max(1));
    u16::try_from(account.as_uuid().as_u128() % shards).unwrap_or_default()
}

/// The instant of an entry, from its key: whole milliseconds.
pub fn due_instant(key: &Key) -> Option<Timestamp> {
    let hour = key.pk.rsplit('#').next()?;
    let in_hour = key.sk.split('#').next()?;
    format!("{hour}:{in_hour}Z").parse().ok()
}

/// Up to where a shard of the due index was handed out.
pub fn watermark(shard: u16) -> Key {
    Key::new(format!("due#{shard}"), "watermark")
}

/// An account's place in the roster.
pub fn roster_entry(account: AccountId) -> Key {
    Key::new(roster_pk(rounds::minute_of(account)), account.to_string())
}

/// The roster of one minute of the hour.
pub fn roster(minute: u8) -> KeyRange {
    KeyRange::all(roster_pk(minute))
}

const HOUR_MILLIS: i64 = 3_600_000;

fn due_pk(shard: u16, at: Timestamp) -> String {
    format!("due#{shard}#{}", at.strftime("%Y-%m-%dT%H"))
}

fn in_hour(at: Timestamp) -> String {
    at.strftime("%M:%S.%3f").to_string()
}

/// `at`, or the next whole millisecond: an entry must never lie before the instant it was filed for, where a tick may have been.
pub fn to_next_millisecond(at: Timestamp) -> Timestamp {
    let floor = truncated(at, 1);
    if floor == at {
        at
    } else {
        floor
            .saturating_add(SignedDuration::from_millis(1))
            .unwrap_or(at)
    }
}

/// The last multiple of `millis` at or before `at`.
fn truncated(at: Timestamp, millis: i64) -> Timestamp {
    // Nanoseconds decide below zero, where whole milliseconds round up.
    let floor = at
        .as_nanosecond()
        .div_euclid(i128::from(millis) * 1_000_000);
    Timestamp::from_nanosecond(floor * i128::from(millis) * 1_000_000).unwrap_or(at)
}

fn roster_pk(minute: u8) -> String {
    format!("roster#{:02}", minute % 60)
}

#[cfg(test)]
mod tests;
