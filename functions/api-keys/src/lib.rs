//! `api-keys`: a user, and their API keys (API reference §1).

pub mod wire;

use std::sync::Arc;

use agentwarm_app::error::AppError;
use agentwarm_app::keys::Keys;
use agentwarm_core::error::ErrorCode;
use agentwarm_lambda::http::{Answer, Caller, Request, Response, Route, Routes};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::{CreateApiKey, CreatedApiKey, DeletedApiKey, ListedApiKeys, Me};

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let keys = Keys {
        keys: world.api_keys()?,
        clock: world.clock(),
        entropy: world.entropy(),
    };
    world.http(routes(), keys)
}

/// The operations.
pub fn routes() -> Routes<Keys> {
    Routes::new("API keys")
        .with(
            Route::get("/api/keys", list)
                .named("listApiKeys", "List your API keys")
                .answers::<ListedApiKeys>(200, "Your keys, newest first")
                .such_as(wire::listed_example),
        )
        .with(
            Route::post("/api/keys", create)
                .named("createApiKey", "Create an API key")
                .about("The key itself is in this answer and never again.")
                .takes::<CreateApiKey>()
                .for_example(wire::create_example)
                .answers::<CreatedApiKey>(201, "The new key")
                .such_as(wire::created_example),
        )
        .with(
            Route::post("/api/keys/{id}/rotate", rotate)
                .named("rotateApiKey", "Put a new API key in the place of one")
                .about(
                    "The old key works no longer, also if it is the one that you call with: keep the answer, which is the only one that holds the new key.",
                )
                .answers::<CreatedApiKey>(201, "The new key, under the old one's name")
                .such_as(wire::created_example)
                .fails_with(&[ErrorCode::ApiKeyNotFound]),
        )
        .with(
            Route::get("/api/me", me)
                .named("getMe", "Who you are: your plan, its limits, and what you have taken of them")
                .answers::<Me>(200, "You")
                .such_as(wire::me_example),
        )
        .with(
            Route::delete("/api/keys/{id}", revoke)
                .named("revokeApiKey", "Revoke an API key for good")
                .answers::<DeletedApiKey>(200, "It works no longer")
                .such_as(wire::deleted_example)
                .fails_with(&[ErrorCode::ApiKeyNotFound]),
        )
}

async fn list(keys: Arc<Keys>, caller: Caller, _request: Request) -> Answer {
    let keys = keys.list(&caller.tenant()).await?;
    Response::ok(&ListedApiKeys::from(keys))
}

async fn create(keys: Arc<Keys>, caller: Caller, request: Request) -> Answer {
    let new: CreateApiKey = request.json()?;
    let issued = keys.create(&caller.tenant(), &new.name).await?;
    Response::created(&CreatedApiKey::from(issued))
}

async fn rotate(keys: Arc<Keys>, caller: Caller, request: Request) -> Answer {
    let key = request.path_id("id", AppError::ApiKeyNotFound)?;
    let issued = keys.rotate(&caller.tenant(), key).await?;
    Response::created(&CreatedApiKey::from(issued))
}

async fn me(keys: Arc<Keys>, caller: Caller, _request: Request) -> Answer {
    let me = keys.me(&caller.tenant()).await?;
    Response::ok(&Me::from(&me))
}

async fn revoke(keys: Arc<Keys>, caller: Caller, request: Request) -> Answer {
    let key = request.path_id("id", AppError::ApiKeyNotFound)?;
    keys.revoke(&caller.tenant(), key).await?;
    Response::ok(&DeletedApiKey { deleted: true })
}
