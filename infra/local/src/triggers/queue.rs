//! SQS's part: what Lambda's pollers do between a queue and a function.
//!
//! Messages are handed over in batches; those that were handled are deleted, the others come back after the queue's visibility time-out,
//! and SQS itself moves one that came too often to the dead-letter queue. Where the schedule clock is not real time, coming back is
//! measured on it: a message that failed is [`Held`] and released when the virtual clock is there. What made it fail may be a lease, and
//! leases are real time even there: so it also rests in real time, long enough that its deliveries outlast one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{TriggerError, asked};
use crate::invoke::Invoke;
use crate::template::mappings::QueueMapping;

/// SQS's limit of one receive and one batch delete.
const SQS_BATCH: usize = 10;

/// How time is seen by a queue's poller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redelivery {
    /// As SQS does it, in real time.
    Queue,
    /// On the schedule clock. A message whose poller died comes back after this much real time.
    Schedule {
        /// How long a received message is invisible, unless it is released earlier.
        after_crash: Duration,
        /// How much real time passes at least before a failed message is released.
        rest: Duration,
    },
}

/// One queue's poller.
#[derive(Clone)]
pub struct QueuePoller {
    sqs: Client,
    mapping: Arc<QueueMapping>,
    invoke: Arc<dyn Invoke>,
    redelivery: Redelivery,
    region: String,
    held: Arc<Mutex<Vec<Held>>>,
    traffic: Arc<Mutex<QueueTraffic>>,
}

/// What the pollers of a queue asked of SQS. Looks into an empty queue are not counted: here it is asked when something was sent, on AWS
/// around the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueTraffic {
    /// Requests that received messages.
    pub receives: u64,
    /// Messages that they received.
    pub messages: u64,
    /// Requests that deleted what was handled.
    pub deletes: u64,
    /// Messages that failed, and come back.
    pub failed: u64,
}

/// A message that failed, until its visibility time-out has passed on the schedule clock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    receipt_handle: String,
    until: Timestamp,
    rests_until: Instant,
}

impl Held {
    fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now && self.rests_until <= Instant::now()
    }
}

impl QueuePoller {
    /// A poller for one mapping.
    pub fn new(
        sqs: Client,
        mapping: QueueMapping,
        invoke: Arc<dyn Invoke>,
        redelivery: Redelivery,
        region: &str,
    ) -> Self {
        Self {
            sqs,
            mapping: Arc::new(mapping),
            invoke,
            redelivery,
            region: region.to_owned(),
            held: Arc::default(),
            traffic: Arc::default(),
        }
    }

    /// The logical id of the queue.
    pub fn queue(&self) -> &str {
        &self.mapping.queue
    }

    /// What its pollers asked of SQS so far.
    pub fn traffic(&self) -> QueueTraffic {
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, count: impl FnOnce(&mut QueueTraffic)) {
        count(&mut self.traffic.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether a message waits to be released at or before `now` (schedule clock).
    pub fn due(&self, now: Timestamp) -> bool {
        self.with_held(|held| held.iter().any(|message| message.is_over(now)))
    }

    /// Hands over what is in the queue until it is empty and every invocation has ended; how many messages that were.
    pub async fn round(&self, now: Timestamp) -> Result<usize, TriggerError> {
        self.release(now).await?;
        let mut running = JoinSet::new();
        let mut handed_over = 0;
        loop {
            while running.len() >= self.mapping.max_concurrency {
                join_one(&mut running).await?;
            }
            let batch = self.receive().await?;
            if batch.is_empty() {
                if running.is_empty() {
                    return Ok(handed_over);
                }
                join_one(&mut running).await?;
                continue;
            }
            handed_over += batch.len();
            let poller = self.clone();
            running.spawn(async move { poller.hand_over(batch, now).await });
        }
    }

    /// Up to a batch, in several requests where it is larger than SQS gives at once.
    async fn receive(&self) -> Result<Vec<Message>, TriggerError> {
        let mut batch = Vec::new();
        while batch.len() < self.mapping.batch_size {
            let wanted = SQS_BATCH.min(self.mapping.batch_size - batch.len());
            let mut request = self
                .sqs
                .receive_message()
                .queue_url(&self.mapping.queue_url)
                .max_number_of_messages(i32::try_from(wanted).unwrap_or(1))
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .message_attribute_names("All")
                .wait_time_seconds(0);
            if let Redelivery::Schedule { after_crash, .. } = self.redelivery {
                request = request
                    .visibility_timeout(i32::try_from(after_crash.as_secs()).unwrap_or(i32::MAX));
            }
            let received = asked("receive from the queue", request.send().await)?
                .messages
                .unwrap_or_default();
            let short = received.len() < wanted;
            if !received.is_empty() {
                let messages = u64::try_from(received.len()).unwrap_or_default();
                self.count(|traffic| {
                    traffic.receives += 1;
                    traffic.messages += messages;
                });
            }
            batch.extend(received);
            if short {
                break;
            }
        }
        Ok(batch)
    }

    async fn hand_over(&self, batch: Vec<Message>, now: Timestamp) -> Result<(), TriggerError> {
        let event = event(&batch, &self.mapping.queue_arn, &self.region);
        let failed = match self.invoke.invoke(&self.mapping.function, event).await {
            Ok(answer) if self.mapping.reports_failures => failures(&answer, &batch),
            Ok(_) => Vec::new(),
            Err(error) => {
                tracing::warn!(target: "agentwarm_local::queue", queue = %self.mapping.queue, %error, "batch failed");
                ids(&batch)
            }
        };
        let (failed, handled): (Vec<_>, Vec<_>) = batch.into_iter().partition(|message| {
            message
                .message_id
                .as_ref()
                .is_some_and(|id| failed.contains(id))
        });
        let come_back = u64::try_from(failed.len()).unwrap_or_default();
        self.count(|traffic| traffic.failed += come_back);
        self.hold(&failed, now);
        self.delete(&handled).await
    }

    async fn delete(&self, handled: &[Message]) -> Result<(), TriggerError> {
        for chunk in handled.chunks(SQS_BATCH) {
            let entries = chunk
                .iter()
                .enumerate()
                .map(|(index, message)| {
                    DeleteMessageBatchRequestEntry::builder()
                        .id(index.to_string())
                        .set_receipt_handle(message.receipt_handle.clone())
                        .build()
                })
                .collect::<Result<Vec<_>, _>>()
                .map_err(|source| TriggerError {
                    what: "delete from the queue",
                    source: Box::new(source),
                })?;
            let request = self
                .sqs
                .delete_message_batch()
                .queue_url(&self.mapping.queue_url)
                .set_entries(Some(entries));
            asked("delete from the queue", request.send().await)?;
            self.count(|traffic| traffic.deletes += 1);
        }
        Ok(())
    }

    fn hold(&self, failed: &[Message], now: Timestamp) {
        let Redelivery::Schedule { rest, .. } = self.redelivery else {
            return;
        };
        let rests_until = Instant::now() + rest;
        let visibility =
            SignedDuration::try_from(self.mapping.visibility).unwrap_or(SignedDuration::MAX);
        let until = now.checked_add(visibility).unwrap_or(Timestamp::MAX);
        self.with_held(|held| {
            held.extend(failed.iter().filter_map(|message| {
                Some(Held {
                    receipt_handle: message.receipt_handle.clone()?,
                    until,
                    rests_until,
                })
            }));
        });
    }

    /// Makes what waited long enough visible again.
    async fn release(&self, now: Timestamp) -> Result<(), TriggerError> {
        let due: Vec<Held> = self.with_held(|held| {
            held.extract_if(.., |message| message.is_over(now))
                .collect()
        });
        for message in due {
            let request = self
                .sqs
                .change_message_visibility()
                .queue_url(&self.mapping.queue_url)
                .receipt_handle(message.receipt_handle)
                .visibility_timeout(0);
            // One that came back by itself, after more real time than was foreseen, has another receipt handle now.
            if let Err(error) = request.send().await {
                tracing::debug!(target: "agentwarm_local::queue", queue = %self.mapping.queue, %error, "not released");
            }
        }
        Ok(())
    }

    fn with_held<T>(&self, work: impl FnOnce(&mut Vec<Held>) -> T) -> T {
        work(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn join_one(running: &mut JoinSet<Result<(), TriggerError>>) -> Result<(), TriggerError> {
    match running.join_next().await {
        Some(Ok(outcome)) => outcome,
        Some(Err(source)) => Err(TriggerError {
            what: "hand a batch over",
            source: Box::new(source),
        }),
        None => Ok(()),
    }
}

fn ids(batch: &[Message]) -> Vec<String> {
    batch
        .iter()
        .filter_map(|message| message.message_id.clone())
        .collect()
}

/// The messages that an answer names as failed. An answer that names something else fails the whole batch, as on AWS.
fn failures(answer: &Value, batch: &[Message]) -> Vec<String> {
    let named = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(named)) => named,
        Some(_) => return ids(batch),
    };
    let known = ids(batch);
    let mut failed = Vec::new();
    for failure in named {
        match failure.get("itemIdentifier").and_then(Value::as_str) {
            Some(id) if known.iter().any(|known| known == id) => failed.push(id.to_owned()),
            _ => return known,
        }
    }
    failed
}

/// The event for a batch: "Using Lambda with Amazon SQS" in Lambda's developer guide.
pub fn event(batch: &[Message], queue_arn: &str, region: &str) -> Value {
    let records: Vec<Value> = batch
        .iter()
        .map(|message| {
            let attributes: Map<String, Value> = message
                .attributes
                .iter()
                .flatten()
                .map(|(name, value)| (name.as_str().to_owned(), Value::from(value.clone())))
                .collect();
            json!({
                "messageId": message.message_id,
                "receiptHandle": message.receipt_handle,
                "body": message.body,
                "attributes": attributes,
                "messageAttributes": {},
                "md5OfBody": message.md5_of_body,
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": region,
            })
        })
        .collect();
    json!({ "Records": records })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Vec<Message> {
        ["a", "b"]
            .map(|id| {
                Message::builder()
                    .message_id(id)
                    .receipt_handle(format!("handle-{id}"))
                    .body("{}")
                    .build()
            })
            .to_vec()
    }

    #[test]
    fn failures_are_those_that_the_function_names() {
        let batch = batch();
        let failed = |answer: Value| failures(&answer, &batch);
        assert!(failed(json!(null)).is_empty());
        assert!(failed(json!({"batchItemFailures": []})).is_empty());
        assert_eq!(
            failed(json!({"batchItemFailures": [{"itemIdentifier": "b"}]})),
            ["b"]
        );
    }

    #[test]
    fn a_name_that_is_not_in_the_batch_fails_all_of_it() {
        let batch = batch();
        for answer in [
            json!({"batchItemFailures": [{"itemIdentifier": ""}]}),
            json!({"batchItemFailures": [{}]}),
            json!({"batchItemFailures": "b"}),
        ] {
            assert_eq!(failures(&answer, &batch), ["a", "b"], "{answer}");
        }
    }

    #[test]
    fn an_event_carries_what_lambda_gives() {
        let event = event(&batch(), "arn:q", "r");
        assert_eq!(event["Records"][1]["messageId"], "b");
        assert_eq!(event["Records"][0]["eventSourceARN"], "arn:q");
        assert_eq!(event["Records"][0]["eventSource"], "aws:sqs");
    }
}
