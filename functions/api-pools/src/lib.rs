//! `api-pools`: pools, their members and their configuration (API reference §5).

pub mod wire;

use std::sync::Arc;

use agentwarm_app::error::AppError;
use agentwarm_app::pools::Pools as PoolUseCases;
use agentwarm_app::pools::membership::Membership;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{AccountId, PoolId};
use agentwarm_lambda::http::{Answer, ApiError, Caller, Request, Response, Route, Routes};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::{ConfigurePool, CreatePool, Pool, PoolConfiguration, PoolList, PoolMessage};

/// The use cases behind the operations.
pub struct Pools {
    /// Listing, creating, configuring.
    pub pools: PoolUseCases,
    /// Who is in them.
    pub membership: Membership,
}

const CONFIG: &str = "/api/warmup/pools/{poolId}/config";
const MEMBER: &str = "/api/warmup/pools/{poolId}/accounts/{accountId}";

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let pools = Pools {
        pools: PoolUseCases {
            pools: world.pool_reads()?,
            writes: world.pool_writes()?,
            clock: world.clock(),
            entropy: world.entropy(),
        },
        membership: Membership {
            pools: world.pool_reads()?,
            writes: world.pool_writes()?,
            accounts: world.account_reads()?,
            clock: world.clock(),
        },
    };
    world.http(routes(), pools)
}

/// The operations.
pub fn routes() -> Routes<Pools> {
    Routes::new("Warmup pools")
        .with(
            Route::get("/api/warmup/pools", list)
                .named("listPools", "List all pools")
                .answers::<PoolList>(200, "Your pools, newest first")
                .such_as(wire::list_example),
        )
        .with(
            Route::post("/api/warmup/pools", create)
                .named("createPool", "Create a pool")
                .takes::<CreatePool>()
                .for_example(wire::create_example)
                .answers::<Pool>(201, "The new pool")
                .such_as(wire::pool_example),
        )
        .with(
            Route::post(MEMBER, add)
                .named("addAccountToPool", "Add an account to a pool")
                .about("Adding one that is in it changes nothing.")
                .answers::<PoolMessage>(200, "It is in the pool")
                .such_as(wire::added_example)
                .fails_with(&[ErrorCode::WarmupPoolNotFound, ErrorCode::AccountNotFound]),
        )
        .with(
            Route::delete(MEMBER, remove)
                .named("removeAccountFromPool", "Remove an account from a pool")
                .about("Removing one that is not in it changes nothing.")
                .answers_nothing(204, "It is not in the pool")
                .fails_with(&[ErrorCode::WarmupPoolNotFound, ErrorCode::AccountNotFound]),
        )
        .with(
            Route::get(CONFIG, configuration)
                .named("getPoolConfig", "Get a pool's warmup configuration")
                .answers::<PoolConfiguration>(200, "What counts, merged with the defaults")
                .such_as(wire::configuration_example)
                .fails_with(&[ErrorCode::WarmupPoolNotFound]),
        )
        .with(
            Route::put(CONFIG, configure)
                .named("updatePoolConfig", "Update a pool's warmup configuration")
                .about("Only supplied fields change. Applies from each account's next planned day.")
                .takes::<ConfigurePool>()
                .for_example(wire::configure_example)
                .answers::<PoolConfiguration>(200, "What counts from now on")
                .such_as(wire::configured_example)
                .fails_with(&[
                    ErrorCode::WarmupPoolNotFound,
                    ErrorCode::WarmupConfigInvalid,
                ]),
        )
}

async fn list(pools: Arc<Pools>, caller: Caller, _request: Request) -> Answer {
    let pools = pools.pools.list(&caller.tenant()).await?;
    Response::ok(&PoolList::from(pools))
}

async fn create(pools: Arc<Pools>, caller: Caller, request: Request) -> Answer {
    let CreatePool { name, description } = request.json()?;
    let created = pools
        .pools
        .create(&caller.tenant(), &name, description.as_deref())
        .await?;
    Response::created(&Pool::from(created))
}

async fn add(pools: Arc<Pools>, caller: Caller, request: Request) -> Answer {
    let (pool, account) = (pool(&request)?, account(&request)?);
    pools
        .membership
        .add(&caller.tenant(), pool, account)
        .await?;
    Response::ok(&PoolMessage::ADDED)
}

async fn remove(pools: Arc<Pools>, caller: Caller, request: Request) -> Answer {
    let (pool, account) = (pool(&request)?, account(&request)?);
    pools
        .membership
        .remove(&caller.tenant(), pool, account)
        .await?;
    Response::no_content()
}

async fn configuration(pools: Arc<Pools>, caller: Caller, request: Request) -> Answer {
    let configuration = pools
        .pools
        .configuration(&caller.tenant(), pool(&request)?)
        .await?;
    Response::ok(&PoolConfiguration::from(configuration))
}

async fn configure(pools: Arc<Pools>, caller: Caller, request: Request) -> Answer {
    let pool = pool(&request)?;
    let ConfigurePool(changes) = request.json()?;
    let configuration = pools
        .pools
        .configure(&caller.tenant(), pool, &changes)
        .await?;
    Response::ok(&PoolConfiguration::from(configuration))
}

fn pool(request: &Request) -> Result<PoolId, ApiError> {
    request.path_id("poolId", AppError::PoolNotFound)
}

fn account(request: &Request) -> Result<AccountId, ApiError> {
    request.path_id("accountId", AppError::AccountNotFound)
}
