//! The warmup engine: one mail's life, from the plan to the reply.
//!
//! Each module is one step, a struct of the ports that step may use and nothing else:
//!
//! - [`planning`]: close and judge the days before, plan today, put its mails into the due index.
//! - [`tick`]: hand out what is due.
//! - [`sending`]: claim, send, commit.
//! - [`visiting`]: look into a mailbox: recognise, rescue, engage, settle what is in doubt.
//! - [`fanout`]: let events leave, refresh figures, stop an account whose figures are bad.
//!
//! Every step may run twice, be cut off anywhere, or come late. What makes that harmless is always a conditional write, and each
//! module says which.

pub mod arrivals;
pub mod closing;
pub mod compose;
pub mod config;
pub mod fanout;
pub mod figures;
pub mod health;
pub mod judging;
pub mod planning;
pub mod reports;
pub mod sending;
pub mod settling;
pub mod test_mode;
pub mod tick;
pub mod visiting;

use agentwarm_core::seed::Seed;
use agentwarm_core::warmup::due::DueEntry;
use jiff::Timestamp;

use crate::credentials::CredentialsError;
use crate::ports::StoreError;
use crate::ports::due::DueIndex;
use crate::ports::queue::QueueError;
use crate::ports::vault::VaultError;

/// A step of the engine could not be finished now. What was done stays done; doing the step again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A secret could not be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An account's credentials could not be opened or read.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The account's item kept changing under us.
    #[error("the item changed {0} times while it was being changed")]
    Contended(u32),
    /// Somebody else is at it, and may yet fail: look again later.
    #[error("somebody else holds {0}")]
    Held(&'static str),
    /// A mail could not be put together.
    #[error(transparent)]
    Compose(#[from] compose::ComposeError),
}

/// The seed that days are planned from. Nothing that it decides has to be kept from anybody, so it is the same everywhere: what a day
/// looked like can be computed again from what is stored.
pub fn deployment_seed() -> Seed {
    Seed::root(b"agentwarm/days")
}

/// Puts entries into the due index where a tick will still find them, whatever its clock says.
pub(crate) async fn file(
    due: &dyn DueIndex,
    entries: &[DueEntry],
    now: Timestamp,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let reached = if entries.iter().any(|entry| entry.may_be_behind(now)) {
        due.reached(entries).await?
    } else {
        None
    };
    let now = reached.map_or(now, |reached| reached.max(now));
    let filed: Vec<_> = entries.iter().map(|entry| entry.filed(now)).collect();
    due.put(&filed).await
}
