//! `job-scheduler-tick`: hands out what is due and plans the days that begin.
//!
//! Woken each minute by a schedule. The event's own time is not used: what is due lies in the index, and what was handed out before says
//! the watermark, so a tick that is missed, late or doubled changes nothing ([`agentwarm_app::engine::tick`]). If it dies, the watermark
//! has not moved and the next one hands the same out again.

use std::sync::Arc;

use agentwarm_app::engine::tick::Ticking;
use agentwarm_lambda::events::ItemError;
use agentwarm_lambda::events::bus::{BusEvent, EventHandler, EventTask};
use agentwarm_lambda::task::{Invocation, Task};
use agentwarm_lambda::world::{World, WorldError};
use async_trait::async_trait;

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let handler = Tick {
        ticking: world.ticking()?,
    };
    Ok(Arc::new(EventTask::new(Arc::new(handler))))
}

struct Tick {
    ticking: Ticking,
}

#[async_trait]
impl EventHandler for Tick {
    async fn handle(&self, _event: &BusEvent, _call: &Invocation) -> Result<(), ItemError> {
        let ticked = self.ticking.tick().await.map_err(ItemError::failed)?;
        // The template's metric filter reads `lateness_seconds` from this line.
        tracing::info!(
            sends = ticked.sends,
            moved = ticked.moved,
            visits = ticked.visits,
            plans = ticked.plans,
            lateness_seconds = ticked.lateness_seconds,
            "tick"
        );
        Ok(())
    }
}
