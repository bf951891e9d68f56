//! `api-agent`: what an agent reads first in each session (API reference §2).

pub mod wire;

use std::sync::Arc;

use agentwarm_app::accounts::OpenDays;
use agentwarm_app::agent::AgentStatus;
use agentwarm_lambda::http::{Answer, Caller, Request, Response, Route, Routes};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::SystemStatus;

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let status = AgentStatus {
        accounts: world.account_reads()?,
        days: OpenDays {
            plans: world.plans()?,
            figures: world.figures()?,
            clock: world.clock(),
        },
        pools: world.pool_reads()?,
        scheduler: world.watermarks()?,
        clock: world.clock(),
    };
    world.http(routes(), status)
}

/// The operations.
pub fn routes() -> Routes<AgentStatus> {
    Routes::new("Agent").with(
        Route::get("/api/agent/status", status)
            .named("getAgentStatus", "How your accounts are, what is wrong, and what to do next")
            .about(
                "Each of `nextActions` can be sent as it is given, and undone. What happens by itself is not among them. Lists hold the gravest hundred.",
            )
            .answers::<SystemStatus>(200, "How things are")
            .such_as(wire::status_example),
    )
}

async fn status(status: Arc<AgentStatus>, caller: Caller, _request: Request) -> Answer {
    let status = status.read(&caller.tenant()).await?;
    Response::ok(&SystemStatus::from(&status))
}
