//! Time and chance under a test's control.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use agentwarm_app::ports::clock::{Clock, Entropy};
use agentwarm_core::seed::Seed;
use jiff::{SignedDuration, Timestamp};

use crate::chaos::Chaos;

/// Two clocks that stand still until they are moved.
#[derive(Debug)]
pub struct VirtualClock(Mutex<Times>);

#[derive(Debug, Clone, Copy)]
struct Times {
    wall: Timestamp,
    schedule: Timestamp,
}

impl VirtualClock {
    /// Both clocks at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(Times {
            wall: now,
            schedule: now,
        }))
    }

    /// Moves both clocks forward; `by` below zero turns them back, as a skewed machine would.
    pub fn advance(&self, by: SignedDuration) {
        self.change(|times| {
            times.wall = moved(times.wall, by);
            times.schedule = moved(times.schedule, by);
        });
    }

    /// Moves only the wall clock, as when the schedule waits for work in flight.
    pub fn advance_wall(&self, by: SignedDuration) {
        self.change(|times| times.wall = moved(times.wall, by));
    }

    /// Sets both clocks.
    pub fn set(&self, now: Timestamp) {
        self.change(|times| {
            *times = Times {
                wall: now,
                schedule: now,
            };
        });
    }

    fn change(&self, change: impl FnOnce(&mut Times)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn times(&self) -> Times {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clock of a machine that goes by another clock, and is ahead of it or behind. For a task that waited for a server it is later than for
/// the others.
#[derive(Debug)]
pub struct SkewedClock {
    right: Arc<VirtualClock>,
    chaos: Arc<Chaos>,
    name: &'static str,
    ahead: Mutex<Ahead>,
}

/// How far a clock is ahead, and whether somebody has read it since it is.
#[derive(Debug, Clone, Copy, Default)]
struct Ahead {
    by: SignedDuration,
    read: bool,
}

impl SkewedClock {
    /// A clock that is right until it is told otherwise. By its name the chaos knows who met that it is wrong.
    pub fn beside(right: Arc<VirtualClock>, chaos: Arc<Chaos>, name: &'static str) -> Self {
        Self {
            right,
            chaos,
            name,
            ahead: Mutex::default(),
        }
    }

    /// Makes it wrong by so much; below zero it is late. It counts as met once somebody reads it.
    pub fn set_ahead(&self, by: SignedDuration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Ahead { by, read: false };
    }

    fn ahead(&self) -> SignedDuration {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if !ahead.by.is_zero() && !ahead.read {
            let what = if ahead.by.is_positive() {
                "ahead"
            } else {
                "behind"
            };
            self.chaos.note(self.name, what);
        }
        ahead.read = true;
        let waited = SignedDuration::try_from(self.chaos.elapsed());
        ahead
            .by
            .saturating_add(waited.unwrap_or(SignedDuration::MAX))
    }
}

impl Clock for SkewedClock {
    fn wall(&self) -> Timestamp {
        moved(self.right.wall(), self.ahead())
    }

    fn schedule(&self) -> Timestamp {
        moved(self.right.schedule(), self.ahead())
    }
}

fn moved(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl Clock for VirtualClock {
    fn wall(&self) -> Timestamp {
        self.times().wall
    }

    fn schedule(&self) -> Timestamp {
        self.times().schedule
    }
}

/// Bits that follow from a seed and how often they were asked for, so that a world replays.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: Seed,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// The stream of `seed`.
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn bits(&self) -> u128 {
        let draw = self.drawn.fetch_add(1, Ordering::Relaxed);
        self.seed.child_bytes("draw", &draw.to_be_bytes()).entropy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_move_only_when_told() {
        let start = "2026-03-13T09:00:00Z".parse().unwrap();
        let clock = VirtualClock::at(start);
        clock.advance(SignedDuration::from_hours(1));
        clock.advance_wall(SignedDuration::from_secs(5));
        assert_eq!(clock.schedule().to_string(), "2026-03-13T10:00:00Z");
        assert_eq!(clock.wall().to_string(), "2026-03-13T10:00:05Z");
    }

    #[test]
    fn entropy_replays_and_does_not_repeat() {
        let draws = |seed: &[u8]| {
            let entropy = SeededEntropy::new(Seed::root(seed));
            [entropy.bits(), entropy.bits()]
        };
        assert_eq!(draws(b"a"), draws(b"a"));
        assert_ne!(draws(b"a"), draws(b"b"));
        assert_ne!(draws(b"a")[0], draws(b"a")[1]);
    }
}
