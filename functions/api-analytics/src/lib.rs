//! `api-analytics`: figures about accounts (API reference §9; those of a CRM's records §3).

pub mod wire;

use std::sync::Arc;

use agentwarm_app::accounts::{OpenDays, ReadAccounts};
use agentwarm_app::analytics::account::AccountOverview as Overview;
use agentwarm_app::analytics::crm::CrmStatistics as Crm;
use agentwarm_app::analytics::deliverability::ReadDeliverability;
use agentwarm_app::analytics::progress::WarmupProgress as Progress;
use agentwarm_app::analytics::system::SystemStatistics as System;
use agentwarm_app::crm::LinkedAccounts;
use agentwarm_app::error::AppError;
use agentwarm_core::crm::{CrmEntity, CrmKind};
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::AccountId;
use agentwarm_lambda::http::{Answer, ApiError, Caller, Request, Response, Route, Routes};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::{
    AccountOverview, CrmAccountPath, CrmPersonPath, CrmQuery, CrmStatistics, DeliverabilityReport,
    ProgressQuery, SystemStatistics, WarmupProgress,
};

/// The use cases behind the operations.
pub struct Analytics {
    /// All accounts.
    pub system: System,
    /// One account today.
    pub overview: Overview,
    /// One account day by day.
    pub progress: Progress,
    /// The accounts of a CRM's record.
    pub crm: Crm,
    /// Where one account's mail arrives.
    pub deliverability: ReadDeliverability,
}

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let days = OpenDays {
        plans: world.plans()?,
        figures: world.figures()?,
        clock: world.clock(),
    };
    let analytics = Analytics {
        system: System {
            accounts: world.account_reads()?,
            days: days.clone(),
            leases: world.visit_leases()?,
        },
        overview: Overview {
            accounts: ReadAccounts {
                accounts: world.account_reads()?,
                days: days.clone(),
            },
            clock: world.clock(),
        },
        progress: Progress {
            accounts: world.account_reads()?,
            configs: world.configs()?,
            plans: world.plans()?,
            figures: world.figures()?,
            clock: world.clock(),
        },
        crm: Crm {
            linked: LinkedAccounts {
                links: world.crm_links()?,
                accounts: world.account_reads()?,
                days,
            },
        },
        deliverability: ReadDeliverability {
            accounts: world.account_reads()?,
            slots: world.slots()?,
            clock: world.clock(),
        },
    };
    world.http(routes(), analytics)
}

/// The operations.
pub fn routes() -> Routes<Analytics> {
    Routes::new("Analytics")
        .with(
            Route::get("/api/analytics/system", system)
                .named("getSystemStatistics", "Statistics over all your accounts")
                .answers::<SystemStatistics>(200, "The figures")
                .such_as(wire::system_example),
        )
        .with(
            Route::get("/api/analytics/accounts/{accountId}", overview)
                .named(
                    "getAccountOverview",
                    "An account's warmup state and today's metrics",
                )
                .answers::<AccountOverview>(200, "The overview")
                .such_as(wire::overview_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::get("/api/analytics/accounts/{accountId}/progress", progress)
                .named(
                    "getWarmupProgress",
                    "An account's warmup progress with daily history",
                )
                .filters::<ProgressQuery>()
                .answers::<WarmupProgress>(200, "The progress")
                .such_as(wire::progress_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::get("/api/analytics/crm/person/{personId}", crm_person)
                .named(
                    "getCrmPersonStatistics",
                    "Statistics over the accounts that are linked to a CRM person",
                )
                .at::<CrmPersonPath>()
                .about("A person that nothing is linked to has no accounts and figures of zero.")
                .filters::<CrmQuery>()
                .answers::<CrmStatistics>(200, "The accounts, newest first, and their figures")
                .such_as(wire::crm_person_example),
        )
        .with(
            Route::get("/api/analytics/crm/account/{accountId}", crm_account)
                .named(
                    "getCrmAccountStatistics",
                    "Statistics over the accounts that are linked to a CRM account",
                )
                .at::<CrmAccountPath>()
                .about("An account that nothing is linked to has no accounts and figures of zero.")
                .filters::<CrmQuery>()
                .answers::<CrmStatistics>(200, "The accounts, newest first, and their figures")
                .such_as(wire::crm_account_example),
        )
        .with(
            Route::get(
                "/api/analytics/accounts/{accountId}/deliverability",
                deliverability,
            )
            .named(
                "getAccountDeliverability",
                "Where an account's mail of the last seven days arrived, by provider",
            )
            .about("Of warmup mails, answers included, today in the account's time zone and the six days before it.")
            .answers::<DeliverabilityReport>(200, "The report")
            .such_as(wire::deliverability_example)
            .fails_with(&[ErrorCode::AccountNotFound]),
        )
}

async fn system(analytics: Arc<Analytics>, caller: Caller, _request: Request) -> Answer {
    let figures = analytics.system.read(&caller.tenant()).await?;
    Response::ok(&SystemStatistics::from(&figures))
}

async fn overview(analytics: Arc<Analytics>, caller: Caller, request: Request) -> Answer {
    let overview = analytics
        .overview
        .read(&caller.tenant(), account(&request)?)
        .await?;
    Response::ok(&AccountOverview::from(&overview))
}

async fn progress(analytics: Arc<Analytics>, caller: Caller, request: Request) -> Answer {
    let account = account(&request)?;
    let ProgressQuery { days } = request.query()?;
    let progress = analytics
        .progress
        .read(&caller.tenant(), account, days)
        .await?;
    Response::ok(&WarmupProgress::from(&progress))
}

async fn crm_person(analytics: Arc<Analytics>, caller: Caller, request: Request) -> Answer {
    let (CrmPersonPath { id }, CrmQuery { source }) = request.path_and_query()?;
    let kind = CrmKind::Person;
    crm(&analytics, &caller, CrmEntity { kind, id, source }).await
}

async fn crm_account(analytics: Arc<Analytics>, caller: Caller, request: Request) -> Answer {
    let (CrmAccountPath { id }, CrmQuery { source }) = request.path_and_query()?;
    let kind = CrmKind::Account;
    crm(&analytics, &caller, CrmEntity { kind, id, source }).await
}

async fn crm(analytics: &Analytics, caller: &Caller, entity: CrmEntity) -> Answer {
    let figures = analytics.crm.read(&caller.tenant(), &entity).await?;
    Response::ok(&CrmStatistics::new(&entity, &figures))
}

async fn deliverability(analytics: Arc<Analytics>, caller: Caller, request: Request) -> Answer {
    let report = analytics
        .deliverability
        .read(&caller.tenant(), account(&request)?)
        .await?;
    Response::ok(&DeliverabilityReport::from(report))
}

fn account(request: &Request) -> Result<AccountId, ApiError> {
    request.path_id("accountId", AppError::AccountNotFound)
}
