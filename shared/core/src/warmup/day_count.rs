//! Counting the days of a warmup (decision 18).
//!
//! Days are calendar dates, 1-based from the start. A date counts if the account was warming at any moment of it, so days stand still
//! while it is paused. Nothing runs at midnight to count them: the number is brought up to date whenever something happens, from the
//! last date that was counted. That also counts the dates of an outage of ours, during which the account was warming all the same.

use jiff::civil::Date;

use crate::account::Warmup;

impl Warmup {
    /// This warmup on `date`, having been warming without a break since the last counted date. A date that was counted, or lies before
    /// (the zone changed), counts no second time.
    #[must_use]
    pub fn counted_to(&self, date: Date) -> Self {
        let days = match self.last_day {
            Some(last) => days_between(last, date),
            None => 1,
        };
        self.counting(days, date)
    }

    /// This warmup taken up again on `date`: the dates since the last counted one stood still, `date` itself counts.
    #[must_use]
    pub fn resumed_on(&self, date: Date) -> Self {
        let counts = self.last_day.is_none_or(|last| last < date);
        self.counting(u32::from(counts), date)
    }

    fn counting(&self, days: u32, date: Date) -> Self {
        if days == 0 {
            return self.clone();
        }
        Self {
            day_number: self.day_number.saturating_add(days),
            last_day: Some(date),
            ..self.clone()
        }
    }
}

/// Dates from `from` to `to`, 0 when `to` is not later.
pub(crate) fn days_between(from: Date, to: Date) -> u32 {
    u32::try_from(to.duration_since(from).as_hours() / 24).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::warmup::samples;

    #[test]
    fn dates_count_once_each_while_warming_and_stand_still_while_paused() {
        let first = date(2026, 3, 13);
        let warmup = samples::warmup(1, first);

        assert_eq!(warmup.counted_to(first).day_number, 1, "the same date");
        assert_eq!(
            warmup.counted_to(date(2026, 3, 12)),
            warmup,
            "a date before"
        );
        assert_eq!(warmup.counted_to(date(2026, 3, 14)).day_number, 2);
        assert_eq!(
            warmup.counted_to(date(2026, 3, 16)).day_number,
            4,
            "an outage of ours over two dates"
        );

        let paused = warmup.counted_to(date(2026, 3, 14));
        assert_eq!(
            paused.resumed_on(date(2026, 3, 14)).day_number,
            2,
            "resumed on the date of the pause"
        );
        let resumed = paused.resumed_on(date(2026, 4, 20));
        assert_eq!(
            (resumed.day_number, resumed.last_day),
            (3, Some(date(2026, 4, 20)))
        );
        assert_eq!(resumed.counted_to(date(2026, 4, 21)).day_number, 4);
    }

    #[test]
    fn daylight_saving_neither_adds_nor_drops_a_date() {
        assert_eq!(days_between(date(2026, 3, 28), date(2026, 3, 30)), 2);
        assert_eq!(days_between(date(2026, 3, 30), date(2026, 3, 28)), 0);
        assert_eq!(days_between(date(2025, 12, 31), date(2026, 1, 1)), 1);
    }
}
