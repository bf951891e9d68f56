//! How many mails a user's accounts send together on a UTC day (decision 10).

use agentwarm_core::ids::UserId;
use async_trait::async_trait;
use jiff::civil::Date;

use super::StoreError;

/// Whether mails may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "what was not let go must not leave"]
pub enum LetGo {
    /// They may: with them so many were let go on that day.
    Yes {
        /// How many.
        total: u32,
    },
    /// They may not: so many were let go without them.
    No {
        /// How many.
        total: u32,
    },
}

/// Counts the mails of users.
#[async_trait]
pub trait SendTotals: Send + Sync {
    /// Lets `count` mails of `user` go on `date` (UTC) unless they would be more than `max` with those that were let go before. Atomic: of
    /// parallel calls none passes `max`. One whose first attempt was not answered may count twice, so that fewer leave, never more.
    async fn let_go(
        &self,
        user: UserId,
        date: Date,
        count: u32,
        max: u32,
    ) -> Result<LetGo, StoreError>;
}
