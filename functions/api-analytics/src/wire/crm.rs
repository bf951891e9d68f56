//! Figures of a CRM's record.

use agentwarm_app::analytics::crm::CrmFigures;
use agentwarm_core::account::{Account, AccountStatus, WarmupPhase};
use agentwarm_core::crm::{CrmEntity, CrmId, CrmKind, CrmSource};
use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::AccountId;
use agentwarm_core::rate::Score;
use agentwarm_lambda::http::openapi::schema;
use agentwarm_lambda::http::rules::{crm_id, crm_source};
use agentwarm_lambda::http::{Fields, FromFields, Invalid};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

/// Which person.
pub struct CrmPersonPath {
    /// The CRM's id.
    pub id: CrmId,
}

impl FromFields for CrmPersonPath {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let id = fields.required("personId", crm_id());
        Ok(Self { id: id? })
    }
}

/// Which account of the CRM.
pub struct CrmAccountPath {
    /// The CRM's id.
    pub id: CrmId,
}

impl FromFields for CrmAccountPath {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let id = fields.required("accountId", crm_id());
        Ok(Self { id: id? })
    }
}

/// Where the record is.
pub struct CrmQuery {
    /// In which CRM.
    pub source: Option<CrmSource>,
}

impl FromFields for CrmQuery {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let source = crm_source().about("In which CRM the id is; any when not given.");
        let source = fields.optional("crmSource", source);
        Ok(Self { source: source? })
    }
}

/// The accounts that are linked to a CRM's person or account, and them in figures.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrmStatistics {
    #[schemars(with = "String")]
    crm_id: CrmId,
    #[schemars(schema_with = "kind")]
    crm_id_type: CrmKind,
    accounts: Vec<CrmAccount>,
    aggregate: CrmAggregate,
}

/// A linked account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrmAccount {
    #[schemars(schema_with = "schema::id")]
    id: AccountId,
    #[schemars(schema_with = "schema::email")]
    email: EmailAddress,
    #[schemars(schema_with = "schema::account_status")]
    status: AccountStatus,
    #[schemars(schema_with = "schema::warmup_phase")]
    warmup_phase: WarmupPhase,
    #[schemars(range(min = 0, max = 100), with = "f64")]
    reputation_score: Score,
}

/// All linked accounts in figures.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrmAggregate {
    total_accounts: usize,
    warming_accounts: usize,
    /// 0 without accounts.
    #[schemars(range(min = 0, max = 100))]
    average_reputation_score: f64,
    /// Mails sent today, each account's own today.
    today_sent: u64,
    /// Warmup mails received today.
    today_received: u64,
    /// Mails of today that bounced.
    today_bounced: u64,
}

impl CrmStatistics {
    /// The figures of `entity` as its client sees them.
    pub fn new(entity: &CrmEntity, figures: &CrmFigures) -> Self {
        Self {
            crm_id: entity.id.clone(),
            crm_id_type: entity.kind,
            accounts: figures.accounts.iter().map(CrmAccount::from).collect(),
            aggregate: CrmAggregate::from(figures),
        }
    }
}

impl From<&Account> for CrmAccount {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id,
            email: account.email.clone(),
            status: account.status,
            warmup_phase: account.phase(),
            reputation_score: account.reputation,
        }
    }
}

impl From<&CrmFigures> for CrmAggregate {
    fn from(figures: &CrmFigures) -> Self {
        Self {
            total_accounts: figures.accounts.len(),
            warming_accounts: figures.warming,
            average_reputation_score: figures.average_reputation,
            today_sent: figures.sent_today,
            today_received: figures.received_today,
            today_bounced: figures.bounced_today,
        }
    }
}

fn kind(_: &mut SchemaGenerator) -> Schema {
    schema::one_of(CrmKind::ALL, CrmKind::as_str)
}

/// The reference's example.
pub(crate) fn crm_person_example() -> Value {
    example("sf_003x0001", CrmKind::Person)
}

/// The same of an account: the reference has one example for both.
pub(crate) fn crm_account_example() -> Value {
    example("sf_001x0001", CrmKind::Account)
}

fn example(id: &str, kind: CrmKind) -> Value {
    json!({
        "crmId": id,
        "crmIdType": kind.as_str(),
        "accounts": [{
            "id": "550e8400-e29b-41d4-a716-446655440000",
            "email": "hello@example.com",
            "status": "warming",
            "warmupPhase": "ramp_up",
            "reputationScore": 68,
        }],
        "aggregate": {
            "totalAccounts": 3,
            "warmingAccounts": 2,
            "averageReputationScore": 68.5,
            "todaySent": 12,
            "todayReceived": 8,
            "todayBounced": 0,
        },
    })
}
