//! Nothing of ours runs for a while.

use agentwarm_app::ports::Replaced;
use agentwarm_app::ports::days::{DayRow, Plans as _};
use agentwarm_core::mail::slot::{SkipReason, SlotKind, SlotState};
use agentwarm_core::pool::PoolOverrides;
use agentwarm_testkit::chaos::Stroke;
use jiff::civil::date;

use crate::harness::{AROUND_THE_WORLD, Sim, at, hours, minutes};
use crate::seeds;

#[tokio::test]
async fn an_hour_is_caught_up_spread_and_within_limits() {
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, "Europe/London"));
    let busy = PoolOverrides {
        min_daily_emails: Some(40),
        ..PoolOverrides::default()
    };
    let start = "2026-03-10T06:00:00Z";
    let mut sim = Sim::of("an hour", seeds::story(), &mailboxes, start, busy).await;
    let outage = at("2026-03-10T10:00:00Z")..at("2026-03-10T11:00:00Z");
    sim.run_until(outage.start);
    sim.stand_still_until(outage.end);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();

    let mut missed_in_all = 0;
    for n in 0..6 {
        let slots = sim.slots(n).into_iter();
        let threads: Vec<_> = slots
            .filter(|slot| slot.kind == SlotKind::Thread && slot.date == date(2026, 3, 10))
            .collect();
        assert!(
            threads
                .iter()
                .all(|slot| slot.state.accepted_at().is_some()),
            "{threads:#?}"
        );
        // Spread over the seven hours left, not sent at once.
        let long_missed = outage.start + minutes(1)..outage.end - minutes(1);
        let mut left: Vec<_> = threads
            .iter()
            .filter(|slot| long_missed.contains(&slot.scheduled_at))
            .filter_map(|slot| slot.state.accepted_at())
            .collect();
        left.sort_unstable();
        missed_in_all += left.len();
        if let [first, .., last] = left[..] {
            assert!(last.duration_since(first) > minutes(30), "{left:?}");
        }
    }
    assert!(missed_in_all > 0);
}

#[tokio::test]
async fn a_tick_says_how_late_it_is_however_late() {
    let mut sim = Sim::story("lateness", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T12:30:00Z"));
    let in_time = sim.world.ticking.tick().await.unwrap();
    assert_eq!(in_time.lateness_seconds, 0);
    sim.stand_still_until(at("2026-03-10T14:00:00Z"));
    let late = sim.world.ticking.tick().await.unwrap().lateness_seconds;
    // Not all of it: nothing may be due in its first minutes.
    assert!((60 * 60..=90 * 60).contains(&late), "{late}");
    sim.run_until(at("2026-03-11T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn a_few_minutes_are_made_up_a_minute_apart() {
    let mut sim = Sim::story("minutes", "2026-03-10T06:00:00Z").await;
    for hour in 8..18 {
        sim.run_until(at(&format!("2026-03-10T{hour:02}:20:00Z")));
        sim.stand_still_until(at(&format!("2026-03-10T{hour:02}:29:00Z")));
    }
    sim.run_until(at("2026-03-11T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn the_end_of_a_day_is_explained_and_replies_move() {
    let mut sim = Sim::story("the end", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T12:00:00Z"));
    // Half an hour is left: too little for an afternoon's mail at twice the pace.
    sim.stand_still_until(at("2026-03-10T17:30:00Z"));
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();

    // 12 a day in ten hours are at most 1.2 in half an hour at twice the pace.
    let outage = at("2026-03-10T12:00:00Z")..at("2026-03-10T17:20:00Z");
    for n in 0..6 {
        let after_all = sim.slots(n).into_iter().filter(|slot| {
            slot.kind == SlotKind::Thread
                && outage.contains(&slot.scheduled_at)
                && slot.state.accepted_at() >= Some(outage.end)
        });
        assert!(after_all.count() <= 2);
    }
    let slots = sim.all_slots();
    let skipped = slots.iter().filter(|slot| {
        let state = SlotState::Skipped {
            at: at("2026-03-10T18:00:00Z"),
            reason: SkipReason::OutsideHours,
        };
        slot.kind == SlotKind::Thread
            && matches!((&slot.state, &state), (SlotState::Skipped { reason: a, .. }, SlotState::Skipped { reason: b, .. }) if a == b)
    });
    assert!(skipped.count() > 6);
}

#[tokio::test]
async fn a_whole_day_is_explained_and_does_not_lock_the_ramp() {
    let mut sim = Sim::story("a day", "2026-03-09T06:00:00Z").await;
    sim.run_until(at("2026-03-10T12:00:00Z"));
    sim.stand_still_until(at("2026-03-11T12:00:00Z"));
    sim.run_until(at("2026-03-14T06:00:00Z"));
    sim.finish();

    for n in 0..6 {
        let look = sim.world.store.look();
        let owner = sim.world.owner(sim.accounts[n]);
        let row = |day| {
            let mut days = look.days();
            days.find(|(it, row)| *it == owner && row.date == date(2026, 3, day))
                .map(|(_, row)| row.clone())
        };
        let afternoon = look.plan(owner, date(2026, 3, 10)).unwrap();
        let mut afternoon = afternoon.slots.iter();
        let lost = afternoon.any(|slot| slot.at > at("2026-03-10T12:01:00Z"));
        assert_eq!(row(10).unwrap().cut_short, lost);
        // The 11th was planned at noon, for what was left of it.
        let eleventh = look.plan(owner, date(2026, 3, 11)).unwrap();
        assert!(eleventh.limit > 0 && eleventh.limit < 14);
        // What was accepted on the whole days is what the ramp may grow from.
        let whole = [9, 11]
            .map(row)
            .into_iter()
            .flatten()
            .filter(|row| !row.cut_short);
        let most = whole.map(|row| row.figures.sent).max().unwrap();
        let reasons = &look.plan(owner, date(2026, 3, 12)).unwrap().reasons;
        let expected = 15.min((most + 1).max(most * 3 / 2));
        assert_eq!(row(12).unwrap().limit, expected, "{reasons:?}");
    }
}

/// The index has forgotten by then that anything was due, even that days were to be planned.
#[tokio::test]
async fn a_weekend_long_outage() {
    let mut sim = Sim::story("four days", "2026-03-11T06:00:00Z").await;
    sim.patience.unplanned = true;
    sim.run_until(at("2026-03-12T13:00:00Z"));
    sim.stand_still_until(at("2026-03-16T10:00:00Z"));
    sim.run_until(at("2026-03-19T06:00:00Z"));
    sim.finish();
    for n in 0..6 {
        let planned = sim.account(n).warmup.unwrap().last_planned_date;
        assert_eq!(planned, Some(date(2026, 3, 19)), "it goes on");
    }
}

/// Whatever TTL has left of what was due when the ticks come again: the claims say what became of it, or the closing of its day.
#[tokio::test]
async fn an_outage_as_long_as_the_index_remembers_whenever_ttl_deletes() {
    for (late, what) in [(minutes(-5), "early"), (hours(48), "late")] {
        let mut sim = Sim::story("TTL", "2026-03-09T06:00:00Z").await;
        sim.world.turbulence.deletes_late = late;
        sim.patience.unplanned = true;
        sim.run_until(at("2026-03-10T13:00:00Z"));
        sim.stand_still_until(at("2026-03-13T13:02:00Z"));
        sim.run_until(at("2026-03-17T06:00:00Z"));
        sim.finish();
        assert!(sim.world.chaos.met().contains_key(&("ttl", what)));
    }
}

/// A sitting sums up the row that waits for its plan.
#[tokio::test]
async fn a_planner_that_dies_between_a_row_and_its_plan_blocks_no_day() {
    let mut sim = Sim::story("half a plan", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T23:59:00Z"));
    sim.world.chaos.script("plans.create", Stroke::DiesBefore);
    let wednesday = date(2026, 3, 11);
    let waiting = |sim: &Sim| {
        let look = sim.world.store.look();
        let mut rows = look.days();
        let waits =
            |owner, row: &DayRow| row.date == wednesday && look.plan(owner, wednesday).is_none();
        let row = rows.find(|(owner, row)| waits(*owner, row));
        row.map(|(owner, row)| (owner, row.clone()))
    };
    let (owner, row) = loop {
        sim.run_for(minutes(1));
        if let Some(waiting) = waiting(&sim) {
            break waiting;
        }
        assert!(sim.world.now() < at("2026-03-11T05:00:00Z"));
    };
    let summed_up = DayRow {
        version: row.version + 1,
        ..row
    };
    let done = sim.world.store.replace_day(owner, &summed_up).await;
    assert_eq!(done.unwrap(), Replaced::Done);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    assert_eq!(waiting(&sim), None);
}

/// Days are planned, and the days before them closed, before what was missed is handed out.
#[tokio::test]
async fn an_answer_that_an_outage_over_midnight_made_late_moves() {
    let mut sim = Sim::story("over midnight", "2026-03-10T06:00:00Z").await;
    let outage = at("2026-03-10T13:00:00Z")..at("2026-03-11T02:00:00Z");
    sim.run_until(outage.start);
    let missed: Vec<_> = (0..6)
        .flat_map(|n| sim.receipts(n))
        .filter(|receipt| {
            let reply = receipt.engagement.reply;
            reply.is_some_and(|reply| outage.contains(&reply.at))
        })
        .map(|receipt| SlotKind::Reply {
            answers: receipt.slot,
        })
        .collect();
    assert!(!missed.is_empty());
    sim.stand_still_until(outage.end);
    sim.run_until(at("2026-03-14T06:00:00Z"));
    sim.finish();

    let slots = sim.all_slots();
    for answer in missed {
        let slot = slots.iter().find(|slot| slot.kind == answer).unwrap();
        assert_eq!(slot.date, date(2026, 3, 11), "{slot:?}");
        assert!(slot.state.accepted_at() > Some(outage.end), "{slot:?}");
    }
}

#[tokio::test]
async fn after_an_outage_days_are_planned_as_a_tick_has_time_and_none_is_lost() {
    let mut sim = Sim::story("many plans", "2026-03-10T06:00:00Z").await;
    sim.patience.unplanned = true;
    sim.world.ticking.most_plans = 2;
    sim.run_until(at("2026-03-10T22:00:00Z"));
    sim.stand_still_until(at("2026-03-11T10:00:00Z"));
    let planned = |sim: &Sim| {
        let look = sim.world.store.look();
        let plans = look.plans();
        plans.filter(|it| it.span.date == date(2026, 3, 11)).count()
    };
    // The first is cut off while it plans.
    sim.world.chaos.script("plans.create", Stroke::DiesBefore);
    let mut seen = Vec::new();
    while planned(&sim) < 6 {
        sim.run_for(minutes(1));
        seen.push(planned(&sim));
        assert!(seen.len() < 10, "{seen:?}");
    }
    let most = seen.windows(2).map(|two| two[1] - two[0]).max();
    assert!(seen[0] <= 2 && most <= Some(2), "{seen:?}");
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    for n in 0..6 {
        let slots = sim.slots(n).into_iter();
        let today = slots.filter(|slot| slot.date == date(2026, 3, 11));
        let sent = today.filter(|slot| slot.state.accepted_at().is_some());
        assert!(sent.count() > 2, "mailbox {n}");
    }
}
