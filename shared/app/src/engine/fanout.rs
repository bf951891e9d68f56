//! What changed leaves: events to the bus and the audit log, bad mails to the figures of their day and to the brake.
//!
//! Fed by the tables' streams, which deliver at least once and per item in order. Nothing here counts: audit entries and bus events have
//! ids that follow from the item's key and version, figures are recomputed and written absolutely, and the brake decides on the
//! account as it is. So a batch that comes twice does nothing the second time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;

use agentwarm_core::audit::{AuditEntry, Event, EventType};
use agentwarm_core::ids::{AuditEntryId, UserId};
use agentwarm_core::mail::slot::Slot;
use agentwarm_core::plan::Plan;
use agentwarm_core::seed::Seed;
use agentwarm_core::time::shifted;

use super::EngineError;
use super::figures::Figures;
use super::judging::Judging;
use crate::ports::accounts::AccountReads;
use crate::ports::audit::AuditLog;
use crate::ports::clock::Clock;
use crate::ports::days::AccountRef;
use crate::ports::keys::UserPlans;
use crate::ports::queue::EventBus;

/// One change of one item, as the stream tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The item and its version, as a text that no other change has.
    pub id: String,
    /// The owner.
    pub user: UserId,
    /// What the write reports.
    pub events: Vec<Event>,
    /// The slot as it is now, if the item is one.
    pub slot: Option<Slot>,
}

/// The ports of this step.
pub struct Fanout {
    /// The way out.
    pub bus: Arc<dyn EventBus>,
    /// The log.
    pub audit: Arc<dyn AuditLog>,
    /// How long the log is kept.
    pub users: Arc<dyn UserPlans>,
    /// Whose figures.
    pub accounts: Arc<dyn AccountReads>,
    /// Sums.
    pub figures: Figures,
    /// The brake.
    pub judging: Judging,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Fanout {
    /// Lets a batch of changes leave. An error means: hand me the batch again.
    pub async fn take(&self, changes: &[Change]) -> Result<(), EngineError> {
        let events = numbered(changes);
        self.log(&events).await?;
        let published: Vec<_> = events
            .iter()
            .map(|(id, user, event)| (id.to_string(), *user, event.clone()))
            .collect();
        if !published.is_empty() {
            self.bus.publish(&published).await?;
        }
        self.brake(changes).await
    }

    async fn log(&self, events: &[(AuditEntryId, UserId, Event)]) -> Result<(), EngineError> {
        let mut by_user: BTreeMap<UserId, Vec<AuditEntry>> = BTreeMap::new();
        for (id, user, event) in events
            .iter()
            .filter(|(_, _, event)| event.event_type.is_audited())
        {
            by_user.entry(*user).or_default().push(AuditEntry {
                id: *id,
                event: event.clone(),
            });
        }
        for (user, entries) in by_user {
            let plan = self.users.plan_of(user).await?.unwrap_or(Plan::Free);
            let days = i64::from(plan.limits().retention_days);
            let keep = SignedDuration::from_hours(24 * days);
            let expires_at = shifted(self.clock.wall(), keep.as_secs());
            self.audit.append(user, &entries, expires_at).await?;
        }
        Ok(())
    }

    /// Puts the brake on the senders whose mails bounced or landed in spam, with the figures of the day as they are now.
    async fn brake(&self, changes: &[Change]) -> Result<(), EngineError> {
        let mut alarmed: BTreeMap<AccountRef, BTreeSet<Date>> = BTreeMap::new();
        for change in changes {
            let is_bad = change.events.iter().any(|event| {
                matches!(
                    event.event_type,
                    EventType::WarmupEmailBounced | EventType::WarmupEmailSpammed
                )
            });
            if let Some(slot) = change.slot.as_ref().filter(|_| is_bad) {
                let sender = AccountRef {
                    user: slot.user,
                    account: slot.sender,
                };
                alarmed.entry(sender).or_default().insert(slot.date);
            }
        }
        let now = self.clock.schedule();
        for (owner, dates) in alarmed {
            if let Some(account) = self.accounts.get(owner.user, owner.account).await? {
                for date in dates {
                    self.figures.refresh(&account, date, now).await?;
                }
                self.judging.brake(owner, now).await?;
            }
        }
        Ok(())
    }
}

/// Each event with its id: a UUIDv7 of when it happened whose other bits follow from the change it rode on, so that a
/// redelivery has the same.
fn numbered(changes: &[Change]) -> Vec<(AuditEntryId, UserId, Event)> {
    let mut numbered = Vec::new();
    for change in changes {
        for (index, event) in (0_u64..).zip(&change.events) {
            let seed = Seed::root(change.id.as_bytes()).child_bytes("event", &index.to_be_bytes());
            numbered.push((
                AuditEntryId::seeded(event.at, &seed),
                change.user,
                event.clone(),
            ));
        }
    }
    numbered
}
