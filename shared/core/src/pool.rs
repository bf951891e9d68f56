//! Pools: groups of accounts that mail each other, and the configuration they share (API reference §5).
//!
//! A pool stores only what its owner changed ([`PoolOverrides`]); what counts is those merged with the defaults ([`PoolConfig`]), which
//! can be built only valid. So a default can improve without rewriting pools, and the planner never meets `min > max`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::PoolId;
use crate::rate::Rate;

/// The name of the pool that accounts join when they name none; made on first use (decision 16).
pub const DEFAULT_POOL_NAME: &str = "Default Pool";

/// A pool as its owner made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Its id.
    pub id: PoolId,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// How many accounts are in it.
    pub member_count: u32,
    /// What its owner changed.
    pub overrides: PoolOverrides,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its own data last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of this item; the condition of the next one.
    pub version: u64,
}

/// The values that a pool sets itself; absent ones follow the defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PoolOverrides {
    /// Mails on the first day, 1–100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_daily_emails: Option<u32>,
    /// Mails a day at the end of the ramp, 1–200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_emails: Option<u32>,
    /// Days of `ramp_up`, 1–180.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramp_up_days: Option<u32>,
    /// Share of received mails that are answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_rate: Option<f64>,
    /// Share of received mails that are opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_rate: Option<f64>,
    /// Share of received mails that are marked important.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_important_rate: Option<f64>,
    /// First working hour, 0–23.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_hours_start: Option<u32>,
    /// The hour in which work is over, 0–23; the window is [start, end) (decision 26).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_hours_end: Option<u32>,
    /// Whether Saturdays and Sundays are sending days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_on_weekends: Option<bool>,
    /// Most a day may grow over the one before, 1.0–5.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_volume_increase: Option<f64>,
    /// Most mails a day between two accounts in one direction, 1–50 (decision 27).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_partner_per_day: Option<u32>,
}

/// The configuration that counts: overrides merged with defaults, in range and consistent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolConfig {
    /// Mails on the first day.
    pub min_daily_emails: u32,
    /// Mails a day at the end of the ramp.
    pub max_daily_emails: u32,
    /// Days of `ramp_up`.
    pub ramp_up_days: u32,
    /// Share of received mails that are answered.
    pub reply_rate: Rate,
    /// Share of received mails that are opened.
    pub open_rate: Rate,
    /// Share of received mails that are marked important.
    pub mark_important_rate: Rate,
    /// First working hour.
    pub working_hours_start: i8,
    /// The hour in which work is over.
    pub working_hours_end: i8,
    /// Whether Saturdays and Sundays are sending days.
    pub send_on_weekends: bool,
    /// Most a day may grow over the one before.
    pub max_daily_volume_increase: f64,
    /// Most mails a day between two accounts in one direction.
    pub max_per_partner_per_day: u32,
}

/// One value that makes a configuration unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct ConfigProblem {
    /// The field, as on the wire.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            min_daily_emails: 2,
            max_daily_emails: 40,
            ramp_up_days: 45,
            reply_rate: Rate::per_mille(700),
            open_rate: Rate::per_mille(950),
            mark_important_rate: Rate::per_mille(300),
            working_hours_start: 8,
            working_hours_end: 18,
            send_on_weekends: false,
            max_daily_volume_increase: 1.5,
            max_per_partner_per_day: 10,
        }
    }
}

impl PoolOverrides {
    /// These with the values that `changes` sets put over them.
    #[must_use]
    pub fn with(&self, changes: &Self) -> Self {
        Self {
            min_daily_emails: changes.min_daily_emails.or(self.min_daily_emails),
            max_daily_emails: changes.max_daily_emails.or(self.max_daily_emails),
            ramp_up_days: changes.ramp_up_days.or(self.ramp_up_days),
            reply_rate: changes.reply_rate.or(self.reply_rate),
            open_rate: changes.open_rate.or(self.open_rate),
            mark_important_rate: changes.mark_important_rate.or(self.mark_important_rate),
            working_hours_start: changes.working_hours_start.or(self.working_hours_start),
            working_hours_end: changes.working_hours_end.or(self.working_hours_end),
            send_on_weekends: changes.send_on_weekends.or(self.send_on_weekends),
            max_daily_volume_increase: changes
                .max_daily_volume_increase
                .or(self.max_daily_volume_increase),
            max_per_partner_per_day: changes
                .max_per_partner_per_day
                .or(self.max_per_partner_per_day),
        }
    }

    /// The configuration these make, or everything that is wrong with it (API reference §5 for the ranges, decision 19 for the
    /// consistency of the merged values).
    pub fn merged(&self) -> Result<PoolConfig, Vec<ConfigProblem>> {
        let usual = PoolConfig::default();
        let mut ranges = Ranges::default();
        let config = PoolConfig {
            min_daily_emails: ranges
                .count("minDailyEmails", self.min_daily_emails, 1..=100)
                .unwrap_or(usual.min_daily_emails),
            max_daily_emails: ranges
                .count("maxDailyEmails", self.max_daily_emails, 1..=200)
                .unwrap_or(usual.max_daily_emails),
            ramp_up_days: ranges
                .count("rampUpDays", self.ramp_up_days, 1..=180)
                .unwrap_or(usual.ramp_up_days),
            reply_rate: ranges
                .rate("replyRate", self.reply_rate)
                .unwrap_or(usual.reply_rate),
            open_rate: ranges
                .rate("openRate", self.open_rate)
                .unwrap_or(usual.open_rate),
            mark_important_rate: ranges
                .rate("markImportantRate", self.mark_important_rate)
                .unwrap_or(usual.mark_important_rate),
            working_hours_start: ranges
                .hour("workingHoursStart", self.working_hours_start)
                .unwrap_or(usual.working_hours_start),
            working_hours_end: ranges
                .hour("workingHoursEnd", self.working_hours_end)
                .unwrap_or(usual.working_hours_end),
            send_on_weekends: self.send_on_weekends.unwrap_or(usual.send_on_weekends),
            max_daily_volume_increase: ranges
                .increase(self.max_daily_volume_increase)
                .unwrap_or(usual.max_daily_volume_increase),
            max_per_partner_per_day: ranges
                .count("maxPerPartnerPerDay", self.max_per_partner_per_day, 1..=50)
                .unwrap_or(usual.max_per_partner_per_day),
        };
        let mut problems = ranges.problems;
        if problems.is_empty() {
            problems = config.contradictions();
        }
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(problems)
        }
    }
}

impl PoolConfig {
    /// What of it does not go together.
    fn contradictions(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let (min, max) = (self.min_daily_emails, self.max_daily_emails);
        if min > max {
            problems.push(ConfigProblem {
                field: "minDailyEmails",
                problem: format!("is {min}, more than maxDailyEmails ({max})"),
            });
        }
        let (start, end) = (self.working_hours_start, self.working_hours_end);
        if start >= end {
            problems.push(ConfigProblem {
                field: "workingHoursStart",
                problem: format!("is {start}, not before workingHoursEnd ({end})"),
            });
        }
        problems
    }
}

/// Takes values that are given and within their range; notes those that are not.
#[derive(Default)]
struct Ranges {
    problems: Vec<ConfigProblem>,
}

impl Ranges {
    fn count(
        &mut self,
        field: &'static str,
        value: Option<u32>,
        range: core::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = value?;
        if !range.contains(&value) {
            let problem = out_of_range(field, range.start(), range.end());
            self.problems.push(problem);
        }
        Some(value)
    }

    /// A clock hour.
    fn hour(&mut self, field: &'static str, value: Option<u32>) -> Option<i8> {
        self.count(field, value, 0..=23)
            .and_then(|hour| i8::try_from(hour).ok())
    }

    fn rate(&mut self, field: &'static str, value: Option<f64>) -> Option<Rate> {
        let rate = Rate::new(value?).ok();
        if rate.is_none() {
            self.problems.push(out_of_range(field, &0, &1));
        }
        rate
    }

    fn increase(&mut self, value: Option<f64>) -> Option<f64> {
        let value = value?;
        if !(1.0..=5.0).contains(&value) {
            let problem = out_of_range("maxDailyVolumeIncrease", &"1.0", &"5.0");
            self.problems.push(problem);
        }
        Some(value)
    }
}

fn out_of_range(
    field: &'static str,
    from: &dyn core::fmt::Display,
    to: &dyn core::fmt::Display,
) -> ConfigProblem {
    ConfigProblem {
        field,
        problem: format!("must be from {from} to {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_overrides_give_the_documented_defaults() {
        assert_eq!(PoolOverrides::default().merged(), Ok(PoolConfig::default()));
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let overrides = PoolOverrides {
            min_daily_emails: Some(0),
            ramp_up_days: Some(181),
            reply_rate: Some(1.5),
            working_hours_end: Some(24),
            max_daily_volume_increase: Some(f64::NAN),
            ..PoolOverrides::default()
        };
        let fields: Vec<_> = overrides
            .merged()
            .unwrap_err()
            .into_iter()
            .map(|problem| problem.field)
            .collect();
        assert_eq!(
            fields,
            [
                "minDailyEmails",
                "rampUpDays",
                "replyRate",
                "workingHoursEnd",
                "maxDailyVolumeIncrease"
            ]
        );
    }

    #[test]
    fn merged_values_must_fit_each_other() {
        let min_over_max = PoolOverrides {
            min_daily_emails: Some(41),
            ..PoolOverrides::default()
        };
        assert_eq!(
            min_over_max.merged().unwrap_err()[0].field,
            "minDailyEmails"
        );
        let no_hours = PoolOverrides {
            working_hours_start: Some(18),
            ..PoolOverrides::default()
        };
        assert_eq!(no_hours.merged().unwrap_err()[0].field, "workingHoursStart");
    }

    #[test]
    fn only_supplied_fields_change() {
        let before = PoolOverrides {
            reply_rate: Some(0.1),
            ..PoolOverrides::default()
        };
        let after = before.with(&PoolOverrides {
            max_daily_emails: Some(30),
            ..PoolOverrides::default()
        });
        assert_eq!(
            (after.reply_rate, after.max_daily_emails),
            (Some(0.1), Some(30))
        );
    }
}
