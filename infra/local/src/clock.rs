//! The schedule clock of the local stack: it stands still while work is done, and moves when it is told to.
//!
//! Days, slots and engagement live on this clock; everything that has to do with machines (time-outs, leases, rate limits) lives on real
//! time, which it passes through. Where the stack runs in real time both are the same, as on AWS.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use agentwarm_app::ports::clock::Clock;
use agentwarm_lambda::bootstrap::SystemClock;
use jiff::{SignedDuration, Timestamp};

/// How fast days pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As they do.
    Real,
    /// One in so much real time, or slower where the work of a minute takes longer than that minute's share.
    DayIn(Duration),
}

/// Minutes in a day.
const DAY_MINUTES: u32 = 24 * 60;

impl Pace {
    /// How much real time a minute gets; `None` where time is real.
    pub fn minute(self) -> Option<Duration> {
        match self {
            Self::Real => None,
            Self::DayIn(day) => Some(day / DAY_MINUTES),
        }
    }
}

/// Both clocks.
#[derive(Debug)]
pub struct LocalClock(Mutex<Option<Timestamp>>);

impl LocalClock {
    /// A schedule clock that stands at `at`.
    pub fn standing_at(at: Timestamp) -> Self {
        Self(Mutex::new(Some(at)))
    }

    /// A schedule clock that is the wall clock.
    pub fn real() -> Self {
        Self(Mutex::new(None))
    }

    /// Moves the schedule clock forward; one that is there or further, or real, stays as it is.
    pub fn advance_to(&self, at: Timestamp) {
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = *standing {
            *standing = Some(now.max(at));
        }
    }
}

impl Clock for LocalClock {
    fn wall(&self) -> Timestamp {
        SystemClock.wall()
    }

    fn schedule(&self) -> Timestamp {
        let standing = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        standing.unwrap_or_else(|| self.wall())
    }
}

/// The first whole minute after `at`.
pub fn next_minute(at: Timestamp) -> Timestamp {
    let into_minute = at.as_second().rem_euclid(60);
    let whole = Timestamp::from_second(at.as_second() - into_minute).unwrap_or(at);
    whole
        .checked_add(SignedDuration::from_mins(1))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_standing_clock_moves_forward_only() {
        let clock = LocalClock::standing_at(at("2026-03-13T09:00:00Z"));
        clock.advance_to(at("2026-03-13T08:00:00Z"));
        assert_eq!(clock.schedule(), at("2026-03-13T09:00:00Z"));
        clock.advance_to(at("2026-03-13T09:01:00Z"));
        assert_eq!(clock.schedule(), at("2026-03-13T09:01:00Z"));
    }

    #[test]
    fn a_real_clock_cannot_be_moved() {
        let clock = LocalClock::real();
        clock.advance_to(at("2199-01-01T00:00:00Z"));
        assert!(clock.schedule() < at("2199-01-01T00:00:00Z"));
    }

    #[test]
    fn minutes_are_whole() {
        assert_eq!(
            next_minute(at("2026-03-13T09:00:00Z")),
            at("2026-03-13T09:01:00Z")
        );
        assert_eq!(
            next_minute(at("2026-03-13T09:00:59.9Z")),
            at("2026-03-13T09:01:00Z")
        );
        assert_eq!(
            next_minute(at("1969-12-31T23:59:30Z")),
            at("1970-01-01T00:00:00Z")
        );
    }

    #[test]
    fn a_day_in_a_minute_is_a_minute_in_a_twenty_fourth_of_a_second() {
        let pace = Pace::DayIn(Duration::from_mins(1));
        assert_eq!(pace.minute(), Some(Duration::from_nanos(41_666_666)));
        assert_eq!(Pace::Real.minute(), None);
    }
}
