//! Where an account's mail of the last seven days arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::time::shifted;
use agentwarm_core::warmup::deliverability::{
    Deliverability, UNKNOWN_PROVIDER, deliverability, first_day, provider_of,
};
use jiff::SignedDuration;

use crate::change::existing;
use crate::error::AppError;
use crate::ports::accounts::AccountReads;
use crate::ports::clock::Clock;
use crate::ports::days::{AccountRef, Slots};
use crate::tenant::Tenant;

/// How long before the first day its mails may have been planned: an answer that was due before midnight and left after it.
const LOOKBACK: SignedDuration = SignedDuration::from_hours(24);

/// Reads it.
#[derive(Clone)]
pub struct ReadDeliverability {
    /// Whose, and who receives.
    pub accounts: Arc<dyn AccountReads>,
    /// The mails: at most a week's, which the pool's maximum bounds.
    pub slots: Arc<dyn Slots>,
    /// What is today.
    pub clock: Arc<dyn Clock>,
}

impl ReadDeliverability {
    /// The last seven days of one account in its zone, today included. Computed from its mails, so it is never behind.
    pub async fn read(&self, tenant: &Tenant, id: AccountId) -> Result<Deliverability, AppError> {
        let account = existing(self.accounts.as_ref(), tenant, id).await?;
        let owner = AccountRef::of(&account);
        let today = account.zone.date_of(self.clock.schedule());
        let first = account.zone.day(first_day(today)).start;
        let from = shifted(first, -LOOKBACK.as_secs());
        let (from, to) = (
            SlotId::first_at(from),
            SlotId::first_at(account.zone.day(today).end),
        );
        let slots = self.slots.between(owner, from, to).await?;
        let recipients: BTreeSet<_> = slots.iter().map(|slot| slot.recipient).collect();
        let recipients: Vec<_> = recipients.into_iter().collect();
        let recipients = self.accounts.get_many(tenant.user, &recipients).await?;
        let providers: BTreeMap<_, _> = recipients
            .iter()
            .map(|recipient| (recipient.id, provider_of(recipient)))
            .collect();
        let mails = slots.iter().map(|slot| {
            let provider = providers.get(&slot.recipient).copied();
            (slot, provider.unwrap_or(UNKNOWN_PROVIDER))
        });
        Ok(deliverability(today, mails))
    }
}
