//! The SDK's errors as the ports' errors.

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::queue::QueueError;

/// The store did not answer, or answered that it cannot. The SDK's error is kept as the source: it names the request id, and no item.
pub(crate) fn unavailable(
    operation: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    StoreError::Unavailable {
        operation,
        source: Box::new(error),
    }
}

/// A queue or the bus did not take what it was given.
pub(crate) fn not_taken(
    queue: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> QueueError {
    QueueError {
        queue,
        source: Box::new(error),
    }
}

/// A batch was taken only in part, whatever we tried.
#[derive(Debug, thiserror::Error)]
pub enum Incomplete {
    /// DynamoDB kept giving back keys or items.
    #[error("{0} of a batch were left undone")]
    Unprocessed(usize),
    /// A queue or the bus kept refusing entries.
    #[error("{count} of a batch were refused, the first with {code}")]
    Refused {
        /// How many.
        count: usize,
        /// The first one's code.
        code: String,
    },
}

/// Others changed an item each time between our reading and our writing it.
#[derive(Debug, thiserror::Error)]
#[error("others kept changing the item")]
pub struct Contended;

/// A transaction would touch more items than DynamoDB takes in one (100).
#[derive(Debug, thiserror::Error)]
#[error("a transaction of {0} items is too large")]
pub struct TransactionTooLarge(pub usize);
