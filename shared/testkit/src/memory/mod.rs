//! The ports in memory: what the simulation and the use cases' tests run on.
//!
//! [`MemoryStore`] is one store behind all storage ports, so that what is one transaction in DynamoDB is one step here. It is
//! trusted only because it passes the same contract suite as the DynamoDB adapter. It answers in domain types and keeps no
//! serialised form.
//!
//! What rides on a write ([`Change`]) is kept in order and handed out by [`MemoryStore::take_changes`], which stands for the table's
//! stream.
//!
//! A store can be told to misbehave ([`MemoryStore::fail_next`]): not to answer, to do the work and lose the answer, or to report that
//! somebody else wrote first. [`Chaos`] does the same by chance, and more. A use case is crash-safe when every such cut leaves something that later
//! work mends. It can be asked what its calls would cost ([`MemoryStore::meter`]).

mod accounts;
mod audit;
mod crm;
mod days;
mod due;
mod hand_sent;
pub mod health;
mod keys;
pub mod look;
pub mod mail;
mod mailboxes;
pub mod meter;
mod pools;
pub mod queue;
pub mod requests;
mod slots;
mod suppressions;
mod test_mode;
mod totals;
pub mod uploads;
pub mod vault;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::due::Shards;
use agentwarm_app::ports::{Replaced, StoreError};
use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::ids::UserId;
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::Slot;
use agentwarm_core::time::Zone;
use agentwarm_core::warmup::test_mode::TestMode;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use self::meter::{Fresh, Meter};
use crate::chaos::{Chaos, Stroke};

/// How long what is counted by day is kept from the beginning of the day, as in DynamoDB.
const COUNTERS_KEPT: SignedDuration = SignedDuration::from_hours(72);

/// How an operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done and the store does not answer.
    Unavailable,
    /// The work is done, but the answer is lost.
    AnswerLost,
    /// A write that is conditional on a version is told that somebody else wrote first; others treat it as [`Fault::Unavailable`].
    Stale,
}

/// One write that reported events, or that others follow, as the table's stream shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The owner.
    pub user: UserId,
    /// The item's key, the same for each write of one item.
    pub key: String,
    /// The item's version after the write.
    pub version: u64,
    /// The item after the write, where somebody follows its kind.
    pub image: Image,
    /// What rode on the write.
    pub events: Vec<Event>,
}

impl Change {
    /// What the item's partition key has in it. By it changes are dealt to a stream's shards; a shard keeps their order.
    pub fn partition(&self) -> &[u8; 16] {
        match &self.image {
            Image::Slot(slot) => slot.sender.as_uuid(),
            Image::Receipt(receipt) => receipt.receiver.as_uuid(),
            Image::Account(_) | Image::Other | Image::Gone => self.user.as_uuid(),
        }
        .as_bytes()
    }
}

/// The new image of a [`Change`].
#[derive(Debug, Clone, PartialEq)]
pub enum Image {
    /// An account.
    Account(Box<Account>),
    /// A slot.
    Slot(Box<Slot>),
    /// A receipt.
    Receipt(Box<Receipt>),
    /// Something that only its events are read of.
    Other,
    /// The item was deleted.
    Gone,
}

/// Everything that is stored, in memory.
#[derive(Debug)]
pub struct MemoryStore {
    shards: Shards,
    state: Arc<Mutex<State>>,
    chaos: Arc<Chaos>,
    /// How fresh entities are that are read by their key.
    entities: Fresh,
}

#[derive(Debug, Default)]
struct State {
    accounts: accounts::AccountItems,
    audit: audit::AuditItems,
    crm: crm::CrmItems,
    days: days::DayItems,
    due: due::DueItems,
    hand_sent: BTreeMap<(AccountRef, Date), u32>,
    keys: keys::KeyItems,
    mailboxes: mailboxes::MailboxItems,
    meter: Meter,
    pools: pools::PoolItems,
    slots: slots::SlotItems,
    suppressions: suppressions::SuppressionItems,
    test_modes: BTreeMap<UserId, TestMode>,
    totals: BTreeMap<(UserId, Date), u32>,
    changes: Vec<Change>,
}

/// The source of an injected failure.
#[derive(Debug, thiserror::Error)]
#[error("the test wanted it so")]
struct Injected;

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Shards(1))
    }
}

impl MemoryStore {
    /// An empty store whose due index has `shards` shards.
    pub fn new(shards: Shards) -> Self {
        Self::in_chaos(shards, Arc::default())
    }

    /// The same, at the mercy of `chaos`.
    pub fn in_chaos(shards: Shards, chaos: Arc<Chaos>) -> Self {
        Self {
            shards,
            state: Arc::default(),
            chaos,
            entities: Fresh::Consistent,
        }
    }

    /// The same store for who can live with entities as they were a moment ago: they cost half, and where the chaos wants it an account is
    /// what it was before its last change, until [`MemoryStore::settle`]. Slots are so for everybody who does not ask for what is written.
    #[must_use]
    pub fn relaxed(&self) -> Self {
        Self {
            shards: self.shards,
            state: self.state.clone(),
            chaos: self.chaos.clone(),
            entities: Fresh::Eventual,
        }
    }

    /// Time passes: what was written until now is what everybody reads.
    pub fn settle(&self) {
        let mut state = self.lock();
        state.accounts.settle();
        state.slots.settle();
    }

    /// Deletes what a table's TTL would have deleted at `now`: due entries and the counters of days. All else lives for 400 days, or for
    /// as long as its owner.
    pub fn expire(&self, now: Timestamp) {
        let mut state = self.lock();
        state.due.expire(now);
        state.totals.retain(|(_, date), _| lives(*date, now));
        state.hand_sent.retain(|(_, date), _| lives(*date, now));
    }

    /// Whether there is anything that [`MemoryStore::expire`] would delete at `now`.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let state = self.lock();
        let totals = state.totals.keys().map(|(_, date)| date);
        let mut counted = totals.chain(state.hand_sent.keys().map(|(_, date)| date));
        state.due.is_over(now) || counted.any(|date| !lives(*date, now))
    }

    /// Lets somebody at the meter of what the store's calls would cost.
    pub fn meter<T>(&self, work: impl FnOnce(&mut Meter) -> T) -> T {
        work(&mut self.lock().meter)
    }

    /// The changes since this was last asked, in order.
    pub fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.lock().changes)
    }

    /// The events on the changes since they were last taken, in order. Leaves the changes where they are.
    pub fn events(&self) -> Vec<Event> {
        let state = self.lock();
        state
            .changes
            .iter()
            .flat_map(|change| change.events.clone())
            .collect()
    }

    /// Makes the next call of `operation` (such as `accounts.replace`: port and method) go wrong. Several calls queue up.
    pub fn fail_next(&self, operation: &'static str, fault: Fault) {
        self.chaos.script(operation, Stroke::Fails(fault));
    }

    /// The faults that nothing has met yet: a test that injects one should see this empty in the end.
    pub fn unmet_faults(&self) -> Vec<&'static str> {
        self.chaos.unmet()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one operation, as a whole, with its fault if it has one coming.
    async fn run<T: Send>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut State) -> T + Send,
    ) -> Result<T, StoreError> {
        match self.chaos.pass(operation).await {
            None => Ok(work(&mut self.lock())),
            Some(Fault::AnswerLost) => {
                work(&mut self.lock());
                Err(unavailable(operation))
            }
            Some(Fault::Unavailable | Fault::Stale) => Err(unavailable(operation)),
        }
    }

    /// [`MemoryStore::run`] for a write that is conditional on a version.
    async fn run_replace(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut State) -> Replaced + Send,
    ) -> Result<Replaced, StoreError> {
        match self.chaos.pass(operation).await {
            None => Ok(work(&mut self.lock())),
            Some(Fault::Stale) => Ok(Replaced::Stale),
            Some(Fault::AnswerLost) => {
                let _ = work(&mut self.lock());
                Err(unavailable(operation))
            }
            Some(Fault::Unavailable) => Err(unavailable(operation)),
        }
    }
}

impl State {
    fn report(
        &mut self,
        user: UserId,
        key: String,
        version: u64,
        image: Image,
        events: Vec<Event>,
    ) {
        self.changes.push(Change {
            user,
            key,
            version,
            image,
            events,
        });
    }
}

/// Whether what is counted on a date is kept at `now`.
fn lives(date: Date, now: Timestamp) -> bool {
    let begins = Zone::utc().day(date).start;
    let ends = begins.saturating_add(COUNTERS_KEPT);
    ends.is_ok_and(|end| now < end)
}

fn unavailable(operation: &'static str) -> StoreError {
    StoreError::Unavailable {
        operation,
        source: Box::new(Injected),
    }
}
