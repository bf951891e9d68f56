use jiff::Timestamp;

use super::*;
use crate::mail::slot::SkipReason;
use crate::warmup::samples::{friday, slot};

fn at() -> Timestamp {
    friday()
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
    let bounced = SlotState::Returned {
        accepted_at: at(),
        at: at(),
        status: "5.1.1".to_owned(),
        bounced: true,
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
