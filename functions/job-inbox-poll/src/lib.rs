//! `job-inbox-poll`: looks into mailboxes.
//!
//! Woken by the visit queue. A visit reads what is new, books and rescues warmup mail, carries out engagement that is due, and looks for
//! mails in doubt ([`agentwarm_app::engine::visiting`]). It may come twice or overlap with another: receipts make what it
//! does happen once, and only who has the mailbox's lease moves mail. A visit that dies leaves its cursor where it was; the next one reads the
//! same again.

use std::sync::Arc;

use agentwarm_app::engine::visiting::{VISITS_AT_ONCE, Visiting};
use agentwarm_app::ports::queue::VisitOrder;
use agentwarm_lambda::events::ItemError;
use agentwarm_lambda::events::queue::{MessageHandler, QueueMessage, QueueTask};
use agentwarm_lambda::task::{Invocation, Task};
use agentwarm_lambda::world::{World, WorldError};
use async_trait::async_trait;

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let handler = Visits {
        visiting: world.visiting()?,
    };
    let at_once = VISITS_AT_ONCE.into();
    Ok(Arc::new(QueueTask::each(Arc::new(handler), at_once)))
}

struct Visits {
    visiting: Visiting,
}

#[async_trait]
impl MessageHandler for Visits {
    async fn handle(&self, message: &QueueMessage, _call: &Invocation) -> Result<(), ItemError> {
        let order: VisitOrder = message.json()?;
        self.visiting
            .visit(&order)
            .await
            .map_err(ItemError::failed)?;
        Ok(())
    }
}
