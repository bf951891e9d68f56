//! Mails that people sent, by account and date.

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::hand_sent::{HandSent, Taken};
use async_trait::async_trait;
use jiff::civil::Date;

use super::MemoryStore;

#[async_trait]
impl HandSent for MemoryStore {
    async fn take(&self, owner: AccountRef, date: Date, max: u32) -> Result<Taken, StoreError> {
        self.run("hand_sent.take", |state| {
            let count = state.hand_sent.entry((owner, date)).or_default();
            if *count >= max {
                return Taken::Full { count: *count };
            }
            *count += 1;
            Taken::Done
        })
        .await
    }

    async fn give_back(&self, owner: AccountRef, date: Date) -> Result<(), StoreError> {
        self.run("hand_sent.give_back", |state| {
            let count = state.hand_sent.entry((owner, date)).or_default();
            *count = count.saturating_sub(1);
        })
        .await
    }
}
