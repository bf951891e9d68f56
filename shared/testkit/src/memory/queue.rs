//! Queues and the bus: what was handed to them waits until a test takes it.

use std::sync::{Mutex, PoisonError};

use agentwarm_app::ports::queue::{
    EventBus, QueueError, SendOrder, SendQueue, VisitOrder, VisitQueue,
};
use agentwarm_core::audit::Event;
use agentwarm_core::ids::UserId;
use async_trait::async_trait;
use jiff::SignedDuration;

/// Both queues and the bus.
#[derive(Debug, Default)]
pub struct MemoryQueues {
    sends: Mutex<Vec<(SendOrder, SignedDuration)>>,
    visits: Mutex<Vec<VisitOrder>>,
    events: Mutex<Vec<(String, UserId, Event)>>,
}

impl MemoryQueues {
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

fn add<T: Clone>(queue: &Mutex<Vec<T>>, items: &[T]) {
    queue
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend_from_slice(items);
}

#[async_trait]
impl SendQueue for MemoryQueues {
    async fn send(&self, orders: &[(SendOrder, SignedDuration)]) -> Result<(), QueueError> {
        add(&self.sends, orders);
        Ok(())
    }
}

#[async_trait]
impl VisitQueue for MemoryQueues {
    async fn visit(&self, orders: &[VisitOrder]) -> Result<(), QueueError> {
        add(&self.visits, orders);
        Ok(())
    }
}

#[async_trait]
impl EventBus for MemoryQueues {
    async fn publish(&self, events: &[(String, UserId, Event)]) -> Result<(), QueueError> {
        add(&self.events, events);
        Ok(())
    }
}
