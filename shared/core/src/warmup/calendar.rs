//! The calendar: which dates are sending days, when their working hours are, and when each day is planned.
//!
//! Working hours are clock hours of the account's zone, `[start, end)` (decision 26). A window is therefore computed from the civil clock
//! for each date, and is an hour longer or shorter where daylight saving changes within it. It never reaches beyond its own date: in a
//! zone that skips a whole date that date has no window.
//!
//! **When a day is planned.** The plan must be there before the window opens, and not all plans at one minute. So each account has a
//! seeded moment per date between 00:05 and 03:55 local time, at the latest five minutes before its window opens. Where the window
//! opens too early for that (`workingHoursStart` 0), the day is planned in the last hour of the evening before: as `workingHoursEnd` is
//! at most 23, the hour before midnight is never a working hour, so the day before has sent all it will send by then.
//!
//! **How far days lie apart.** A planned day starts at least 20 h after the last planned one (decision 18) and has a later date. Both
//! matter only when the zone changes: travelling west repeats a date, travelling east shortens a day.

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan};

use crate::account::Warmup;
use crate::pool::PoolConfig;
use crate::seed::Seed;
use crate::time::{DaySpan, Zone, seconds_between, shifted};
use crate::warmup::day::Window;
use crate::warmup::thresholds::MIN_HOURS_BETWEEN_DAYS;

/// Planning begins this long after local midnight at the earliest: late events of the old day settle first.
const PLANNING_FROM_SECONDS: i64 = 5 * 60;
/// Planning begins this long after local midnight at the latest.
const PLANNING_UNTIL_SECONDS: i64 = (3 * 60 + 55) * 60;
/// A plan is made this long before its window opens at the latest.
const PLANNING_LEAD_SECONDS: i64 = 5 * 60;
/// How long the stretch is from which the moment is drawn when the day is planned on the evening before.
const EVENING_SECONDS: i64 = 50 * 60;
/// How many dates ahead a window is looked for. Any configuration has one within a weekend and a day that daylight saving eats.
const DATES_AHEAD: usize = 14;

/// The day that was planned last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPlanned {
    /// Its date.
    pub date: Date,
    /// Its first instant, in the zone it was planned in.
    pub start: Timestamp,
}

/// The day to plan next, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextPlanning {
    /// The date.
    pub date: Date,
    /// When to plan it. In the past when it is overdue: plan at once, pro rata.
    pub at: Timestamp,
}

impl Warmup {
    /// The day that was planned last.
    pub fn last_planned(&self) -> Option<LastPlanned> {
        self.last_planned_date
            .zip(self.last_planned_start)
            .map(|(date, start)| LastPlanned { date, start })
    }
}

/// Whether mail leaves on `date` at all.
pub fn is_sending_day(date: Date, config: &PoolConfig) -> bool {
    config.send_on_weekends || !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The working hours of `date`; none on a day off, nor where daylight saving leaves nothing of them.
pub fn window_on(zone: &Zone, config: &PoolConfig, date: Date) -> Option<Window> {
    if is_sending_day(date, config) {
        working_hours(zone, config, date)
    } else {
        None
    }
}

fn working_hours(zone: &Zone, config: &PoolConfig, date: Date) -> Option<Window> {
    let span = zone.day(date);
    let window = Window {
        start: zone
            .instant(date, config.working_hours_start)
            .max(span.start),
        end: zone.instant(date, config.working_hours_end).min(span.end),
    };
    (window.start < window.end).then_some(window)
}

/// The first window that is not over at `at`; `at` may lie in it. None only at the end of representable time.
pub fn window_at_or_after(zone: &Zone, config: &PoolConfig, at: Timestamp) -> Option<Window> {
    windows_from(zone, config, zone.date_of(at)).find(|window| at < window.end)
}

/// The first window of a date later than `date`. None only at the end of representable time.
pub fn window_after_date(zone: &Zone, config: &PoolConfig, date: Date) -> Option<Window> {
    windows_from(zone, config, date.tomorrow().ok()?).next()
}

fn windows_from<'a>(
    zone: &'a Zone,
    config: &'a PoolConfig,
    first: Date,
) -> impl Iterator<Item = Window> + 'a {
    first
        .series(1.day())
        .take(DATES_AHEAD)
        .filter_map(|date| window_on(zone, config, date))
}

/// The instant that lies `seconds` of working time after `from`: time outside working hours does not pass. So what happens in the
/// evening is answered in the morning, and not by everybody at the stroke of eight.
pub fn after_working_time(
    zone: &Zone,
    config: &PoolConfig,
    from: Timestamp,
    seconds: i64,
) -> Timestamp {
    let mut left = seconds.max(0);
    let mut from = from;
    for _ in 0..DATES_AHEAD {
        let Some(window) = window_at_or_after(zone, config, from) else {
            break;
        };
        let start = from.max(window.start);
        let at = shifted(start, left);
        if at < window.end {
            return at;
        }
        left -= seconds_between(start, window.end);
        from = window.end;
    }
    from
}

/// `volume` mails a day, limited to the part of `window` that is left from `from` on: in proportion, but at least 1 if any of it is
/// left (decision 18).
pub fn pro_rata(volume: u32, window: Window, from: Timestamp) -> u32 {
    if from <= window.start {
        return volume;
    }
    if from >= window.end {
        return 0;
    }
    let left = window.end.duration_since(from).as_millis();
    let whole = window.end.duration_since(window.start).as_millis();
    let share = i128::from(volume) * left / whole.max(1);
    u32::try_from(share).unwrap_or(volume).max(1).min(volume)
}

/// The next day to plan for an account in `zone`, seen from `now`. `last` is the day planned last; `seed` is the account's.
pub fn next_planning(
    zone: &Zone,
    config: &PoolConfig,
    last: Option<LastPlanned>,
    now: Timestamp,
    seed: &Seed,
) -> NextPlanning {
    let today = zone.date_of(now);
    let Some(last) = last else {
        return NextPlanning {
            date: today,
            at: planning_instant(zone, config, today, seed),
        };
    };
    let earliest = shifted(last.start, MIN_HOURS_BETWEEN_DAYS * 3600);
    let mut date = today.max(last.date.saturating_add(1.day()));
    while zone.day(date).start < earliest && date < Date::MAX {
        date = date.saturating_add(1.day());
    }
    NextPlanning {
        date,
        at: planning_instant(zone, config, date, seed).max(earliest),
    }
}

/// The moment at which `date` is planned (module documentation).
pub fn planning_instant(zone: &Zone, config: &PoolConfig, date: Date, seed: &Seed) -> Timestamp {
    let span = zone.day(date);
    let (from, until) = planning_stretch(span, working_hours(zone, config, date));
    let length = u64::try_from(seconds_between(from, until)).unwrap_or(0);
    let drawn = seed
        .child_bytes("planning", date.to_string().as_bytes())
        .below(length.saturating_add(1));
    shifted(from, i64::try_from(drawn).unwrap_or(0))
}

fn planning_stretch(span: DaySpan, window: Option<Window>) -> (Timestamp, Timestamp) {
    let from = shifted(span.start, PLANNING_FROM_SECONDS);
    let latest = shifted(span.start, PLANNING_UNTIL_SECONDS);
    let Some(window) = window else {
        return (from, latest);
    };
    let ready = shifted(window.start, -PLANNING_LEAD_SECONDS);
    if ready >= from {
        (from, latest.min(ready))
    } else {
        (shifted(ready, -EVENING_SECONDS), ready)
    }
}

#[cfg(test)]
mod tests;
