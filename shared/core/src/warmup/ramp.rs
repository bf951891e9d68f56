//! The ramp: how the volume rises from the pool's minimum to its maximum (decision 19).

use crate::pool::PoolConfig;

/// Mails on day `day` (from 1; 0 counts as 1) of the ramp:
/// `min(max, min + floor((day − 1) × max(1, (max − min) / rampUpDays)))`.
///
/// In integers, so that no rounding error can move a day: (max − min) / rampUpDays is the slope only where it exceeds 1.
pub fn limit(day: u32, config: &PoolConfig) -> u32 {
    let (min, max) = (config.min_daily_emails, config.max_daily_emails);
    let range = u64::from(max.saturating_sub(min));
    let ramp_up_days = u64::from(config.ramp_up_days.max(1));
    let elapsed = u64::from(day.saturating_sub(1));
    let rise = if range <= ramp_up_days {
        elapsed
    } else {
        elapsed * range / ramp_up_days
    };
    u32::try_from(rise.min(range)).map_or(max, |rise| min + rise)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ramp(min: u32, max: u32, days: u32) -> PoolConfig {
        PoolConfig {
            min_daily_emails: min,
            max_daily_emails: max,
            ramp_up_days: days,
            ..PoolConfig::default()
        }
    }

    #[test]
    fn with_the_defaults_it_is_2_3_4_up_to_40_on_day_39() {
        let config = PoolConfig::default();
        let limits: Vec<_> = (1..=45).map(|day| limit(day, &config)).collect();
        let documented: Vec<_> = (2..=40).chain([40; 6]).collect();
        assert_eq!(limits, documented);
    }

    #[test]
    fn a_steep_ramp_spreads_its_range_over_its_days() {
        // (100 − 10) / 7 = 12.857…: floors of 0, 12.86, 25.71, 38.57, 51.43, 64.29, 77.14, 90.
        let config = ramp(10, 100, 7);
        let limits: Vec<_> = (1..=9).map(|day| limit(day, &config)).collect();
        assert_eq!(limits, [10, 22, 35, 48, 61, 74, 87, 100, 100]);
    }

    #[test]
    fn the_edges_of_the_configuration_hold() {
        assert_eq!(limit(0, &PoolConfig::default()), 2);
        assert_eq!(limit(u32::MAX, &PoolConfig::default()), 40);
        assert_eq!(limit(1, &ramp(5, 5, 1)), 5);
        assert_eq!(limit(2, &ramp(1, 200, 1)), 200);
        assert_eq!(limit(180, &ramp(1, 200, 180)), 198);
        assert_eq!(limit(181, &ramp(1, 200, 180)), 200);
    }

    proptest! {
        #[test]
        fn it_never_falls_never_leaves_its_range_and_follows_the_formula(
            min in 1_u32..=100, extra in 0_u32..=100, days in 1_u32..=180, day in 1_u32..400,
        ) {
            let config = ramp(min, min + extra, days);
            let today = limit(day, &config);
            prop_assert!((min..=min + extra).contains(&today));
            prop_assert!(limit(day + 1, &config) >= today);

            // The decision's formula in floating point, where it is far enough from an integer to be trusted.
            let slope = (f64::from(extra) / f64::from(days)).max(1.0);
            let exact = f64::from(day - 1) * slope;
            if (exact - exact.round()).abs() > 1e-6 {
                let formula = (f64::from(min) + exact.floor()).min(f64::from(min + extra));
                prop_assert!((f64::from(today) - formula).abs() < 0.5);
            }
        }
    }
}
