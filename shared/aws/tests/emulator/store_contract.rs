//! The DynamoDB adapters keep what the storage ports promise, on the emulator.

use agentwarm_testkit::store_contract::Store;

async fn store() -> Store {
    crate::support::World::open().await.store()
}

agentwarm_testkit::store_contract!(store);
