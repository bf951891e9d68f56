//! Instants that keep their distance: no two mails of one account within a minute (decision 26).
//!
//! Times are whole seconds. A stretch of time is `[start, end)`, what is taken in it keeps a minute free on either side.

use jiff::Timestamp;

use crate::seed::{Seed, SeedRng};
use crate::time::{ceil_second, seconds_between, shifted};
use crate::warmup::day::Window;
use crate::warmup::thresholds::MIN_SECONDS_BETWEEN_MAILS as GAP;

/// `wanted` instants, evenly spread over `window` with jitter, in order of time, a minute away from each other and from `taken` (in order
/// of time). Fewer if not as many fit.
pub fn spread(
    wanted: usize,
    window: Window,
    taken: &[Timestamp],
    rng: &mut SeedRng,
) -> Vec<Timestamp> {
    let open = ceil_second(window.start);
    let latest = packed_to_the_end(wanted, open, window.end, taken);
    let length = u64::try_from(seconds_between(open, window.end)).unwrap_or(0);
    let count = latest.len() as u64;
    let mut placed: Vec<Timestamp> = Vec::with_capacity(latest.len());
    for (index, latest) in (0_u64..).zip(latest) {
        let stretch = length / count.max(1);
        let offset = index * length / count.max(1) + rng.below(stretch.max(1));
        let target = shifted(open, i64::try_from(offset).unwrap_or(0));
        let earliest = placed.last().map_or(open, |last| shifted(*last, GAP));
        // Never later than where the rest would no longer fit; that bound is itself free and a minute after the last one's.
        placed.push(next_free(target.max(earliest), taken).min(latest));
    }
    placed
}

/// An instant in `window` for one of several that wait for the same, drawn from its own `seed`; the start of a window that is empty.
pub fn one_of_many(window: Window, seed: &Seed) -> Timestamp {
    let length = seconds_between(window.start, window.end);
    let offset = seed.below(u64::try_from(length).unwrap_or(0));
    shifted(window.start, i64::try_from(offset).unwrap_or(0))
}

/// Up to `wanted` instants, as late as possible: packing greedily from either end fits the most.
fn packed_to_the_end(
    wanted: usize,
    open: Timestamp,
    end: Timestamp,
    taken: &[Timestamp],
) -> Vec<Timestamp> {
    let mut packed = Vec::with_capacity(wanted);
    let mut at = last_free(shifted(ceil_second(end), -1), taken);
    while packed.len() < wanted && at >= open {
        packed.push(at);
        at = last_free(shifted(at, -GAP), taken);
    }
    packed.reverse();
    packed
}

/// The first instant from `at` on that is a minute away from all of `taken` (in order of time).
pub(crate) fn next_free(at: Timestamp, taken: &[Timestamp]) -> Timestamp {
    taken.iter().fold(at, |at, taken| {
        if shifted(*taken, -GAP) < at && at < shifted(*taken, GAP) {
            ceil_second(shifted(*taken, GAP))
        } else {
            at
        }
    })
}

fn last_free(at: Timestamp, taken: &[Timestamp]) -> Timestamp {
    taken.iter().rev().fold(at, |at, taken| {
        if shifted(*taken, -GAP) < at && at < shifted(*taken, GAP) {
            floor_second(shifted(*taken, -GAP))
        } else {
            at
        }
    })
}

fn floor_second(at: Timestamp) -> Timestamp {
    let ceiling = ceil_second(at);
    if ceiling == at {
        at
    } else {
        shifted(ceiling, -1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::warmup::samples::at;

    fn window(seconds: i64) -> Window {
        let start = at("2026-03-13T08:00:00Z");
        Window {
            start,
            end: shifted(start, seconds),
        }
    }

    fn offsets(instants: &[Timestamp]) -> Vec<i64> {
        instants
            .iter()
            .map(|it| seconds_between(window(0).start, *it))
            .collect()
    }

    /// The first instant from `at` on, inside `window`, that is a minute away from all of `taken` (in order of time).
    fn clear_of(at: Timestamp, taken: &[Timestamp], window: Window) -> Option<Timestamp> {
        let free = next_free(ceil_second(at.max(window.start)), taken);
        (free < window.end).then_some(free)
    }

    #[test]
    fn a_window_holds_one_mail_a_minute_and_no_more() {
        let mut rng = Seed::root(b"spacing").rng();
        assert_eq!(
            offsets(&spread(9, window(241), &[], &mut rng)),
            [0, 60, 120, 180, 240]
        );
        assert_eq!(spread(9, window(240), &[], &mut rng).len(), 4);
        assert_eq!(spread(9, window(0), &[], &mut rng), []);
        // 41 seconds are free before what is taken at 100, 81 after it.
        let taken = [shifted(window(0).start, 100)];
        let placed = offsets(&spread(9, window(241), &taken, &mut rng));
        assert!(
            matches!(placed[..], [0..=40, 160..=180, 220..=240]),
            "{placed:?}"
        );
    }

    #[test]
    fn many_that_wait_come_all_over_the_window() {
        let drawn: Vec<_> = (0..100_u64)
            .map(|n| one_of_many(window(600), &Seed::root(&n.to_be_bytes())))
            .collect();
        let drawn = offsets(&drawn);
        assert!(drawn.iter().all(|offset| (0..600).contains(offset)));
        for tenth in 0..10 {
            let in_it = drawn.iter().filter(|offset| **offset / 60 == tenth);
            assert!((2..25).contains(&in_it.count()), "{tenth}: {drawn:?}");
        }
        for empty in [0, -600] {
            let start = one_of_many(window(empty), &Seed::root(b"empty"));
            assert_eq!(start, window(empty).start);
        }
    }

    #[test]
    fn what_is_in_the_way_is_stepped_over() {
        let start = window(0).start;
        let taken = [30, 90, 400].map(|seconds| shifted(start, seconds));
        for (from, expected) in [
            (0, Some(150)),
            (150, Some(150)),
            (341, Some(460)),
            (700, None),
        ] {
            let clear = clear_of(shifted(start, from), &taken, window(600));
            assert_eq!(
                clear.map(|it| seconds_between(start, it)),
                expected,
                "{from}"
            );
        }
    }

    proptest! {
        #[test]
        fn instants_keep_their_distance_and_stay_inside(
            wanted in 0_usize..80, length in 0_i64..7200, seed: u64,
            mut taken in prop::collection::vec(-100_000_i64..7_300_000, 0..20),
        ) {
            taken.sort_unstable();
            let window = window(length);
            // Taken instants may have fractions of a second.
            let taken: Vec<_> = taken
                .into_iter()
                .map(|millis| Timestamp::from_millisecond(window.start.as_millisecond() + millis).unwrap())
                .collect();
            let mut rng = Seed::root(&seed.to_be_bytes()).rng();
            let placed = spread(wanted, window, &taken, &mut rng);

            prop_assert!(placed.len() <= wanted);
            let far = |a: Timestamp, b: Timestamp| a.duration_since(b).as_millis().abs() >= 60_000;
            prop_assert!(placed.windows(2).all(|pair| pair[0] < pair[1] && far(pair[0], pair[1])));
            for at in &placed {
                prop_assert!(window.contains(*at));
                prop_assert!(taken.iter().all(|taken| far(*at, *taken)));
            }
            // Fewer than wanted only if no more fit: packing from the start fits no more either.
            let mut fits = 0;
            let mut next = clear_of(window.start, &taken, window);
            while let Some(at) = next {
                fits += 1;
                next = clear_of(shifted(at, 60), &taken, window);
            }
            prop_assert_eq!(placed.len(), wanted.min(fits));
        }
    }
}
