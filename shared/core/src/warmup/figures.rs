//! A day's figures, computed from what happened on it.
//!
//! Figures are never counted up: they are recomputed from slots and receipts and written absolutely, so hearing of a change twice, or
//! out of order, cannot count it twice.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::day::{DayFigures, DayPlan};
use super::engage;
use super::thresholds::MISSING_AFTER_HOURS;
use crate::ids::SlotId;
use crate::mail::receipt::{Placement, Receipt};
use crate::mail::slot::{Slot, SlotState};

/// What else is known of a day's mails.
#[derive(Debug, Clone, Default)]
pub struct Fates {
    /// The own mails that their receivers have seen.
    pub found: BTreeSet<SlotId>,
    /// The own answers, of any date, that were accepted.
    pub answers: BTreeSet<SlotId>,
    /// All that was due with received mails until then is done.
    pub engaged_through: Option<Timestamp>,
}

/// What an account did and got on `date`. `slots` are its own mails booked on that date, `receipts` what it received (of any date: those
/// of other dates are left out).
pub fn day_figures(
    date: Date,
    slots: &[Slot],
    receipts: &[Receipt],
    fates: &Fates,
    now: Timestamp,
) -> DayFigures {
    let mut figures = DayFigures::default();
    for slot in slots.iter().filter(|slot| slot.date == date) {
        add_slot(&mut figures, slot, fates.found.contains(&slot.id), now);
    }
    for receipt in receipts.iter().filter(|receipt| receipt.date == date) {
        let done = engage::done(receipt, fates.engaged_through);
        figures.received += 1;
        figures.opened += u32::from(done.opened);
        let reply = receipt.engagement.reply;
        figures.replied += u32::from(reply.is_some_and(|it| fates.answers.contains(&it.slot)));
        figures.rescued += u32::from(receipt.rescued_at.is_some());
        figures.marked_important += u32::from(done.important);
        debug_assert!(receipt.rescued_at.is_none() || receipt.placement == Placement::Spam);
    }
    figures
}

/// Adds one mail to the figures of its day, or of whatever else it is a part of.
pub(super) fn add_slot(figures: &mut DayFigures, slot: &Slot, found: bool, now: Timestamp) {
    match &slot.state {
        SlotState::Accepted { at } => {
            figures.sent += 1;
            figures.spammed += u32::from(slot.spammed_at.is_some());
            figures.missing +=
                u32::from(!found && now.duration_since(*at).as_hours() >= MISSING_AFTER_HOURS);
        }
        // Accepted first, so it was sent; the reference's rates are shares of `sent`.
        SlotState::Returned { bounced, .. } => {
            figures.sent += 1;
            add_refused(figures, *bounced);
        }
        SlotState::Rejected { bounced, .. } => add_refused(figures, *bounced),
        SlotState::Skipped { .. } => figures.skipped += 1,
        SlotState::Unknown { .. } => figures.unknown += 1,
        SlotState::Claimed { .. } | SlotState::Retry { .. } | SlotState::InDoubt { .. } => {}
    }
}

fn add_refused(figures: &mut DayFigures, bounced: bool) {
    if bounced {
        figures.bounced += 1;
    } else {
        figures.rejected += 1;
    }
}

/// The planned mails that have no slot: never claimed. Once the day is over these are the ones to explain.
pub fn unclaimed(plan: &DayPlan, slots: &[Slot]) -> Vec<SlotId> {
    let claimed: BTreeSet<_> = slots.iter().map(|slot| slot.id).collect();
    plan.slots
        .iter()
        .map(|planned| planned.id)
        .filter(|id| !claimed.contains(id))
        .collect()
}
