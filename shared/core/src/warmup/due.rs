//! The due index: what is to happen when, and what of it a tick hands out.
//!
//! Entries lie in the index by their instant and are never deleted. A tick reads the last minutes of them and hands out what its
//! predecessors have not: the watermark says how far they came. So a tick that runs twice hands out nothing twice, one that is missed is
//! made up for by the next, and looking for mail that was sent costs no entry of its own: it follows from the entry of the send.
//!
//! - *Sends* are handed out up to [`HORIZON_SECONDS`] ahead, each with the delay to its second.
//! - *Looks, searches and plans* are handed out when they are due: they bear a minute's lateness, and come without delay.
//! - Where the tick stood still for more than [`LATE_SECONDS`], what it missed is handed out apart: it is spread over what is left of its day
//!   ([`spread_missed`]) instead of leaving all at once.
//! - Of sends of one account that are due within a minute all but one get a later instant ([`keep_apart`]).
//!
//! An entry must lie ahead of every watermark that can exist when it is written, or no tick would see it: [`DueEntry::filed`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, SlotId, UserId};
use crate::mail::slot::SlotKind;
use crate::time::{MOST_CLOCK_SKEW_SECONDS, seconds_between, shifted};

mod apart;
mod missed;
pub mod rounds;
mod turns;

pub use apart::{Apart, NEIGHBOURHOOD_SECONDS, keep_apart};
pub use missed::{RestOfDay, Spread, spread_missed};
pub use turns::{Turns, in_turns};

/// How far ahead sends are handed out where queues can delay them: one tick. Without delays a tick hands out only what is due, 0 s ahead.
pub const HORIZON_SECONDS: i64 = 60;

/// What a tick that comes so much later than the one before it missed is spread anew. What a shorter gap made late leaves at once.
pub const LATE_SECONDS: i64 = 10 * 60;

/// Mail is looked for once, from this long after it was sent on (decision 32); one that takes longer is found by its mailbox's rounds
/// ([`rounds`]).
const LOOK_AFTER_SECONDS: i64 = 2 * 60;
/// How far apart the instants lie at which a mailbox may be looked into: mails that come close together are found by one look, and one look
/// in five falls together with a round.
const LOOK_GRID_SECONDS: i64 = 3 * 60;

/// How old an entry can be and still matter: the look at its target, and two ticks of tolerance.
pub const MEMORY_SECONDS: i64 = LOOK_AFTER_SECONDS + LOOK_GRID_SECONDS + 2 * HORIZON_SECONDS;

/// One thing that is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueEntry {
    /// When (schedule clock).
    pub at: Timestamp,
    /// Whose.
    pub user: UserId,
    /// What.
    pub kind: DueKind,
}

/// What can be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "due")]
pub enum DueKind {
    /// A mail is to be sent.
    Send {
        /// Who sends.
        sender: AccountId,
        /// The slot.
        slot: SlotId,
        /// To whom.
        target: AccountId,
        /// Opening or answer.
        slot_kind: SlotKind,
    },
    /// An account's next day is to be planned.
    Plan {
        /// Whose.
        account: AccountId,
    },
    /// A mail in doubt is to be searched for in the mailbox that should have got it (decision 31).
    Settle {
        /// Who sent it.
        sender: AccountId,
        /// The slot.
        slot: SlotId,
        /// To whom.
        target: AccountId,
    },
}

/// What a tick hands out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandOut {
    /// Mails to send, in order of time.
    pub sends: Vec<DueSend>,
    /// Mails that should have been sent while no tick ran, in order of time.
    pub missed: Vec<DueSend>,
    /// Mailboxes to look into, each once.
    pub visits: BTreeMap<AccountId, DueVisit>,
    /// Accounts whose next day is to be planned, with their owners.
    pub plans: BTreeMap<AccountId, UserId>,
}

/// A mail to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueSend {
    /// The owner.
    pub user: UserId,
    /// Who sends.
    pub sender: AccountId,
    /// The slot.
    pub slot: SlotId,
    /// To whom.
    pub target: AccountId,
    /// Opening or answer.
    pub slot_kind: SlotKind,
    /// When it is due.
    pub due: Timestamp,
    /// Seconds from now until then, 0 when it is late.
    pub delay_seconds: u32,
}

/// A mailbox to look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueVisit {
    /// The owner.
    pub user: UserId,
    /// Mails that are expected there, with their senders. If all have been found, the visit was only for them and can be left out.
    pub expected: BTreeSet<(AccountId, SlotId)>,
    /// Whether to look whatever is expected.
    pub look_anyway: bool,
    /// Whether a sitting sums up the account's day, whatever it finds ([`rounds::sums_up`]).
    pub sums_up: bool,
}

impl DueEntry {
    /// Whether a tick may have been where this entry lies, as wrong as the clock that says `now` may be.
    pub fn may_be_behind(&self, now: Timestamp) -> bool {
        self.at < shifted(now, MOST_CLOCK_SKEW_SECONDS + 3 * HORIZON_SECONDS)
    }

    /// This entry as it is written at `now`: moved, if need be, to where no tick has been or can be before the write is visible. A tick
    /// that runs at the same moment may already be [`HORIZON_SECONDS`] ahead with sends; the same again is left for the write itself.
    ///
    /// `now` is the writer's clock or the watermark, whichever is later: ticks may have a clock that is ahead of the writer's.
    #[must_use]
    pub fn filed(self, now: Timestamp) -> Self {
        let ahead = match self.kind {
            DueKind::Send { .. } => 2 * HORIZON_SECONDS,
            DueKind::Plan { .. } | DueKind::Settle { .. } => HORIZON_SECONDS,
        };
        Self {
            at: self.at.max(shifted(now, ahead)),
            ..self
        }
    }
}

/// From where on a tick must read entries, given how far its predecessors came: older ones yield nothing.
pub fn read_from(watermark: Timestamp, now: Timestamp) -> Timestamp {
    shifted(watermark.min(now), -MEMORY_SECONDS)
}

/// What of `entries` is to be handed out at `now`, when everything up to `watermark` was. Afterwards the watermark is
/// [`next_watermark`].
///
/// `entries` are those from [`read_from`] to `ahead` seconds after `now`; more, such as what [`keep_apart`] wants to see, do no harm.
/// `ahead` is [`HORIZON_SECONDS`] or 0 (see there).
pub fn select(entries: &[DueEntry], watermark: Timestamp, now: Timestamp, ahead: i64) -> HandOut {
    let tick = Tick {
        watermark,
        now,
        ahead,
    };
    let mut hand_out = HandOut::default();
    for entry in entries {
        match entry.kind {
            DueKind::Send {
                sender,
                slot,
                target,
                slot_kind,
            } => {
                let send = DueSend {
                    user: entry.user,
                    sender,
                    slot,
                    target,
                    slot_kind,
                    due: entry.at,
                    delay_seconds: u32::try_from(seconds_between(now, entry.at)).unwrap_or(0),
                };
                hand_out.add_send(&tick, send);
            }
            DueKind::Plan { account } if tick.has_come(entry.at) => {
                hand_out.plans.insert(account, entry.user);
            }
            DueKind::Settle {
                sender,
                slot,
                target,
            } if tick.has_come(entry.at) => {
                let visit = hand_out.visit(entry.user, target);
                visit.expected.insert((sender, slot));
                visit.look_anyway = true;
            }
            DueKind::Plan { .. } | DueKind::Settle { .. } => {}
        }
    }
    hand_out.sends.sort_by_key(|send| (send.due, send.slot));
    hand_out.missed.sort_by_key(|send| (send.due, send.slot));
    hand_out
}

/// How far a tick at `now` that looks `ahead` seconds ahead comes; never back behind where its predecessors came.
pub fn next_watermark(watermark: Timestamp, now: Timestamp, ahead: i64) -> Timestamp {
    watermark.max(shifted(now, ahead))
}

struct Tick {
    watermark: Timestamp,
    now: Timestamp,
    ahead: i64,
}

impl Tick {
    /// Whether a send due at `at` belongs to this tick.
    fn comes_up(&self, at: Timestamp) -> bool {
        self.watermark < at && at <= shifted(self.now, self.ahead)
    }

    /// Whether a send due at `at` was missed by an outage. One of the last minute is on time, whatever was before.
    fn missed(&self, at: Timestamp) -> bool {
        let before = shifted(self.watermark, -self.ahead);
        seconds_between(before, self.now) > LATE_SECONDS
            && seconds_between(at, self.now) > HORIZON_SECONDS
    }

    /// Whether something else due at `at` belongs to this tick: the same, without looking ahead.
    fn has_come(&self, at: Timestamp) -> bool {
        self.comes_up(shifted(at, self.ahead))
    }
}

impl HandOut {
    fn add_send(&mut self, tick: &Tick, send: DueSend) {
        if tick.comes_up(send.due) {
            if tick.missed(send.due) {
                self.missed.push(send);
            } else {
                self.sends.push(send);
            }
        }
        if tick.has_come(look_at(send.target, send.due)) {
            let visit = self.visit(send.user, send.target);
            visit.expected.insert((send.sender, send.slot));
        }
    }

    fn visit(&mut self, user: UserId, account: AccountId) -> &mut DueVisit {
        self.visits.entry(account).or_insert_with(|| DueVisit {
            user,
            expected: BTreeSet::new(),
            look_anyway: false,
            sums_up: false,
        })
    }

    /// Adds what another shard handed out. A mailbox that both look into is looked into once.
    pub fn absorb(&mut self, other: Self) {
        self.sends.extend(other.sends);
        self.missed.extend(other.missed);
        self.plans.extend(other.plans);
        for (account, visit) in other.visits {
            let mine = self.visit(visit.user, account);
            mine.expected.extend(visit.expected);
            mine.look_anyway |= visit.look_anyway;
            mine.sums_up |= visit.sums_up;
        }
        self.sends.sort_by_key(|send| (send.due, send.slot));
        self.missed.sort_by_key(|send| (send.due, send.slot));
    }
}

/// When a mailbox is looked into for a mail that is sent to it at `due`: two to five minutes later, on its own grid.
fn look_at(target: AccountId, due: Timestamp) -> Timestamp {
    rounds::on_grid(target, shifted(due, LOOK_AFTER_SECONDS), LOOK_GRID_SECONDS)
}

#[cfg(test)]
mod tests;
