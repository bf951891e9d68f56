//! No two mails of one account within a minute (decision 26), where they are handed out.
//!
//! A day's new threads are planned a minute apart. Answers are not: each is drawn from the mail it answers, and knows of no other. A
//! tick has them all before it, so this is where it costs nothing to look: a mail that is too close to another gets a later instant and
//! goes back into the index. Threads keep their instants, answers give way; where mails come late and would leave together, all but the
//! first give way.
//!
//! An entry that gave way stays in the index where it was, for entries are never deleted. A thread does not mind: an answer within a minute
//! of it has given way, whatever its entry says. Another answer may give way to one that is not there; it is an answer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{DueEntry, DueKind, DueSend, HORIZON_SECONDS};
use crate::ids::{AccountId, SlotId};
use crate::mail::slot::SlotKind;
use crate::time::{seconds_between, shifted};
use crate::warmup::spacing::next_free;
use crate::warmup::thresholds::MIN_SECONDS_BETWEEN_MAILS as GAP;

/// How far beyond what a tick hands out it reads: the threads that answers give way to.
pub const NEIGHBOURHOOD_SECONDS: i64 = GAP;

/// What a tick hands out, a minute apart for each sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apart {
    /// These leave as they are, in order of time.
    pub kept: Vec<DueSend>,
    /// These give way, with their new instants.
    pub moved: Vec<(DueSend, Timestamp)>,
}

/// When a sender's mails leave, in order.
#[derive(Debug, Default)]
struct Leaving {
    threads: BTreeSet<(Timestamp, SlotId)>,
    all: BTreeSet<(Timestamp, SlotId)>,
}

/// Tells which of `sends` can leave now. `entries` are all sends of the same senders from a minute before `sends` to
/// [`NEIGHBOURHOOD_SECONDS`] after what the tick hands out; more, and other kinds, do no harm.
///
/// What gives way goes to where no tick has been yet, so filing it does not move it again. It may lie outside working hours: its claim
/// decides.
pub fn keep_apart(sends: &[DueSend], entries: &[DueEntry], now: Timestamp) -> Apart {
    let mut leaving = neighbours(sends, entries);
    let mut in_order: Vec<_> = sends.iter().collect();
    in_order.sort_by_key(|send| (send.slot_kind != SlotKind::Thread, send.due, send.slot));
    let mut apart = Apart::default();
    for send in in_order {
        let taken = leaving.entry(send.sender).or_default();
        let leaves = leaves_at(send.due, now);
        let in_the_way = match send.slot_kind {
            SlotKind::Thread => &taken.threads,
            SlotKind::Reply { .. } => &taken.all,
        };
        if is_clear(in_the_way, leaves, send.slot) {
            taken.insert(leaves, send.slot, send.slot_kind);
            apart.kept.push(*send);
            continue;
        }
        let instants: Vec<_> = taken.all.iter().map(|(at, _)| *at).collect();
        let first = leaves.max(shifted(now, 2 * HORIZON_SECONDS));
        let at = next_free(first, &instants);
        taken.insert(at, send.slot, send.slot_kind);
        apart.moved.push((*send, at));
    }
    apart.kept.sort_by_key(|send| (send.due, send.slot));
    apart
}

impl Leaving {
    fn insert(&mut self, at: Timestamp, slot: SlotId, kind: SlotKind) {
        self.all.insert((at, slot));
        if kind == SlotKind::Thread {
            self.threads.insert((at, slot));
        }
    }
}

/// The mails of these senders that are not theirs to give way: handed out before, or threads that come next.
fn neighbours(sends: &[DueSend], entries: &[DueEntry]) -> BTreeMap<AccountId, Leaving> {
    let own: BTreeSet<_> = sends.iter().map(|send| (send.slot, send.due)).collect();
    let mut leaving: BTreeMap<AccountId, Leaving> = BTreeMap::new();
    for send in sends {
        leaving.entry(send.sender).or_default();
    }
    let last = sends.iter().map(|send| send.due).max();
    for entry in entries {
        let DueKind::Send {
            sender,
            slot,
            slot_kind,
            ..
        } = entry.kind
        else {
            continue;
        };
        let gives_way = slot_kind != SlotKind::Thread && last.is_some_and(|last| entry.at > last);
        if let Some(taken) = leaving.get_mut(&sender)
            && !own.contains(&(slot, entry.at))
            && !gives_way
        {
            taken.insert(entry.at, slot, slot_kind);
        }
    }
    leaving
}

/// When a mail leaves that is handed out at `now`: at its instant, or now if that lies further back than one tick.
fn leaves_at(due: Timestamp, now: Timestamp) -> Timestamp {
    if seconds_between(due, now) < HORIZON_SECONDS {
        due
    } else {
        now
    }
}

/// Whether no other mail leaves within a minute of `at`.
fn is_clear(taken: &BTreeSet<(Timestamp, SlotId)>, at: Timestamp, slot: SlotId) -> bool {
    taken
        .iter()
        .filter(|(_, other)| *other != slot)
        .all(|(other, _)| {
            at.duration_since(*other).as_millis().unsigned_abs()
                >= u128::from(GAP.unsigned_abs()) * 1000
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;
    use crate::warmup::samples::{account_id, at};

    fn now() -> Timestamp {
        at("2026-03-13T10:00:00Z")
    }

    fn from_now(seconds: i64) -> Timestamp {
        shifted(now(), seconds)
    }

    fn reply() -> SlotKind {
        SlotKind::Reply {
            answers: SlotId::new(now(), 99),
        }
    }

    fn entry(seconds: i64, n: u64, slot_kind: SlotKind) -> DueEntry {
        DueEntry {
            at: from_now(seconds),
            user: UserId::new(now(), 1),
            kind: DueKind::Send {
                sender: account_id(1),
                slot: SlotId::new(from_now(seconds), u128::from(n)),
                target: account_id(2),
                slot_kind,
            },
        }
    }

    /// Seconds from now of what is kept and of what is moved, from and to, when a tick that looks a minute ahead meets these entries.
    fn met(entries: &[DueEntry]) -> (Vec<i64>, Vec<(i64, i64)>) {
        let sends = super::super::select(entries, now(), now(), HORIZON_SECONDS).sends;
        let apart = keep_apart(&sends, entries, now());
        let seconds = |at| seconds_between(now(), at);
        (
            apart.kept.iter().map(|send| seconds(send.due)).collect(),
            apart
                .moved
                .iter()
                .map(|(send, at)| (seconds(send.due), seconds(*at)))
                .collect(),
        )
    }

    #[test]
    fn answers_give_way_to_threads_before_and_after_them() {
        let thread = SlotKind::Thread;
        for (others, expected) in [
            (vec![], (vec![30], vec![])),
            (vec![entry(-30, 2, thread)], (vec![30], vec![])),
            (vec![entry(-29, 2, thread)], (vec![], vec![(30, 120)])),
            (vec![entry(20, 2, thread)], (vec![20], vec![(30, 120)])),
            (vec![entry(89, 2, thread)], (vec![], vec![(30, 149)])),
            (vec![entry(90, 2, thread)], (vec![30], vec![])),
            // Another answer beyond this tick gives way itself.
            (vec![entry(70, 2, reply())], (vec![30], vec![])),
            (vec![entry(-20, 2, reply())], (vec![], vec![(30, 120)])),
        ] {
            let mut entries = vec![entry(30, 1, reply())];
            entries.extend(others);
            assert_eq!(met(&entries), expected, "{entries:?}");
        }
    }

    #[test]
    fn a_thread_keeps_its_instant_whatever_entry_an_answer_left_behind() {
        // The tick before moved this answer out of the way.
        let entries = [entry(-20, 2, reply()), entry(30, 1, SlotKind::Thread)];
        assert_eq!(met(&entries), (vec![30], vec![]));
    }

    #[test]
    fn what_gives_way_keeps_its_distance_too() {
        let entries = [
            entry(10, 1, SlotKind::Thread),
            entry(20, 2, reply()),
            entry(30, 3, reply()),
            entry(40, 4, reply()),
        ];
        assert_eq!(
            met(&entries),
            (vec![10], vec![(20, 120), (30, 180), (40, 240)])
        );
    }

    #[test]
    fn of_what_comes_late_the_first_leaves_and_the_rest_follow() {
        let entries = [-300, -200, -100].map(|seconds| entry(seconds, 1, SlotKind::Thread));
        let sends = super::super::select(&entries, from_now(-400), now(), 0).sends;
        let apart = keep_apart(&sends, &entries, now());
        assert_eq!(apart.kept.len(), 1);
        assert_eq!(apart.kept[0].due, from_now(-300));
        let moved: Vec<_> = apart.moved.iter().map(|(_, at)| *at).collect();
        assert_eq!(moved, [from_now(120), from_now(180)]);
    }

    #[test]
    fn a_mail_is_not_in_its_own_way() {
        let twice = [entry(10, 1, reply()), entry(10, 1, reply())];
        assert_eq!(met(&twice).0.len(), 2);
        let mut other = entry(20, 1, reply());
        if let DueKind::Send { sender, .. } = &mut other.kind {
            *sender = account_id(7);
        }
        assert_eq!(met(&[entry(10, 2, reply()), other]).0, [10, 20]);
    }
}
