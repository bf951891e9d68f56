//! Nothing is lost on its way: for every mail that is planned and has no fate yet, something will come, and soon once it is overdue.
//!
//! That is an entry of the index that a tick will still read, or an order in the queue. Only two things may take it away: a queue that gave
//! an order up, and a mail in doubt, for which searches come and not an order. Both are settled when the day is closed
//! ([`audit`](crate::audit) waits for that).
//!
//! Soon is within [`SOON`]. What may come later says one of four rules, and until when: the sender's servers are not to be tried before, or it
//! is in error and its mails come again in the rest of the day (decision 17); an outage of the ticks is caught up over that, too; an answer that has moved, and a mail that is tried again, are
//! not overdue before their new instants, which have limits of their own.

use std::collections::BTreeMap;

use agentwarm_core::account::AccountStatus;
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::{Slot, SlotState};
use agentwarm_core::time::around;
use agentwarm_core::warmup::connection::MailProtocol;
use agentwarm_testkit::memory::look::Look;
use agentwarm_testkit::world::EngineWorld;
use jiff::{SignedDuration, Timestamp};

use super::Watch;

/// How long something may be due with nothing coming for it: as long as the tick and the worker of one minute take.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(2);

/// Within what time something comes for a mail that is overdue, unless a rule says otherwise.
const SOON: SignedDuration = SignedDuration::from_mins(30);

/// How long servers that failed are left alone at most.
const LONGEST_BACKOFF: SignedDuration = SignedDuration::from_mins(60);

/// How long a mail waits for its next attempt at most: the fourth and last wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(64);

/// How late a tick is when it spreads what it missed: so long after the one before it, which looked a minute ahead.
const OUTAGE: SignedDuration = SignedDuration::from_mins(9);

/// What is less late is on time even then.
const ON_TIME: SignedDuration = SignedDuration::from_mins(1);

/// How long after an account healed somebody may take it to be in error.
const SEEN_LATE: SignedDuration = SignedDuration::from_mins(5);

/// What lies where a tick has been is filed beyond it.
const FILING: SignedDuration = SignedDuration::from_mins(3);

/// How long after the doubt arose a mail is looked for (decision 31), in minutes.
const SEARCHES: [i64; 5] = [5, 15, 60, 6 * 60, 24 * 60];

/// How long after a mail was found its answer may move at most (decision 21).
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_hours(48);

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
    pub(super) fn expect_answer(
        &mut self,
        before: Option<&Receipt>,
        receipt: &Receipt,
        wrong: &mut Vec<String>,
    ) {
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
            if before.is_some() && reply.at.duration_since(receipt.found_at) > ANSWERED_WITHIN {
                wrong.push(format!(
                    "the answer to {}, found at {}, moved to {}",
                    receipt.slot, receipt.found_at, reply.at
                ));
            }
            self.expect(receipt.receiver, reply.slot, reply.at);
        }
    }

    /// A slot was written.
    pub(super) fn expect_of(&mut self, slot: &Slot) {
        let key = (slot.sender, slot.id);
        self.spread.remove(&key);
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

    /// What was tried in vain is tried again after its wait; what is in doubt now will be searched for, each time that it should be.
    pub(super) fn searches(
        &self,
        world: &EngineWorld,
        before: Option<&Slot>,
        slot: &Slot,
        wrong: &mut Vec<String>,
    ) {
        let now = world.now();
        let late = FILING + self.skew + self.skew;
        if let SlotState::Retry { not_before, .. } = slot.state
            && not_before.duration_since(now) > LONGEST_WAIT + late
        {
            wrong.push(format!("slot {} waits until {not_before}", slot.id));
        }
        let SlotState::InDoubt { since, .. } = slot.state else {
            return;
        };
        if before.is_some_and(|before| matches!(before.state, SlotState::InDoubt { .. })) {
            return;
        }
        let look = world.store.look();
        let searches = look.searches_to_come().filter(|(id, _)| *id == slot.id);
        let searches: Vec<_> = searches.map(|(_, at)| at).collect();
        for minutes in SEARCHES {
            let due = since + SignedDuration::from_mins(minutes);
            let is_it = |at: &Timestamp| (due..=due + late).contains(at);
            if due > now + late && !searches.iter().any(is_it) {
                wrong.push(format!(
                    "nobody looks for slot {} at {due}: {searches:?}",
                    slot.id
                ));
            }
        }
    }

    /// Whether something comes for everything that is overdue, and soon.
    pub(super) fn comes(&mut self, world: &EngineWorld, wrong: &mut Vec<String>) {
        let now = world.now();
        self.expected
            .retain(|_, at| now.duration_since(*at) < FORGOTTEN);
        let look = world.store.look();
        self.note_back_offs(&look, world);
        self.note_errors(&look, world);
        self.note_outage(&look, world);
        let is_overdue = |at: &Timestamp| now.duration_since(*at) > AT_ONCE;
        if !self.expected.values().any(is_overdue) {
            return;
        }
        let mut coming: BTreeMap<SlotId, Timestamp> = BTreeMap::new();
        let given_up = world.given_up().iter().map(|slot| (*slot, now));
        let orders = world.sends_in_queue().chain(given_up);
        for (slot, at) in look.sends_to_come().chain(orders) {
            let first = coming.entry(slot).or_insert(at);
            *first = at.min(*first);
        }
        let overdue = self.expected.iter().filter(|(_, at)| is_overdue(at));
        let lost: Vec<_> = overdue
            .filter(|(key, _)| {
                let comes = coming.get(&key.1);
                comes.is_none_or(|at| *at > self.latest(key, now)) && is_there(&look, world, key.0)
            })
            .map(|(key, at)| (*key, *at))
            .collect();
        for ((sender, slot), at) in lost {
            self.expected.remove(&(sender, slot));
            let found = look.slot(world.owner(sender), slot);
            let comes = coming.get(&slot).map_or("nothing comes".to_owned(), |at| {
                format!("something comes at {at} only")
            });
            wrong.push(format!(
                "{comes} for slot {slot} of {sender}, due at {at}: {:?}",
                found.map(|slot| &slot.state)
            ));
        }
    }

    /// Until when something must come for a mail that is overdue.
    fn latest(&self, key: &(AccountId, SlotId), now: Timestamp) -> Timestamp {
        let put_off = self.put_off.get(&key.0);
        let rules = [put_off, self.spread.get(key)];
        let latest = rules.into_iter().flatten().max();
        let late = FILING + self.skew + self.skew;
        latest.map_or(now + SOON, |latest| (*latest + late).max(now + SOON))
    }

    /// Whose SMTP server is left alone for a while; in error, whose IMAP server is, too. A mail that meets that comes again when it is over,
    /// whatever happens meanwhile.
    fn note_back_offs(&mut self, look: &Look<'_>, world: &EngineWorld) {
        let longest = world.now() + LONGEST_BACKOFF + self.skew;
        for account in look.accounts() {
            let Some(mailbox) = look.mailbox(world.owner(account.id)) else {
                continue;
            };
            let imap = Some(MailProtocol::Imap).filter(|_| account.status == AccountStatus::Error);
            let asked = [Some(MailProtocol::Smtp), imap].into_iter().flatten();
            let waits = asked.filter_map(|protocol| mailbox.health.waits_until(protocol));
            if let Some(until) = waits.filter(|until| *until <= longest).max() {
                let put_off = self.put_off.entry(account.id).or_insert(until);
                *put_off = until.max(*put_off);
            }
        }
    }

    /// A tick of this minute may have come so late that it spread what was overdue over the day's hours that are left.
    fn note_outage(&mut self, look: &Look<'_>, world: &EngineWorld) {
        let now = world.now();
        let before = std::mem::replace(&mut self.handed_out_until, look.handed_out_until());
        if before.is_none_or(|before| now.duration_since(before) <= OUTAGE) {
            return;
        }
        let overdue = self.expected.iter();
        let overdue = overdue.filter(|(_, at)| now.duration_since(**at) >= ON_TIME);
        for (key, _) in overdue {
            if let Some(end) = end_of_hours(look, world, key.0) {
                self.spread.insert(*key, end);
            }
        }
    }

    /// What is due while its sender is in error, or was until lately: who reads the account may not see at once that it healed.
    fn note_errors(&mut self, look: &Look<'_>, world: &EngineWorld) {
        let now = world.now();
        for account in look.accounts() {
            if account.status == AccountStatus::Error {
                self.in_error.insert(account.id, now);
            }
        }
        let is_due = |at: &Timestamp| *at <= now + SignedDuration::from_mins(1);
        let due = self.expected.iter().filter(|(_, at)| is_due(at));
        for (key, _) in due {
            let in_error = self.in_error.get(&key.0);
            if in_error.is_some_and(|last| now.duration_since(*last) <= SEEN_LATE)
                && let Some(end) = end_of_hours(look, world, key.0)
            {
                self.spread.insert(*key, end);
            }
        }
    }
}

/// When the hours of the day end that an account has now.
fn end_of_hours(look: &Look<'_>, world: &EngineWorld, account: AccountId) -> Option<Timestamp> {
    let now = world.now();
    let owner = world.owner(account);
    let zone = look.account(owner.user, owner.account).map(|it| &it.zone);
    // Who moved to another zone today has the day under a neighbouring date.
    let dates = zone.into_iter().flat_map(|it| around(it.date_of(now)));
    let plans = dates.filter_map(|date| look.plan(owner, date));
    let running = plans.filter(|plan| plan.span.contains(now));
    let hours = running.filter_map(|plan| plan.window);
    hours.map(|window| window.end).max()
}

fn is_settled(slot: &Slot) -> bool {
    slot.state.is_final() || matches!(slot.state, SlotState::InDoubt { .. })
}

/// Without its account nobody is left to whom a mail could be explained.
fn is_there(look: &Look<'_>, world: &EngineWorld, sender: AccountId) -> bool {
    let owner = world.owner(sender);
    look.account(owner.user, owner.account).is_some()
}
