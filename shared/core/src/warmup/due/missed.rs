//! Catching up: what was to be sent while no tick ran is spread over what is left of its day.

use jiff::Timestamp;

use super::DueSend;
use crate::mail::slot::SkipReason;
use crate::seed::Seed;
use crate::time::{seconds_between, shifted};
use crate::warmup::day::Window;
use crate::warmup::planner::TAIL_SECONDS;
use crate::warmup::spacing;
use crate::warmup::thresholds::MIN_SECONDS_BETWEEN_MAILS;

/// What is left of one account's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestOfDay<'a> {
    /// The day's working hours.
    pub window: Window,
    /// How many mails were planned for all of it.
    pub planned: u32,
    /// When the account's other mails are due, in order of time.
    pub upcoming: &'a [Timestamp],
}

/// What became of missed sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spread {
    /// Those that are sent after all, with their new instants, in order.
    pub moved: Vec<(DueSend, Timestamp)>,
    /// Those that no longer fit, and why.
    pub skipped: Vec<(DueSend, SkipReason)>,
}

/// Gives one account's missed sends new instants in what is left of their day from `now` on: in their order, a minute apart from each
/// other and from what is upcoming, never outside working hours, and not so many that mail would leave at more than twice the planned
/// pace. The others are skipped. `seed` is the account's.
pub fn spread_missed(
    missed: &[DueSend],
    rest: &RestOfDay<'_>,
    now: Timestamp,
    seed: &Seed,
) -> Spread {
    // A tick's length ahead, so that the new entries lie where the next tick looks.
    let start = rest
        .window
        .start
        .max(shifted(now, 2 * MIN_SECONDS_BETWEEN_MAILS));
    let ends = [shifted(rest.window.end, -TAIL_SECONDS), rest.window.end];
    let end = ends.into_iter().find(|end| start < *end).unwrap_or(start);
    let left = Window { start, end };
    let mut rng = seed.child_bytes("missed", now.to_string().as_bytes()).rng();
    let room = at_twice_the_pace(rest, left);
    let instants = spacing::spread(missed.len().min(room), left, rest.upcoming, &mut rng);
    let mut spread = Spread::default();
    let mut instants = instants.into_iter();
    for send in missed {
        match instants.next() {
            Some(at) => spread.moved.push((*send, at)),
            None => spread.skipped.push((*send, SkipReason::OutsideHours)),
        }
    }
    spread
}

/// How many mails may be added to what is left of the day; at least one, if anything is left.
fn at_twice_the_pace(rest: &RestOfDay<'_>, left: Window) -> usize {
    let part = seconds_between(left.start, left.end);
    let whole = seconds_between(rest.window.start, rest.window.end);
    if part <= 0 || whole <= 0 {
        return 0;
    }
    let allowed = (2 * i64::from(rest.planned) * part + whole - 1) / whole;
    let upcoming = rest
        .upcoming
        .iter()
        .filter(|at| left.contains(**at))
        .count();
    usize::try_from(allowed)
        .unwrap_or(0)
        .saturating_sub(upcoming)
        .max(1)
}
