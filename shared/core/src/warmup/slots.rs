//! At which instants of a day an account opens its threads (decision 26).
//!
//! People write in bursts: a few mails a minute or four apart, then nothing for a while. So the free time of a day is dealt out to the
//! gaps before, between and after its mails: about half of the gaps are short ones within a burst, the rest share what is left unevenly.
//! Every gap has its minute first, so no two mails are ever closer, whatever is dealt.

use jiff::Timestamp;

use crate::seed::SeedRng;
use crate::time::{ceil_second, seconds_between, shifted};
use crate::warmup::day::Window;
use crate::warmup::thresholds::MIN_SECONDS_BETWEEN_MAILS as GAP;

/// How likely a mail follows the one before it in the same burst.
const BURST_CHANCE: f64 = 0.45;
/// Seconds beyond the minute that a gap within a burst lasts at most.
const BURST_GAP_SECONDS: u64 = 180;

/// How many mails fit into `window`, a minute apart.
pub fn capacity(window: Window) -> u32 {
    last_offset(window).map_or(0, |last| u32::try_from(last / GAP + 1).unwrap_or(0))
}

/// Seconds from the first whole second of `window` to its last one; none if it has no whole second.
fn last_offset(window: Window) -> Option<i64> {
    let open = ceil_second(window.start);
    let length = seconds_between(open, ceil_second(window.end));
    (length > 0).then_some(length - 1)
}

/// `wanted` instants in `window`, whole seconds, in order, at least a minute apart; fewer if no more fit.
pub fn instants(wanted: u32, window: Window, rng: &mut SeedRng) -> Vec<Timestamp> {
    let count = wanted.min(capacity(window));
    let Some(last) = last_offset(window) else {
        return Vec::new();
    };
    let spare = last - i64::from(count.saturating_sub(1)) * GAP;
    let gaps = deal(u64::try_from(spare).unwrap_or(0), count, rng);
    let mut at = ceil_second(window.start);
    let mut instants = Vec::with_capacity(gaps.len());
    for (index, gap) in gaps.into_iter().enumerate() {
        let minute = if index == 0 { 0 } else { GAP };
        at = shifted(at, minute + i64::try_from(gap).unwrap_or(0));
        instants.push(at);
    }
    instants
}

/// What of `spare` seconds each of `count` mails waits, beyond the minute after the mail before it; the rest is left after the last.
fn deal(spare: u64, count: u32, rng: &mut SeedRng) -> Vec<u64> {
    // Short gaps take at most half of the spare time, however little there is.
    let most = BURST_GAP_SECONDS.min(spare / (2 * u64::from(count.max(1))));
    let short: Vec<Option<u64>> = (0..count)
        .map(|index| {
            let (follows, gap) = (rng.unit() < BURST_CHANCE, rng.below(most + 1));
            (index > 0 && follows).then_some(gap)
        })
        .collect();
    let rest = spare.saturating_sub(short.iter().flatten().sum());
    // Long gaps and the one after the last mail share the rest by weights that differ a lot.
    let weights: Vec<u64> = (0..=count)
        .map(|_| 1 + rng.below(1000) * rng.below(1000) / 1000)
        .collect();
    let after_last = weights.last().copied().unwrap_or(1);
    let total: u64 = short
        .iter()
        .zip(&weights)
        .filter(|(short, _)| short.is_none())
        .map(|(_, weight)| *weight)
        .sum::<u64>()
        + after_last;
    short
        .into_iter()
        .zip(weights)
        .map(|(short, weight)| short.unwrap_or(rest * weight / total))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seed::Seed;
    use crate::warmup::samples::at;

    fn hours(hours: i64) -> Window {
        let start = at("2026-03-13T08:00:00Z");
        Window {
            start,
            end: shifted(start, hours * 3600),
        }
    }

    #[test]
    fn a_day_looks_like_somebody_at_work() {
        let times: Vec<_> = instants(12, hours(10), &mut Seed::root(b"somebody").rng())
            .into_iter()
            .map(|it| it.to_string()[11..19].to_owned())
            .collect();
        insta::assert_snapshot!(times.join(" "), @r"08:34:19 10:13:14 10:16:37 10:19:44 10:26:21 10:54:16 10:58:04 14:37:24 14:38:45 14:42:30 15:27:34 15:31:26");
    }

    #[test]
    fn a_window_holds_a_mail_a_minute() {
        let start = at("2026-03-13T08:00:00Z");
        for (millis, expected) in [
            (0, 0),
            (1, 1),
            (1000, 1),
            (60_000, 1),
            (60_001, 2),
            (61_000, 2),
            (3_600_000, 60),
        ] {
            let end = Timestamp::from_millisecond(start.as_millisecond() + millis).unwrap();
            let window = Window { start, end };
            assert_eq!(capacity(window), expected, "{millis} ms");
            assert_eq!(
                instants(100, window, &mut Seed::root(b"x").rng()).len() as u64,
                u64::from(expected)
            );
        }
        // The first whole second lies beyond the end.
        let window = Window {
            start: at("2026-03-13T08:00:00.5Z"),
            end: at("2026-03-13T08:00:00.9Z"),
        };
        assert_eq!(capacity(window), 0);
    }

    #[test]
    fn mails_come_in_bursts_over_the_whole_day() {
        let (mut short, mut gaps, mut early, mut late) = (0, 0, 0, 0);
        for n in 0..200_u32 {
            let times = instants(20, hours(10), &mut Seed::root(&n.to_be_bytes()).rng());
            for pair in times.windows(2) {
                gaps += 1;
                short += u32::from(seconds_between(pair[0], pair[1]) <= 240);
            }
            let noon = shifted(hours(10).start, 5 * 3600);
            early += times.iter().filter(|it| **it < noon).count();
            late += times.iter().filter(|it| **it >= noon).count();
        }
        assert!(
            (40..65).contains(&(short * 100 / gaps)),
            "{short} of {gaps}"
        );
        assert!((80..125).contains(&(early * 100 / late)), "{early} {late}");
    }

    proptest! {
        #[test]
        fn mails_stay_inside_and_a_minute_apart(
            wanted in 0_u32..250, start in 0_i64..5000, length in 0_i64..40_000_000, seed: u64,
        ) {
            let base = hours(0).start.as_millisecond() + start;
            let window = Window {
                start: Timestamp::from_millisecond(base).unwrap(),
                end: Timestamp::from_millisecond(base + length).unwrap(),
            };
            let times = instants(wanted, window, &mut Seed::root(&seed.to_be_bytes()).rng());
            prop_assert_eq!(times.len() as u64, u64::from(wanted.min(capacity(window))));
            prop_assert!(times.iter().all(|it| window.contains(*it)));
            prop_assert!(times.windows(2).all(|pair| seconds_between(pair[0], pair[1]) >= 60));
        }
    }
}
