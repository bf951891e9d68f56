//! `job-send-slot`: sends warmup mails.
//!
//! Woken by the send queue, up to ten orders at a time, one SMTP session per sender. An order may come twice, late, or after its sender was
//! paused: the slot's claim decides ([`agentwarm_app::engine::sending`]). An order that fails stays in the queue and goes to the dead-letter
//! queue in the end; a mail that was planned and never sent is explained when its day is closed. If the process dies, claimed slots
//! become in doubt when their lease is over.

use std::sync::Arc;

use agentwarm_app::engine::sending::Sending;
use agentwarm_app::ports::queue::SendOrder;
use agentwarm_lambda::events::ItemError;
use agentwarm_lambda::events::queue::{BatchHandler, MessageFailure, QueueMessage, QueueTask};
use agentwarm_lambda::task::{Invocation, Task};
use agentwarm_lambda::world::{World, WorldError};
use async_trait::async_trait;

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let handler = SendSlots {
        sending: world.sending()?,
    };
    Ok(Arc::new(QueueTask::batch(Arc::new(handler))))
}

struct SendSlots {
    sending: Sending,
}

#[async_trait]
impl BatchHandler for SendSlots {
    async fn handle(&self, messages: Vec<QueueMessage>, _call: &Invocation) -> Vec<MessageFailure> {
        let mut failures = Vec::new();
        let mut ids = Vec::new();
        let mut orders = Vec::new();
        for message in messages {
            match message.json::<SendOrder>() {
                Ok(order) => {
                    ids.push(message.id);
                    orders.push(order);
                }
                Err(error) => failures.push(MessageFailure {
                    id: message.id,
                    error,
                }),
            }
        }
        let outcomes = self.sending.send(&orders).await;
        for (id, outcome) in ids.into_iter().zip(outcomes) {
            if let Err(error) = outcome {
                failures.push(MessageFailure {
                    id,
                    error: ItemError::failed(error),
                });
            }
        }
        failures
    }
}
