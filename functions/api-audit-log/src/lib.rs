//! `api-audit-log`: what happened, and who did it (API reference §19).

pub mod wire;

use std::sync::Arc;

use agentwarm_app::audit_log::ReadAuditLog;
use agentwarm_lambda::http::{Answer, Caller, Request, Response, Route, Routes};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::{AuditLog, ListAuditLog, PAGING};

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let log = ReadAuditLog {
        audit: world.audit_log()?,
        clock: world.clock(),
    };
    world.http(routes(), log)
}

/// The operation.
pub fn routes() -> Routes<ReadAuditLog> {
    Routes::new("Audit log").with(
        Route::get("/api/audit-log", list)
            .named("listAuditLog", "List audit entries")
            .filters::<ListAuditLog>()
            .answers::<AuditLog>(200, "A page of entries, newest first")
            .such_as(wire::example),
    )
}

async fn list(log: Arc<ReadAuditLog>, caller: Caller, request: Request) -> Answer {
    let ListAuditLog { filter, wanted } = request.query()?;
    let found = log.list(&caller.tenant(), filter, &wanted.page).await?;
    let info = PAGING.info(&wanted, &found.page);
    Response::ok(&AuditLog::new(found, info))
}
