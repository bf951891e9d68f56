//! `job-event-fanout`: lets changes leave.
//!
//! Woken by the streams of the entities and activity tables. Events go to the audit log and the bus, the figures of the days they touch are
//! recomputed, and an account whose mails bounce is stopped at once ([`agentwarm_app::engine::fanout`]). A batch may come again:
//! ids follow from the items, figures are absolute. A record that cannot be read is reported by its place once those before it are done
//! with; where a batch cannot be taken, the call fails and the mapping halves it. So the on-failure queue is told of the bad record alone.

use std::sync::Arc;

use agentwarm_app::engine::fanout::{Change, Fanout};
use agentwarm_lambda::events::ItemError;
use agentwarm_lambda::events::stream::{RecordFailure, RecordsHandler, StreamRecord, StreamTask};
use agentwarm_lambda::task::{Invocation, Task};
use agentwarm_lambda::world::{World, WorldError};
use async_trait::async_trait;

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let handler = FanOut {
        fanout: world.fanout()?,
    };
    Ok(Arc::new(StreamTask::batch(Arc::new(handler))))
}

struct FanOut {
    fanout: Fanout,
}

#[async_trait]
impl RecordsHandler for FanOut {
    async fn handle(
        &self,
        records: &[StreamRecord],
        _call: &Invocation,
    ) -> Result<(), RecordFailure> {
        let mut changes: Vec<Change> = Vec::new();
        let mut unreadable = None;
        for (index, record) in records.iter().enumerate() {
            match agentwarm_lambda::events::stream::change(record) {
                Ok(change) => changes.extend(change),
                Err(error) => {
                    unreadable = Some(RecordFailure { index, error });
                    break;
                }
            }
        }
        if let Err(error) = self.fanout.take(&changes).await {
            return Err(RecordFailure {
                index: 0,
                error: ItemError::failed(error),
            });
        }
        unreadable.map_or(Ok(()), Err)
    }
}
