//! `api-suppression`: addresses that get no warmup mail (API reference §6).

pub mod wire;

use std::sync::Arc;

use agentwarm_app::error::AppError;
use agentwarm_app::suppressions::Suppressed;
use agentwarm_core::email::EmailAddress;
use agentwarm_core::error::ErrorCode;
use agentwarm_lambda::http::{Answer, Caller, Request, Response, Route, Routes};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::{ListSuppressions, PAGING, SuppressAddress, Suppression, SuppressionPage};

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let suppressed = Suppressed {
        list: world.suppression_list()?,
        clock: world.clock(),
    };
    world.http(routes(), suppressed)
}

/// The operations.
pub fn routes() -> Routes<Suppressed> {
    Routes::new("Suppression list")
        .with(
            Route::get("/api/warmup/suppression", list)
                .named("listSuppressions", "List suppressed addresses")
                .filters::<ListSuppressions>()
                .answers::<SuppressionPage>(200, "A page of entries, newest first")
                .such_as(wire::list_example),
        )
        .with(
            Route::post("/api/warmup/suppression", suppress)
                .named("suppressAddress", "Suppress an address")
                .about("One that is on the list keeps its entry and gets the new reason and time.")
                .takes::<SuppressAddress>()
                .for_example(wire::suppress_example)
                .answers::<Suppression>(201, "It gets no warmup mail")
                .such_as(wire::suppression_example),
        )
        .with(
            Route::delete("/api/warmup/suppression/{email}", release)
                .named("releaseAddress", "Take an address off the suppression list")
                .about("The address is URL-encoded; its case does not matter.")
                .answers_nothing(204, "It is not on the list")
                .fails_with(&[ErrorCode::SuppressionNotFound]),
        )
}

async fn list(suppressed: Arc<Suppressed>, caller: Caller, request: Request) -> Answer {
    let ListSuppressions {
        reason,
        include_expired,
        wanted,
    } = request.query()?;
    let found = suppressed
        .list(&caller.tenant(), reason, include_expired, &wanted.page)
        .await?;
    Response::ok(&SuppressionPage {
        page: PAGING.info(&wanted, &found),
        entries: found.items.into_iter().map(Suppression::from).collect(),
    })
}

async fn suppress(suppressed: Arc<Suppressed>, caller: Caller, request: Request) -> Answer {
    let SuppressAddress {
        email,
        reason,
        expires_at,
    } = request.json()?;
    let entry = suppressed
        .suppress(&caller.tenant(), &email, reason, expires_at)
        .await?;
    Response::created(&Suppression::from(entry))
}

async fn release(suppressed: Arc<Suppressed>, caller: Caller, request: Request) -> Answer {
    let email: EmailAddress = request.path_id("email", AppError::SuppressionNotFound)?;
    suppressed.release(&caller.tenant(), &email).await?;
    Response::no_content()
}
