//! Test mode: a maximum of mails that each account may send a day, whatever its plan says (API reference §4, decisions 20, 21).
//!
//! The planner takes it as one of its caps. A plan that was made before test mode was switched on is not made anew: each mail is counted
//! when it is about to leave, and one that is too many is not sent.

use serde::{Deserialize, Serialize};

use crate::ids::SlotId;
use crate::mail::slot::{Slot, SlotState};

/// What the maximum is unless something else is said (API reference, `GET /api/warmup/test-mode`).
pub const DEFAULT_MAX_DAILY_EMAILS: u32 = 20;

/// The largest maximum: what the largest plan allows a day (API reference §22).
pub const MOST_DAILY_EMAILS: u32 = 50_000;

/// Whether and how far sends are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestMode {
    /// Whether they are.
    pub enabled: bool,
    /// Mails per account and local day.
    pub max_daily_emails: u32,
}

impl TestMode {
    /// No limit.
    pub const OFF: Self = Self {
        enabled: false,
        max_daily_emails: DEFAULT_MAX_DAILY_EMAILS,
    };

    /// The most that an account may send a day; `None` when it is off.
    pub fn maximum(self) -> Option<u32> {
        self.enabled.then_some(self.max_daily_emails)
    }
}

/// Whether an account that may send `maximum` mails a day has no room for `mail` among the others of its day.
pub fn is_spent<'a>(maximum: u32, mail: SlotId, day: impl IntoIterator<Item = &'a Slot>) -> bool {
    let others = day
        .into_iter()
        .filter(|slot| slot.id != mail && uses_room(&slot.state));
    u32::try_from(others.count()).unwrap_or(u32::MAX) >= maximum
}

/// Everything that was, is being or may have been given to a server, taken or not: a limit must hold in doubt. A mail that waits for its next
/// attempt is counted when that comes.
fn uses_room(state: &SlotState) -> bool {
    match state {
        SlotState::Claimed { .. }
        | SlotState::Accepted { .. }
        | SlotState::Rejected { .. }
        | SlotState::InDoubt { .. }
        | SlotState::Unknown { .. }
        | SlotState::Returned { .. } => true,
        SlotState::Retry { .. } | SlotState::Skipped { .. } => false,
    }
}

#[cfg(test)]
mod tests;
