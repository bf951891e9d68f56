//! What days make of an account: its reputation and totals, its phase, and the brake.
//!
//! Two clocks run here. Bounces and spam are known at once, so the date that is just over is judged when the next one is planned. Opens and
//! answers keep coming for a day, so an account's reputation and totals are those of its *closed* days (decision 24): they lag one day,
//! and never change afterwards.
//!
//! Everything is decided from the account and its day rows as they are, and written with the account's version: judging again finds the
//! dates judged and does nothing.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use agentwarm_core::account::Account;
use agentwarm_core::audit::Event;
use agentwarm_core::pool::PoolConfig;
use agentwarm_core::warmup::judge::{JudgeInput, judge, judge_now};

use super::EngineError;
use crate::ports::Replaced;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::days::{AccountRef, DayRow, Plans};

/// How many days of an account's past are looked at: seven sending days lie within them, whatever weekends and pauses lay between.
const HISTORY_DAYS: i32 = 60;

/// The ports of this part.
#[derive(Clone)]
pub struct Judging {
    /// Who is judged.
    pub accounts: Arc<dyn AccountReads>,
    /// What becomes of them.
    pub updates: Arc<dyn AccountUpdates>,
    /// Their figures.
    pub plans: Arc<dyn Plans>,
}

impl Judging {
    /// Judges every date before `today` that has not been judged, and returns the account as it is then.
    pub(super) async fn judge_days(
        &self,
        account: Account,
        config: &PoolConfig,
        today: Date,
        now: Timestamp,
    ) -> Result<Account, EngineError> {
        let rows = self.rows(&account, today, 1).await?;
        let history: Vec<_> = rows.iter().map(DayRow::past).collect();
        let mut judged = with_closed_days(&account, &rows);
        let mut events = Vec::new();
        for row in &rows {
            let input = JudgeInput {
                account: &judged,
                config,
                date: row.date,
                history: &history,
                reputation: judged.reputation,
                now,
            };
            if let Some(judgement) = judge(&input) {
                events.extend(judgement.events(&judged, now));
                judged = judgement.applied_to(&judged, now);
            }
        }
        self.write(account, judged, events).await
    }

    /// Suspends the account at once if its bounces demand it (decision 22).
    pub(super) async fn brake(&self, owner: AccountRef, now: Timestamp) -> Result<(), EngineError> {
        let Some(account) = self.accounts.get(owner.user, owner.account).await? else {
            return Ok(());
        };
        let history: Vec<_> = self
            .rows(&account, account.latest_date(now), 0)
            .await?
            .iter()
            .map(DayRow::past)
            .collect();
        if let Some(judgement) = judge_now(&account, &history, now) {
            let events = judgement.events(&account, now);
            let judged = judgement.applied_to(&account, now);
            self.write(account, judged, events).await?;
        }
        Ok(())
    }

    /// The account's day rows up to `until` days before `today`, oldest first.
    async fn rows(
        &self,
        account: &Account,
        today: Date,
        until: i32,
    ) -> Result<Vec<DayRow>, EngineError> {
        let owner = AccountRef::of(account);
        let day = |n: i32| today.saturating_sub(n.days());
        Ok(self
            .plans
            .days(owner, day(HISTORY_DAYS), day(until))
            .await?)
    }

    async fn write(
        &self,
        before: Account,
        after: Account,
        events: Vec<Event>,
    ) -> Result<Account, EngineError> {
        if after == before {
            return Ok(before);
        }
        let after = Account {
            version: before.version + 1,
            ..after
        };
        match self.updates.replace(&after, events).await? {
            Replaced::Done => Ok(after),
            Replaced::Stale => Err(EngineError::Held("the account")),
        }
    }
}

/// The account with what its closed days add to its totals, and the reputation of the last of them on which it sent.
fn with_closed_days(account: &Account, rows: &[DayRow]) -> Account {
    let mut after = account.clone();
    let fresh = rows.iter().filter(|row| {
        account
            .totals_through
            .is_none_or(|through| row.date > through)
    });
    // A day that is still open holds back the ones after it, so that a total never skips one.
    for row in fresh.take_while(|row| row.closed) {
        after.total_sent += u64::from(row.figures.sent);
        after.total_received += u64::from(row.figures.received);
        after.totals_through = Some(row.date);
        after.reputation = row.reputation.unwrap_or(after.reputation);
    }
    after
}
