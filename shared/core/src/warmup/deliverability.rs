//! Where an account's mail arrives: over a week, by receiving provider and by day (API reference §9).
//!
//! Mails are counted as a day's figures count them, so these rates and those of progress, judgement and reputation are one calculation
//! ([`reputation`](super::reputation)): inbox (sent − bounced − spammed) / sent, spam spammed / sent, bounce bounced / sent, each within
//! [0, 1] and 0 where nothing was sent. A mail that bounced when it was given over was never sent, and counts as bounced.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::day::{DatedFigures, DayFigures};
use super::figures::add_slot;
use crate::account::{Account, Provider};
use crate::mail::slot::Slot;

/// How many days are looked at, today included (API reference: `last7Days`).
pub const DAYS: i64 = 7;

/// The provider of mails whose recipient is deleted: nobody knows any more where they went.
pub const UNKNOWN_PROVIDER: &str = "unknown";

/// Where an account's mail arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliverability {
    /// All of it.
    pub overall: DayFigures,
    /// By receiving provider, the one that got most first.
    pub by_provider: Vec<(String, DayFigures)>,
    /// By the day it is booked on, newest first; all days.
    pub days: Vec<DatedFigures>,
}

/// The first of the days that end with `today`.
pub fn first_day(today: Date) -> Date {
    today.saturating_sub((DAYS - 1).days())
}

/// Who receives an account's mail: the service behind its mailbox where that is known, else its address's domain.
pub fn provider_of(recipient: &Account) -> &str {
    match recipient.provider {
        Provider::Gmail => "gmail.com",
        Provider::Outlook => "outlook.com",
        Provider::ImapSmtp => recipient.email.domain(),
    }
}

/// Sums up `mails`, each with its recipient's provider; those of other days are left out.
pub fn deliverability<'a>(
    today: Date,
    mails: impl IntoIterator<Item = (&'a Slot, &'a str)>,
) -> Deliverability {
    let first = first_day(today);
    let mut overall = DayFigures::default();
    let mut by_provider: BTreeMap<&str, DayFigures> = BTreeMap::new();
    let mut by_day: BTreeMap<Date, DayFigures> = BTreeMap::new();
    for back in 0..DAYS {
        by_day.insert(today.saturating_sub(back.days()), DayFigures::default());
    }
    for (slot, provider) in mails {
        if !(first..=today).contains(&slot.date) {
            continue;
        }
        let of_provider = by_provider.entry(provider).or_default();
        let of_day = by_day.entry(slot.date).or_default();
        for figures in [&mut overall, of_provider, of_day] {
            // What is missing is in no rate, so nobody asks who has seen what.
            add_slot(figures, slot, true, slot.scheduled_at);
        }
    }
    let mut by_provider: Vec<_> = by_provider
        .into_iter()
        .filter(|(_, figures)| figures.sent + figures.bounced > 0)
        .map(|(provider, figures)| (provider.to_owned(), figures))
        .collect();
    // Stable, so that equals stay in order of their names.
    by_provider.sort_by_key(|(_, figures)| core::cmp::Reverse(figures.sent));
    let days = by_day
        .into_iter()
        .rev()
        .map(|(date, figures)| DatedFigures { date, figures })
        .collect();
    Deliverability {
        overall,
        by_provider,
        days,
    }
}

#[cfg(test)]
mod tests;
