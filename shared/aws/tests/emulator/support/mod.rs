//! An emulator's tables for one test: its own, by a random prefix, so that tests run side by side.

pub(crate) mod faults;
pub(crate) mod record;

use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::ports::clock::Clock;
use agentwarm_app::ports::due::Shards;
use agentwarm_aws::clients::{ClientSettings, Clients};
use agentwarm_aws::dynamo::{
    ACTIVITY_TTL_DAYS, ActivityTable, DynamoAccountLife, DynamoAccountUpdates, DynamoAccounts,
    DynamoApiKeys, DynamoAuditLog, DynamoCrmLinkWrites, DynamoCrmLinks, DynamoDueIndex,
    DynamoHandSent, DynamoKeyLookup, DynamoMailboxes, DynamoPlans, DynamoPoolLedger,
    DynamoPoolWrites, DynamoPools, DynamoReceipts, DynamoRoster, DynamoSendTotals, DynamoSlots,
    DynamoSuppressionList, DynamoSuppressions, DynamoTestModeWrites, DynamoTestModes,
    DynamoUserPlans, Table,
};
use agentwarm_testkit::clock::VirtualClock;
use agentwarm_testkit::store_contract::{Store, fixtures};
use aws_config::Region;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_smithy_types::timeout::TimeoutConfig;
use ring::rand::{SecureRandom, SystemRandom};

/// How many shards the due index of tests has.
pub(crate) const SHARDS: Shards = Shards(4);

/// Three empty tables and a clock.
pub(crate) struct World {
    pub(crate) clients: Clients,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) prefix: String,
    client: aws_sdk_dynamodb::Client,
}

/// What every test's clients have in common.
pub(crate) fn settings() -> ClientSettings {
    ClientSettings {
        endpoint: Some(endpoint()),
        ..offline_settings()
    }
}

/// The same without an emulator.
pub(crate) fn offline_settings() -> ClientSettings {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    ClientSettings {
        region: Some(Region::from_static("us-east-1")),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        ..ClientSettings::default()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only configuration of these tests, read where it is needed"
)]
fn endpoint() -> String {
    std::env::var("AWS_ENDPOINT_URL").expect(
        "AWS_ENDPOINT_URL is not set: these tests need the emulator, which `make test` starts",
    )
}

/// A text that no other test has.
pub(crate) fn random_name() -> String {
    let mut bits = [0; 8];
    SystemRandom::new().fill(&mut bits).unwrap();
    format!("t{:016x}", u64::from_le_bytes(bits))
}

impl World {
    pub(crate) async fn open() -> Self {
        Self::with(settings()).await
    }

    /// A world whose clients are `settings`'; its tables are made by sound ones.
    pub(crate) async fn with(settings_under_test: ClientSettings) -> Self {
        let prefix = random_name();
        let sound = patient(&Clients::load(settings()).await.unwrap().dynamodb());
        for table in ["entities", "activity", "ephemeral"] {
            create_table(&sound, format!("{prefix}-{table}")).await;
        }
        let clients = Clients::load(settings_under_test).await.unwrap();
        Self {
            client: patient(&clients.dynamodb()),
            clients,
            clock: Arc::new(VirtualClock::at(fixtures::now())),
            prefix,
        }
    }

    pub(crate) fn table(&self, name: &str) -> Table {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let name = format!("{}-{name}", self.prefix);
        Table::new(self.client.clone(), name, clock)
    }

    pub(crate) fn entities(&self) -> Table {
        self.table("entities")
    }

    pub(crate) fn activity(&self) -> ActivityTable {
        ActivityTable::new(self.table("activity"), ACTIVITY_TTL_DAYS)
    }

    pub(crate) fn ephemeral(&self) -> Table {
        self.table("ephemeral")
    }

    pub(crate) fn store(&self) -> Store {
        Store {
            key_lookup: Arc::new(DynamoKeyLookup::new(self.entities())),
            api_keys: Arc::new(DynamoApiKeys::new(self.entities())),
            user_plans: Arc::new(DynamoUserPlans::new(self.entities())),
            accounts: Arc::new(DynamoAccounts::new(self.entities())),
            account_updates: Arc::new(DynamoAccountUpdates::new(self.entities())),
            account_life: Arc::new(DynamoAccountLife::new(self.entities())),
            crm_links: Arc::new(DynamoCrmLinks::new(self.entities())),
            crm_link_writes: Arc::new(DynamoCrmLinkWrites::new(self.entities())),
            pools: Arc::new(DynamoPools::new(self.entities())),
            pool_writes: Arc::new(DynamoPoolWrites::new(self.entities())),
            plans: Arc::new(DynamoPlans::new(self.activity())),
            ledger: Arc::new(DynamoPoolLedger::new(self.activity())),
            slots: Arc::new(DynamoSlots::new(self.activity())),
            receipts: Arc::new(DynamoReceipts::new(self.activity())),
            suppressions: Arc::new(DynamoSuppressions::new(self.entities())),
            suppression_list: Arc::new(DynamoSuppressionList::new(self.entities())),
            test_modes: Arc::new(DynamoTestModes::new(self.entities())),
            test_mode_writes: Arc::new(DynamoTestModeWrites::new(self.entities())),
            totals: Arc::new(DynamoSendTotals::new(self.ephemeral())),
            hand_sent: Arc::new(DynamoHandSent::new(self.ephemeral())),
            due: Arc::new(DynamoDueIndex::new(self.ephemeral(), SHARDS)),
            shards: SHARDS,
            roster: Arc::new(DynamoRoster::new(self.ephemeral())),
            mailboxes: Arc::new(DynamoMailboxes::new(self.ephemeral())),
            audit: Arc::new(DynamoAuditLog::new(self.table("activity"))),
        }
    }
}

/// A client with the adapters' settings but for the time-outs: an emulator on a busy machine is no DynamoDB.
pub(crate) fn patient(client: &aws_sdk_dynamodb::Client) -> aws_sdk_dynamodb::Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_mins(1))
        .build();
    let config = client.config().to_builder().timeout_config(timeouts);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

async fn create_table(client: &aws_sdk_dynamodb::Client, name: String) {
    let attribute = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name, key_type| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(key_type)
            .build()
            .unwrap()
    };
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk"))
        .attribute_definitions(attribute("sk"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .send()
        .await
        .unwrap();
}
