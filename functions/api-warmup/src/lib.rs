//! `api-warmup`: starting, pausing and resuming warmup, schedules, and test mode (API reference §4).

pub mod wire;

use std::sync::Arc;

use agentwarm_app::error::AppError;
use agentwarm_app::warmup::Enrolment;
use agentwarm_app::warmup::diagnose::DiagnoseWarmup;
use agentwarm_app::warmup::pause::PauseWarmup;
use agentwarm_app::warmup::resume::ResumeWarmup;
use agentwarm_app::warmup::schedule::ReadSchedule;
use agentwarm_app::warmup::start::StartWarmup;
use agentwarm_app::warmup::test_mode::ControlTestMode;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::AccountId;
use agentwarm_lambda::http::{
    AccountIds, Answer, ApiError, Batch, Caller, PartialFailure, Request, Response, Route, Routes,
};
use agentwarm_lambda::task::Task;
use agentwarm_lambda::world::{World, WorldError};

use wire::{
    AccountItem, ReadScheduleQuery, SetTestMode, StartWarmupQuery, TestMode, WarmupDiagnosis,
    WarmupPaused, WarmupResumed, WarmupSchedule, WarmupStarted,
};

/// The use cases behind the operations.
pub struct Warmup {
    /// Starting.
    pub start: StartWarmup,
    /// Pausing.
    pub pause: PauseWarmup,
    /// Resuming.
    pub resume: ResumeWarmup,
    /// Asking why.
    pub diagnose: DiagnoseWarmup,
    /// Looking at a day.
    pub schedule: ReadSchedule,
    /// Limiting sends.
    pub test_mode: ControlTestMode,
}

const TEST_MODE: &str = "/api/warmup/test-mode";

/// The function.
pub fn build(world: &World) -> Result<Arc<dyn Task>, WorldError> {
    let enrolment = Enrolment {
        roster: world.roster()?,
        due: world.due_index()?,
    };
    let planner = Arc::new(world.planning()?);
    let warmup = Warmup {
        start: StartWarmup {
            accounts: world.account_reads()?,
            updates: world.account_updates()?,
            configs: world.configs()?,
            enrolment: enrolment.clone(),
            planner: planner.clone(),
            clock: world.clock(),
        },
        pause: PauseWarmup {
            accounts: world.account_reads()?,
            updates: world.account_updates()?,
            roster: world.roster()?,
            clock: world.clock(),
        },
        resume: ResumeWarmup {
            accounts: world.account_reads()?,
            updates: world.account_updates()?,
            enrolment,
            planner,
            clock: world.clock(),
        },
        diagnose: DiagnoseWarmup {
            accounts: world.account_reads()?,
            plans: world.plans()?,
            figures: world.figures()?,
            clock: world.clock(),
        },
        schedule: ReadSchedule {
            accounts: world.account_reads()?,
            plans: world.plans()?,
            slots: world.slots()?,
            receipts: world.receipts()?,
            ledger: world.ledger()?,
            clock: world.clock(),
        },
        test_mode: ControlTestMode {
            rule: world.test_mode_rule()?,
            writes: world.test_mode_writes()?,
        },
    };
    world.http(routes(), warmup)
}

/// The operations.
pub fn routes() -> Routes<Warmup> {
    with_test_mode(with_days(with_control(Routes::new("Warmup"))))
}

/// Starting, pausing and resuming.
fn with_control(routes: Routes<Warmup>) -> Routes<Warmup> {
    routes
        .with(
            Route::post("/api/warmup/start/{accountId}", start)
                .named("startWarmup", "Start warmup for an account")
                .about("Plans the rest of today before it answers.")
                .filters::<StartWarmupQuery>()
                .answers::<WarmupStarted>(200, "It warms")
                .such_as(wire::started_example)
                .fails_with(&[
                    ErrorCode::AccountNotFound,
                    ErrorCode::AccountAlreadyWarming,
                    ErrorCode::AccountNotInPool,
                    ErrorCode::AccountInvalidStatusTransition,
                    ErrorCode::ProviderNotConfigured,
                ]),
        )
        .with(
            Route::post("/api/warmup/pause/{accountId}", pause)
                .named("pauseWarmup", "Pause warmup")
                .about("The schedule is preserved for resume.")
                .answers::<WarmupPaused>(200, "It is paused")
                .such_as(wire::paused_example)
                .fails_with(&[
                    ErrorCode::AccountNotFound,
                    ErrorCode::AccountInvalidStatusTransition,
                ]),
        )
        .with(
            Route::post("/api/warmup/resume/{accountId}", resume)
                .named("resumeWarmup", "Resume warmup where it left off")
                .answers::<WarmupResumed>(200, "It goes on as what it was")
                .such_as(wire::resumed_example)
                .fails_with(&[
                    ErrorCode::AccountNotFound,
                    ErrorCode::AccountNeverWarmed,
                    ErrorCode::AccountInvalidStatusTransition,
                ]),
        )
        .with(
            Route::post("/api/warmup/batch/start", start_batch)
                .named("startWarmups", "Start warmup for up to 100 accounts")
                .about("Each by itself: what fails for one is that one's result.")
                .takes::<AccountIds>()
                .for_example(wire::ids_example)
                .answers::<Batch<AccountItem>>(200, "All warm")
                .such_as(wire::batch_example)
                .answers::<PartialFailure<AccountItem>>(207, "Some do not")
                .such_as(wire::partly_started_example),
        )
        .with(
            Route::post("/api/warmup/batch/pause", pause_batch)
                .named("pauseWarmups", "Pause warmup for up to 100 accounts")
                .about("Each by itself: what fails for one is that one's result.")
                .takes::<AccountIds>()
                .for_example(wire::ids_example)
                .answers::<Batch<AccountItem>>(200, "All are paused")
                .such_as(wire::batch_example)
                .answers::<PartialFailure<AccountItem>>(207, "Some are not")
                .such_as(wire::partly_paused_example),
        )
}

/// Looking at a day.
fn with_days(routes: Routes<Warmup>) -> Routes<Warmup> {
    routes
        .with(
            Route::get("/api/warmup/diagnose/{accountId}", diagnose)
                .named(
                    "diagnoseWarmup",
                    "Why an account does not send, or not more, today",
                )
                .answers::<WarmupDiagnosis>(200, "What keeps it, the gravest first")
                .such_as(wire::diagnosis_example)
                .fails_with(&[ErrorCode::AccountNotFound]),
        )
        .with(
            Route::get("/api/warmup/schedule/{accountId}", schedule)
                .named("getWarmupSchedule", "Get the warmup schedule of a date")
                .filters::<ReadScheduleQuery>()
                .answers::<WarmupSchedule>(200, "The day as planned and as it turned out")
                .such_as(wire::schedule_example)
                .fails_with(&[
                    ErrorCode::AccountNotFound,
                    ErrorCode::WarmupScheduleNotFound,
                ]),
        )
}

/// Limiting all sends.
fn with_test_mode(routes: Routes<Warmup>) -> Routes<Warmup> {
    routes
        .with(
            Route::get(TEST_MODE, test_mode)
                .named("getTestMode", "Get whether test mode limits your sends")
                .answers::<TestMode>(200, "What counts")
                .such_as(wire::test_mode_example),
        )
        .with(
            Route::post(TEST_MODE, set_test_mode)
                .named("setTestMode", "Switch test mode on or off")
                .about("Counts from the next mail on, also for days that are planned already.")
                .takes::<SetTestMode>()
                .for_example(wire::set_test_mode_example)
                .answers::<TestMode>(200, "What counts from now on")
                .such_as(wire::test_mode_set_example),
        )
}

async fn start(warmup: Arc<Warmup>, caller: Caller, request: Request) -> Answer {
    let StartWarmupQuery { restart } = request.query()?;
    let started = warmup
        .start
        .start(&caller.tenant(), account(&request)?, restart)
        .await?;
    Response::ok(&WarmupStarted::from(&started))
}

async fn pause(warmup: Arc<Warmup>, caller: Caller, request: Request) -> Answer {
    let paused = warmup
        .pause
        .pause(&caller.tenant(), account(&request)?)
        .await?;
    Response::ok(&WarmupPaused::from(&paused))
}

async fn resume(warmup: Arc<Warmup>, caller: Caller, request: Request) -> Answer {
    let resumed = warmup
        .resume
        .resume(&caller.tenant(), account(&request)?)
        .await?;
    Response::ok(&WarmupResumed::from(&resumed))
}

async fn diagnose(warmup: Arc<Warmup>, caller: Caller, request: Request) -> Answer {
    let account = account(&request)?;
    let diagnosis = warmup.diagnose.diagnose(&caller.tenant(), account).await?;
    Response::ok(&WarmupDiagnosis::new(account, &diagnosis))
}

async fn start_batch(warmup: Arc<Warmup>, caller: Caller, request: Request) -> Answer {
    let AccountIds(ids) = request.json()?;
    let started = warmup
        .start
        .start_each(&caller.tenant(), &ids, request.deadline())
        .await;
    wire::batch(ids, started).into_ok()
}

async fn pause_batch(warmup: Arc<Warmup>, caller: Caller, request: Request) -> Answer {
    let AccountIds(ids) = request.json()?;
    let paused = warmup
        .pause
        .pause_each(&caller.tenant(), &ids, request.deadline())
        .await;
    wire::batch(ids, paused).into_ok()
}

async fn schedule(warmup: Arc<Warmup>, caller: Caller, request: Request) -> Answer {
    let account = account(&request)?;
    let ReadScheduleQuery { date } = request.query()?;
    let schedule = warmup
        .schedule
        .read(&caller.tenant(), account, date)
        .await?;
    Response::ok(&WarmupSchedule::from(&schedule))
}

async fn test_mode(warmup: Arc<Warmup>, caller: Caller, _request: Request) -> Answer {
    let in_force = warmup.test_mode.read(&caller.tenant()).await?;
    Response::ok(&TestMode::from(in_force))
}

async fn set_test_mode(warmup: Arc<Warmup>, caller: Caller, request: Request) -> Answer {
    let SetTestMode {
        enabled,
        max_daily_emails,
    } = request.json()?;
    let in_force = warmup
        .test_mode
        .set(&caller.tenant(), enabled, max_daily_emails)
        .await?;
    Response::ok(&TestMode::from(in_force))
}

fn account(request: &Request) -> Result<AccountId, ApiError> {
    request.path_id("accountId", AppError::AccountNotFound)
}
