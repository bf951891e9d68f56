//! A reply that left is booked on the mail it answers.

use agentwarm_core::mail::slot::{Slot, SlotKind};
use jiff::Timestamp;

use super::EngineError;
use crate::ports::Replaced;
use crate::ports::days::{AccountRef, Receipts};

/// Notes on the receipt of the mail that `slot` answers that its reply was accepted `at`. Does nothing for a mail that opens a thread, nor
/// for a reply that is noted already: it may be done again.
pub(super) async fn note(
    receipts: &dyn Receipts,
    slot: &Slot,
    at: Timestamp,
) -> Result<(), EngineError> {
    let SlotKind::Reply { answers } = slot.kind else {
        return Ok(());
    };
    let owner = AccountRef {
        user: slot.user,
        account: slot.sender,
    };
    let Some(mut receipt) = receipts.get(owner, answers).await? else {
        return Ok(());
    };
    if receipt.replied_at.is_some() {
        return Ok(());
    }
    receipt.replied_at = Some(at);
    receipt.version += 1;
    match receipts.replace(&receipt, Vec::new()).await? {
        Replaced::Done => Ok(()),
        Replaced::Stale => Err(EngineError::Held("the receipt")),
    }
}
