//! How many mails users' accounts sent together.

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::totals::{LetGo, SendTotals};
use agentwarm_core::ids::UserId;
use async_trait::async_trait;
use jiff::civil::Date;

use super::MemoryStore;

#[async_trait]
impl SendTotals for MemoryStore {
    async fn let_go(
        &self,
        user: UserId,
        date: Date,
        count: u32,
        max: u32,
    ) -> Result<LetGo, StoreError> {
        self.run("totals.let_go", |state| {
            let total = state.totals.entry((user, date)).or_default();
            if total.saturating_add(count) > max {
                return LetGo::No { total: *total };
            }
            *total += count;
            LetGo::Yes { total: *total }
        })
        .await
    }
}
