//! What these operations take and give.

mod crm;
mod examples;
mod messages;
mod requests;
mod send;
mod uploads;

use agentwarm_app::accounts::{ConnectionReport, LiveAccount};
use agentwarm_app::error::AppError;
use agentwarm_app::ports::mail::ConnectFailure;
use agentwarm_core::account::{AccountStatus, MailServers, Provider, WarmupPhase};
use agentwarm_core::content::Persona;
use agentwarm_core::email::EmailAddress;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{AccountId, PoolId};
use agentwarm_core::rate::{Rate, Score};
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::{Batch, ItemFailure, PageInfo};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use crm::{CreateCrmLink, CrmLink, CrmLinkList};
pub(crate) use crm::{create_link_example, link_example, links_example};
pub(crate) use examples::{
    account_example, create_batch_example, create_example, created_batch_example,
    credentials_example, detail_example, list_example, partly_created_batch_example,
    partly_tested_batch_example, persona_body_example, persona_example, replace_example,
    test_batch_example, test_example, tested_batch_example, update_example,
};
pub(crate) use messages::messages_example;
pub use messages::{ListMessages, MessageList};
pub use requests::{
    CreateAccountBody, CreateAccountsBody, ListAccounts, PAGING, PersonaBody,
    ReplaceCredentialsBody, UpdateAccountBody,
};
pub use send::{MAX_BODY, SendBody, SentMail, TOO_LARGE};
pub(crate) use send::{send_example, sent_example};
pub use uploads::{Upload, UploadBody};
pub(crate) use uploads::{upload_body_example, upload_example};

/// An account in lists and after its creation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["statusReason", "statusSince", "poolId"]))]
pub struct Account {
    #[schemars(schema_with = "schema::id")]
    id: AccountId,
    #[schemars(schema_with = "schema::email")]
    email: EmailAddress,
    display_name: String,
    #[schemars(schema_with = "schema::provider")]
    provider: Provider,
    /// `active`: never warmed, or graduated; `warming`: being warmed; `paused` by its user; `error`: its mailbox cannot be used, which
    /// is tried on; `suspended`: stopped because too many of its mails bounced.
    #[schemars(schema_with = "schema::account_status")]
    status: AccountStatus,
    /// Why the status is what it is, where that is not its user's doing.
    status_reason: Option<String>,
    #[schemars(schema_with = "schema::instant")]
    status_since: Timestamp,
    /// `ramp_up`: volume rises, or warmup has not begun; `sustain`: it stays near the maximum; `cooldown`: it is halved until the figures
    /// are better; `graduated`: warmup is done, and a few mails a day go on.
    #[schemars(schema_with = "schema::warmup_phase")]
    warmup_phase: WarmupPhase,
    /// Mails it may send on its current or last planned day.
    current_daily_limit: u32,
    total_sent: u64,
    total_received: u64,
    /// Share of bounces over the last seven sending days.
    #[schemars(schema_with = "schema::rate")]
    bounce_rate: Rate,
    /// Share of spam placements over the last seven sending days.
    #[schemars(schema_with = "schema::rate")]
    spam_rate: Rate,
    #[schemars(range(min = 0, max = 100), with = "f64")]
    reputation_score: Score,
    /// An IANA time zone.
    timezone: String,
    /// The pool whose configuration counts.
    #[schemars(schema_with = "schema::nullable_id")]
    pool_id: Option<PoolId>,
    #[schemars(schema_with = "schema::nullable_instant")]
    warmup_started_at: Option<Timestamp>,
    #[schemars(schema_with = "schema::instant")]
    created_at: Timestamp,
}

/// An account with full details.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountDetail {
    #[serde(flatten)]
    account: Account,
    /// What is specific to the provider: the servers of an `imap_smtp` account.
    provider_metadata: Option<ProviderMetadata>,
    #[schemars(schema_with = "schema::instant")]
    updated_at: Timestamp,
}

/// The servers of an account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderMetadata {
    imap_host: String,
    imap_port: u16,
    smtp_host: String,
    smtp_port: u16,
}

/// A page of accounts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountList {
    accounts: Vec<Account>,
    #[serde(flatten)]
    page: PageInfo,
}

/// How a connection test went.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTest {
    #[schemars(schema_with = "schema::id")]
    account_id: AccountId,
    #[schemars(schema_with = "schema::email")]
    email: EmailAddress,
    #[schemars(schema_with = "schema::provider")]
    provider: Provider,
    imap: ProtocolTest,
    smtp: ProtocolTest,
    /// Whether both succeeded.
    overall: bool,
    #[schemars(schema_with = "schema::instant")]
    tested_at: Timestamp,
}

/// That new credentials are stored.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsUpdated {
    #[schemars(schema_with = "schema::id")]
    id: AccountId,
    #[schemars(schema_with = "schema::email")]
    email: EmailAddress,
    #[schemars(schema_with = "schema::provider")]
    provider: Provider,
    /// Always true: they are stored, and tried with the next use of the mailbox.
    #[serde(rename = "credentialsUpdated")]
    updated: bool,
}

/// The person behind a mailbox.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountPersona {
    /// The account's.
    #[schemars(schema_with = "schema::id")]
    id: AccountId,
    persona: PersonaView,
}

/// What mails are written with; what its owner did not set is derived from the account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Persona")]
pub struct PersonaView {
    title: String,
    department: String,
    topics: Vec<String>,
}

/// An account that was to be created.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedItem {
    /// As it was sent.
    email: String,
    /// The new account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::id")]
    account_id: Option<AccountId>,
}

/// An account that was to be tried.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestedItem {
    /// As it was sent.
    account_id: String,
    #[serde(flatten)]
    attempts: Option<Attempts>,
}

/// How both attempts went.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Attempts {
    #[schemars(schema_with = "schema::email")]
    email: EmailAddress,
    imap: ProtocolTest,
    smtp: ProtocolTest,
    #[schemars(schema_with = "schema::instant")]
    tested_at: Timestamp,
}

/// How one protocol's test went.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtocolTest {
    success: bool,
    /// Milliseconds until the login was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<&LiveAccount> for Account {
    fn from(live: &LiveAccount) -> Self {
        let account = &live.account;
        Self {
            id: account.id,
            email: account.email.clone(),
            display_name: account.display_name.clone(),
            provider: account.provider,
            status: account.status,
            status_reason: account.status_reason.clone(),
            status_since: account.status_since(),
            warmup_phase: account.phase(),
            current_daily_limit: account.current_daily_limit,
            total_sent: live.totals.sent,
            total_received: live.totals.received,
            bounce_rate: account.bounce_rate,
            spam_rate: account.spam_rate,
            reputation_score: account.reputation,
            timezone: account.zone.name().to_owned(),
            pool_id: account.configuring_pool(),
            warmup_started_at: account.warmup.as_ref().map(|warmup| warmup.started_at),
            created_at: account.created_at,
        }
    }
}

impl From<&LiveAccount> for AccountDetail {
    fn from(live: &LiveAccount) -> Self {
        Self {
            account: live.into(),
            provider_metadata: live.account.servers.as_ref().map(ProviderMetadata::from),
            updated_at: live.account.updated_at,
        }
    }
}

impl From<&MailServers> for ProviderMetadata {
    fn from(servers: &MailServers) -> Self {
        Self {
            imap_host: servers.imap_host.clone(),
            imap_port: servers.imap_port,
            smtp_host: servers.smtp_host.clone(),
            smtp_port: servers.smtp_port,
        }
    }
}

impl AccountList {
    /// A page as its client sees it.
    pub fn new(accounts: &[LiveAccount], page: PageInfo) -> Self {
        Self {
            accounts: accounts.iter().map(Account::from).collect(),
            page,
        }
    }
}

impl From<&ConnectionReport> for ConnectionTest {
    fn from(report: &ConnectionReport) -> Self {
        Self {
            account_id: report.account.id,
            email: report.account.email.clone(),
            provider: report.account.provider,
            imap: ProtocolTest::from(&report.imap),
            smtp: ProtocolTest::from(&report.smtp),
            overall: report.overall(),
            tested_at: report.tested_at,
        }
    }
}

impl From<&agentwarm_core::account::Account> for CredentialsUpdated {
    fn from(account: &agentwarm_core::account::Account) -> Self {
        Self {
            id: account.id,
            email: account.email.clone(),
            provider: account.provider,
            updated: true,
        }
    }
}

impl AccountPersona {
    /// An account's persona as its client sees it.
    pub fn new(id: AccountId, persona: &Persona) -> Self {
        Self {
            id,
            persona: PersonaView {
                title: persona.title().to_owned(),
                department: persona.department().to_owned(),
                topics: persona.topics().to_vec(),
            },
        }
    }
}

/// What became of accounts that were to be created; `emails` are the addresses as they were sent.
pub fn created(
    emails: Vec<String>,
    results: Vec<Result<LiveAccount, AppError>>,
) -> Batch<CreatedItem> {
    Batch::new(emails.into_iter().zip(results).map(|(email, result)| {
        let account_id = result.as_ref().ok().map(|live| live.account.id);
        let failure = result.err().as_ref().map(ItemFailure::from);
        (CreatedItem { email, account_id }, failure)
    }))
}

/// What became of accounts that were to be tried; `ids` are as they were sent.
pub fn tested(
    ids: Vec<String>,
    results: Vec<Result<ConnectionReport, AppError>>,
) -> Batch<TestedItem> {
    Batch::new(ids.into_iter().zip(results).map(|(account_id, result)| {
        let failure = match &result {
            Ok(report) => report.failure().map(|failure| {
                ItemFailure::new(ErrorCode::AccountConnectionFailed, failure.to_string())
            }),
            Err(error) => Some(ItemFailure::from(error)),
        };
        let attempts = result.ok().map(|report| Attempts {
            email: report.account.email.clone(),
            imap: ProtocolTest::from(&report.imap),
            smtp: ProtocolTest::from(&report.smtp),
            tested_at: report.tested_at,
        });
        let item = TestedItem {
            account_id,
            attempts,
        };
        (item, failure)
    }))
}

impl From<&Result<u64, ConnectFailure>> for ProtocolTest {
    fn from(attempt: &Result<u64, ConnectFailure>) -> Self {
        Self {
            success: attempt.is_ok(),
            latency_ms: attempt.as_ref().ok().copied(),
            error: attempt.as_ref().err().map(ToString::to_string),
        }
    }
}
