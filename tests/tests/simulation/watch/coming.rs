//! Nothing is lost on its way: for every mail that is planned and has no fate yet, something will come.
//!
//! That is an entry of the index that a tick will still read, or an order in the queue. Only two things may take it away: a queue that gave
//! an order up, and a mail in doubt, for which searches come and not an order. Both are settled when the day is closed
//! ([`audit`](crate::audit) waits for that).

use std::collections::BTreeSet;

use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{Slot, SlotState};
use agentwarm_testkit::memory::look::Look;
use agentwarm_testkit::world::EngineWorld;
use jiff::{SignedDuration, Timestamp};

use super::Watch;

/// How long something may be due with nothing coming for it: as long as the tick and the worker of one minute take.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(2);

/// After so long the index forgets what was due: that no tick came in that time the closing of the day finds out. TTL goes by a clock that
/// may be five minutes ahead.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(72 * 60 - 5);

impl Watch {
    /// A day was planned, or an answer was: from `at` on something must come for it.
    pub(super) fn expect(&mut self, sender: AccountId, slot: SlotId, at: Timestamp) {
        if !self.slots.get(&(sender, slot)).is_some_and(is_settled) {
            self.expected.insert((sender, slot), at);
        }
    }

    /// A receipt was written: its answer was planned, or has moved to another slot.
    pub(super) fn expect_answer(&mut self, before: Option<&Receipt>, receipt: &Receipt) {
        let [before, after] =
            [before, Some(receipt)].map(|it| it.and_then(|it| it.engagement.reply));
        if before.map(|reply| reply.slot) == after.map(|reply| reply.slot) {
            return;
        }
        if let Some(moved) = before {
            // One that was tried already ends where it was.
            let key = (receipt.receiver, moved.slot);
            if !self.slots.contains_key(&key) {
                self.expected.remove(&key);
            }
        }
        if let Some(reply) = after {
            self.expect(receipt.receiver, reply.slot, reply.at);
        }
    }

    /// A slot was written.
    pub(super) fn expect_of(&mut self, slot: &Slot) {
        let key = (slot.sender, slot.id);
        match &slot.state {
            SlotState::Claimed { lease_until, .. } => {
                self.expected.insert(key, *lease_until);
            }
            SlotState::Retry { not_before, .. } => {
                self.expected.insert(key, *not_before);
            }
            _ => {
                self.expected.remove(&key);
            }
        }
    }

    /// Whether something comes for everything that is overdue.
    pub(super) fn comes(&mut self, world: &EngineWorld, wrong: &mut Vec<String>) {
        let now = world.now();
        self.expected
            .retain(|_, at| now.duration_since(*at) < FORGOTTEN);
        let is_overdue = |at: &Timestamp| now.duration_since(*at) > AT_ONCE;
        if !self.expected.values().any(is_overdue) {
            return;
        }
        let look = world.store.look();
        let mut coming: BTreeSet<SlotId> = look.sends_to_come().map(|(slot, _)| slot).collect();
        coming.extend(world.sends_in_queue());
        coming.extend(world.given_up());
        let overdue = self.expected.iter().filter(|(_, at)| is_overdue(at));
        let lost: Vec<_> = overdue
            .filter(|((sender, slot), _)| !coming.contains(slot) && is_there(&look, world, *sender))
            .map(|(key, at)| (*key, *at))
            .collect();
        for ((sender, slot), at) in lost {
            self.expected.remove(&(sender, slot));
            let found = look.slot(world.owner(sender), slot);
            wrong.push(format!(
                "nothing comes for slot {slot} of {sender}, due at {at}: {:?}",
                found.map(|slot| &slot.state)
            ));
        }
    }
}

fn is_settled(slot: &Slot) -> bool {
    slot.state.is_final() || matches!(slot.state, SlotState::InDoubt { .. })
}

/// Without its account nobody is left to whom a mail could be explained.
fn is_there(look: &Look<'_>, world: &EngineWorld, sender: AccountId) -> bool {
    let owner = world.owner(sender);
    look.account(owner.user, owner.account).is_some()
}
