//! What use cases need from the world, one narrow trait per thing.
//!
//! A failed condition is a normal answer here, not an error: every conditional write returns an enum that says who won.
//! [`StoreError`] is left for what no caller can decide about: a store that does not answer, or an item that no version of ours wrote.

pub mod accounts;
pub mod audit;
pub mod checkpoint;
pub mod clock;
pub mod crm;
pub mod days;
pub mod due;
pub mod endpoints;
pub mod hand_sent;
pub mod health;
pub mod inbox;
pub mod keys;
pub mod letters;
pub mod mail;
pub mod mailboxes;
pub mod pools;
pub mod queue;
pub mod requests;
pub mod suppressions;
pub mod test_mode;
pub mod totals;
pub mod uploads;
pub mod vault;

/// A store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It did not answer, or answered that it cannot. Trying again later may help.
    #[error("{operation}: the store is unavailable")]
    Unavailable {
        /// What was asked of it.
        operation: &'static str,
        /// The adapter's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An item is not what this version of AgentWarm writes. Trying again will not help.
    #[error("{operation}: an item cannot be read")]
    Corrupt {
        /// What was asked of it.
        operation: &'static str,
        /// The decoder's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What became of a write that was conditional on an item's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a stale write did not happen"]
pub enum Replaced {
    /// It is written.
    Done,
    /// Somebody else wrote first, or the item is gone: read again and decide again.
    Stale,
}

/// What became of a write that was conditional on the item's absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an existing item was not written"]
pub enum Created {
    /// It is written.
    Done,
    /// It was there already.
    Exists,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items at most.
    pub limit: u32,
    /// Where to begin.
    pub from: PageStart,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageStart {
    /// After this many items, 0 for the beginning.
    Offset(u32),
    /// After the item with this sort key, which an earlier page's `next` named.
    After(String),
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOf<T> {
    /// The items.
    pub items: Vec<T>,
    /// The sort key to go on after, when there is more.
    pub next: Option<String>,
    /// How many items there are in all, counted up to [`COUNTED_TOTAL`].
    pub total: u32,
    /// Whether there are more than `total` (decision 12).
    pub total_is_lower_bound: bool,
}

impl<T> PageOf<T> {
    /// The same page of other items.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> PageOf<U> {
        PageOf {
            items: self.items.into_iter().map(each).collect(),
            next: self.next,
            total: self.total,
            total_is_lower_bound: self.total_is_lower_bound,
        }
    }
}

/// How far totals are counted exactly (decision 12).
pub const COUNTED_TOTAL: u32 = 10_000;
