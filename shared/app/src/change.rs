//! Changing an account: finding it, and what its write reports.

use agentwarm_core::account::Account;
use agentwarm_core::audit::{Event, EventType};
use agentwarm_core::ids::AccountId;
use jiff::Timestamp;

use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::tenant::Tenant;

/// An account of the tenant.
pub(crate) async fn existing(
    accounts: &dyn AccountReads,
    tenant: &Tenant,
    account: AccountId,
) -> Result<Account, AppError> {
    let account = accounts.get(tenant.user, account).await?;
    account.ok_or(AppError::AccountNotFound)
}

/// `after` as it is written over `before`, and what the write reports.
pub(crate) fn changed(
    tenant: &Tenant,
    before: &Account,
    after: Account,
    now: Timestamp,
) -> (Account, Vec<Event>) {
    let event = |event_type| Event::account(event_type, after.id, tenant.actor(), now);
    let mut events = Vec::new();
    if before.status != after.status {
        let (from, to) = (before.status.as_str(), after.status.as_str());
        let changed = event(EventType::AccountStatusChanged);
        events.push(changed.with("from", from).with("to", to));
    }
    if before.phase() != after.phase() {
        let (from, to) = (before.phase().as_str(), after.phase().as_str());
        let changed = event(EventType::AccountWarmupPhaseChanged);
        events.push(changed.with("from", from).with("to", to));
    }
    let after = Account {
        version: before.version + 1,
        ..after
    };
    (after, events)
}
