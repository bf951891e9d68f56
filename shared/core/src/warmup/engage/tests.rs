//! Rates over many mails, times of single ones, and the order in which things are done.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::ids::{ThreadId, UserId};
use crate::mail::receipt::Placement;
use crate::mail::slot::ThreadPosition;
use crate::time::seconds_between;
use crate::warmup::samples::{account_id, at};

fn slot(n: u32) -> SlotId {
    SlotId::new(at("2026-03-12T09:00:00Z"), u128::from(n))
}

fn config(open: u16, important: u16, reply: u16) -> PoolConfig {
    PoolConfig {
        open_rate: Rate::per_mille(open),
        mark_important_rate: Rate::per_mille(important),
        reply_rate: Rate::per_mille(reply),
        ..PoolConfig::default()
    }
}

fn engagement(n: u32, found_at: &str, config: &PoolConfig, can_reply: bool) -> Engagement {
    engage(&Arrival {
        slot: slot(n),
        found_at: at(found_at),
        receiver: account_id(u64::from(n)),
        zone: &Zone::utc(),
        config,
        can_reply,
        seed: Seed::root(&n.to_be_bytes()),
    })
}

fn receipt(engagement: Engagement) -> Receipt {
    Receipt {
        slot: slot(1),
        user: UserId::new(at("2026-01-01T00:00:00Z"), 1),
        receiver: account_id(2),
        sender: account_id(1),
        date: date(2026, 3, 12),
        found_at: at("2026-03-12T09:05:00Z"),
        placement: Placement::Inbox,
        message_id: "a@one.example".to_owned(),
        position: ThreadPosition {
            thread: ThreadId::new(at("2026-03-12T09:00:00Z"), 1),
            conversation: "lunch".to_owned(),
            turn: 0,
            references: Vec::new(),
        },
        engagement,
        rescued_at: None,
        version: 1,
    }
}

/// Per mille of 2,000 mails that are opened, marked and answered.
fn shares(config: &PoolConfig) -> [u32; 3] {
    let mut counts = [0; 3];
    for n in 0..2000 {
        let it = engagement(n, "2026-03-12T09:05:00Z", config, true);
        counts[0] += u32::from(it.open_at.is_some());
        counts[1] += u32::from(it.important_at.is_some());
        counts[2] += u32::from(it.reply.is_some());
    }
    counts.map(|count| count / 2)
}

#[test]
fn the_overall_shares_are_the_configured_ones() {
    for (open, important, reply, expected) in [
        (950, 300, 700, [950, 300, 700]),
        (500, 100, 400, [500, 100, 400]),
        // What is not opened cannot be answered.
        (400, 900, 900, [400, 400, 400]),
        (1000, 1000, 1000, [1000, 1000, 1000]),
        (0, 1000, 1000, [0, 0, 0]),
        (1000, 0, 0, [1000, 0, 0]),
    ] {
        let measured = shares(&config(open, important, reply));
        for (measured, expected) in measured.into_iter().zip(expected) {
            assert!(
                u32::abs_diff(measured, expected) <= 30,
                "{open} {important} {reply}: {measured} instead of {expected}"
            );
        }
    }
}

#[test]
fn delays_look_like_people() {
    let everything = config(1000, 1000, 1000);
    let mut minutes: Vec<_> = (0..2000)
        .map(|n| {
            let it = engagement(n, "2026-03-12T09:05:00Z", &everything, true);
            seconds_between(at("2026-03-12T09:05:00Z"), it.open_at.unwrap()) / 60
        })
        .collect();
    minutes.sort_unstable();
    let percentile = |percent: usize| minutes[minutes.len() * percent / 100];
    // Half within 22 minutes, and half of the time between two sittings.
    assert!((20..=32).contains(&percentile(10)), "{}", percentile(10));
    assert!((52..=70).contains(&percentile(50)), "{}", percentile(50));
    assert!((165..=195).contains(&percentile(90)), "{}", percentile(90));
}

#[test]
fn what_arrives_on_friday_evening_is_opened_on_monday_morning() {
    let everything = config(1000, 1000, 1000);
    for n in 0..50 {
        let it = engagement(n, "2026-03-13T20:00:00Z", &everything, true);
        let open = it.open_at.unwrap();
        assert!(open >= at("2026-03-16T08:00:00Z") && open < at("2026-03-16T18:00:00Z"));
    }
}

#[test]
fn nobody_answers_the_last_turn() {
    let it = engagement(1, "2026-03-12T09:05:00Z", &config(1000, 1000, 1000), false);
    assert!(it.open_at.is_some() && it.reply.is_none());
}

#[test]
fn the_same_mail_is_treated_the_same_again() {
    for n in 0..20 {
        let again = |_| engagement(n, "2026-03-12T09:05:00Z", &PoolConfig::default(), true);
        assert_eq!(again(1), again(2));
    }
}

/// Opened at 10:00, marked at 10:01, answered at 11:00, filed at 11:30.
fn planned() -> Receipt {
    receipt(Engagement {
        open_at: Some(at("2026-03-12T10:00:00Z")),
        important_at: Some(at("2026-03-12T10:01:00Z")),
        reply: Some(PlannedReply {
            slot: slot(2),
            at: at("2026-03-12T11:00:00Z"),
        }),
        file_at: at("2026-03-12T11:30:00Z"),
    })
}

#[test]
fn each_sitting_does_what_became_due_since_the_last() {
    let mail = planned();
    let sittings = [
        "2026-03-12T09:59:59Z",
        "2026-03-12T10:00:00Z",
        "2026-03-12T10:30:00Z",
        "2026-03-12T11:30:00Z",
        "2026-03-12T12:00:00Z",
    ];
    let mut through = None;
    let mut steps = Vec::new();
    for sitting in sittings {
        steps.push(due(&mail, through, at(sitting)));
        through = Some(at(sitting));
    }
    assert_eq!(
        steps,
        [
            vec![],
            vec![Action::Open],
            vec![Action::MarkImportant],
            vec![Action::File],
            vec![],
        ]
    );
    assert_eq!(
        due(&mail, None, at("2026-03-13T09:00:00Z")),
        [Action::Open, Action::MarkImportant, Action::File]
    );
}

#[test]
fn what_was_due_until_the_last_sitting_is_done() {
    let mail = planned();
    let is_done = |through: &str| {
        let Done {
            opened,
            important,
            filed,
        } = done(&mail, Some(at(through)));
        [opened, important, filed]
    };
    assert_eq!(done(&mail, None), Done::default());
    assert_eq!(is_done("2026-03-12T09:59:59Z"), [false, false, false]);
    assert_eq!(is_done("2026-03-12T10:00:00Z"), [true, false, false]);
    assert_eq!(is_done("2026-03-12T10:01:00Z"), [true, true, false]);
    assert_eq!(is_done("2026-03-12T11:30:00Z"), [true, true, true]);

    let next = |through: Option<&str>| next_due(&mail, through.map(at));
    assert_eq!(next(None), Some(at("2026-03-12T10:00:00Z")));
    assert_eq!(
        next(Some("2026-03-12T10:00:00Z")),
        Some(at("2026-03-12T10:01:00Z"))
    );
    assert_eq!(next(Some("2026-03-12T11:30:00Z")), None);
}

#[test]
fn filing_waits_for_a_reply_that_was_moved() {
    let mut mail = planned();
    let filing = |mail: &Receipt| next_due(mail, Some(at("2026-03-12T10:01:00Z")));
    assert_eq!(filing(&mail), Some(at("2026-03-12T11:30:00Z")));
    mail.engagement.reply = Some(PlannedReply {
        slot: slot(3),
        at: at("2026-03-13T09:00:00Z"),
    });
    let answered = at("2026-03-13T09:01:00Z");
    let next = rounds::filing_at_or_after(mail.receiver, answered);
    assert!(next > answered);
    assert_eq!(filing(&mail), Some(next));
}

#[test]
fn a_reply_moves_to_the_next_window_and_is_dropped_after_48_hours() {
    let utc = Zone::utc();
    let config = PoolConfig::default();
    let moved = |mail: &Receipt, now: &str| move_reply(mail, &utc, &config, at(now));

    // Thursday without budget: Friday. The answer is the same all day.
    let thursday = planned();
    let friday = moved(&thursday, "2026-03-12T11:00:00Z").unwrap();
    assert!(friday.at >= at("2026-03-13T08:00:00Z") && friday.at < at("2026-03-13T18:00:00Z"));
    assert_ne!(friday.slot, thursday.engagement.reply.unwrap().slot);
    assert_eq!(moved(&thursday, "2026-03-12T16:00:00Z"), Some(friday));
    // Before the window opens it only waits for it.
    assert_eq!(
        moved(&thursday, "2026-03-13T06:00:00Z").unwrap().at,
        friday.at
    );

    // Friday without budget: Monday is more than 48 h after Thursday morning.
    let mut again = thursday.clone();
    again.engagement.reply = Some(friday);
    assert_eq!(moved(&again, "2026-03-13T12:00:00Z"), None);

    let mut nothing = thursday;
    nothing.engagement.reply = None;
    assert_eq!(moved(&nothing, "2026-03-12T11:00:00Z"), None);
}

proptest! {
    #[test]
    fn everything_has_its_order_and_its_hours(
        n: u32, zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
        found in 0_i64..100_000_000_000, start in 0_i8..22, length in 1_i8..20, weekends: bool,
        open in 0_u16..=1000, important in 0_u16..=1000, reply in 0_u16..=1000,
    ) {
        let receiver = account_id(u64::from(n % 60));
        let zone: Zone = zone.parse().unwrap();
        let config = PoolConfig {
            working_hours_start: start,
            working_hours_end: (start + length).min(23),
            send_on_weekends: weekends,
            ..config(open, important, reply)
        };
        let found_at = Timestamp::from_millisecond(1_700_000_000_000 + found).unwrap();
        let it = engage(&Arrival {
            slot: slot(n), found_at, receiver, zone: &zone, config: &config, can_reply: true, seed: Seed::root(&n.to_be_bytes()),
        });
        let human = [it.open_at, it.important_at, it.reply.map(|reply| reply.at)];
        for at in human.into_iter().flatten() {
            let window = window_at_or_after(&zone, &config, at).unwrap();
            prop_assert!(window.contains(at));
            prop_assert!(at > found_at && it.open_at.is_some_and(|open| open <= at));
            prop_assert!(it.file_at >= at);
        }
        for at in [it.open_at, it.important_at, Some(it.file_at)].into_iter().flatten() {
            prop_assert_eq!(rounds::sitting_at_or_after(receiver, at), at);
            prop_assert!(seconds_between(found_at, at) >= BOOKED_WITHIN_SECONDS);
        }
        prop_assert_eq!(rounds::filing_at_or_after(receiver, it.file_at), it.file_at);
        if let Some(reply) = it.reply {
            prop_assert!(reply.at > it.open_at.unwrap());
            prop_assert!(reply.slot > SlotId::first_at(reply.at));
        }

        // Sittings at any time end with the mail filed, do each thing once, and never before its time.
        let mut mail = receipt(it);
        mail.found_at = found_at;
        let mut through = None;
        let mut acted = Vec::new();
        while let Some(next) = next_due(&mail, through) {
            prop_assert_eq!(due(&mail, through, shifted(next, -1)), []);
            acted.extend(due(&mail, through, next));
            through = Some(next);
        }
        let Done { opened, important, filed } = done(&mail, through);
        prop_assert!(filed);
        prop_assert_eq!((opened, important), (it.open_at.is_some(), it.important_at.is_some()));
        let expected = [(opened, Action::Open), (important, Action::MarkImportant), (filed, Action::File)];
        let expected: Vec<_> = expected.iter().filter(|(is_done, _)| *is_done).map(|(_, action)| *action).collect();
        prop_assert_eq!(acted, expected);
        if let Some(moved) = move_reply(&mail, &zone, &config, it.file_at) {
            prop_assert!(moved.at <= shifted(found_at, 48 * 3600));
            prop_assert!(window_at_or_after(&zone, &config, moved.at).unwrap().contains(moved.at));
        }
    }
}
