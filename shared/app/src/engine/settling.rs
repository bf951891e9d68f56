//! A mail whose fate is unknown is looked for, never sent again (decision 31).

use jiff::{SignedDuration, Timestamp};

use agentwarm_core::audit::{Actor, Event, EventType};
use agentwarm_core::mail::slot::Slot;
use agentwarm_core::time::shifted;
use agentwarm_core::warmup::due::{DueEntry, DueKind};

/// How long after the doubt arose the mail is looked for: the last search decides.
pub const SEARCHES: [SignedDuration; 5] = [
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_mins(60),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(24),
];

/// The due entries of all searches for a mail in doubt since `since`.
pub fn searches(slot: &Slot, since: Timestamp) -> Vec<DueEntry> {
    SEARCHES
        .iter()
        .map(|&after| DueEntry {
            at: shifted(since, after.as_secs()),
            user: slot.user,
            kind: DueKind::Settle {
                sender: slot.sender,
                slot: slot.id,
                target: slot.recipient,
            },
        })
        .collect()
}

/// Whether a mail in doubt since `since` that was not found at `now` stays unknown.
pub fn is_hopeless(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) >= SEARCHES.last().copied().unwrap_or(SignedDuration::ZERO)
}

/// How long after its last search a mail in doubt stays so at most: the receiver's mailbox could not be looked into.
const GRACE: SignedDuration = SignedDuration::from_hours(1);

/// Whether a mail in doubt since `since` should have been settled by its last search long ago.
pub fn is_overdue(since: Timestamp, now: Timestamp) -> bool {
    is_hopeless(since, shifted(now, -GRACE.as_secs()))
}

/// The event that tells of a mail that was accepted.
pub(super) fn accepted(slot: &Slot, now: Timestamp) -> Event {
    Event::account(EventType::WarmupEmailSent, slot.sender, Actor::System, now)
        .with("slotId", slot.id.to_string())
        .with("recipientAccountId", slot.recipient.to_string())
}

/// The event that tells of a mail that stays unknown.
pub(super) fn given_up(slot: &Slot, now: Timestamp) -> Event {
    Event::account(
        EventType::WarmupEmailUnknown,
        slot.sender,
        Actor::System,
        now,
    )
    .with("slotId", slot.id.to_string())
}
