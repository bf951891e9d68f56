//! Machines whose clocks are wrong.

use agentwarm_app::ports::mail::{SmtpPhase, Submission};
use agentwarm_core::mail::slot::{SlotKind, SlotState};
use agentwarm_testkit::memory::mail::Scripted;
use jiff::SignedDuration;
use jiff::civil::date;

use crate::harness::{Sim, at};

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
