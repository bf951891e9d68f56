//! Batches of records from a DynamoDB stream.
//!
//! Records of a shard come in the order of their writes and are handled in that order. At the first failure the batch ends and names that record:
//! Lambda delivers it and all after it again, and what came before is done with. Where nothing was done the call fails as a whole, since
//! Lambda halves the batch of a call that failed, and only such (Lambda developer guide, "Configuring partial batch response with
//! DynamoDB"). The mapping's retry limit, bisection and on-failure queue keep a record that never succeeds from blocking its shard.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use agentwarm_app::engine::fanout::Change;
use async_trait::async_trait;
pub use aws_lambda_events::dynamodb::EventRecord as StreamRecord;
use futures::FutureExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout_at;

use super::{ItemError, REPORT_TIME, records, report};
use crate::http::error::chain;
use crate::task::{Invocation, Task, TaskError};

/// A record that was not done, and with it all after it.
#[derive(Debug)]
pub struct RecordFailure {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Why.
    pub error: ItemError,
}

/// A batch that comes again as a whole, or in halves.
#[derive(Debug, thiserror::Error)]
#[error("the batch that begins with record {}", first.as_deref().unwrap_or("of no number"))]
struct BatchFailed {
    first: Option<String>,
    source: ItemError,
}

/// Handles a batch as one.
#[async_trait]
pub trait RecordsHandler: Send + Sync {
    /// Does what the changes call for, in order; the first failure ends it. What comes before the failure is done with for good.
    async fn handle(
        &self,
        records: &[StreamRecord],
        call: &Invocation,
    ) -> Result<(), RecordFailure>;
}

/// The change that a record tells, if it is one that anybody follows. Deletions are not: nothing is said by an item that is gone.
pub fn change(record: &StreamRecord) -> Result<Option<Change>, ItemError> {
    if record.event_name == "REMOVE" {
        return Ok(None);
    }
    agentwarm_aws::stream::change(record.change.new_image.clone()).map_err(ItemError::failed)
}

/// A function that a stream wakes.
pub struct StreamTask(Arc<dyn RecordsHandler>);

impl StreamTask {
    /// Whole batches.
    pub fn batch(handler: Arc<dyn RecordsHandler>) -> Self {
        Self(handler)
    }
}

#[async_trait]
impl Task for StreamTask {
    async fn handle(&self, event: Value, call: Invocation) -> Result<Value, TaskError> {
        let raw = records(event)?;
        let numbers: Vec<_> = raw.iter().map(sequence_number).collect();
        let (readable, unreadable) = read(raw);
        let run = AssertUnwindSafe(async { self.0.handle(&readable, &call).await }).catch_unwind();
        let deadline = call
            .deadline
            .checked_sub(REPORT_TIME)
            .unwrap_or(call.deadline);
        let result = match timeout_at(deadline, run).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(RecordFailure::first(ItemError::Panicked)),
            Err(_elapsed) => Err(RecordFailure::first(ItemError::OutOfTime)),
        };
        let failure = match (result, unreadable) {
            (Ok(()), None) => return Ok(report([])),
            // Nothing after the unreadable one was handed out, so an earlier failure comes first.
            (Err(failure), _) | (Ok(()), Some(failure)) => failure,
        };
        let number = numbers.get(failure.index).cloned().flatten();
        let Some(number) = number.filter(|_| failure.index > 0) else {
            // If its first record were named, the batch would come again as it is until all of it is given up. The caller logs the error.
            return Err(TaskError::failed(BatchFailed {
                first: numbers.into_iter().next().flatten(),
                source: failure.error,
            }));
        };
        // The template's metric filters count this line.
        tracing::error!(
            record = number,
            cause = chain(&failure.error),
            "a record failed"
        );
        Ok(report([number.as_str()]))
    }
}

impl RecordFailure {
    fn first(error: ItemError) -> Self {
        Self { index: 0, error }
    }
}

fn sequence_number(record: &Value) -> Option<String> {
    record
        .pointer("/dynamodb/SequenceNumber")?
        .as_str()
        .map(str::to_owned)
}

/// The records before the first that is none, and the failure that it is.
fn read(raw: Vec<Value>) -> (Vec<StreamRecord>, Option<RecordFailure>) {
    let mut readable = Vec::with_capacity(raw.len());
    for (index, record) in raw.into_iter().enumerate() {
        match StreamRecord::deserialize(record) {
            Ok(record) => readable.push(record),
            Err(error) => {
                let error = TaskError::malformed("a stream record", &error);
                let error = ItemError::Malformed(error);
                return (readable, Some(RecordFailure { index, error }));
            }
        }
    }
    (readable, None)
}

#[cfg(test)]
mod tests;
