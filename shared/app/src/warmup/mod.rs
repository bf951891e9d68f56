//! Warmup as its user controls it: start, pause, resume, and look at a day (API reference §4, decisions 16–18, 26).
//!
//! What may happen to a status is decided in [`agentwarm_core::warmup::transition`]; here it is carried out. Each change of a status is one
//! conditional write with its event. What must not be missing once an account sends, its place in the roster and a due entry that
//! plans its day, is written *before* the status ([`Enrolment`]); what may come late, the plan of today, after it. So a process that
//! dies
//!
//! - before the status is written leaves a roster entry and a due entry of an account that does not send: both find nothing to do;
//! - after it, before the day is planned, leaves a due entry that plans the day within two minutes.

pub mod diagnose;
pub mod pause;
pub mod resume;
pub mod schedule;
pub mod start;
pub mod test_mode;

use std::sync::Arc;

use agentwarm_core::account::Account;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::engine::file;
use crate::error::AppError;
use crate::ports::due::{DueIndex, Roster, RosterEntry};

/// How many accounts of a batch are started or paused side by side. Planning reads a pool's other plans of the day, so a few at a time.
const AT_ONCE: usize = 5;

/// What start and resume need of the engine.
#[async_trait]
pub trait PlanToday: Send + Sync {
    /// Plans what is left of the current local day of `account`, which is stored as given and sends, and its next planning time. Repeatable:
    /// a day that is planned already stays as it is.
    async fn plan_rest_of_today(&self, account: &Account) -> Result<PlannedToday, AppError>;
}

/// What was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedToday {
    /// The account's local date.
    pub date: Date,
    /// Mails it may send on what is left of it; 0 on a day off or after its working hours.
    pub limit: u32,
}

/// Lets a mailbox that sends no more be looked into hourly only. Repeatable.
pub(crate) async fn look_seldom(roster: &dyn Roster, account: &Account) -> Result<(), AppError> {
    let entry = RosterEntry {
        user: account.user,
        account: account.id,
        busy: None,
    };
    Ok(roster.enrol(&entry).await?)
}

/// Makes sure that an account which is about to send is found by the scheduler.
#[derive(Clone)]
pub struct Enrolment {
    /// Where mailboxes are looked into now and then.
    pub roster: Arc<dyn Roster>,
    /// Where a day's planning is due.
    pub due: Arc<dyn DueIndex>,
}

impl Enrolment {
    /// Enrols `account`, whatever its status is yet. Repeatable.
    async fn enrol(&self, account: &Account, now: Timestamp) -> Result<(), AppError> {
        let plan = DueEntry {
            at: now,
            user: account.user,
            kind: DueKind::Plan {
                account: account.id,
            },
        };
        // What is left of its hours comes with the day's plan.
        look_seldom(self.roster.as_ref(), account).await?;
        file(self.due.as_ref(), &[plan], now).await?;
        Ok(())
    }
}
