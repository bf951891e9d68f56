//! Single events: schedules and the bus (EventBridge, "Event structure").
//!
//! A schedule's event brings nothing but its time, and that is all its task may take from it: the time for which it was planned, not the
//! one at which it arrived, so that a late or doubled tick does the same.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::ItemError;
use crate::task::{Invocation, Task, TaskError};

/// An event from EventBridge.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BusEvent {
    /// Its id, the same in each delivery.
    pub id: String,
    /// Who published it.
    pub source: String,
    /// What kind it is; `Scheduled Event` for a schedule's.
    pub detail_type: String,
    /// When it was published; for a schedule, the minute that it is for.
    pub time: Timestamp,
    /// What it says.
    #[serde(default)]
    pub detail: Value,
}

/// Handles one event.
#[async_trait]
pub trait EventHandler: Send + Sync {
    /// Does what the event calls for. May see it again after it was done.
    async fn handle(&self, event: &BusEvent, call: &Invocation) -> Result<(), ItemError>;
}

/// A function that a schedule or the bus wakes.
pub struct EventTask(Arc<dyn EventHandler>);

impl EventTask {
    /// `handler` as a task.
    pub fn new(handler: Arc<dyn EventHandler>) -> Self {
        Self(handler)
    }
}

#[async_trait]
impl Task for EventTask {
    async fn handle(&self, event: Value, call: Invocation) -> Result<Value, TaskError> {
        let event = BusEvent::deserialize(event)
            .map_err(|error| TaskError::malformed("an EventBridge event", &error))?;
        let done = self.0.handle(&event, &call).await;
        done.map(|()| Value::Null).map_err(TaskError::failed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[derive(Default)]
    struct Times(Mutex<Vec<Timestamp>>);

    #[async_trait]
    impl EventHandler for Times {
        async fn handle(&self, event: &BusEvent, _call: &Invocation) -> Result<(), ItemError> {
            self.0.lock().unwrap().push(event.time);
            Ok(())
        }
    }

    async fn run(times: &Arc<Times>, event: Value) -> Result<Value, TaskError> {
        let call = Invocation::within("1", Duration::from_secs(3));
        EventTask::new(times.clone()).handle(event, call).await
    }

    #[tokio::test]
    async fn rules_and_schedules_bring_their_time() {
        let times = Arc::new(Times::default());
        // As a rule with `rate(1 minute)` sends it, and as EventBridge Scheduler does (`detail` is a text there).
        for detail in [json!({}), json!("{}")] {
            let event = json!({
                "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
                "source": "aws.events", "account": "123456789012", "time": "2026-03-13T09:00:00Z", "region": "eu-west-1",
                "resources": ["arn:aws:events:eu-west-1:123456789012:rule/tick"], "detail": detail,
            });
            assert_eq!(run(&times, event).await.unwrap(), Value::Null);
        }
        let expected: Timestamp = "2026-03-13T09:00:00Z".parse().unwrap();
        assert_eq!(*times.0.lock().unwrap(), [expected, expected]);
    }

    #[tokio::test]
    async fn anything_else_is_an_error_and_handled_by_nobody() {
        let times = Arc::new(Times::default());
        let error = run(&times, json!({ "Records": [] })).await.unwrap_err();
        assert!(matches!(error, TaskError::Malformed { .. }));
        assert!(times.0.lock().unwrap().is_empty());
    }
}
