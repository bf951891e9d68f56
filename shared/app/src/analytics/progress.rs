//! How an account's warmup goes, day by day.

use std::sync::Arc;

use agentwarm_core::account::{Account, INITIAL_REPUTATION};
use agentwarm_core::ids::AccountId;
use agentwarm_core::rate::{Rate, Score};
use agentwarm_core::warmup::day::DayFigures;
use agentwarm_core::warmup::reputation;
use jiff::ToSpan;
use jiff::civil::Date;

use super::account::day_number;
use crate::change::existing;
use crate::engine::config::Configs;
use crate::engine::figures::Figures;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, DayRow, Plans};
use crate::tenant::Tenant;

/// Reads progress.
#[derive(Clone)]
pub struct WarmupProgress {
    /// Whose.
    pub accounts: Arc<dyn AccountReads>,
    /// How long the ramp is.
    pub configs: Configs,
    /// The days.
    pub plans: Arc<dyn Plans>,
    /// What sums up the running day.
    pub figures: Figures,
    /// What is today.
    pub clock: Arc<dyn Clock>,
}

/// How a warmup goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The account.
    pub account: Account,
    /// Which day of its warmup it is; 0 when it was never warmed.
    pub day_number: u32,
    /// Days of the ramp.
    pub ramp_up_days: u32,
    /// How far it is into the ramp, in percent with one decimal.
    pub percent: f64,
    /// Its days, newest first. Dates without a plan are left out.
    pub days: Vec<ProgressDay>,
    /// Days that figures are kept on this plan.
    pub retention_days: u16,
}

/// One day of a warmup.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressDay {
    /// The date.
    pub date: Date,
    /// Mails it was allowed to send.
    pub limit: u32,
    /// What happened.
    pub figures: DayFigures,
    /// Share of sent mails that neither bounced nor landed in spam.
    pub inbox_placement_rate: Rate,
    /// Share of received mails that were opened.
    pub open_rate: Rate,
    /// Share of received mails that were answered.
    pub reply_rate: Rate,
    /// The reputation after it.
    pub reputation: Score,
}

impl WarmupProgress {
    /// The last `days` days, as far as the plan keeps them (decision 10).
    pub async fn read(
        &self,
        tenant: &Tenant,
        id: AccountId,
        days: u16,
    ) -> Result<Progress, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        let retention_days = tenant.limits().retention_days;
        let now = self.clock.schedule();
        let today = account.zone.date_of(now);
        let back = i64::from(days.min(retention_days).saturating_sub(1));
        let owner = AccountRef::of(&account);
        let first = today.saturating_sub(back.days());
        let (rows, config) = futures::try_join!(
            self.plans.days(owner, first, today),
            self.configs.of(&account)
        )?;
        let rows = self.figures.with_today(&account, rows, now).await?;
        let day_number = day_number(&account, today);
        let before = match rows.first() {
            Some(row) if row.reputation.is_none() => {
                self.reputation_before(&account, row.date).await?
            }
            _ => account.reputation,
        };
        Ok(Progress {
            day_number,
            ramp_up_days: config.ramp_up_days,
            percent: reputation::progress_percent(day_number, config.ramp_up_days),
            days: shown(&rows, before),
            account,
            retention_days,
        })
    }

    /// The reputation that the account had when `date` began. Rarely asked for: only where the days shown begin with one that carries it
    /// over.
    async fn reputation_before(&self, account: &Account, date: Date) -> Result<Score, AppError> {
        let Some(warmup) = &account.warmup else {
            return Ok(account.reputation);
        };
        let owner = AccountRef::of(account);
        let started = account.zone.date_of(warmup.started_at);
        let yesterday = date.saturating_sub(1.day());
        let rows = self.plans.days(owner, started, yesterday).await?;
        let judged = rows.iter().rev().find_map(|row| row.reputation);
        Ok(judged.unwrap_or(Score::clamped(INITIAL_REPUTATION)))
    }
}

/// `rows`, which are oldest first, newest first. A day that is not judged yet, or on which nothing was sent, carries the reputation of the
/// day before it (decision 24); the first one that `before` it.
fn shown(rows: &[DayRow], before: Score) -> Vec<ProgressDay> {
    let mut carried = before;
    let mut days: Vec<_> = rows
        .iter()
        .map(|row| {
            carried = row.reputation.unwrap_or(carried);
            progress_day(row, carried)
        })
        .collect();
    days.reverse();
    days
}

fn progress_day(row: &DayRow, reputation: Score) -> ProgressDay {
    ProgressDay {
        date: row.date,
        limit: row.limit,
        figures: row.figures,
        inbox_placement_rate: reputation::inbox_placement_rate(&row.figures),
        open_rate: reputation::open_rate(&row.figures),
        reply_rate: reputation::reply_rate(&row.figures),
        reputation,
    }
}
