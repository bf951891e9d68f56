//! What these operations take and give.

mod crm;
mod deliverability;
mod examples;

use agentwarm_app::analytics::account::Overview;
use agentwarm_app::analytics::progress::{Progress, ProgressDay};
use agentwarm_app::analytics::system::SystemFigures;
use agentwarm_core::account::{AccountStatus, Provider, WarmupPhase};
use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::AccountId;
use agentwarm_core::rate::{Rate, Score};
use agentwarm_core::warmup::day::DayFigures;
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::integer;
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

pub use crm::{CrmAccount, CrmAccountPath, CrmAggregate, CrmPersonPath, CrmQuery, CrmStatistics};
pub(crate) use crm::{crm_account_example, crm_person_example};
pub(crate) use deliverability::deliverability_example;
pub use deliverability::{
    DayDeliverability, DeliverabilityReport, OverallDeliverability, ProviderDeliverability,
};
pub(crate) use examples::{overview_example, progress_example, system_example};

/// How far back.
pub struct ProgressQuery {
    /// Days, today included.
    pub days: u16,
}

impl FromFields for ProgressQuery {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let days =
            integer(1..=365_u16).about("Days back, today included, as far as they are kept.");
        let days = fields.or("days", 30, days);
        Ok(Self { days: days? })
    }
}

/// All accounts of a user in figures.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["suspendedAccounts"]))]
pub struct SystemStatistics {
    total_accounts: u32,
    warming_accounts: u32,
    active_accounts: u32,
    paused_accounts: u32,
    error_accounts: u32,
    suspended_accounts: u32,
    /// Mails sent today, each account's own today.
    today_emails_sent: u64,
    /// Warmup mails received today.
    today_emails_received: u64,
    /// 0 without accounts.
    average_reputation_score: f64,
    /// Over the accounts that were ever warmed and their last seven sending days; 0 when there is none.
    average_inbox_placement_rate: f64,
    connection_pool_stats: ConnectionPool,
}

/// Mailboxes that are held, in the deployment as a whole.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectionPool {
    /// How many can be held at once.
    total: u32,
    /// How many are, about.
    active: u32,
    /// How many more could be.
    idle: u32,
}

/// An account today.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountOverview {
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    #[schemars(schema_with = "schema::email")]
    email: EmailAddress,
    #[schemars(schema_with = "schema::provider")]
    provider: Provider,
    #[schemars(schema_with = "schema::account_status")]
    status: AccountStatus,
    #[schemars(schema_with = "schema::warmup_phase")]
    warmup_phase: WarmupPhase,
    /// Which day of its warmup it is, from 1, paused days not counted; 0 when it was never warmed.
    days_since_start: u32,
    current_daily_limit: u32,
    #[schemars(range(min = 0, max = 100), with = "f64")]
    reputation_score: Score,
    total_sent: u64,
    total_received: u64,
    today_stats: TodayStatistics,
}

/// What an account did today, in its time zone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TodayStatistics {
    sent: u32,
    received: u32,
    opened: u32,
    replied: u32,
    bounced: u32,
    spammed: u32,
}

/// How an account's warmup goes.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["retentionDays"]))]
pub struct WarmupProgress {
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    #[schemars(schema_with = "schema::email")]
    email: EmailAddress,
    #[schemars(schema_with = "schema::warmup_phase")]
    phase: WarmupPhase,
    /// Which day of its warmup it is, from 1; 0 when it was never warmed.
    day_number: u32,
    /// Days of the ramp.
    total_days: u32,
    /// How far it is into the ramp.
    #[schemars(range(min = 0, max = 100))]
    progress_percent: f64,
    /// Planned days, newest first.
    daily_metrics: Vec<DailyMetrics>,
    /// Days that figures are kept on your plan; asking for more gives these.
    retention_days: u16,
}

/// One day of a warmup.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["limit", "bounced", "spammed", "opened", "replied", "rescued", "markedImportant"]))]
pub struct DailyMetrics {
    #[schemars(schema_with = "schema::date")]
    date: Date,
    sent: u32,
    received: u32,
    #[schemars(schema_with = "schema::rate")]
    inbox_placement_rate: Rate,
    #[schemars(schema_with = "schema::rate")]
    open_rate: Rate,
    #[schemars(schema_with = "schema::rate")]
    reply_rate: Rate,
    #[schemars(range(min = 0, max = 100), with = "f64")]
    reputation_score: Score,
    /// Mails it was allowed to send.
    limit: u32,
    bounced: u32,
    spammed: u32,
    opened: u32,
    replied: u32,
    /// Received mails that were taken out of its spam folder.
    rescued: u32,
    /// Received mails that were marked important.
    marked_important: u32,
}

impl From<&SystemFigures> for SystemStatistics {
    fn from(figures: &SystemFigures) -> Self {
        Self {
            total_accounts: figures.accounts.total,
            warming_accounts: figures.accounts.warming,
            active_accounts: figures.accounts.active,
            paused_accounts: figures.accounts.paused,
            error_accounts: figures.accounts.error,
            suspended_accounts: figures.accounts.suspended,
            today_emails_sent: figures.sent_today,
            today_emails_received: figures.received_today,
            average_reputation_score: figures.average_reputation,
            average_inbox_placement_rate: figures.average_inbox_placement,
            connection_pool_stats: ConnectionPool {
                total: figures.leases.total,
                active: figures.leases.active,
                idle: figures.leases.idle(),
            },
        }
    }
}

impl From<&Overview> for AccountOverview {
    fn from(overview: &Overview) -> Self {
        let account = &overview.live.account;
        Self {
            account_id: account.id,
            email: account.email.clone(),
            provider: account.provider,
            status: account.status,
            warmup_phase: account.phase(),
            days_since_start: overview.day_number,
            current_daily_limit: account.current_daily_limit,
            reputation_score: account.reputation,
            total_sent: overview.live.totals.sent,
            total_received: overview.live.totals.received,
            today_stats: TodayStatistics::from(&overview.today),
        }
    }
}

impl From<&DayFigures> for TodayStatistics {
    fn from(figures: &DayFigures) -> Self {
        Self {
            sent: figures.sent,
            received: figures.received,
            opened: figures.opened,
            replied: figures.replied,
            bounced: figures.bounced,
            spammed: figures.spammed,
        }
    }
}

impl From<&Progress> for WarmupProgress {
    fn from(progress: &Progress) -> Self {
        Self {
            account_id: progress.account.id,
            email: progress.account.email.clone(),
            phase: progress.account.phase(),
            day_number: progress.day_number,
            total_days: progress.ramp_up_days,
            progress_percent: progress.percent,
            daily_metrics: progress.days.iter().map(DailyMetrics::from).collect(),
            retention_days: progress.retention_days,
        }
    }
}

impl From<&ProgressDay> for DailyMetrics {
    fn from(day: &ProgressDay) -> Self {
        Self {
            date: day.date,
            sent: day.figures.sent,
            received: day.figures.received,
            inbox_placement_rate: day.inbox_placement_rate,
            open_rate: day.open_rate,
            reply_rate: day.reply_rate,
            reputation_score: day.reputation,
            limit: day.limit,
            bounced: day.figures.bounced,
            spammed: day.figures.spammed,
            opened: day.figures.opened,
            replied: day.figures.replied,
            rescued: day.figures.rescued,
            marked_important: day.figures.marked_important,
        }
    }
}
