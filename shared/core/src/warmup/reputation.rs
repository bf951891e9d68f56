//! Reputation: one number for how a mailbox fares (API reference, Reputation Score; decision 24).
//!
//! The rates here are those of a set of figures, usually one day's; analytics shows the same functions' results, so that what clients see
//! and what decides is one calculation. Each rate is clamped to [0, 1] and x/0 is 0.

use crate::account::INITIAL_REPUTATION;
use crate::rate::{Rate, Score};
use crate::warmup::day::DayFigures;

/// Points that full inbox placement adds.
const INBOX_PLACEMENT_POINTS: f64 = 20.0;
/// Points that opening everything adds.
const OPEN_POINTS: f64 = 15.0;
/// Points that answering everything adds.
const REPLY_POINTS: f64 = 15.0;
/// Points that bouncing everything costs.
const BOUNCE_POINTS: f64 = 30.0;
/// Points that landing in spam with everything costs.
const SPAM_POINTS: f64 = 40.0;

/// (sent − bounced − spammed) / sent.
pub fn inbox_placement_rate(figures: &DayFigures) -> Rate {
    let placed = figures
        .sent
        .saturating_sub(figures.bounced)
        .saturating_sub(figures.spammed);
    Rate::of(placed, figures.sent)
}

/// opened / received.
pub fn open_rate(figures: &DayFigures) -> Rate {
    Rate::of(figures.opened, figures.received)
}

/// replied / received.
pub fn reply_rate(figures: &DayFigures) -> Rate {
    Rate::of(figures.replied, figures.received)
}

/// bounced / sent.
pub fn bounce_rate(figures: &DayFigures) -> Rate {
    Rate::of(figures.bounced, figures.sent)
}

/// spammed / sent.
pub fn spam_rate(figures: &DayFigures) -> Rate {
    Rate::of(figures.spammed, figures.sent)
}

/// The documented formula over `figures`.
pub fn reputation(figures: &DayFigures) -> Score {
    Score::clamped(
        INITIAL_REPUTATION
            + inbox_placement_rate(figures).get() * INBOX_PLACEMENT_POINTS
            + open_rate(figures).get() * OPEN_POINTS
            + reply_rate(figures).get() * REPLY_POINTS
            - bounce_rate(figures).get() * BOUNCE_POINTS
            - spam_rate(figures).get() * SPAM_POINTS,
    )
}

/// The reputation after a day with `figures`: the formula if anything was sent, else `before`, so that a weekend does not reset it.
pub fn carried_over(before: Score, figures: &DayFigures) -> Score {
    if figures.sent == 0 {
        before
    } else {
        reputation(figures)
    }
}

/// How far day `day` is into the ramp, in percent with one decimal, at most 100 (decision 18).
pub fn progress_percent(day: u32, ramp_up_days: u32) -> f64 {
    Score::clamped(f64::from(day) / f64::from(ramp_up_days.max(1)) * 100.0).get()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(
        sent: u32,
        bounced: u32,
        spammed: u32,
        received: u32,
        opened: u32,
        replied: u32,
    ) -> DayFigures {
        DayFigures {
            sent,
            bounced,
            spammed,
            received,
            opened,
            replied,
            ..DayFigures::default()
        }
    }

    fn score(figures: &DayFigures) -> String {
        reputation(figures).get().to_string()
    }

    #[test]
    fn the_references_statements() {
        // "A new account with no sends starts at 50."
        assert_eq!(score(&DayFigures::default()), "50");
        // "Perfect deliverability with full engagement reaches 100."
        assert_eq!(score(&figures(10, 0, 0, 10, 10, 10)), "100");
        // "A 10% bounce rate costs 3 points" besides the 2 that are missing in inbox placement…
        assert_eq!(score(&figures(10, 0, 0, 0, 0, 0)), "70");
        assert_eq!(score(&figures(10, 1, 0, 0, 0, 0)), "65");
        // … and "a 10% spam rate costs 4 points".
        assert_eq!(score(&figures(10, 0, 1, 0, 0, 0)), "64");
    }

    #[test]
    fn rates_over_one_are_clamped_and_shares_of_nothing_are_nothing() {
        let late = figures(2, 5, 0, 1, 3, 2);
        assert_eq!(bounce_rate(&late), Rate::ONE);
        assert_eq!(open_rate(&late), Rate::ONE);
        assert_eq!(inbox_placement_rate(&late), Rate::ZERO);
        assert_eq!(score(&late), "50");
        assert_eq!(spam_rate(&DayFigures::default()), Rate::ZERO);
    }

    #[test]
    fn one_decimal() {
        // 50 + 20 × 2/3 + 15 × 1/3 + 0 − 30 × 1/3 = 58.333…
        assert_eq!(score(&figures(3, 1, 0, 3, 1, 0)), "58.3");
    }

    #[test]
    fn a_day_without_sends_carries_the_reputation_over() {
        let before = Score::clamped(85.5);
        assert_eq!(
            carried_over(before, &figures(0, 0, 0, 4, 4, 4)),
            before,
            "receiving alone changes nothing"
        );
        assert_eq!(
            carried_over(before, &figures(1, 0, 0, 0, 0, 0)),
            Score::clamped(70.0)
        );
    }

    #[test]
    fn progress_has_one_decimal_and_ends_at_100() {
        for (day, of, percent) in [
            (12, 45, "26.7"),
            (45, 45, "100"),
            (60, 45, "100"),
            (0, 45, "0"),
            (1, 0, "100"),
        ] {
            assert_eq!(progress_percent(day, of).to_string(), percent);
        }
    }

    proptest! {
        #[test]
        fn it_stays_between_0_and_100_and_a_bounce_or_spam_never_helps(
            sent in 1_u32..500, bounced in 0_u32..500, spammed in 0_u32..500,
            received in 0_u32..500, opened in 0_u32..500, replied in 0_u32..500,
        ) {
            let it = figures(sent, bounced, spammed, received, opened, replied);
            let score = reputation(&it).get();
            prop_assert!((0.0..=100.0).contains(&score));
            let more_bounces = DayFigures { bounced: bounced + 1, ..it };
            let more_spam = DayFigures { spammed: spammed + 1, ..it };
            prop_assert!(reputation(&more_bounces).get() <= score);
            prop_assert!(reputation(&more_spam).get() <= score);
        }
    }
}
