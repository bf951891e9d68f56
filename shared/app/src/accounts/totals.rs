//! Totals that are right now.
//!
//! An account's item holds the sums of its closed days; the few days after that (today, yesterday, and what an outage left open) are
//! added when somebody looks. So sending a mail does not write the account. Of one account a total is as of now; in a list it may be an hour
//! old, as its running day was summed up last.

use std::collections::BTreeMap;
use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::ids::{AccountId, UserId};
use agentwarm_core::warmup::day::DayFigures;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::engine::figures::Figures;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, Plans};

/// How many days can be open: a day closes 24 h after its end, an open one is looked after for four days.
const MAX_OPEN_DAYS: i64 = 5;

/// Mails since ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sent and accepted.
    pub sent: u64,
    /// Warmup mails received.
    pub received: u64,
}

/// Reads open days.
#[derive(Clone)]
pub struct OpenDays {
    /// Where they are.
    pub plans: Arc<dyn Plans>,
    /// What sums up the running one.
    pub figures: Figures,
    /// What is today.
    pub clock: Arc<dyn Clock>,
}

impl OpenDays {
    /// The totals of one account and the figures of its current local date, as of now.
    pub async fn of_one(&self, account: &Account) -> Result<(Totals, DayFigures), AppError> {
        let mut totals = Totals::closed(account);
        let mut today = DayFigures::default();
        let Some((first, last)) = self.open_dates(account) else {
            return Ok((totals, today));
        };
        let owner = AccountRef::of(account);
        let now = self.clock.schedule();
        let rows = self.plans.days(owner, first, last).await?;
        for day in self.figures.with_today(account, rows, now).await? {
            totals.add(&day.figures);
            if day.date == account.zone.date_of(now) {
                today = day.figures;
            }
        }
        Ok((totals, today))
    }

    /// The totals of many accounts of `user`: as many batch reads as the account with the most open days has, usually two.
    pub async fn totals_of(
        &self,
        user: UserId,
        accounts: &[Account],
    ) -> Result<BTreeMap<AccountId, Totals>, AppError> {
        let mut totals: BTreeMap<_, _> = accounts
            .iter()
            .map(|account| (account.id, Totals::closed(account)))
            .collect();
        for back in 0..=MAX_OPEN_DAYS {
            let wanted: Vec<_> = accounts
                .iter()
                .filter_map(|account| {
                    let (first, last) = self.open_dates(account)?;
                    let date = last.saturating_sub(back.days());
                    (first <= date).then_some((account.id, date))
                })
                .collect();
            if wanted.is_empty() {
                break;
            }
            for (account, day) in self.plans.days_of(user, &wanted).await? {
                totals.entry(account).or_default().add(&day.figures);
            }
        }
        Ok(totals)
    }

    /// The figures of each account's current local date, where it has a row.
    pub async fn today_of(
        &self,
        user: UserId,
        accounts: &[Account],
    ) -> Result<BTreeMap<AccountId, DayFigures>, AppError> {
        let now = self.clock.schedule();
        let wanted: Vec<_> = accounts
            .iter()
            .map(|account| (account, account.zone.date_of(now)))
            .filter(|(account, today)| last_planned(account) >= Some(*today))
            .map(|(account, today)| (account.id, today))
            .collect();
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let days = self.plans.days_of(user, &wanted).await?;
        Ok(days
            .into_iter()
            .map(|(account, day)| (account, day.figures))
            .collect())
    }

    /// The first and last date whose figures the account's sums may lack. None if it has not planned a day since.
    fn open_dates(&self, account: &Account) -> Option<(Date, Date)> {
        let today = account.zone.date_of(self.clock.schedule());
        // The zone may have changed, so that the last planned date is tomorrow's here.
        let last = last_planned(account)?;
        let oldest = today.saturating_sub((MAX_OPEN_DAYS - 1).days());
        let first = account.totals_through.map_or(oldest, |through| {
            oldest.max(through.saturating_add(1.day()))
        });
        (first <= last).then_some((first, last))
    }
}

fn last_planned(account: &Account) -> Option<Date> {
    account
        .warmup
        .as_ref()
        .and_then(|warmup| warmup.last_planned_date)
}

impl Totals {
    fn closed(account: &Account) -> Self {
        Self {
            sent: account.total_sent,
            received: account.total_received,
        }
    }

    fn add(&mut self, figures: &DayFigures) {
        self.sent += u64::from(figures.sent);
        self.received += u64::from(figures.received);
    }
}
