//! Machines whose clocks are wrong.

use agentwarm_app::ports::mail::{SmtpPhase, Submission};
use agentwarm_core::mail::slot::{SlotKind, SlotState};
use agentwarm_core::pool::PoolOverrides;
use agentwarm_testkit::memory::mail::Scripted;
use jiff::SignedDuration;
use jiff::civil::date;

use crate::audit::Patience;
use crate::harness::{AROUND_THE_WORLD, Sim, at, mails_a_day};
use crate::seeds;

const ALICE: &str = "alice@acorn.test";

/// Its own clock would file the next attempt, and the searches for what is in doubt, where the ticks have been already.
#[tokio::test]
async fn a_sender_five_minutes_behind_is_heard_by_the_ticks() {
    let mut sim = Sim::story("a sender behind", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T07:00:00Z"));
    let behind = SignedDuration::from_mins(-5);
    sim.world.senders_clock.set_ahead(behind);
    let not_now = Scripted::Answered(Submission::Refused {
        phase: SmtpPhase::RcptTo,
        code: 451,
        enhanced: Some("4.7.1".to_owned()),
        text: "greylisted".to_owned(),
    });
    sim.world.post.next_submission(ALICE, not_now);
    let in_doubt = Scripted::DeliveredInDoubt;
    sim.world.post.next_submission("bella@birch.test", in_doubt);

    sim.run_until(at("2026-03-10T18:00:00Z"));
    let threads = |n: usize| {
        let slots = sim.slots(n).into_iter();
        slots.filter(|slot| slot.kind == SlotKind::Thread && slot.date == date(2026, 3, 10))
    };
    for n in [0, 2] {
        let fates: Vec<_> = threads(n).map(|slot| slot.state).collect();
        assert!(!fates.is_empty());
        assert!(
            fates
                .iter()
                .all(|state| matches!(state, SlotState::Accepted { .. })),
            "before the day is over, by the due index alone: {fates:#?}"
        );
    }
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
}

/// By its own clock it finds mails of after midnight on the day before.
#[tokio::test]
async fn a_reader_five_minutes_behind_books_what_it_found_on_the_day_it_closes() {
    let by_night = PoolOverrides {
        working_hours_start: Some(0),
        working_hours_end: Some(2),
        ..mails_a_day(40)
    };
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, "Europe/London"));
    let (number, start) = (seeds::story(), "2026-03-09T22:00:00Z");
    let mut sim = Sim::of("a reader behind", number, &mailboxes, start, by_night).await;
    sim.watch.crowded = true;
    sim.watch.skew = SignedDuration::from_mins(5);
    sim.patience = Patience::long();
    let behind = SignedDuration::from_mins(-5);
    sim.world.readers_clock.set_ahead(behind);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();

    let receipts = (0..6).flat_map(|n| sim.receipts(n));
    let early = receipts.filter(|receipt| {
        let sent_on = sim
            .world
            .store
            .look()
            .slot(sim.world.owner(receipt.sender), receipt.slot)
            .map(|it| it.date);
        sent_on > Some(receipt.date)
    });
    assert!(early.count() > 0);
}
