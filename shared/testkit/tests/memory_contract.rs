//! The memory store keeps what the storage ports promise.

use std::sync::Arc;

use agentwarm_app::ports::due::Shards;
use agentwarm_testkit::memory::MemoryStore;
use agentwarm_testkit::store_contract::Store;

async fn store() -> Store {
    let shards = Shards(4);
    let memory = Arc::new(MemoryStore::new(shards));
    Store {
        key_lookup: memory.clone(),
        api_keys: memory.clone(),
        user_plans: memory.clone(),
        accounts: memory.clone(),
        account_updates: memory.clone(),
        account_life: memory.clone(),
        crm_links: memory.clone(),
        crm_link_writes: memory.clone(),
        pools: memory.clone(),
        pool_writes: memory.clone(),
        plans: memory.clone(),
        ledger: memory.clone(),
        slots: memory.clone(),
        receipts: memory.clone(),
        suppressions: memory.clone(),
        suppression_list: memory.clone(),
        test_modes: memory.clone(),
        test_mode_writes: memory.clone(),
        totals: memory.clone(),
        hand_sent: memory.clone(),
        due: memory.clone(),
        shards,
        roster: memory.clone(),
        mailboxes: memory.clone(),
        audit: memory,
    }
}

agentwarm_testkit::store_contract!(store);
