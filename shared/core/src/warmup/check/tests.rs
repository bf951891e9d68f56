//! A good plan passes; each way of spoiling it is found, and is found as what it is.

use jiff::civil::date;

use super::*;
use crate::account::WarmupPhase;
use crate::ids::{ScheduleId, UserId};
use crate::pool::PoolConfig;
use crate::time::{Zone, shifted};
use crate::warmup::day::{PlannedSlot, Reason, Rule, Window};
use crate::warmup::samples::{account_id, at};

fn slot(seconds: i64, n: u64) -> PlannedSlot {
    let at = shifted(at("2026-03-13T08:00:00Z"), seconds);
    PlannedSlot {
        id: SlotId::new(at, u128::from(n)),
        at,
        target: account_id(n),
    }
}

/// Day 3 of a mailbox in UTC: 4 mails, one of them a reply.
fn good() -> DayPlan {
    let zone = Zone::utc();
    DayPlan {
        id: ScheduleId::new(at("2026-03-13T00:00:00Z"), 1),
        user: UserId::new(at("2026-01-01T00:00:00Z"), 1),
        account: account_id(1),
        span: zone.day(date(2026, 3, 13)),
        zone,
        window: Some(Window {
            start: at("2026-03-13T08:00:00Z"),
            end: at("2026-03-13T18:00:00Z"),
        }),
        day_number: 3,
        phase: WarmupPhase::RampUp,
        limit: 4,
        reply_budget: 1,
        slots: vec![slot(0, 2), slot(60, 3), slot(35_999, 4)],
        config: PoolConfig::default(),
        reasons: vec![Reason {
            rule: Rule::Ramp,
            volume: 4,
            because: String::new(),
        }],
        planned_at: at("2026-03-13T02:00:00Z"),
        daily_total: None,
    }
}

fn check(plan: &DayPlan) -> Vec<Violation> {
    let eligible: BTreeSet<_> = (2..6).map(account_id).collect();
    let previous = LastPlanned {
        date: date(2026, 3, 12),
        start: at("2026-03-12T00:00:00Z"),
    };
    check_plan(
        plan,
        &CheckContext {
            eligible: &eligible,
            previous: Some(previous),
            plan_allowance: 40,
            test_mode: Some(20),
        },
    )
}

/// What is found after `spoil` was done to a good plan.
fn found(spoil: impl FnOnce(&mut DayPlan)) -> Vec<Violation> {
    let mut plan = good();
    spoil(&mut plan);
    check(&plan)
}

fn found_in_first_slot(spoil: impl FnOnce(&mut PlannedSlot)) -> Vec<Violation> {
    found(|plan| spoil(&mut plan.slots[0]))
}

#[test]
fn a_good_plan_passes() {
    assert_eq!(check(&good()), []);
}

#[test]
fn a_wrong_day_is_found() {
    let thirteenth = date(2026, 3, 13);
    assert_eq!(
        found(|plan| plan.span.end = at("2026-03-14T01:00:00Z")),
        [Violation::Span(thirteenth)]
    );
    assert_eq!(
        found(|plan| plan.span.start = at("2026-03-12T23:00:00Z")),
        [Violation::Span(thirteenth)]
    );
    assert_eq!(found(|plan| plan.day_number = 0)[0], Violation::DayNumber);

    let mut early = good();
    early.slots.clear();
    early.span = early.zone.day(date(2026, 3, 12));
    assert!(check(&early).contains(&Violation::TooSoon(date(2026, 3, 12))));
}

#[test]
fn a_wrong_volume_is_found() {
    let over = |of, max| Violation::OverMaximum { limit: 4, max, of };
    assert_eq!(
        found(|plan| plan.config.max_daily_emails = 3)[0],
        over("the pool", 3)
    );
    assert_eq!(found(|plan| plan.day_number = 2), [over("the phase", 3)]);
    assert_eq!(
        found(|plan| plan.phase = WarmupPhase::Cooldown),
        [over("the phase", 2)]
    );
    assert_eq!(
        found(|plan| plan.phase = WarmupPhase::Graduated),
        [over("the phase", 2)]
    );
    assert_eq!(found(|plan| plan.phase = WarmupPhase::Sustain), []);
    let many = found(|plan| {
        plan.day_number = 100;
        plan.limit = 40;
        plan.reasons[0].volume = 40;
    });
    assert!(many.contains(&Violation::OverMaximum {
        limit: 40,
        max: 20,
        of: "test mode"
    }));

    assert_eq!(
        found(|plan| plan.reasons.clear()),
        [Violation::Unexplained(4)]
    );
    assert_eq!(
        found(|plan| plan.reasons[0].volume = 5),
        [Violation::Unexplained(4)]
    );
    let budget = |threads, replies| Violation::Budget {
        threads,
        replies,
        limit: 4,
    };
    assert_eq!(
        found(|plan| {
            plan.slots.pop();
        }),
        [budget(2, 1)]
    );
    assert_eq!(
        found(|plan| plan.reply_budget = 2),
        [budget(3, 2), Violation::ReplyShare(2)]
    );
    assert_eq!(
        found(|plan| {
            plan.reply_budget = 0;
            plan.slots.insert(2, slot(120, 5));
        }),
        [Violation::ReplyShare(0)]
    );
}

#[test]
fn a_wrong_time_is_found() {
    let id = slot(0, 2).id;
    let moved = |text: &str| {
        let at = at(text);
        move |slot: &mut PlannedSlot| {
            slot.at = at;
        }
    };
    let dawn = found_in_first_slot(moved("2026-03-13T07:59:59Z"));
    assert!(dawn.contains(&Violation::OutsideHours(id)) && dawn.contains(&Violation::IdTime(id)));
    assert!(found_in_first_slot(moved("2026-03-12T09:00:00Z")).contains(&Violation::OtherDate(id)));
    assert!(
        found(|plan| plan.slots[2] = slot(36_000, 4))
            .contains(&Violation::OutsideHours(slot(36_000, 4).id))
    );
    assert_eq!(
        found(|plan| plan.slots[1] = slot(59, 3)),
        [Violation::TooClose(slot(59, 3).id)]
    );
    assert_eq!(
        found(|plan| plan.slots.swap(1, 2)),
        [Violation::TooClose(slot(60, 3).id)]
    );
    assert_eq!(
        found(|plan| plan.planned_at = at("2026-03-13T08:00:30Z")),
        [Violation::InThePast(id)]
    );
    assert_eq!(found(|plan| plan.window = None).len(), 3);
    let saturday = found(|plan| {
        plan.span = plan.zone.day(date(2026, 3, 14));
        for slot in &mut plan.slots {
            slot.at = shifted(slot.at, 86_400);
        }
    });
    assert!(saturday.contains(&Violation::DayOff(id)));
    assert_eq!(
        found(|plan| plan.slots[1].id = SlotId::new(plan.slots[0].at, 2)),
        [Violation::Duplicate(id), Violation::IdTime(id)]
    );
}

#[test]
fn a_wrong_partner_is_found() {
    let id = slot(0, 2).id;
    assert_eq!(
        found_in_first_slot(|slot| slot.target = account_id(1)),
        [Violation::ToItself(id)]
    );
    assert_eq!(
        found_in_first_slot(|slot| slot.target = account_id(9)),
        [Violation::NotEligible(id)]
    );
    assert_eq!(
        found(|plan| {
            plan.config.max_per_partner_per_day = 1;
            plan.slots[0].target = account_id(3);
        }),
        [Violation::PartnerLimit {
            account: account_id(3),
            mails: 2
        }]
    );
}
