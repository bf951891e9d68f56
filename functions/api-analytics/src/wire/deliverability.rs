//! Where mail arrives.

use agentwarm_core::rate::Rate;
use agentwarm_core::warmup::day::{DatedFigures, DayFigures};
use agentwarm_core::warmup::deliverability::Deliverability;
use agentwarm_core::warmup::reputation::{bounce_rate, inbox_placement_rate, spam_rate};
use agentwarm_lambda::http::openapi::schema;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// Where an account's mail of the last seven days arrived. Rates are shares of `sent`, from 0 to 1, and 0 where nothing was sent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliverabilityReport {
    /// All of it.
    overall: OverallDeliverability,
    /// By receiving provider, the one that got most first: the service behind a recipient's mailbox where it is known, else the domain of its
    /// address; `unknown` for recipients that were deleted.
    by_provider: Vec<ProviderDeliverability>,
    /// By the day that mails are booked on, newest first; all seven.
    last7_days: Vec<DayDeliverability>,
}

/// Mail of all seven days.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["sent"]))]
pub struct OverallDeliverability {
    /// (sent − bounced − in spam) / sent.
    #[schemars(schema_with = "schema::rate")]
    inbox_rate: Rate,
    /// Found in a recipient's spam folder, or complained about, / sent.
    #[schemars(schema_with = "schema::rate")]
    spam_rate: Rate,
    /// Recipient does not exist, at once or by a report / sent.
    #[schemars(schema_with = "schema::rate")]
    bounce_rate: Rate,
    /// Mails that a server accepted.
    sent: u32,
}

/// Mail to one provider.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["bounceRate", "sent"]))]
pub struct ProviderDeliverability {
    provider: String,
    #[schemars(schema_with = "schema::rate")]
    inbox_rate: Rate,
    #[schemars(schema_with = "schema::rate")]
    spam_rate: Rate,
    #[schemars(schema_with = "schema::rate")]
    bounce_rate: Rate,
    sent: u32,
}

/// Mail of one day.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = schema::ours(&["sent"]))]
pub struct DayDeliverability {
    #[schemars(schema_with = "schema::date")]
    date: Date,
    #[schemars(schema_with = "schema::rate")]
    inbox_rate: Rate,
    /// Tells a day on which nothing arrived from one on which nothing was sent.
    sent: u32,
}

impl From<Deliverability> for DeliverabilityReport {
    fn from(report: Deliverability) -> Self {
        let by_provider = report.by_provider.into_iter();
        Self {
            overall: OverallDeliverability::from(&report.overall),
            by_provider: by_provider.map(ProviderDeliverability::from).collect(),
            last7_days: report.days.iter().map(DayDeliverability::from).collect(),
        }
    }
}

impl From<&DayFigures> for OverallDeliverability {
    fn from(figures: &DayFigures) -> Self {
        Self {
            inbox_rate: inbox_placement_rate(figures),
            spam_rate: spam_rate(figures),
            bounce_rate: bounce_rate(figures),
            sent: figures.sent,
        }
    }
}

impl From<(String, DayFigures)> for ProviderDeliverability {
    fn from((provider, figures): (String, DayFigures)) -> Self {
        Self {
            provider,
            inbox_rate: inbox_placement_rate(&figures),
            spam_rate: spam_rate(&figures),
            bounce_rate: bounce_rate(&figures),
            sent: figures.sent,
        }
    }
}

impl From<&DatedFigures> for DayDeliverability {
    fn from(day: &DatedFigures) -> Self {
        Self {
            date: day.date,
            inbox_rate: inbox_placement_rate(&day.figures),
            sent: day.figures.sent,
        }
    }
}

pub(crate) fn deliverability_example() -> Value {
    json!({
        "overall": { "inboxRate": 0.94, "spamRate": 0.03, "bounceRate": 0.03, "sent": 100 },
        "byProvider": [
            { "provider": "gmail.com", "inboxRate": 0.96, "spamRate": 0.02, "bounceRate": 0.02, "sent": 50 },
            { "provider": "outlook.com", "inboxRate": 0.91, "spamRate": 0.05, "bounceRate": 0.04, "sent": 50 },
        ],
        "last7Days": [
            { "date": "2026-03-13", "inboxRate": 0.95, "sent": 20 },
            { "date": "2026-03-12", "inboxRate": 0.93, "sent": 15 },
        ],
    })
}
