//! How many mails people sent from an account on a day, beside what warmup sends (decision 21).

use async_trait::async_trait;
use jiff::civil::Date;

use super::StoreError;
use super::days::AccountRef;

/// A counter per account and local date.
#[async_trait]
pub trait HandSent: Send + Sync {
    /// Counts one more mail if that makes at most `max`: parallel requests cannot pass it. A mail whose first attempt was counted but not
    /// answered may count twice, never not at all.
    async fn take(&self, owner: AccountRef, date: Date, max: u32) -> Result<Taken, StoreError>;

    /// Counts one less: of a mail that was not sent.
    async fn give_back(&self, owner: AccountRef, date: Date) -> Result<(), StoreError>;
}

/// Whether there was room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a mail without room must not be sent"]
pub enum Taken {
    /// It is counted.
    Done,
    /// There is none.
    Full {
        /// How many are counted.
        count: u32,
    },
}
