//! The memory store keeps what the storage ports promise.

use std::sync::Arc;

use agentwarm_app::ports::due::Shards;
use agentwarm_testkit::memory::MemoryStore;
use agentwarm_testkit::store_contract::Store;

async fn store() -> Store {
    let shards = Shards(4);
    Store::in_memory(&Arc::new(MemoryStore::new(shards)), shards)
}

agentwarm_testkit::store_contract!(store);
