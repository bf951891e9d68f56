//! What these operations take and give.

mod examples;

use agentwarm_app::engine::test_mode::{TestModeInForce, TestModeSource};
use agentwarm_app::error::AppError;
use agentwarm_app::warmup::schedule::{MailState, Schedule, ScheduledMail};
use agentwarm_app::warmup::start::Started;
use agentwarm_core::account::{Account, AccountStatus, WarmupPhase};
use agentwarm_core::ids::{AccountId, ScheduleId};
use agentwarm_core::mail::slot::{SkipReason, SlotKind};
use agentwarm_core::warmup::day::{Reason, Rule};
use agentwarm_core::warmup::diagnosis::{Block, BlockCode, Diagnosis, Remedy, Severity};
use agentwarm_core::warmup::test_mode::MOST_DAILY_EMAILS;
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{boolean, date, integer};
use agentwarm_lambda::http::{Batch, Endpoint, Fields, FromFields, Invalid, ItemFailure};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

pub(crate) use examples::{
    batch_example, diagnosis_example, ids_example, partly_paused_example, partly_started_example,
    paused_example, resumed_example, schedule_example, set_test_mode_example, started_example,
    test_mode_example, test_mode_set_example,
};

/// How to start.
pub struct StartWarmupQuery {
    /// Whether a graduated account begins again from day 1.
    pub restart: bool,
}

impl FromFields for StartWarmupQuery {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let restart = boolean().about("Lets a graduated account begin again from day 1.");
        let restart = fields.or("restart", false, restart);
        Ok(Self { restart: restart? })
    }
}

/// Which day.
pub struct ReadScheduleQuery {
    /// The date; today in the account's zone when not given.
    pub date: Option<Date>,
}

impl FromFields for ReadScheduleQuery {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let date = date().about("Today in the account's time zone when not given.");
        let date = fields.optional("date", date);
        Ok(Self { date: date? })
    }
}

/// What test mode is to be.
pub struct SetTestMode {
    /// Whether sends are limited.
    pub enabled: bool,
    /// To how many a day and account; what counted before when not given.
    pub max_daily_emails: Option<u32>,
}

impl FromFields for SetTestMode {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let enabled = fields.required("enabled", boolean());
        let maximum = integer(1..=MOST_DAILY_EMAILS)
            .about("Mails a day and account; what counted before when not given.");
        let max_daily_emails = fields.optional("maxDailyEmails", maximum);
        Ok(Self {
            enabled: enabled?,
            max_daily_emails: max_daily_emails?,
        })
    }
}

/// What keeps an account from sending, or from sending more, today.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarmupDiagnosis {
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    /// It has sent today, or its plan says that it will.
    sending_today: bool,
    planned_today: u32,
    sent_today: u32,
    /// The gravest first.
    blocked_by: Vec<WarmupBlock>,
    /// What made the day's volume, in the order of the rules.
    reasons: Vec<VolumeReason>,
}

/// One thing that keeps it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WarmupBlock {
    #[schemars(schema_with = "block_code")]
    code: &'static str,
    /// `blocking`: nothing is sent because of it; `limiting`: less is sent; `info`: as it should be.
    #[schemars(schema_with = "severity")]
    severity: &'static str,
    message: String,
    /// What to begin with, as a word; null where waiting is right.
    action: Option<&'static str>,
    /// A request to begin with; not always the whole remedy. Null where `action` is.
    endpoint: Option<Endpoint>,
}

impl WarmupDiagnosis {
    /// A diagnosis of an account as its client sees it.
    pub fn new(account: AccountId, diagnosis: &Diagnosis) -> Self {
        let blocks = diagnosis.blocked_by.iter();
        Self {
            account_id: account,
            sending_today: diagnosis.sending_today,
            planned_today: diagnosis.planned_today,
            sent_today: diagnosis.sent_today,
            blocked_by: blocks
                .map(|block| WarmupBlock::new(account, block))
                .collect(),
            reasons: diagnosis.reasons.iter().map(VolumeReason::from).collect(),
        }
    }
}

impl WarmupBlock {
    fn new(account: AccountId, block: &Block) -> Self {
        Self {
            code: block.code.as_str(),
            severity: block.severity.as_str(),
            message: block.message.clone(),
            action: block.remedy.map(Remedy::as_str),
            endpoint: block.remedy.map(|remedy| Endpoint::of(remedy, account)),
        }
    }
}

fn block_code(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(BlockCode::ALL, BlockCode::as_str)
}

fn severity(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(Severity::ALL, Severity::as_str)
}

/// One of several accounts.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountItem {
    /// As it was sent.
    account_id: String,
}

/// What became of several accounts; `ids` are as they were sent.
pub fn batch<T>(ids: Vec<String>, results: Vec<Result<T, AppError>>) -> Batch<AccountItem> {
    Batch::new(ids.into_iter().zip(results).map(|(account_id, result)| {
        let failure = result.err().as_ref().map(ItemFailure::from);
        (AccountItem { account_id }, failure)
    }))
}

/// That warmup was started.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["plannedToday"]))]
pub struct WarmupStarted {
    message: &'static str,
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    #[schemars(schema_with = "schema::warmup_phase")]
    phase: WarmupPhase,
    /// Mails on a whole first day.
    initial_daily_limit: u32,
    /// Mails planned for what is left of today, in the account's time zone.
    planned_today: u32,
}

/// That warmup was paused.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarmupPaused {
    message: &'static str,
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
}

/// That warmup was resumed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["status"]))]
pub struct WarmupResumed {
    message: &'static str,
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    #[schemars(schema_with = "schema::warmup_phase")]
    phase: WarmupPhase,
    /// What it is again.
    #[schemars(schema_with = "schema::account_status")]
    status: AccountStatus,
}

/// Whether and how far test mode limits sends.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestMode {
    enabled: bool,
    /// The most that each account sends on its local day while it is enabled.
    max_daily_emails: u32,
    /// Who says so: you (`runtime`), else the deployment (`env`).
    #[schemars(schema_with = "source")]
    source: &'static str,
}

/// One day of an account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["dayNumber", "phase", "replyBudget", "reasons"]))]
pub struct WarmupSchedule {
    #[schemars(schema_with = "schema::id")]
    id: ScheduleId,
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    #[schemars(schema_with = "schema::date")]
    date: Date,
    /// Mails it may send, answers included.
    planned_send_count: u32,
    /// Mails that a server accepted.
    actual_send_count: u32,
    /// Mails that its partners plan to send it.
    planned_receive_count: u32,
    /// Warmup mails found in its mailbox.
    actual_receive_count: u32,
    /// Its mails in order of time.
    send_slots: Vec<SendSlot>,
    /// Which day of its warmup it is, from 1.
    day_number: u32,
    #[schemars(schema_with = "schema::warmup_phase")]
    phase: WarmupPhase,
    /// How many of the planned mails are kept for answers.
    reply_budget: u32,
    /// How the volume came about, rule by rule.
    reasons: Vec<VolumeReason>,
}

/// One mail of a day.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["kind", "state", "skippedReason"]))]
pub struct SendSlot {
    #[schemars(schema_with = "schema::instant")]
    scheduled_at: Timestamp,
    #[schemars(schema_with = "schema::id")]
    target_account_id: AccountId,
    /// Whether a server accepted it.
    executed: bool,
    #[schemars(schema_with = "schema::nullable_instant")]
    executed_at: Option<Timestamp>,
    /// `thread` opens a conversation, `reply` answers a mail.
    #[schemars(extend("enum" = ["thread", "reply"]))]
    kind: &'static str,
    /// What became of it.
    #[schemars(schema_with = "state")]
    state: &'static str,
    /// Why it was not sent.
    #[schemars(with = "Option<String>")]
    skipped_reason: Option<SkipReason>,
}

/// One step in the making of a day's volume.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeReason {
    /// The rule.
    #[schemars(with = "String")]
    rule: Rule,
    /// Mails a day after it was applied.
    volume: u32,
    /// Why.
    because: String,
}

impl From<&Started> for WarmupStarted {
    fn from(started: &Started) -> Self {
        Self {
            message: "Warmup started",
            account_id: started.account,
            phase: started.phase,
            initial_daily_limit: started.initial_daily_limit,
            planned_today: started.today.limit,
        }
    }
}

impl From<&Account> for WarmupPaused {
    fn from(account: &Account) -> Self {
        Self {
            message: "Warmup paused",
            account_id: account.id,
        }
    }
}

impl From<&Account> for WarmupResumed {
    fn from(account: &Account) -> Self {
        Self {
            message: "Warmup resumed",
            account_id: account.id,
            phase: account.phase(),
            status: account.status,
        }
    }
}

impl From<TestModeInForce> for TestMode {
    fn from(in_force: TestModeInForce) -> Self {
        Self {
            enabled: in_force.mode.enabled,
            max_daily_emails: in_force.mode.max_daily_emails,
            source: in_force.source.as_str(),
        }
    }
}

impl From<&Schedule> for WarmupSchedule {
    fn from(schedule: &Schedule) -> Self {
        let plan = &schedule.plan;
        Self {
            id: plan.id,
            account_id: plan.account,
            date: plan.span.date,
            planned_send_count: plan.limit,
            actual_send_count: schedule.sent,
            planned_receive_count: schedule.planned_to_receive,
            actual_receive_count: schedule.received,
            send_slots: schedule.mails.iter().map(SendSlot::from).collect(),
            day_number: plan.day_number,
            phase: plan.phase,
            reply_budget: plan.reply_budget,
            reasons: plan.reasons.iter().map(VolumeReason::from).collect(),
        }
    }
}

impl From<&ScheduledMail> for SendSlot {
    fn from(mail: &ScheduledMail) -> Self {
        Self {
            scheduled_at: mail.scheduled_at,
            target_account_id: mail.target,
            executed: mail.accepted_at.is_some(),
            executed_at: mail.accepted_at,
            kind: match mail.kind {
                SlotKind::Thread => "thread",
                SlotKind::Reply { .. } => "reply",
            },
            state: mail.state.as_str(),
            skipped_reason: mail.skipped,
        }
    }
}

impl From<&Reason> for VolumeReason {
    fn from(reason: &Reason) -> Self {
        Self {
            rule: reason.rule,
            volume: reason.volume,
            because: reason.because.clone(),
        }
    }
}

fn state(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(MailState::ALL, MailState::as_str)
}

fn source(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(TestModeSource::ALL, TestModeSource::as_str)
}
