//! The bus that events leave by.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde::{Deserialize, Serialize};

use agentwarm_app::ports::queue::{EventBus, QueueError};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::UserId;

use crate::actions::{Action, Resource};
use crate::batches;
use crate::error::{Incomplete, not_taken};

/// The `source` of our events, by which rules select them.
pub const SOURCE: &str = "agentwarm";

/// Entries in one `PutEvents` (EventBridge's limit).
const BATCH_ENTRIES: usize = 10;
/// Bytes in one `PutEvents` (EventBridge's limit), less what the entries' other fields may take.
const BATCH_BYTES: usize = 240 * 1024;

const BUS: &str = "event bus";

/// The `detail` of an event on the bus; its `detail-type` is the event's type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventDetail {
    /// The event's id, the same at each delivery.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// What happened.
    pub event: Event,
}

/// [`EventBus`] on EventBridge.
#[derive(Debug, Clone)]
pub struct EventBridgeBus {
    client: Client,
    name: String,
}

impl EventBridgeBus {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::EventBus.may("events:PutEvents")];

    /// On the bus with this name or ARN.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    fn entry(&self, detail: &EventDetail) -> Result<(PutEventsRequestEntry, usize), QueueError> {
        let text = serde_json::to_string(detail).map_err(|error| not_taken(BUS, error))?;
        let bytes = text.len();
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(detail.event.event_type.as_str())
            .time(DateTime::from_millis(detail.event.at.as_millisecond()))
            .detail(text)
            .build();
        Ok((entry, bytes))
    }

    /// Publishes a batch, and once more what was refused of it.
    async fn publish_batch(&self, batch: Vec<PutEventsRequestEntry>) -> Result<(), QueueError> {
        let (again, _) = self.attempt(batch).await?;
        if again.is_empty() {
            return Ok(());
        }
        let (refused, code) = self.attempt(again).await?;
        if refused.is_empty() {
            return Ok(());
        }
        Err(not_taken(
            BUS,
            Incomplete::Refused {
                count: refused.len(),
                code,
            },
        ))
    }

    /// Publishes a batch; what was refused of it, and the first refusal's code.
    async fn attempt(
        &self,
        batch: Vec<PutEventsRequestEntry>,
    ) -> Result<(Vec<PutEventsRequestEntry>, String), QueueError> {
        let output = self
            .client
            .put_events()
            .set_entries(Some(batch.clone()))
            .send()
            .await
            .map_err(|error| not_taken(BUS, error))?;
        // Results stand in the order of the entries.
        let results = output.entries();
        let refused = batch
            .into_iter()
            .zip(results)
            .filter_map(|(entry, result)| result.error_code().map(|_| entry))
            .collect();
        let code = results.iter().find_map(|result| result.error_code());
        Ok((refused, code.unwrap_or_default().to_owned()))
    }
}

#[async_trait]
impl EventBus for EventBridgeBus {
    async fn publish(&self, events: &[(String, UserId, Event)]) -> Result<(), QueueError> {
        let entries = events.iter().map(|(id, user, event)| {
            self.entry(&EventDetail {
                id: id.clone(),
                user: *user,
                event: event.clone(),
            })
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        for batch in batches::cut(entries, BATCH_ENTRIES, BATCH_BYTES) {
            self.publish_batch(batch).await?;
        }
        Ok(())
    }
}
