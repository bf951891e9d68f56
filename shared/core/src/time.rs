//! Time as warmup sees it: civil days in a mailbox's own zone.
//!
//! A day runs from its first instant to the next day's first instant, so it has 23 or 25 hours when daylight saving changes; whatever
//! is counted "per day" is counted over that span (decision 18). The zone database is jiff's bundled one: Lambda's image may have none.

use core::fmt;
use core::str::FromStr;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// An IANA time zone, known by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// The name is in no IANA database that we carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an IANA time zone such as Europe/London")]
pub struct UnknownZone;

/// One local day of a zone: `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySpan {
    /// The civil date.
    pub date: Date,
    /// Its first instant.
    pub start: Timestamp,
    /// The next day's first instant.
    pub end: Timestamp,
}

impl Zone {
    /// UTC, the zone of accounts that name none (decision 16).
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }

    /// The IANA name, in its canonical spelling.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The civil date at `at`.
    pub fn date_of(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The civil hour at `at`, 0–23.
    pub fn hour_of(&self, at: Timestamp) -> i8 {
        self.zone.to_datetime(at).hour()
    }

    /// The instant at which `date`'s clock first shows `hour` (24: the next day begins). An hour that the clock skips begins as long after
    /// the gap as it lies in it: one that daylight saving skips, when the gap ends. One that it repeats begins at its first turn.
    pub fn instant(&self, date: Date, hour: i8) -> Timestamp {
        let (date, hour) = if hour >= 24 {
            (date.saturating_add(1.day()), 0)
        } else {
            (date, hour.max(0))
        };
        self.zone
            .to_ambiguous_timestamp(date.at(hour, 0, 0, 0))
            .compatible()
            .unwrap_or(Timestamp::MAX)
    }

    /// The span of `date`.
    pub fn day(&self, date: Date) -> DaySpan {
        DaySpan {
            date,
            start: self.instant(date, 0),
            end: self.instant(date, 24),
        }
    }

    /// The span of the day that contains `at`.
    pub fn day_of(&self, at: Timestamp) -> DaySpan {
        self.day(self.date_of(at))
    }
}

/// How far two processes' clocks may be apart, in seconds. AWS refuses what is signed five minutes off (Signature Version 4), so a process
/// whose clock is further off does nothing at all.
pub const MOST_CLOCK_SKEW_SECONDS: i64 = 5 * 60;

/// `date`, then the dates beside it: where a day is looked for whose account may have changed its zone since it was planned.
pub fn around(date: Date) -> [Date; 3] {
    let (before, after) = (date.saturating_sub(1.day()), date.saturating_add(1.day()));
    [date, before, after]
}

/// `at` moved by `seconds`, stopping at the ends of representable time: an argument from outside can be any instant, and arithmetic on
/// it must not panic.
pub fn shifted(at: Timestamp, seconds: i64) -> Timestamp {
    let end = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    at.checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(end)
}

/// Whole seconds from `from` to `to`, rounded towards zero; negative when `to` comes first.
pub fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

/// The first whole second at or after `at`.
pub fn ceil_second(at: Timestamp) -> Timestamp {
    if at.subsec_nanosecond() == 0 {
        return at;
    }
    let floor = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    Timestamp::from_second(floor + 1).unwrap_or(Timestamp::MAX)
}

/// `at` without what is finer than a millisecond. Every instant that comes in, from a clock or a client, goes through this: so what is
/// stored is what is shown, and as fine as what an id knows of its time (RFC 9562 §5.7).
pub fn whole_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

impl DaySpan {
    /// Whether `at` lies in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Its length: 23 to 25 hours.
    pub fn length(&self) -> SignedDuration {
        self.end.duration_since(self.start)
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == "UTC" {
            return Ok(Self::utc());
        }
        let zone = TimeZoneDatabase::bundled()
            .get(name)
            .map_err(|_| UnknownZone)?;
        let name = zone.iana_name().ok_or(UnknownZone)?.to_owned();
        Ok(Self { name, zone })
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_have_23_and_25_hours_when_daylight_saving_changes() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(berlin.day(date(2026, 3, 29)).length().as_hours(), 23);
        assert_eq!(berlin.day(date(2026, 10, 25)).length().as_hours(), 25);
        assert_eq!(berlin.day(date(2026, 3, 30)).length().as_hours(), 24);
    }

    #[test]
    fn a_skipped_hour_begins_when_the_gap_ends_and_a_repeated_one_at_its_first_turn() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(
            berlin.instant(date(2026, 3, 29), 2).to_string(),
            "2026-03-29T01:00:00Z"
        );
        assert_eq!(
            berlin.instant(date(2026, 10, 25), 2).to_string(),
            "2026-10-25T00:00:00Z"
        );
    }

    #[test]
    fn names_are_canonical_and_unknown_ones_refused() {
        assert_eq!(
            "america/new_york".parse::<Zone>().unwrap().name(),
            "America/New_York"
        );
        for name in ["", "Mars/Olympus", "+02:00", "Local", "../etc/passwd"] {
            assert_eq!(name.parse::<Zone>(), Err(UnknownZone), "{name}");
        }
    }

    #[test]
    fn seconds_round_up_to_whole_ones_on_both_sides_of_1970() {
        for (from, to) in [
            ("2026-03-13T09:00:00Z", "2026-03-13T09:00:00Z"),
            ("2026-03-13T09:00:00.001Z", "2026-03-13T09:00:01Z"),
            ("1969-12-31T23:59:58.5Z", "1969-12-31T23:59:59Z"),
        ] {
            let from: Timestamp = from.parse().unwrap();
            assert_eq!(ceil_second(from).to_string(), to);
        }
        assert_eq!(shifted(Timestamp::MAX, 1), Timestamp::MAX);
        assert_eq!(shifted(Timestamp::MIN, -1), Timestamp::MIN);
    }

    #[test]
    fn what_is_finer_than_a_millisecond_is_cut_off() {
        for (from, to) in [
            ("2026-03-13T09:00:00.123456789Z", "2026-03-13T09:00:00.123Z"),
            ("2026-03-13T09:00:00.000999Z", "2026-03-13T09:00:00Z"),
        ] {
            let from: Timestamp = from.parse().unwrap();
            assert_eq!(whole_millis(from).to_string(), to);
        }
        assert!(whole_millis(Timestamp::MIN) >= Timestamp::MIN);
    }

    #[test]
    fn the_last_representable_day_still_has_a_span() {
        let span = Zone::utc().day(Date::MAX);
        assert!(span.start <= span.end);
    }
}
