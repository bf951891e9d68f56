//! Queues and the bus: what was handed to them waits until a test takes it.

use std::sync::{Arc, Mutex, PoisonError};

use agentwarm_app::ports::queue::{
    EventBus, QueueError, SendOrder, SendQueue, VisitOrder, VisitQueue,
};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::UserId;
use async_trait::async_trait;
use jiff::SignedDuration;

use super::Fault;
use crate::chaos::Chaos;

/// Both queues and the bus.
#[derive(Debug, Default)]
pub struct MemoryQueues {
    sends: Mutex<Vec<(SendOrder, SignedDuration)>>,
    visits: Mutex<Vec<VisitOrder>>,
    events: Mutex<Vec<(String, UserId, Event)>>,
    chaos: Arc<Chaos>,
}

/// The source of a queue's failure.
#[derive(Debug, thiserror::Error)]
#[error("chance wanted it so")]
struct Injected;

impl MemoryQueues {
    /// Queues at the mercy of `chaos`.
    pub fn in_chaos(chaos: Arc<Chaos>) -> Self {
        Self {
            chaos,
            ..Self::default()
        }
    }

    /// The mails handed out since this was last asked, each with its delay, in order.
    pub fn take_sends(&self) -> Vec<(SendOrder, SignedDuration)> {
        take(&self.sends)
    }

    /// The visits handed out since this was last asked, in order.
    pub fn take_visits(&self) -> Vec<VisitOrder> {
        take(&self.visits)
    }

    /// The events published since this was last asked, in order, with their ids.
    pub fn take_events(&self) -> Vec<(String, UserId, Event)> {
        take(&self.events)
    }
}

fn take<T>(queue: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut queue.lock().unwrap_or_else(PoisonError::into_inner))
}

impl MemoryQueues {
    async fn add<T: Clone + Sync>(
        &self,
        operation: &'static str,
        queue: &Mutex<Vec<T>>,
        items: &[T],
    ) -> Result<(), QueueError>
    where
        Vec<T>: Send,
    {
        let fault = self.chaos.pass(operation).await;
        if matches!(fault, None | Some(Fault::AnswerLost)) {
            queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(items);
        }
        fault.map_or(Ok(()), |_| {
            Err(QueueError {
                queue: operation,
                source: Box::new(Injected),
            })
        })
    }
}

#[async_trait]
impl SendQueue for MemoryQueues {
    async fn send(&self, orders: &[(SendOrder, SignedDuration)]) -> Result<(), QueueError> {
        self.add("queue.send", &self.sends, orders).await
    }
}

#[async_trait]
impl VisitQueue for MemoryQueues {
    async fn visit(&self, orders: &[VisitOrder]) -> Result<(), QueueError> {
        self.add("queue.visit", &self.visits, orders).await
    }
}

#[async_trait]
impl EventBus for MemoryQueues {
    async fn publish(&self, events: &[(String, UserId, Event)]) -> Result<(), QueueError> {
        self.add("bus.publish", &self.events, events).await
    }
}
