//! What adapters say they do is what they do: the contract suite with an interceptor on each adapter's own client.

use std::sync::Arc;

use crate::support::World;
use crate::support::record::{Recorder, declared};
use agentwarm_app::ports::clock::Clock;
use agentwarm_aws::actions::Action;
use agentwarm_aws::clients::{ClientSettings, Clients};
use agentwarm_aws::dynamo::{
    ACTIVITY_TTL_DAYS, ActivityTable, DynamoAccountLife, DynamoAccountUpdates, DynamoAccounts,
    DynamoApiKeys, DynamoAuditLog, DynamoCrmLinkWrites, DynamoCrmLinks, DynamoDueIndex,
    DynamoHandSent, DynamoKeyLookup, DynamoMailboxes, DynamoPlans, DynamoPoolLedger,
    DynamoPoolWrites, DynamoPools, DynamoReceipts, DynamoRoster, DynamoSendTotals, DynamoSlots,
    DynamoSuppressionList, DynamoSuppressions, DynamoTestModeWrites, DynamoTestModes,
    DynamoUserPlans, Table,
};
use agentwarm_testkit::store_contract::{self, Store};
use aws_sdk_dynamodb::config::SharedInterceptor;

/// One adapter: its name, what it says, what it does.
struct Watched {
    name: &'static str,
    says: &'static [Action],
    client: aws_sdk_dynamodb::Client,
    recorder: Recorder,
}

impl Watched {
    async fn new(name: &'static str, says: &'static [Action]) -> Self {
        let recorder = Recorder::default();
        let settings = ClientSettings {
            interceptors: vec![SharedInterceptor::new(recorder.clone())],
            ..crate::support::settings()
        };
        let clients = Clients::load(settings).await.unwrap();
        Self {
            name,
            says,
            client: crate::support::patient(&clients.dynamodb()),
            recorder,
        }
    }
}

macro_rules! adapters {
    ($($port:ident: $adapter:ident),* $(,)?) => {
        struct Adapters {
            $($port: Watched,)*
        }

        impl Adapters {
            async fn watched() -> Self {
                Self { $($port: Watched::new(stringify!($adapter), $adapter::ACTIONS).await,)* }
            }

            fn all(&self) -> Vec<&Watched> {
                vec![$(&self.$port),*]
            }
        }
    };
}

adapters! {
    key_lookup: DynamoKeyLookup,
    api_keys: DynamoApiKeys,
    user_plans: DynamoUserPlans,
    accounts: DynamoAccounts,
    account_updates: DynamoAccountUpdates,
    account_life: DynamoAccountLife,
    crm_links: DynamoCrmLinks,
    crm_link_writes: DynamoCrmLinkWrites,
    pools: DynamoPools,
    pool_writes: DynamoPoolWrites,
    plans: DynamoPlans,
    ledger: DynamoPoolLedger,
    slots: DynamoSlots,
    receipts: DynamoReceipts,
    suppressions: DynamoSuppressions,
    suppression_list: DynamoSuppressionList,
    test_modes: DynamoTestModes,
    test_mode_writes: DynamoTestModeWrites,
    totals: DynamoSendTotals,
    hand_sent: DynamoHandSent,
    due: DynamoDueIndex,
    roster: DynamoRoster,
    mailboxes: DynamoMailboxes,
    audit: DynamoAuditLog,
}

/// A store on fresh tables whose adapters use their watched clients.
async fn store(adapters: &Adapters) -> Store {
    let world = World::open().await;
    let table = |watched: &Watched, name: &str| {
        let clock: Arc<dyn Clock> = world.clock.clone();
        let name = format!("{}-{name}", world.prefix);
        Table::new(watched.client.clone(), name, clock)
    };
    let entities = |watched| table(watched, "entities");
    let ephemeral = |watched| table(watched, "ephemeral");
    let activity = |watched| ActivityTable::new(table(watched, "activity"), ACTIVITY_TTL_DAYS);
    Store {
        key_lookup: Arc::new(DynamoKeyLookup::new(entities(&adapters.key_lookup))),
        api_keys: Arc::new(DynamoApiKeys::new(entities(&adapters.api_keys))),
        user_plans: Arc::new(DynamoUserPlans::new(entities(&adapters.user_plans))),
        accounts: Arc::new(DynamoAccounts::new(entities(&adapters.accounts))),
        account_updates: Arc::new(DynamoAccountUpdates::new(entities(
            &adapters.account_updates,
        ))),
        account_life: Arc::new(DynamoAccountLife::new(entities(&adapters.account_life))),
        crm_links: Arc::new(DynamoCrmLinks::new(entities(&adapters.crm_links))),
        crm_link_writes: Arc::new(DynamoCrmLinkWrites::new(entities(
            &adapters.crm_link_writes,
        ))),
        pools: Arc::new(DynamoPools::new(entities(&adapters.pools))),
        pool_writes: Arc::new(DynamoPoolWrites::new(entities(&adapters.pool_writes))),
        plans: Arc::new(DynamoPlans::new(activity(&adapters.plans))),
        ledger: Arc::new(DynamoPoolLedger::new(activity(&adapters.ledger))),
        slots: Arc::new(DynamoSlots::new(activity(&adapters.slots))),
        receipts: Arc::new(DynamoReceipts::new(activity(&adapters.receipts))),
        suppressions: Arc::new(DynamoSuppressions::new(entities(&adapters.suppressions))),
        suppression_list: Arc::new(DynamoSuppressionList::new(entities(
            &adapters.suppression_list,
        ))),
        test_modes: Arc::new(DynamoTestModes::new(entities(&adapters.test_modes))),
        test_mode_writes: Arc::new(DynamoTestModeWrites::new(entities(
            &adapters.test_mode_writes,
        ))),
        totals: Arc::new(DynamoSendTotals::new(ephemeral(&adapters.totals))),
        hand_sent: Arc::new(DynamoHandSent::new(ephemeral(&adapters.hand_sent))),
        due: Arc::new(DynamoDueIndex::new(
            ephemeral(&adapters.due),
            crate::support::SHARDS,
        )),
        shards: crate::support::SHARDS,
        roster: Arc::new(DynamoRoster::new(ephemeral(&adapters.roster))),
        mailboxes: Arc::new(DynamoMailboxes::new(ephemeral(&adapters.mailboxes))),
        audit: Arc::new(DynamoAuditLog::new(table(&adapters.audit, "activity"))),
    }
}

#[tokio::test]
async fn every_adapter_does_what_it_says_and_nothing_else() {
    let adapters = Adapters::watched().await;
    Box::pin(store_contract::run_all(async || store(&adapters).await)).await;
    for watched in adapters.all() {
        let does = watched.recorder.actions();
        assert_eq!(does, declared(watched.says), "{}", watched.name);
    }
}
