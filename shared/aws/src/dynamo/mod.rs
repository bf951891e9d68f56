//! The storage ports on DynamoDB: one small struct per port group, holding the table it uses and nothing else.
//!
//! A function builds only the adapters it needs, and each adapter says in its `ACTIONS` what it does, so a function's IAM policy follows
//! from its constructor. `create` writes if absent, `replace` if nobody wrote in between, `overwrite` in any case; nothing is written
//! under another condition than the word says. A literal repetition of a conditional write counts as written, since a store
//! cannot tell it from a retry whose first answer was lost.

mod accounts;
mod api_keys;
mod audit;
mod counters;
mod crm;
mod due;
pub(crate) mod expression;
mod hand_sent;
mod idempotency;
mod ledger;
mod life;
mod mailboxes;
mod page;
mod plans;
mod pools;
pub(crate) mod query;
mod rate;
mod receipts;
mod roster;
pub(crate) mod slots;
mod suppressions;
pub(crate) mod table;
mod test_mode;
mod totals;
mod transaction;

pub use accounts::{DynamoAccountUpdates, DynamoAccounts};
pub use api_keys::{DynamoApiKeys, DynamoKeyLookup, DynamoUserPlans};
pub use audit::DynamoAuditLog;
pub use crm::{DynamoCrmLinkWrites, DynamoCrmLinks};
pub use due::DynamoDueIndex;
pub use hand_sent::DynamoHandSent;
pub use idempotency::IdempotencyTable;
pub use ledger::DynamoPoolLedger;
pub use life::DynamoAccountLife;
pub use mailboxes::DynamoMailboxes;
pub use plans::DynamoPlans;
pub use pools::{DynamoPoolWrites, DynamoPools};
pub use rate::RateTable;
pub use receipts::DynamoReceipts;
pub use roster::DynamoRoster;
pub use slots::DynamoSlots;
pub use suppressions::{DynamoSuppressionList, DynamoSuppressions};
pub use table::Table;
pub use test_mode::{DynamoTestModeWrites, DynamoTestModes};
pub use totals::DynamoSendTotals;

use jiff::{SignedDuration, Timestamp};

/// How long the items of the activity table live.
pub const ACTIVITY_TTL_DAYS: u16 = agentwarm_app::ports::days::KEPT_DAYS;

/// The activity table and how long its items live.
#[derive(Debug, Clone)]
pub struct ActivityTable {
    table: Table,
    ttl: SignedDuration,
}

impl ActivityTable {
    /// `table`, whose items live for `ttl_days` from their last write (wall clock).
    pub fn new(table: Table, ttl_days: u16) -> Self {
        Self {
            table,
            ttl: SignedDuration::from_hours(24 * i64::from(ttl_days)),
        }
    }

    /// When an item that is written now is over.
    fn expiry(&self) -> Timestamp {
        later(self.table.now(), self.ttl)
    }
}

/// `by` after `at`, or the end of time.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
