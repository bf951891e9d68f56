//! Batches of messages from SQS.
//!
//! Messages are independent: each that fails is named in the answer and delivered again by itself, until the queue's redrive policy moves it to the
//! dead-letter queue. A message that cannot be read goes the same way, so that somebody sees it. Only an event that is no batch fails as
//! a whole.
//!
//! Most tasks handle a message at a time ([`QueueTask::each`]). One that shares something costly between messages, such as a connection to a
//! mailbox, takes the batch ([`QueueTask::batch`]).

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::sqs::SqsMessage;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout_at;

use super::{ItemError, REPORT_TIME, records, report};
use crate::http::error::chain;
use crate::task::{Invocation, Task, TaskError};

/// A message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Its id, the same in each delivery.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// How often it was delivered, this time included.
    pub receive_count: u32,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
}

/// A message that was not done.
#[derive(Debug)]
pub struct MessageFailure {
    /// Its id.
    pub id: String,
    /// Why.
    pub error: ItemError,
}

/// Handles a message at a time.
#[async_trait]
pub trait MessageHandler: Send + Sync {
    /// Does what the message says. May see it again after it was done.
    async fn handle(&self, message: &QueueMessage, call: &Invocation) -> Result<(), ItemError>;
}

/// Handles a batch as one.
#[async_trait]
pub trait BatchHandler: Send + Sync {
    /// Does what the messages say; the failures. What it does not name is done with for good.
    async fn handle(&self, messages: Vec<QueueMessage>, call: &Invocation) -> Vec<MessageFailure>;
}

/// A function that a queue wakes.
pub struct QueueTask(Arc<dyn BatchHandler>);

struct Each {
    handler: Arc<dyn MessageHandler>,
    at_once: usize,
}

impl QueueTask {
    /// Messages one by one, up to `at_once` at the same time.
    pub fn each(handler: Arc<dyn MessageHandler>, at_once: usize) -> Self {
        Self(Arc::new(Each {
            handler,
            at_once: at_once.max(1),
        }))
    }

    /// Whole batches.
    pub fn batch(handler: Arc<dyn BatchHandler>) -> Self {
        Self(handler)
    }
}

impl QueueMessage {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ItemError> {
        serde_json::from_str(&self.body)
            .map_err(|error| TaskError::malformed("a message of this queue", &error))
            .map_err(ItemError::Malformed)
    }

    fn read(record: Value) -> Result<Self, TaskError> {
        let message = SqsMessage::deserialize(record)
            .map_err(|error| TaskError::malformed("an SQS message", &error))?;
        let attribute = |name: &str| message.attributes.get(name);
        Ok(Self {
            receive_count: attribute("ApproximateReceiveCount")
                .and_then(|count| count.parse().ok())
                .unwrap_or(1),
            sent_at: attribute("SentTimestamp")
                .and_then(|millis| millis.parse().ok())
                .and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            // Without its id a message cannot be reported, so the batch as a whole has to come again.
            id: message
                .message_id
                .ok_or(TaskError::Missing("a message's id"))?,
            body: message.body.unwrap_or_default(),
        })
    }
}

#[async_trait]
impl Task for QueueTask {
    async fn handle(&self, event: Value, call: Invocation) -> Result<Value, TaskError> {
        let messages = records(event)?
            .into_iter()
            .map(QueueMessage::read)
            .collect::<Result<Vec<_>, _>>()?;
        let deliveries: Vec<_> = messages
            .iter()
            .map(|message| (message.id.clone(), message.receive_count))
            .collect();
        let run = AssertUnwindSafe(async { self.0.handle(messages, &call).await }).catch_unwind();
        let deadline = call
            .deadline
            .checked_sub(REPORT_TIME)
            .unwrap_or(call.deadline);
        let failures = match timeout_at(deadline, run).await {
            Ok(Ok(failures)) => failures,
            Ok(Err(_panic)) => all(&deliveries, || ItemError::Panicked),
            Err(_elapsed) => all(&deliveries, || ItemError::OutOfTime),
        };
        for MessageFailure { id, error } in &failures {
            let receive_count = deliveries.iter().find(|(other, _)| other == id);
            // The template's metric filters count this line. `message` is the name of its own text.
            tracing::error!(
                message_id = id,
                receive_count = receive_count.map(|(_, count)| count),
                cause = chain(error),
                "a message failed"
            );
        }
        // Lambda takes an id that is not in the batch for a failure of everything.
        let known: BTreeSet<_> = deliveries.iter().map(|(id, _)| id.as_str()).collect();
        let failed: BTreeSet<_> = failures.iter().map(|failure| failure.id.as_str()).collect();
        Ok(report(failed.intersection(&known).copied()))
    }
}

fn all(deliveries: &[(String, u32)], error: impl Fn() -> ItemError) -> Vec<MessageFailure> {
    deliveries
        .iter()
        .map(|(id, _)| MessageFailure {
            id: id.clone(),
            error: error(),
        })
        .collect()
}

#[async_trait]
impl BatchHandler for Each {
    async fn handle(&self, messages: Vec<QueueMessage>, call: &Invocation) -> Vec<MessageFailure> {
        let runs: Vec<_> = messages
            .iter()
            .map(|message| self.one(message, call).boxed())
            .collect();
        futures::stream::iter(runs)
            .buffer_unordered(self.at_once)
            .filter_map(futures::future::ready)
            .collect()
            .await
    }
}

impl Each {
    async fn one(&self, message: &QueueMessage, call: &Invocation) -> Option<MessageFailure> {
        // Twice the batch's own margin, so that a slow message is cut short before it takes the finished ones with it.
        let deadline = call
            .deadline
            .checked_sub(2 * REPORT_TIME)
            .unwrap_or(call.deadline);
        let run =
            AssertUnwindSafe(async { self.handler.handle(message, call).await }).catch_unwind();
        let error = match timeout_at(deadline, run).await {
            Ok(Ok(Ok(()))) => return None,
            Ok(Ok(Err(error))) => error,
            Ok(Err(_panic)) => ItemError::Panicked,
            Err(_elapsed) => ItemError::OutOfTime,
        };
        Some(MessageFailure {
            id: message.id.clone(),
            error,
        })
    }
}

#[cfg(test)]
mod tests;
