//! Looking at everything that is stored, past all ports and faults: what a test checks, not what a use case may do.

use std::sync::MutexGuard;

use agentwarm_app::ports::days::{AccountRef, DayRow};
use agentwarm_app::ports::due::Shards;
use agentwarm_app::ports::mailboxes::MailboxState;
use agentwarm_core::account::Account;
use agentwarm_core::audit::AuditEntry;
use agentwarm_core::ids::{AccountId, SlotId, UserId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::Slot;
use agentwarm_core::warmup::day::DayPlan;
use agentwarm_core::warmup::due::{DueEntry, DueKind};
use jiff::Timestamp;
use jiff::civil::Date;

use super::due::shard_of;
use super::{MemoryStore, State};

/// The store, standing still. No port of it answers before this is dropped.
#[derive(Debug)]
pub struct Look<'a>(MutexGuard<'a, State>, Shards);

impl MemoryStore {
    /// Looks at what is stored.
    pub fn look(&self) -> Look<'_> {
        Look(self.lock(), self.shards)
    }
}

impl Look<'_> {
    /// All accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.0.accounts.by_id.values()
    }

    /// One account.
    pub fn account(&self, user: UserId, account: AccountId) -> Option<&Account> {
        self.0.accounts.by_id.get(&(user, account))
    }

    /// All slots, by sender and id.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.slots.slots.values()
    }

    /// One slot.
    pub fn slot(&self, sender: AccountRef, slot: SlotId) -> Option<&Slot> {
        self.0.slots.slots.get(&(sender, slot))
    }

    /// All receipts, by receiver and slot.
    pub fn receipts(&self) -> impl Iterator<Item = &Receipt> {
        self.0.slots.receipts.values()
    }

    /// One receipt.
    pub fn receipt(&self, receiver: AccountRef, slot: SlotId) -> Option<&Receipt> {
        self.0.slots.receipts.get(&(receiver, slot))
    }

    /// All plans, by account and date.
    pub fn plans(&self) -> impl Iterator<Item = &DayPlan> {
        self.0.days.plans.values()
    }

    /// One plan.
    pub fn plan(&self, account: AccountRef, date: Date) -> Option<&DayPlan> {
        self.0.days.plans.get(&(account, date))
    }

    /// The sends that ticks will still hand out, and when.
    pub fn sends_to_come(&self) -> impl Iterator<Item = (SlotId, Timestamp)> {
        self.to_come().filter_map(|entry| match entry.kind {
            DueKind::Send { slot, .. } => Some((slot, entry.at)),
            DueKind::Plan { .. } | DueKind::Settle { .. } => None,
        })
    }

    /// The searches for mails in doubt that ticks will still hand out, and when.
    pub fn searches_to_come(&self) -> impl Iterator<Item = (SlotId, Timestamp)> {
        self.to_come().filter_map(|entry| match entry.kind {
            DueKind::Settle { slot, .. } => Some((slot, entry.at)),
            DueKind::Plan { .. } | DueKind::Send { .. } => None,
        })
    }

    /// Until when ticks have handed out everything; nothing before each shard's first one.
    pub fn handed_out_until(&self) -> Option<Timestamp> {
        let watermarks = &self.0.due.watermarks;
        let all_ticked = watermarks.len() >= usize::from(self.1.0);
        watermarks.values().min().filter(|_| all_ticked).copied()
    }

    fn to_come(&self) -> impl Iterator<Item = &DueEntry> {
        let due = &self.0.due;
        let from = self.handed_out_until().unwrap_or(Timestamp::MIN);
        let entries = due.entries.range(from..).flat_map(|(_, entries)| entries);
        entries.filter(move |entry| {
            let watermark = due.watermarks.get(&shard_of(entry, self.1));
            watermark.is_none_or(|watermark| *watermark < entry.at)
        })
    }

    /// All day rows, by account and date.
    pub fn days(&self) -> impl Iterator<Item = (AccountRef, &DayRow)> {
        let rows = self.0.days.rows.iter();
        rows.map(|((account, _), row)| (*account, &row.day))
    }

    /// What is remembered of a mailbox.
    pub fn mailbox(&self, mailbox: AccountRef) -> Option<&MailboxState> {
        self.0.mailboxes.of(mailbox)
    }

    /// Whether an address gets no mail at `at`.
    pub fn is_suppressed(&self, user: UserId, email: &str, at: Timestamp) -> bool {
        self.0.suppressions.holds(user, email, at)
    }

    /// The audit log.
    pub fn audit(&self) -> impl Iterator<Item = &AuditEntry> {
        self.0.audit.entries()
    }
}
