//! What a function is made of: adapters of the ports, built from its settings.
//!
//! A function asks the world for what its use cases need and gets nothing else, so what it may touch is what it asked for; a setting
//! that it lacks is an error at start, by name. On AWS the world is built from the process's environment; the local runner builds one per
//! function from that function's own `Environment` in the template, with its own SDK clients and clocks, so that nothing is shared there that AWS would not share.

mod steps;

use std::sync::{Arc, OnceLock};

use agentwarm_app::engine::visiting::VISITS_AT_ONCE;
use agentwarm_app::ports::clock::{Clock, Entropy};
use agentwarm_app::ports::due::Shards;
use agentwarm_aws::clients::{ClientSettings, Clients, HttpClientError};
use agentwarm_aws::dynamo::{
    ACTIVITY_TTL_DAYS, ActivityTable, DynamoAccountLife, DynamoAccountUpdates, DynamoAccounts,
    DynamoApiKeys, DynamoAuditLog, DynamoCrmLinkWrites, DynamoCrmLinks, DynamoDueIndex,
    DynamoHandSent, DynamoKeyLookup, DynamoMailboxes, DynamoPlans, DynamoPoolLedger,
    DynamoPoolWrites, DynamoPools, DynamoReceipts, DynamoRoster, DynamoSendTotals, DynamoSlots,
    DynamoSuppressionList, DynamoSuppressions, DynamoTestModeWrites, DynamoTestModes,
    DynamoUserPlans, IdempotencyTable, RateTable, Table,
};
use agentwarm_aws::eventbridge::EventBridgeBus;
use agentwarm_aws::health::{AwsProbes, VisitLeases, Watermarks};
use agentwarm_aws::s3::S3Uploads;
use agentwarm_aws::sqs::{SqsSendQueue, SqsVisitQueue};
use agentwarm_aws::vault::KmsVault;
use agentwarm_mail::{ImapSmtp, MailConfig, MailConfigError};

use crate::bootstrap::{SystemClock, SystemEntropy};
use crate::http::{HttpApp, HttpPorts, HttpTask, RateLimit, RouteError, Routes};
use crate::settings::{Settings, SettingsError};
use crate::task::Task;

/// Adapters on demand.
pub struct World {
    settings: Settings,
    clients: Clients,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    // Built once: a client costs 0.3 ms of a cold start, a vault a KMS call.
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    vault: OnceLock<Arc<KmsVault>>,
    mail: OnceLock<Arc<ImapSmtp>>,
}

/// A function cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A setting is missing or unusable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The settings about mail do not fit together.
    #[error(transparent)]
    Mail(#[from] MailConfigError),
    /// The SDK's clients cannot be built.
    #[error(transparent)]
    Clients(#[from] HttpClientError),
    /// Two routes are one, or a route is malformed.
    #[error(transparent)]
    Routes(#[from] RouteError),
}

impl World {
    /// A world of these parts.
    pub fn new(
        settings: Settings,
        clients: Clients,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            settings,
            clients,
            clock,
            entropy,
            dynamodb: OnceLock::new(),
            sqs: OnceLock::new(),
            vault: OnceLock::new(),
            mail: OnceLock::new(),
        }
    }

    /// What the function was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Chance.
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy)
    }

    fn table(&self, variable: &'static str) -> Result<Table, WorldError> {
        let name = self.settings.required(variable)?;
        let client = self
            .dynamodb
            .get_or_init(|| self.clients.dynamodb())
            .clone();
        Ok(Table::new(client, name, self.clock()))
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| self.clients.sqs()).clone()
    }

    fn entities(&self) -> Result<Table, WorldError> {
        self.table("ENTITIES_TABLE")
    }

    /// Entities for tasks that act on what people decided minutes or hours before: as they were a moment ago, at half the price.
    fn recent_entities(&self) -> Result<Table, WorldError> {
        Ok(self.entities()?.relaxed())
    }

    fn activity(&self) -> Result<ActivityTable, WorldError> {
        Ok(ActivityTable::new(
            self.table("ACTIVITY_TABLE")?,
            ACTIVITY_TTL_DAYS,
        ))
    }

    fn ephemeral(&self) -> Result<Table, WorldError> {
        self.table("EPHEMERAL_TABLE")
    }

    fn shards(&self) -> Result<Shards, WorldError> {
        Ok(Shards(self.settings.number("DUE_SHARDS", 1)?))
    }

    /// Whether the queues delay messages; not where the schedule clock is not real time.
    fn queue_delays(&self) -> Result<bool, WorldError> {
        Ok(self.settings.flag("QUEUE_DELAYS", true)?)
    }
}

/// Adapters, one per port or two that belong together.
impl World {
    /// Who a key belongs to.
    pub fn key_lookup(&self) -> Result<Arc<DynamoKeyLookup>, WorldError> {
        Ok(Arc::new(DynamoKeyLookup::new(self.entities()?)))
    }

    /// Users and keys.
    pub fn api_keys(&self) -> Result<Arc<DynamoApiKeys>, WorldError> {
        Ok(Arc::new(DynamoApiKeys::new(self.entities()?)))
    }

    /// Users' plans.
    pub fn user_plans(&self) -> Result<Arc<DynamoUserPlans>, WorldError> {
        Ok(Arc::new(DynamoUserPlans::new(self.entities()?)))
    }

    /// Reading accounts.
    pub fn account_reads(&self) -> Result<Arc<DynamoAccounts>, WorldError> {
        Ok(Arc::new(DynamoAccounts::new(self.entities()?)))
    }

    /// Reading accounts as they were a moment ago.
    pub fn recent_account_reads(&self) -> Result<Arc<DynamoAccounts>, WorldError> {
        Ok(Arc::new(DynamoAccounts::new(self.recent_entities()?)))
    }

    /// Changing accounts.
    pub fn account_updates(&self) -> Result<Arc<DynamoAccountUpdates>, WorldError> {
        Ok(Arc::new(DynamoAccountUpdates::new(self.entities()?)))
    }

    /// Creating and deleting accounts.
    pub fn account_life(&self) -> Result<Arc<DynamoAccountLife>, WorldError> {
        Ok(Arc::new(DynamoAccountLife::new(self.entities()?)))
    }

    /// Reading CRM links.
    pub fn crm_links(&self) -> Result<Arc<DynamoCrmLinks>, WorldError> {
        Ok(Arc::new(DynamoCrmLinks::new(self.entities()?)))
    }

    /// Changing CRM links.
    pub fn crm_link_writes(&self) -> Result<Arc<DynamoCrmLinkWrites>, WorldError> {
        Ok(Arc::new(DynamoCrmLinkWrites::new(self.entities()?)))
    }

    /// Reading pools.
    pub fn pool_reads(&self) -> Result<Arc<DynamoPools>, WorldError> {
        Ok(Arc::new(DynamoPools::new(self.entities()?)))
    }

    /// Reading pools as they were a moment ago.
    pub fn recent_pool_reads(&self) -> Result<Arc<DynamoPools>, WorldError> {
        Ok(Arc::new(DynamoPools::new(self.recent_entities()?)))
    }

    /// Changing pools.
    pub fn pool_writes(&self) -> Result<Arc<DynamoPoolWrites>, WorldError> {
        Ok(Arc::new(DynamoPoolWrites::new(self.entities()?)))
    }

    /// Suppressed addresses.
    pub fn suppressions(&self) -> Result<Arc<DynamoSuppressions>, WorldError> {
        Ok(Arc::new(DynamoSuppressions::new(self.entities()?)))
    }

    /// The list of suppressed addresses.
    pub fn suppression_list(&self) -> Result<Arc<DynamoSuppressionList>, WorldError> {
        Ok(Arc::new(DynamoSuppressionList::new(self.entities()?)))
    }

    /// What users say about test mode.
    pub fn test_modes(&self) -> Result<Arc<DynamoTestModes>, WorldError> {
        Ok(Arc::new(DynamoTestModes::new(self.entities()?)))
    }

    /// What they said until a moment ago.
    pub fn recent_test_modes(&self) -> Result<Arc<DynamoTestModes>, WorldError> {
        Ok(Arc::new(DynamoTestModes::new(self.recent_entities()?)))
    }

    /// Saying it.
    pub fn test_mode_writes(&self) -> Result<Arc<DynamoTestModeWrites>, WorldError> {
        Ok(Arc::new(DynamoTestModeWrites::new(self.entities()?)))
    }

    /// How many mails users' accounts send together.
    pub fn send_totals(&self) -> Result<Arc<DynamoSendTotals>, WorldError> {
        Ok(Arc::new(DynamoSendTotals::new(self.ephemeral()?)))
    }

    /// Days and their plans.
    pub fn plans(&self) -> Result<Arc<DynamoPlans>, WorldError> {
        Ok(Arc::new(DynamoPlans::new(self.activity()?)))
    }

    /// What pools plan.
    pub fn ledger(&self) -> Result<Arc<DynamoPoolLedger>, WorldError> {
        Ok(Arc::new(DynamoPoolLedger::new(self.activity()?)))
    }

    /// Mails, by sender.
    pub fn slots(&self) -> Result<Arc<DynamoSlots>, WorldError> {
        Ok(Arc::new(DynamoSlots::new(self.activity()?)))
    }

    /// Mails, by receiver.
    pub fn receipts(&self) -> Result<Arc<DynamoReceipts>, WorldError> {
        Ok(Arc::new(DynamoReceipts::new(self.activity()?)))
    }

    /// The audit log.
    pub fn audit_log(&self) -> Result<Arc<DynamoAuditLog>, WorldError> {
        Ok(Arc::new(DynamoAuditLog::new(self.table("ACTIVITY_TABLE")?)))
    }

    /// Mails that people sent.
    pub fn hand_sent(&self) -> Result<Arc<DynamoHandSent>, WorldError> {
        Ok(Arc::new(DynamoHandSent::new(self.ephemeral()?)))
    }

    /// What is due.
    pub fn due_index(&self) -> Result<Arc<DynamoDueIndex>, WorldError> {
        Ok(Arc::new(DynamoDueIndex::new(
            self.ephemeral()?,
            self.shards()?,
        )))
    }

    /// Whose turn it is.
    pub fn roster(&self) -> Result<Arc<DynamoRoster>, WorldError> {
        Ok(Arc::new(DynamoRoster::new(self.ephemeral()?)))
    }

    /// Mailboxes between two visits.
    pub fn mailboxes(&self) -> Result<Arc<DynamoMailboxes>, WorldError> {
        Ok(Arc::new(DynamoMailboxes::new(self.ephemeral()?)))
    }

    /// Secrets.
    pub fn vault(&self) -> Result<Arc<KmsVault>, WorldError> {
        if let Some(vault) = self.vault.get() {
            return Ok(Arc::clone(vault));
        }
        let key = self.settings.required("DATA_KEY_ID")?;
        let vault = Arc::new(KmsVault::new(self.clients.kms(), key, self.entities()?));
        Ok(Arc::clone(self.vault.get_or_init(|| vault)))
    }

    /// Files of mails.
    pub fn uploads(&self) -> Result<Arc<S3Uploads>, WorldError> {
        let bucket = self.settings.required("UPLOADS_BUCKET")?;
        Ok(Arc::new(S3Uploads::new(self.clients.s3(), bucket)))
    }

    /// Mails to send.
    pub fn send_queue(&self) -> Result<Arc<SqsSendQueue>, WorldError> {
        let url = self.settings.required("SEND_QUEUE_URL")?;
        Ok(Arc::new(SqsSendQueue::new(
            self.sqs(),
            url,
            self.queue_delays()?,
        )))
    }

    /// Mailboxes to look into.
    pub fn visit_queue(&self) -> Result<Arc<SqsVisitQueue>, WorldError> {
        let url = self.settings.required("VISIT_QUEUE_URL")?;
        Ok(Arc::new(SqsVisitQueue::new(self.sqs(), url)))
    }

    /// The way out.
    pub fn event_bus(&self) -> Result<Arc<EventBridgeBus>, WorldError> {
        let name = self.settings.required("EVENT_BUS_NAME")?;
        Ok(Arc::new(EventBridgeBus::new(
            self.clients.eventbridge(),
            name,
        )))
    }

    /// SMTP and IMAP.
    pub fn imap_smtp(&self) -> Result<Arc<ImapSmtp>, WorldError> {
        if let Some(mail) = self.mail.get() {
            return Ok(Arc::clone(mail));
        }
        let defaults = MailConfig::default();
        let config = MailConfig {
            ehlo_name: self
                .settings
                .text("EHLO_NAME")?
                .unwrap_or(defaults.ehlo_name),
            warmup_folder: self
                .settings
                .text("WARMUP_FOLDER")?
                .unwrap_or(defaults.warmup_folder),
            token_header: self.token_header()?,
            private_ca_pem: self.settings.text("EXTRA_CA_PEM")?,
            allow_loopback: self.settings.flag("ALLOW_LOOPBACK", false)?,
            name_server: self.settings.parsed("NAME_SERVER")?,
            first_look: defaults.first_look,
            time: defaults.time,
        };
        let mail = Arc::new(ImapSmtp::new(config)?);
        Ok(Arc::clone(self.mail.get_or_init(|| mail)))
    }

    /// Whether the store and the queues answer.
    pub fn probes(&self) -> Result<Arc<AwsProbes>, WorldError> {
        let queues = vec![
            ("send".to_owned(), self.settings.required("SEND_QUEUE_URL")?),
            (
                "visit".to_owned(),
                self.settings.required("VISIT_QUEUE_URL")?,
            ),
        ];
        Ok(Arc::new(AwsProbes::new(
            self.entities()?,
            self.sqs(),
            queues,
        )))
    }

    /// How many mailboxes are being visited, of how many at most: each batch of them is a process.
    pub fn visit_leases(&self) -> Result<Arc<VisitLeases>, WorldError> {
        let url = self.settings.required("VISIT_QUEUE_URL")?;
        let batches: u32 = self.settings.number("MAX_CONCURRENT_VISITS", 3)?;
        let most = batches.saturating_mul(VISITS_AT_ONCE.into());
        Ok(Arc::new(VisitLeases::new(self.sqs(), url, most)))
    }

    /// How far the scheduler came.
    pub fn watermarks(&self) -> Result<Arc<Watermarks>, WorldError> {
        Ok(Arc::new(Watermarks::new(self.due_index()?, self.shards()?)))
    }

    fn token_header(&self) -> Result<String, WorldError> {
        Ok(self
            .settings
            .text("TOKEN_HEADER")?
            .unwrap_or_else(|| MailConfig::default().token_header))
    }
}

/// Functions.
impl World {
    /// A world of the process's environment, in real time: on Lambda and under `cargo lambda`.
    pub async fn of_process(settings: Settings) -> Result<Self, WorldError> {
        let clients = Clients::load(ClientSettings::default()).await?;
        Ok(Self::new(
            settings,
            clients,
            Arc::new(SystemClock),
            Arc::new(SystemEntropy::default()),
        ))
    }

    /// A function that serves `routes` with `state`.
    pub fn http<S: Send + Sync + 'static>(
        &self,
        routes: Routes<S>,
        state: S,
    ) -> Result<Arc<dyn Task>, WorldError> {
        let ports = HttpPorts {
            keys: self.key_lookup()?,
            rate_limit: RateLimit {
                counter: Arc::new(RateTable::new(self.ephemeral()?)),
                per_minute: self.settings.number("RATE_LIMIT_PER_MINUTE", 100)?,
            },
            idempotency: Some(Arc::new(IdempotencyTable::new(self.ephemeral()?))),
            clock: self.clock(),
            entropy: self.entropy(),
        };
        Ok(Arc::new(HttpTask::new(HttpApp::new(
            routes.bind(state),
            ports,
        )?)))
    }
}
