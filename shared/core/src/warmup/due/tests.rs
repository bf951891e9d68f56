//! What a tick hands out, and that ticks together hand out everything once, however they come.

use proptest::prelude::*;

use super::*;
use crate::mail::slot::SkipReason;
use crate::seed::Seed;
use crate::warmup::day::Window;
use crate::warmup::samples::{account_id, at};

fn user() -> UserId {
    UserId::new(at("2026-01-01T00:00:00Z"), 1)
}

fn now() -> Timestamp {
    at("2026-03-13T10:00:00Z")
}

fn from_now(seconds: i64) -> Timestamp {
    shifted(now(), seconds)
}

fn send_at(due: Timestamp, n: u64) -> DueEntry {
    entry(
        due,
        DueKind::Send {
            sender: account_id(1),
            slot: SlotId::new(due, u128::from(n)),
            target: account_id(2),
            slot_kind: SlotKind::Thread,
        },
    )
}

fn entry(at: Timestamp, kind: DueKind) -> DueEntry {
    DueEntry {
        at,
        user: user(),
        kind,
    }
}

fn slots(sends: &[DueSend]) -> Vec<SlotId> {
    sends.iter().map(|send| send.slot).collect()
}

#[test]
fn sends_are_handed_out_a_minute_ahead_with_the_delay_to_their_second() {
    let entries = [61, 60, 5, 0, -5, -60].map(|seconds| send_at(from_now(seconds), 1));
    let handed = select(&entries, from_now(-60), now(), HORIZON_SECONDS);
    let delays: Vec<_> = handed
        .sends
        .iter()
        .map(|send| (seconds_between(now(), send.due), send.delay_seconds))
        .collect();
    assert_eq!(delays, [(-5, 0), (0, 0), (5, 5), (60, 60)]);
    assert!(handed.missed.is_empty() && handed.visits.is_empty());
    assert_eq!(
        next_watermark(from_now(-60), now(), HORIZON_SECONDS),
        from_now(60)
    );
    assert_eq!(
        next_watermark(from_now(90), now(), HORIZON_SECONDS),
        from_now(90)
    );
}

fn settle_at(due: Timestamp, target: AccountId) -> DueEntry {
    let kind = DueKind::Settle {
        sender: account_id(9),
        slot: SlotId::new(due, 1),
        target,
    };
    entry(due, kind)
}

#[test]
fn searches_and_plans_wait_until_they_are_due() {
    let (a, b, c) = (account_id(1), account_id(2), account_id(3));
    let entries = [
        settle_at(from_now(1), a),
        settle_at(now(), b),
        entry(from_now(-59), DueKind::Plan { account: c }),
        entry(from_now(-60), DueKind::Plan { account: a }),
    ];
    let handed = select(&entries, now(), now(), HORIZON_SECONDS);
    assert_eq!(handed.visits.keys().collect::<Vec<_>>(), [&b]);
    assert!(handed.visits[&b].look_anyway && handed.visits[&b].expected.len() == 1);
    assert_eq!(handed.plans.keys().collect::<Vec<_>>(), [&c]);
}

/// The minutes from `now` on at which ticks hand out a look for these mails, and how many it is for.
fn looks(entries: &[DueEntry]) -> Vec<(i64, usize)> {
    let mut looks = Vec::new();
    let mut watermark = from_now(60);
    for minute in 1..=70_i64 {
        let tick = from_now(60 * minute);
        let read: Vec<_> = entries
            .iter()
            .filter(|entry| entry.at > read_from(watermark, tick))
            .copied()
            .collect();
        let handed = select(&read, watermark, tick, HORIZON_SECONDS);
        watermark = next_watermark(watermark, tick, HORIZON_SECONDS);
        if let Some(visit) = handed.visits.get(&account_id(2)) {
            assert!(!visit.look_anyway);
            looks.push((minute, visit.expected.len()));
        }
    }
    looks
}

#[test]
fn a_mail_is_looked_for_once_two_to_five_minutes_after_it_was_sent() {
    for seconds in 61..300 {
        let looks = looks(&[send_at(from_now(seconds), 7)]);
        let [(minute, 1)] = looks[..] else {
            panic!("{looks:?}")
        };
        let waited = minute * 60 - seconds;
        assert!((120..=300).contains(&waited), "{waited} s");
    }
}

#[test]
fn mails_that_come_close_together_are_found_by_one_look() {
    let first = rounds::on_grid(account_id(2), from_now(120), LOOK_GRID_SECONDS);
    let entries: Vec<_> = [-120, -119, 0, 60, 61]
        .map(|s| send_at(shifted(first, s), 7))
        .into();
    let found: Vec<_> = looks(&entries)
        .into_iter()
        .map(|(_, found)| found)
        .collect();
    assert_eq!(found, [1, 3, 1]);
}

#[test]
fn one_mailbox_is_looked_into_once_a_tick_for_all_its_mails() {
    let tick = rounds::on_grid(account_id(2), now(), LOOK_GRID_SECONDS);
    let entries: Vec<_> = (0..5).map(|n| send_at(shifted(tick, -150), n)).collect();
    let mut handed = select(&entries, tick, tick, HORIZON_SECONDS);
    assert_eq!(handed.visits[&account_id(2)].expected.len(), 5);

    let search = settle_at(tick, account_id(2));
    handed.absorb(select(&[search], tick, tick, HORIZON_SECONDS));
    assert_eq!(handed.visits.len(), 1);
    let visit = &handed.visits[&account_id(2)];
    assert!(visit.look_anyway && visit.expected.len() == 6);
}

#[test]
fn what_a_gap_of_more_than_ten_minutes_made_late_is_apart() {
    let entries = [-500, -61, -60, 0, 30].map(|seconds| send_at(from_now(seconds), 1));
    // A tick that ran so long ago had handed out what was due within a minute of it.
    for (seconds, apart) in [(600, 0), (601, 2), (3600, 2)] {
        let watermark = from_now(HORIZON_SECONDS - seconds);
        let handed = select(&entries, watermark, now(), HORIZON_SECONDS);
        let counts = (handed.missed.len(), handed.sends.len());
        assert_eq!(counts, (apart, 5 - apart), "{seconds}");
    }
}

#[test]
fn an_entry_is_filed_where_no_tick_has_been() {
    let late = send_at(from_now(-30), 1).filed(now());
    assert_eq!(late.at, from_now(120));
    // A tick of the same moment has come this far.
    assert!(late.at > next_watermark(now(), now(), HORIZON_SECONDS));
    let search = settle_at(now(), account_id(1)).filed(now());
    assert_eq!(search.at, from_now(60));
    let early = send_at(from_now(500), 1);
    assert_eq!(early.filed(now()), early);
}

#[test]
fn entries_keep_their_wire_form() {
    let entries = [
        send_at(now(), 1),
        entry(
            now(),
            DueKind::Plan {
                account: account_id(1),
            },
        ),
    ];
    insta::assert_json_snapshot!(entries, @r#"
    [
      {
        "at": "2026-03-13T10:00:00Z",
        "user": "019b76da-a800-7000-8000-000000000001",
        "kind": {
          "due": "send",
          "sender": "019b76da-a800-7000-8000-000000010000",
          "slot": "019ce6a3-7d00-7000-8000-000000000001",
          "target": "019b76da-a800-7000-8000-000000020000",
          "slot_kind": {
            "kind": "thread"
          }
        }
      },
      {
        "at": "2026-03-13T10:00:00Z",
        "user": "019b76da-a800-7000-8000-000000000001",
        "kind": {
          "due": "plan",
          "account": "019b76da-a800-7000-8000-000000010000"
        }
      }
    ]
    "#);
}

fn hours(from: i64, to: i64) -> Window {
    let midnight = at("2026-03-13T00:00:00Z");
    Window {
        start: shifted(midnight, from * 3600),
        end: shifted(midnight, to * 3600),
    }
}

fn missed(seconds: &[i64]) -> Vec<DueSend> {
    let entries: Vec<_> = (0..)
        .zip(seconds)
        .map(|(n, seconds)| send_at(from_now(-seconds), n))
        .collect();
    select(&entries, from_now(-86_400), now(), HORIZON_SECONDS).missed
}

#[test]
fn an_outage_in_the_middle_of_a_day_delays_its_mails() {
    let missed = missed(&[3600, 3000, 2400, 1800, 700]);
    let upcoming: Vec<_> = (0..10).map(|n| from_now(600 + n * 2400)).collect();
    let rest = RestOfDay {
        window: hours(8, 18),
        planned: 20,
        upcoming: &upcoming,
    };
    let spread = spread_missed(&missed, &rest, now(), &Seed::root(b"account"));
    assert_eq!(spread.moved.len(), 5);
    assert!(spread.skipped.is_empty());
    let order: Vec<_> = spread.moved.iter().map(|(send, _)| *send).collect();
    assert_eq!(slots(&order), slots(&missed), "the order is kept");
    let last = spread.moved.last().unwrap().1;
    assert!(
        last > from_now(4 * 3600),
        "spread over the rest of the day, not sent at once"
    );
}

#[test]
fn what_no_longer_fits_is_skipped_because_of_the_hours() {
    let missed = missed(&[3600, 3000, 2400, 1800, 700]);
    let rest = |end| RestOfDay {
        window: hours(8, end),
        planned: 20,
        upcoming: &[],
    };
    let over = spread_missed(&missed, &rest(10), now(), &Seed::root(b"account"));
    assert!(over.moved.is_empty());
    assert_eq!(over.skipped[0].1, SkipReason::OutsideHours);

    // 56 minutes are left of three hours, so 12.4 of the 40 that twice the pace allows: all five.
    let enough = spread_missed(&missed, &rest(11), now(), &Seed::root(b"account"));
    assert_eq!(enough.moved.len(), 5);
    // Of 2 planned mails in three hours, 1.3: two.
    let slow = RestOfDay {
        planned: 2,
        ..rest(11)
    };
    let paced = spread_missed(&missed, &slow, now(), &Seed::root(b"account"));
    assert_eq!((paced.moved.len(), paced.skipped.len()), (2, 3));
    // However slow the pace, one is sent.
    let upcoming = [from_now(1800)];
    let slowest = RestOfDay {
        planned: 1,
        upcoming: &upcoming,
        ..rest(11)
    };
    let one = spread_missed(&missed, &slowest, now(), &Seed::root(b"account"));
    assert_eq!((one.moved.len(), one.skipped.len()), (1, 4));
    // The last two minutes are the tick's, unless nothing else is left.
    let end = at("2026-03-13T11:00:00Z");
    for (minutes, tail) in [(58, 2), (4, 0), (3, 0)] {
        let now = shifted(end, -60 * minutes);
        let late = spread_missed(&missed, &rest(11), now, &Seed::root(b"account"));
        let last = late.moved.last().unwrap().1;
        assert!(last < shifted(end, -60 * tail), "{minutes}: {last}");
    }
}

proptest! {
    #[test]
    fn ticks_hand_out_every_entry_once_however_they_come(
        dues in prop::collection::vec(0_i64..7200, 1..40),
        ticks in prop::collection::vec(prop_oneof![9 => 0_i64..130, 1 => 0_i64..4000], 1..120),
    ) {
        let entries: Vec<_> = (0..).zip(&dues).map(|(n, due)| send_at(from_now(*due), n)).collect();
        let mut watermark = now();
        let mut at = now();
        let mut seen = Vec::new();
        for step in ticks {
            at = shifted(at, step);
            let from = read_from(watermark, at);
            let read: Vec<_> = entries.iter().filter(|entry| entry.at > from).copied().collect();
            let handed = select(&read, watermark, at, HORIZON_SECONDS);
            for send in handed.sends.iter().chain(&handed.missed) {
                prop_assert!(send.due <= shifted(at, HORIZON_SECONDS));
                seen.push(send.slot);
            }
            watermark = next_watermark(watermark, at, HORIZON_SECONDS);
        }
        let mut expected: Vec<_> = entries
            .iter()
            .filter(|entry| now() < entry.at && entry.at <= watermark)
            .map(|entry| match entry.kind {
                DueKind::Send { slot, .. } => slot,
                DueKind::Plan { .. } | DueKind::Settle { .. } => unreachable!("only sends"),
            })
            .collect();
        expected.sort_unstable();
        seen.sort_unstable();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn every_send_is_looked_for_once_and_not_too_early_even_over_gaps(
        due in 0_i64..3600, ticks in prop::collection::vec(1_i64..1500, 20..40),
    ) {
        let entries = [send_at(from_now(due), 1)];
        let (mut watermark, mut at, mut looks) = (now(), now(), Vec::new());
        for step in ticks {
            at = shifted(at, step);
            let from = read_from(watermark, at);
            let read: Vec<_> = entries.iter().filter(|entry| entry.at > from).copied().collect();
            if !select(&read, watermark, at, HORIZON_SECONDS).visits.is_empty() {
                looks.push(at);
            }
            watermark = next_watermark(watermark, at, HORIZON_SECONDS);
        }
        if at >= from_now(due + 300) {
            prop_assert_eq!(looks.len(), 1);
        }
        prop_assert!(looks.iter().all(|look| *look >= from_now(due + 120)));
    }

    #[test]
    fn missed_sends_keep_distance_order_hours_and_pace(
        late in prop::collection::vec(700_i64..7000, 0..30),
        mut upcoming in prop::collection::vec(0_i64..30_000, 0..30),
        end in 10_i64..18, planned in 1_u32..80, seed: u64,
    ) {
        let mut late = late;
        late.sort_unstable_by(|a, b| b.cmp(a));
        upcoming.sort_unstable();
        let missed = missed(&late);
        let upcoming: Vec<_> = upcoming.into_iter().map(from_now).collect();
        let rest = RestOfDay { window: hours(8, end), planned, upcoming: &upcoming };
        let spread = spread_missed(&missed, &rest, now(), &Seed::root(&seed.to_be_bytes()));

        prop_assert_eq!(spread.moved.len() + spread.skipped.len(), missed.len());
        let kept: Vec<_> = spread.moved.iter().map(|(send, _)| send.slot)
            .chain(spread.skipped.iter().map(|(send, _)| send.slot)).collect();
        prop_assert_eq!(kept, slots(&missed));
        let mut all = upcoming.clone();
        for (_, at) in &spread.moved {
            prop_assert!(rest.window.contains(*at) && *at > now());
            prop_assert!(all.iter().all(|other| seconds_between(*other, *at).abs() >= 60));
            all.push(*at);
        }
    }
}
