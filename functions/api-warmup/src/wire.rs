//! What these operations take and give.

mod examples;

use agentwarm_app::engine::test_mode::{TestModeInForce, TestModeSource};
use agentwarm_app::warmup::schedule::{MailState, Schedule, ScheduledMail};
use agentwarm_app::warmup::start::Started;
use agentwarm_core::account::{Account, AccountStatus, WarmupPhase};
use agentwarm_core::ids::{AccountId, ScheduleId};
use agentwarm_core::mail::slot::{SkipReason, SlotKind};
use agentwarm_core::warmup::day::{Reason, Rule};
use agentwarm_core::warmup::test_mode::MOST_DAILY_EMAILS;
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{boolean, date, integer};
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

pub(crate) use examples::{
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

/// That warmup was started.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarmupStarted {
    message: &'static str,
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    #[schemars(schema_with = "phase")]
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
pub struct WarmupResumed {
    message: &'static str,
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    #[schemars(schema_with = "phase")]
    phase: WarmupPhase,
    /// What it is again.
    #[schemars(schema_with = "status")]
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
    #[schemars(schema_with = "phase")]
    phase: WarmupPhase,
    /// How many of the planned mails are kept for answers.
    reply_budget: u32,
    /// How the volume came about, rule by rule.
    reasons: Vec<VolumeReason>,
}

/// One mail of a day.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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

fn phase(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(WarmupPhase::ALL, WarmupPhase::as_str)
}

fn status(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(AccountStatus::ALL, AccountStatus::as_str)
}

fn state(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(MailState::ALL, MailState::as_str)
}

fn source(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(TestModeSource::ALL, TestModeSource::as_str)
}
