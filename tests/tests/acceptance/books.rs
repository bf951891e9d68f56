//! What the API says about one mailbox, gathered.

use std::collections::BTreeMap;

use agentwarm_core::time::Zone;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use crate::world::Deployment;

/// How long the Pro plan keeps figures.
const KEPT_DAYS: u32 = 90;

/// A mailbox that was connected, and what the API says about it.
pub(crate) struct Books {
    pub(crate) address: String,
    pub(crate) id: String,
    pub(crate) zone: Zone,
    /// The account.
    pub(crate) account: Value,
    /// Its schedules.
    pub(crate) schedules: BTreeMap<Date, Value>,
    /// Its days as its progress shows them.
    pub(crate) days: BTreeMap<Date, Value>,
}

impl Books {
    /// Reads everything about account `id`, with its schedules of `days` days from `first` on.
    pub(crate) async fn read(deployment: &Deployment, id: &str, first: Date, days: i32) -> Self {
        let account = deployment.get(&format!("/api/accounts/{id}")).await;
        let path = format!("/api/analytics/accounts/{id}/progress?days={KEPT_DAYS}");
        let progress = deployment.get(&path).await;
        let shown = progress["dailyMetrics"].as_array().unwrap();
        let mut schedules = BTreeMap::new();
        for date in first.series(1.day()).take(usize::try_from(days).unwrap()) {
            let path = format!("/api/warmup/schedule/{id}?date={date}");
            schedules.insert(date, deployment.get(&path).await);
        }
        Self {
            address: text(&account["email"]).to_owned(),
            id: id.to_owned(),
            zone: text(&account["timezone"]).parse().unwrap(),
            days: shown
                .iter()
                .map(|day| (date(&day["date"]), day.clone()))
                .collect(),
            schedules,
            account,
        }
    }

    /// The mails of all its schedules that a server accepted.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &Value> {
        self.schedules.values().flat_map(|schedule| {
            let slots = schedule["sendSlots"].as_array().unwrap();
            slots.iter().filter(|slot| slot["executed"] == true)
        })
    }

    /// A figure, summed up over the days of `range`.
    pub(crate) fn sum(&self, figure: &str, range: impl std::ops::RangeBounds<Date>) -> u64 {
        let days = self.days.range(range);
        days.map(|(_, day)| number(&day[figure])).sum()
    }
}

pub(crate) fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no count"))
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

pub(crate) fn date(value: &Value) -> Date {
    text(value).parse().unwrap()
}

pub(crate) fn instant(value: &Value) -> Timestamp {
    text(value).parse().unwrap()
}
