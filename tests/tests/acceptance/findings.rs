//! Everything that is wrong with a long run, at once: it takes minutes to make another.

use std::fmt::{Debug, Display};

/// What was found wrong.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// Notes `what` unless `is_so`.
    pub(crate) fn require(&mut self, is_so: bool, what: impl Display) {
        if !is_so {
            self.0.push(what.to_string());
        }
    }

    /// Notes that `found` is not what was `expected`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "counts and short texts, mostly made where they are passed"
    )]
    pub(crate) fn same<T: PartialEq + Debug>(&mut self, found: T, expected: T, what: impl Display) {
        if found != expected {
            self.0
                .push(format!("{found:?} instead of {expected:?}: {what}"));
        }
    }

    /// Fails the test if anything was wrong.
    pub(crate) fn none(self) {
        assert!(
            self.0.is_empty(),
            "{} things are wrong:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
    }
}
