//! Test mode at the claim: an account that has sent its maximum today sends no more (decision 21).
//!
//! It is asked twice, and only where test mode is on: before the claim, so that what is too many costs neither a session nor a
//! claim, and after it. Claims are written before they are counted, so of two that pass the first question side by side for the last
//! place, whichever counts second sees the other: at worst neither leaves, never both.

use agentwarm_core::account::Account;
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotState};
use agentwarm_core::warmup::test_mode;
use jiff::Timestamp;

use super::{Handled, Sending};
use crate::engine::EngineError;
use crate::ports::days::AccountRef;

impl Sending {
    /// Whether `mail` would be more than `maximum` on the sender's local day.
    pub(super) async fn is_too_many(
        &self,
        sender: &Account,
        mail: SlotId,
        maximum: Option<u32>,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let Some(maximum) = maximum else {
            return Ok(false);
        };
        let owner = AccountRef::of(sender);
        let day = sender.zone.day(sender.zone.date_of(now));
        let (from, to) = (SlotId::first_at(day.start), SlotId::first_at(day.end));
        let slots = self.slots.written_between(owner, from, to).await?;
        Ok(test_mode::is_spent(maximum, mail, &slots))
    }

    /// Gives up a claim whose mail no server has heard of.
    pub(super) async fn give_up(
        &self,
        slot: Slot,
        reason: SkipReason,
        now: Timestamp,
    ) -> Result<Handled, EngineError> {
        let state = SlotState::Skipped { at: now, reason };
        self.advance(slot, state, Vec::new()).await?;
        Ok(Handled::Settled)
    }
}
