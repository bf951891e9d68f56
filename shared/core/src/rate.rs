//! Shares and percentages as types, so that 0.05 and 5 cannot be confused.

use serde::{Deserialize, Serialize};

/// A share in [0, 1], such as a bounce rate. Serialised as a plain number.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Rate(f64);

/// The number was not in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a rate lies between 0 and 1")]
pub struct RateOutOfRange;

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0.0);
    /// All.
    pub const ONE: Self = Self(1.0);

    /// `value` as a rate.
    pub fn new(value: f64) -> Result<Self, RateOutOfRange> {
        (0.0..=1.0)
            .contains(&value)
            .then_some(Self(value))
            .ok_or(RateOutOfRange)
    }

    /// A constant rate in per mille; more than 1000 counts as all.
    pub const fn per_mille(value: u16) -> Self {
        if value >= 1000 {
            Self::ONE
        } else {
            Self(value as f64 / 1000.0)
        }
    }

    /// `part` of `whole`, clamped to [0, 1]; x/0 is 0 (decision 24).
    pub fn of(part: u32, whole: u32) -> Self {
        if whole == 0 {
            Self::ZERO
        } else {
            Self((f64::from(part) / f64::from(whole)).min(1.0))
        }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Rate {
    type Error = RateOutOfRange;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

/// A score in [0, 100] with one decimal, such as a reputation (decision 24).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Score(f64);

impl Score {
    /// The nearest score to `value`; what is no number counts as 0.
    pub fn clamped(value: f64) -> Self {
        Self(if value.is_nan() {
            0.0
        } else {
            (value.clamp(0.0, 100.0) * 10.0).round() / 10.0
        })
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl From<f64> for Score {
    fn from(value: f64) -> Self {
        Self::clamped(value)
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> Self {
        score.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_nothing_is_nothing_and_no_part_exceeds_the_whole() {
        assert_eq!(Rate::of(3, 0), Rate::ZERO);
        assert_eq!(Rate::of(5, 4), Rate::ONE);
        assert_eq!(Rate::of(1, 4).get().to_string(), "0.25");
        assert_eq!(Rate::new(1.01), Err(RateOutOfRange));
        assert_eq!(Rate::new(f64::NAN), Err(RateOutOfRange));
    }

    #[test]
    fn scores_are_clamped_and_have_one_decimal() {
        assert_eq!(Score::clamped(85.549).get().to_string(), "85.5");
        assert_eq!(Score::clamped(-3.0).get().to_string(), "0");
        assert_eq!(Score::clamped(f64::NAN).get().to_string(), "0");
    }
}
