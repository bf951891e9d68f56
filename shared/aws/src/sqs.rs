//! Queues: mails to send, mailboxes to look into.
//!
//! Messages go in batches of ten. What a batch's answer refuses is sent once more; what is refused again is an error, and whoever asked
//! asks again: everything here may be delivered twice.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::SignedDuration;
use serde::Serialize;

use agentwarm_app::ports::queue::{QueueError, SendOrder, SendQueue, VisitOrder, VisitQueue};
use async_trait::async_trait;

use crate::actions::{Action, Resource};
use crate::batches;
use crate::error::{Incomplete, not_taken};

/// Messages in one batch (SQS's limit).
const BATCH_MESSAGES: usize = 10;
/// Bytes in one batch. SQS takes 1 MiB by now; 256 KiB, its old limit, is what a Lambda's batch window and the emulators still assume.
const BATCH_BYTES: usize = 256 * 1024;
/// The longest delay of a message (SQS's limit).
const LONGEST_DELAY_SECONDS: i64 = 15 * 60;
/// Batches on their way at once.
const BATCHES_AT_ONCE: usize = 4;

const SEND_MESSAGE: &str = "sqs:SendMessage";

/// [`SendQueue`] on SQS.
#[derive(Debug, Clone)]
pub struct SqsSendQueue {
    queue: Queue,
    delays: bool,
}

impl SqsSendQueue {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::SendQueue.may(SEND_MESSAGE)];

    /// On the queue at `url`. Without `delays` mails are delivered at once: where the schedule's clock is not real time, a delay in real
    /// seconds means nothing.
    pub fn new(client: Client, url: impl Into<String>, delays: bool) -> Self {
        let queue = Queue {
            client,
            name: "send queue",
            url: url.into(),
        };
        Self { queue, delays }
    }
}

#[async_trait]
impl SendQueue for SqsSendQueue {
    async fn send(&self, orders: &[(SendOrder, SignedDuration)]) -> Result<(), QueueError> {
        let messages = orders.iter().map(|(order, delay)| {
            let delay = if self.delays {
                delay_seconds(*delay)
            } else {
                0
            };
            self.queue.message(order, Some(delay))
        });
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        self.queue.send(messages).await
    }
}

/// [`VisitQueue`] on SQS.
#[derive(Debug, Clone)]
pub struct SqsVisitQueue(Queue);

impl SqsVisitQueue {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::VisitQueue.may(SEND_MESSAGE)];

    /// On the queue at `url`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self(Queue {
            client,
            name: "visit queue",
            url: url.into(),
        })
    }
}

#[async_trait]
impl VisitQueue for SqsVisitQueue {
    async fn visit(&self, orders: &[VisitOrder]) -> Result<(), QueueError> {
        let messages = orders.iter().map(|order| self.0.message(order, None));
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        self.0.send(messages).await
    }
}

/// Whole seconds, rounded up: a mail must not leave before its time.
fn delay_seconds(delay: SignedDuration) -> i32 {
    let whole = delay.as_secs();
    let started = i64::from(delay.subsec_nanos() > 0);
    let seconds = whole
        .saturating_add(started)
        .clamp(0, LONGEST_DELAY_SECONDS);
    i32::try_from(seconds).unwrap_or(0)
}

#[derive(Debug, Clone)]
struct Queue {
    client: Client,
    name: &'static str,
    url: String,
}

/// A message that waits for its batch.
#[derive(Debug, Clone)]
struct Message {
    body: String,
    delay: Option<i32>,
}

impl Queue {
    fn message(&self, order: &impl Serialize, delay: Option<i32>) -> Result<Message, QueueError> {
        let body = serde_json::to_string(order).map_err(|error| not_taken(self.name, error))?;
        Ok(Message { body, delay })
    }

    async fn send(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let sized = messages.into_iter().map(|message| {
            let bytes = message.body.len();
            (message, bytes)
        });
        stream::iter(batches::cut(sized, BATCH_MESSAGES, BATCH_BYTES))
            .map(|batch| self.send_batch(batch))
            .buffer_unordered(BATCHES_AT_ONCE)
            .try_collect()
            .await
    }

    /// Sends a batch, and once more what was refused of it.
    async fn send_batch(&self, batch: Vec<Message>) -> Result<(), QueueError> {
        let refused = self.attempt(&batch).await?;
        if refused.is_empty() {
            return Ok(());
        }
        let again: Vec<Message> = refused
            .iter()
            .filter_map(|entry| batch.get(entry.id.parse::<usize>().ok()?).cloned())
            .collect();
        let refused = self.attempt(&again).await?;
        match refused.first() {
            None => Ok(()),
            Some(first) => Err(not_taken(
                self.name,
                Incomplete::Refused {
                    count: refused.len(),
                    code: first.code.clone(),
                },
            )),
        }
    }

    /// Sends a batch; what was refused of it, by its place in the batch.
    async fn attempt(&self, batch: &[Message]) -> Result<Vec<BatchResultErrorEntry>, QueueError> {
        let entries = batch.iter().enumerate().map(|(place, message)| {
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(&message.body)
                .set_delay_seconds(message.delay)
                .build()
        });
        let entries = entries
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| not_taken(self.name, error))?;
        let output = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| not_taken(self.name, error))?;
        Ok(output.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_rounded_up_and_kept_within_what_sqs_takes() {
        for (delay, seconds) in [
            (SignedDuration::from_secs(-5), 0),
            (SignedDuration::from_millis(-1), 0),
            (SignedDuration::ZERO, 0),
            (SignedDuration::from_millis(1), 1),
            (SignedDuration::from_secs(59), 59),
            (SignedDuration::from_mins(16), 900),
            (SignedDuration::MAX, 900),
        ] {
            assert_eq!(delay_seconds(delay), seconds, "{delay}");
        }
    }
}
