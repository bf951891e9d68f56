//! Phases: which part of its warmup an account is in, by day (API reference, Phases; decision 18).
//!
//! With the default 45 days of ramp the documented dates are `ramp_up` 1–45, sustain 46–59, graduation from 60. With another
//! `rampUpDays` they scale: sustain is the 14 days after the ramp, graduation is possible from `rampUpDays + 15`. A day in sustain
//! that may not graduate is followed by another.

use crate::account::WarmupPhase;
use crate::pool::PoolConfig;
use crate::warmup::thresholds::SUSTAIN_DAYS;

/// The phase that day `day` (from 1) has by its number alone: `ramp_up` or sustain.
pub fn by_day(day: u32, config: &PoolConfig) -> WarmupPhase {
    if day <= config.ramp_up_days {
        WarmupPhase::RampUp
    } else {
        WarmupPhase::Sustain
    }
}

/// The phase that day `day` is planned in, for an account that stands in `current`: cooldown and graduation are states of their own
/// that only a judgement ends; the other two follow the day's number.
pub fn on_day(current: WarmupPhase, day: u32, config: &PoolConfig) -> WarmupPhase {
    match current {
        WarmupPhase::Cooldown | WarmupPhase::Graduated => current,
        WarmupPhase::RampUp | WarmupPhase::Sustain => by_day(day, config),
    }
}

/// The first day on which an account can be graduated.
pub fn first_graduation_day(config: &PoolConfig) -> u32 {
    config.ramp_up_days.saturating_add(SUSTAIN_DAYS + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ramp_of(days: u32) -> PoolConfig {
        PoolConfig {
            ramp_up_days: days,
            ..PoolConfig::default()
        }
    }

    #[test]
    fn the_documented_dates() {
        let config = PoolConfig::default();
        for (day, phase) in [
            (1, WarmupPhase::RampUp),
            (45, WarmupPhase::RampUp),
            (46, WarmupPhase::Sustain),
            (59, WarmupPhase::Sustain),
            (60, WarmupPhase::Sustain),
        ] {
            assert_eq!(by_day(day, &config), phase, "day {day}");
        }
        assert_eq!(first_graduation_day(&config), 60);
    }

    #[test]
    fn they_scale_with_the_ramp() {
        let config = ramp_of(10);
        assert_eq!(by_day(10, &config), WarmupPhase::RampUp);
        assert_eq!(by_day(11, &config), WarmupPhase::Sustain);
        assert_eq!(first_graduation_day(&config), 25);
    }

    #[test]
    fn a_day_ends_neither_cooldown_nor_graduation() {
        for day in [1, 46, 60] {
            for phase in [WarmupPhase::Cooldown, WarmupPhase::Graduated] {
                assert_eq!(on_day(phase, day, &PoolConfig::default()), phase);
            }
        }
        // A ramp that was made longer takes an account back from sustain.
        assert_eq!(
            on_day(WarmupPhase::Sustain, 50, &ramp_of(90)),
            WarmupPhase::RampUp
        );
    }

    proptest! {
        #[test]
        fn there_are_exactly_14_days_of_sustain_before_the_first_graduation(days in 1_u32..=180) {
            let config = ramp_of(days);
            let sustained = (1..first_graduation_day(&config))
                .filter(|day| by_day(*day, &config) == WarmupPhase::Sustain)
                .count();
            prop_assert_eq!(sustained, 14);
        }
    }
}
