use jiff::Timestamp;

use super::*;
use crate::ids::{AccountId, ThreadId, UserId};
use crate::mail::slot::{SkipReason, SlotKind, ThreadPosition};

fn at() -> Timestamp {
    "2026-03-13T09:00:00Z".parse().unwrap()
}

fn slot(n: u128, state: SlotState) -> Slot {
    Slot {
        id: SlotId::new(at(), n),
        user: UserId::new(at(), 1),
        sender: AccountId::new(at(), 1),
        recipient: AccountId::new(at(), 2),
        date: "2026-03-13".parse().unwrap(),
        kind: SlotKind::Thread,
        scheduled_at: at(),
        message_id: "a@b.example".to_owned(),
        message_date: at(),
        position: ThreadPosition {
            thread: ThreadId::new(at(), 1),
            conversation: "garden-plans".to_owned(),
            turn: 0,
            references: Vec::new(),
        },
        state,
        spammed_at: None,
        version: 1,
    }
}

/// Each state, and whether a mail in it uses room.
fn states() -> Vec<(SlotState, bool)> {
    let claimed = SlotState::Claimed {
        owner: "x".to_owned(),
        lease_until: at(),
        attempt: 1,
    };
    let rejected = SlotState::Rejected {
        at: at(),
        reply: 550,
        bounced: true,
        reason: String::new(),
    };
    let retry = SlotState::Retry {
        not_before: at(),
        attempt: 1,
        reason: String::new(),
    };
    let doubt = SlotState::InDoubt {
        since: at(),
        checks: 0,
    };
    let bounced = SlotState::Bounced {
        accepted_at: at(),
        at: at(),
        status: "5.1.1".to_owned(),
    };
    let skipped = SlotState::Skipped {
        at: at(),
        reason: SkipReason::LimitReached,
    };
    vec![
        (claimed, true),
        (SlotState::Accepted { at: at() }, true),
        (rejected, true),
        (doubt, true),
        (SlotState::Unknown { at: at() }, true),
        (bounced, true),
        (retry, false),
        (skipped, false),
    ]
}

#[test]
fn the_last_mail_that_fits_leaves_and_the_next_does_not() {
    let sent = |n| slot(n, SlotState::Accepted { at: at() });
    let day: Vec<_> = (1..=4).map(sent).collect();
    let next = SlotId::new(at(), 9);
    assert!(!is_spent(5, next, &day));
    assert!(is_spent(4, next, &day));
    assert!(is_spent(0, next, &[]));
}

#[test]
fn what_was_given_to_a_server_uses_room_and_what_waits_does_not() {
    for (state, uses) in states() {
        let day = [slot(1, state)];
        assert_eq!(is_spent(1, SlotId::new(at(), 9), &day), uses, "{day:?}");
    }
}

#[test]
fn a_mail_is_not_counted_against_itself() {
    for (state, _) in states() {
        let day = [slot(1, state)];
        assert!(!is_spent(1, day[0].id, &day));
    }
}

#[test]
fn it_limits_only_when_it_is_on() {
    assert_eq!(TestMode::OFF.maximum(), None);
    let on = TestMode {
        enabled: true,
        ..TestMode::OFF
    };
    assert_eq!(on.maximum(), Some(20));
}
