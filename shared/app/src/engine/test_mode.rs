//! Whose sends are limited, and how far (API reference §4, decision 21).

use std::sync::Arc;

use agentwarm_core::ids::UserId;
use agentwarm_core::warmup::test_mode::TestMode;

use crate::ports::StoreError;
use crate::ports::test_mode::TestModes;

/// What counts for each user: what they said themselves, else what the deployment says.
#[derive(Clone)]
pub struct TestModeRule {
    /// What users said.
    pub modes: Arc<dyn TestModes>,
    /// What the deployment says.
    pub deployment: TestMode,
}

/// What counts for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestModeInForce {
    /// Whether and how far sends are limited.
    pub mode: TestMode,
    /// Who said so.
    pub source: TestModeSource,
}

/// Who says whether test mode is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestModeSource {
    /// The deployment, by its environment.
    Environment,
    /// The user, while the system runs.
    Runtime,
}

impl TestModeSource {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Environment, Self::Runtime];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "env",
            Self::Runtime => "runtime",
        }
    }
}

impl TestModeRule {
    /// What counts for `user` now.
    pub async fn of(&self, user: UserId) -> Result<TestModeInForce, StoreError> {
        Ok(match self.modes.said_by(user).await? {
            Some(mode) => TestModeInForce {
                mode,
                source: TestModeSource::Runtime,
            },
            None => TestModeInForce {
                mode: self.deployment,
                source: TestModeSource::Environment,
            },
        })
    }

    /// The most that each account of `user` may send a day; `None` where test mode is off.
    pub async fn maximum(&self, user: UserId) -> Result<Option<u32>, StoreError> {
        Ok(self.of(user).await?.mode.maximum())
    }
}
