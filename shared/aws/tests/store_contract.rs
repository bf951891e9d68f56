//! The DynamoDB adapters keep what the storage ports promise, on the emulator.

mod support;

use agentwarm_testkit::store_contract::Store;

async fn store() -> Store {
    support::World::open().await.store()
}

agentwarm_testkit::store_contract!(store);
