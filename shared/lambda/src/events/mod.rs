//! The event kit: queues, streams and the bus, as [`crate::task::Task`]s.
//!
//! Everything arrives at least once, in any order unless a stream says otherwise, and may come again after it was done; handlers are idempotent,
//! this kit only keeps one bad thing from harming its neighbours:
//!
//! - [`queue`]: messages are independent; what failed is reported by itself, the rest is done with.
//! - [`stream`]: records of a shard are in order; what comes after a failure waits for it.
//! - [`bus`]: one event, whole or not at all.

pub mod bus;
pub mod queue;
pub mod stream;

use std::time::Duration;

use agentwarm_app::error::AppError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::error::BoxError;
use crate::task::TaskError;

/// What is kept of the function's time for reporting which items failed: without the report AWS would deliver all of them again.
const REPORT_TIME: Duration = Duration::from_secs(1);

/// Why one item of a batch was not done. It is delivered again, and goes to the dead-letter queue in the end.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    /// It is not what this task takes; delivering it again will not help, but the dead-letter queue shows it to people.
    #[error(transparent)]
    Malformed(TaskError),
    /// The work failed.
    #[error(transparent)]
    Failed(BoxError),
    /// It panicked; the panic's own line in the log says where.
    #[error("the handler panicked")]
    Panicked,
    /// There was not enough time left.
    #[error("out of time")]
    OutOfTime,
}

impl ItemError {
    /// The work failed.
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Self::Failed(error.into())
    }
}

impl From<AppError> for ItemError {
    fn from(error: AppError) -> Self {
        Self::failed(error)
    }
}

/// The records of a batch, each still to be read: a bad one must not take the others with it.
fn records(event: Value) -> Result<Vec<Value>, TaskError> {
    #[derive(Deserialize)]
    struct Batch {
        #[serde(rename = "Records")]
        records: Vec<Value>,
    }
    serde_json::from_value(event)
        .map(|batch: Batch| batch.records)
        .map_err(|error| TaskError::malformed("a batch of records", &error))
}

/// The partial batch response: these items failed (Lambda developer guide, "Reporting batch item failures").
fn report<'a>(failed: impl IntoIterator<Item = &'a str>) -> Value {
    let failures: Vec<_> = failed
        .into_iter()
        .map(|id| json!({ "itemIdentifier": id }))
        .collect();
    json!({ "batchItemFailures": failures })
}
