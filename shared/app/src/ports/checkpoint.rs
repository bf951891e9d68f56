//! What a use case keeps about the request that it carries out, for whoever carries it out again after a crash (decision 8).

use async_trait::async_trait;

use super::StoreError;

/// One note beside a request's idempotency record. It outlives the process and is there for the next attempt of the same request; with
/// the record it is over after 24 hours.
#[async_trait]
pub trait Checkpoint: Send + Sync {
    /// What is kept: at first what an earlier attempt left.
    fn kept(&self) -> Option<String>;

    /// Keeps `note` instead, or nothing. After [`Kept::Lost`] somebody else carries the request out, and the caller must stop.
    async fn keep(&self, note: Option<&str>) -> Result<Kept, StoreError>;
}

/// What became of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "who lost the request must stop"]
pub enum Kept {
    /// It is kept.
    Done,
    /// The request's lease was lost to somebody else.
    Lost,
}

/// For requests without an `Idempotency-Key`: nobody can repeat them, so nobody asks what was kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unrepeated;

#[async_trait]
impl Checkpoint for Unrepeated {
    fn kept(&self) -> Option<String> {
        None
    }

    async fn keep(&self, _note: Option<&str>) -> Result<Kept, StoreError> {
        Ok(Kept::Done)
    }
}
