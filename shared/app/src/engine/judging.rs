//! Judging.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use agentwarm_core::account::Account;
use agentwarm_core::pool::PoolConfig;

use super::EngineError;
use super::config::Configs;
use crate::ports::accounts::{AccountReads, AccountUpdates};
use crate::ports::days::{AccountRef, Plans};

/// The ports of this part.
#[derive(Clone)]
pub struct Judging {
    /// Who is judged.
    pub accounts: Arc<dyn AccountReads>,
    /// What becomes of them.
    pub updates: Arc<dyn AccountUpdates>,
    /// Their figures.
    pub plans: Arc<dyn Plans>,
    /// Their configurations.
    pub configs: Configs,
}

impl Judging {
    /// Judges.
    pub async fn judge_days(
        &self,
        account: Account,
        _config: &PoolConfig,
        _today: Date,
        _now: Timestamp,
    ) -> Result<Account, EngineError> {
        Ok(account)
    }

    /// Brakes.
    pub async fn brake(&self, _owner: AccountRef, _now: Timestamp) -> Result<(), EngineError> {
        Ok(())
    }
}
