//! What must hold of the whole world, whenever it is looked at; more of it once the world is at rest.

mod accounts;
mod events;
mod fates;
mod mailboxes;

use agentwarm_testkit::world::EngineWorld;
use jiff::SignedDuration;

use crate::watch::Watch;

/// How long a thing may take before it counts as stuck or lost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// A claim whose lease is over.
    pub(crate) claimed: SignedDuration,
    /// A mail in doubt, beyond the last search after 24 h.
    pub(crate) in_doubt: SignedDuration,
    /// A mail that lies in a mailbox and was not found.
    pub(crate) unseen: SignedDuration,
    /// An action or answer that is due.
    pub(crate) overdue: SignedDuration,
    /// Whether there may be dates that nobody planned: no day's figures tell what became of the answers that were due on them.
    pub(crate) unplanned: bool,
}

impl Default for Patience {
    /// When nothing goes wrong.
    fn default() -> Self {
        Self {
            claimed: SignedDuration::from_mins(15),
            in_doubt: SignedDuration::from_hours(1),
            unseen: SignedDuration::from_mins(20),
            overdue: SignedDuration::from_mins(20),
            unplanned: false,
        }
    }
}

impl Patience {
    /// When everything does: a lost message is found when its day is closed.
    pub(crate) fn long() -> Self {
        Self {
            // A day that is closed when its account is resumed is closed a day late.
            claimed: SignedDuration::from_hours(54),
            in_doubt: SignedDuration::from_hours(54),
            unseen: SignedDuration::from_hours(30),
            overdue: SignedDuration::from_hours(54),
            unplanned: false,
        }
    }
}

/// Everything that is wrong. `at_rest`: nothing went wrong for so long that all work must be done.
pub(crate) fn audit(
    world: &EngineWorld,
    watch: &Watch,
    patience: Patience,
    at_rest: bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    mailboxes::audit(world, watch, patience, at_rest, &mut wrong);
    fates::audit(world, watch, patience, at_rest, &mut wrong);
    events::audit(world, at_rest, &mut wrong);
    accounts::audit(world, &mut wrong);
    wrong
}
