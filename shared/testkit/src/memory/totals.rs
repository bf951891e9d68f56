//! How many mails users' accounts sent together.

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::totals::{LetGo, SendTotals};
use agentwarm_core::ids::UserId;
use async_trait::async_trait;
use jiff::civil::Date;

use super::MemoryStore;
use super::meter::{Kind, Partition, UPDATE, UPDATE_REFUSED, date_number};

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
            let place = (Kind::SendTotal, Partition::Total(user), date_number(date));
            let total = state.totals.entry((user, date)).or_default();
            if total.saturating_add(count) > max {
                state.meter.refused(place, UPDATE_REFUSED);
                return LetGo::No { total: *total };
            }
            *total += count;
            state.meter.wrote(place, UPDATE, || 150);
            LetGo::Yes { total: *total }
        })
        .await
    }
}
