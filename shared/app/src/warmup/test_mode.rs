//! Test mode as its user sees and sets it (API reference §4, decision 21).
//!
//! It counts from the next mail on: a day that is planned keeps its plan, and what is too many of it is not sent. Days that are planned while
//! it is on keep its maximum to their end.

use std::sync::Arc;

use agentwarm_core::warmup::test_mode::TestMode;

use crate::engine::test_mode::{TestModeInForce, TestModeRule, TestModeSource};
use crate::error::AppError;
use crate::ports::test_mode::TestModeWrites;
use crate::tenant::Tenant;

/// Shows and sets it.
#[derive(Clone)]
pub struct ControlTestMode {
    /// What counts.
    pub rule: TestModeRule,
    /// Where users say what is to count.
    pub writes: Arc<dyn TestModeWrites>,
}

impl ControlTestMode {
    /// What counts for the tenant.
    pub async fn read(&self, tenant: &Tenant) -> Result<TestModeInForce, AppError> {
        Ok(self.rule.of(tenant.user).await?)
    }

    /// Switches it on or off, over what the deployment says. Without a maximum the one that counted stays.
    pub async fn set(
        &self,
        tenant: &Tenant,
        enabled: bool,
        max_daily_emails: Option<u32>,
    ) -> Result<TestModeInForce, AppError> {
        let max_daily_emails = match max_daily_emails {
            Some(maximum) => maximum,
            None => self.rule.of(tenant.user).await?.mode.max_daily_emails,
        };
        let mode = TestMode {
            enabled,
            max_daily_emails,
        };
        self.writes.say(tenant.user, mode).await?;
        Ok(TestModeInForce {
            mode,
            source: TestModeSource::Runtime,
        })
    }
}
