//! A stream's part: what Lambda's pollers do between a table's stream and a function.
//!
//! A shard's records are handed over in order, batch after batch. A batch whose call fails is halved, what an answer leaves of one is tried
//! again, until the retries are used up; then the on-failure queue is told where in the stream it was, and the next batch gets its turn.
//! [`Shards`] reads, [`delivery`] decides what to try next.

use std::sync::Arc;

use aws_sdk_sqs::Client as Sqs;
use serde_json::{Value, json};

use super::{TriggerError, asked};
use crate::invoke::Invoke;
use crate::template::mappings::StreamMapping;

pub mod delivery;
pub mod record;
mod shards;

use delivery::{Delivery, Outcome};
pub use shards::{Checkpoints, Shards};

/// One stream's poller.
pub struct StreamPoller {
    shards: Shards,
    mapping: StreamMapping,
    invoke: Arc<dyn Invoke>,
    sqs: Sqs,
    on_failure_url: Option<String>,
}

impl StreamPoller {
    /// A poller for one mapping; `on_failure_url` is the address of the mapping's on-failure queue.
    pub fn new(
        shards: Shards,
        mapping: StreamMapping,
        invoke: Arc<dyn Invoke>,
        sqs: Sqs,
        on_failure_url: Option<String>,
    ) -> Self {
        Self {
            shards,
            mapping,
            invoke,
            sqs,
            on_failure_url,
        }
    }

    /// The logical id of the table.
    pub fn table(&self) -> &str {
        &self.mapping.table
    }

    /// How far each shard was handled.
    pub fn checkpoints(&self) -> &Checkpoints {
        self.shards.checkpoints()
    }

    /// Hands over what is in the stream until nothing is left; how many records that were.
    pub async fn round(&mut self) -> Result<usize, TriggerError> {
        let mut handed_over = 0;
        for shard in self.shards.list().await? {
            loop {
                let page = self.shards.read(&shard).await?;
                if page.is_empty() {
                    break;
                }
                handed_over += match self.hand_over(&shard, &page).await {
                    Ok(count) => count,
                    Err(error) => {
                        self.shards.rewind(&shard);
                        return Err(error);
                    }
                };
                self.shards.commit(&shard, &page);
            }
        }
        Ok(handed_over)
    }

    async fn hand_over(&self, shard: &str, page: &[Value]) -> Result<usize, TriggerError> {
        let matching: Vec<Value> = page
            .iter()
            .filter(|record| {
                self.mapping.filters.is_empty()
                    || self
                        .mapping
                        .filters
                        .iter()
                        .any(|filter| filter.matches(record))
            })
            .cloned()
            .collect();
        for batch in matching.chunks(self.mapping.batch_size.max(1)) {
            self.deliver(shard, batch.to_vec()).await?;
        }
        Ok(matching.len())
    }

    async fn deliver(&self, shard: &str, batch: Vec<Value>) -> Result<(), TriggerError> {
        let mut delivery = Delivery::new(batch, self.mapping.bisects, self.mapping.max_retries);
        while let Some(attempt) = delivery.next_attempt() {
            let event = json!({ "Records": attempt.records() });
            let outcome = match self.invoke.invoke(&self.mapping.function, event).await {
                Ok(answer) if self.mapping.reports_failures => {
                    Outcome::read(&answer, attempt.records())
                }
                Ok(_) => Outcome::Handled,
                Err(error) => {
                    tracing::warn!(target: "agentwarm_local::stream", table = %self.mapping.table, %error, "batch failed");
                    Outcome::Failed
                }
            };
            if let Some(given_up) = delivery.settle(attempt, outcome) {
                self.lay_aside(shard, &given_up).await?;
            }
        }
        Ok(())
    }

    async fn lay_aside(&self, shard: &str, records: &[Value]) -> Result<(), TriggerError> {
        let Some(url) = &self.on_failure_url else {
            return Ok(());
        };
        let note = record::failure_note(
            &self.mapping.function,
            &self.mapping.stream_arn,
            shard,
            records,
        );
        let request = self
            .sqs
            .send_message()
            .queue_url(url)
            .message_body(note.to_string());
        asked("tell the on-failure queue", request.send().await)?;
        Ok(())
    }
}
