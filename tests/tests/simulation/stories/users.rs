//! What users do in the middle of a day.

use agentwarm_core::account::AccountStatus;
use agentwarm_core::mail::slot::{SkipReason, SlotKind, SlotState};
use agentwarm_core::warmup::engage;
use jiff::civil::date;

use crate::harness::{Sim, at};

#[tokio::test]
async fn a_pause_stops_at_once_and_a_resume_goes_on() {
    let mut sim = Sim::story("pause", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T11:00:00Z"));
    let tenant = sim.world.tenant;
    let alice = sim.accounts[0];
    sim.world.pause.pause(&tenant, alice).await.unwrap();
    sim.run_until(at("2026-03-10T14:00:00Z"));
    let during = sim.watch.left.values().filter(|left| {
        (left.sender == alice || left.recipient == alice) && left.at > at("2026-03-10T11:01:00Z")
    });
    assert_eq!(during.count(), 0);
    sim.world.resume.resume(&tenant, alice).await.unwrap();
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let threads = sim
        .slots(0)
        .into_iter()
        .filter(|slot| slot.kind == SlotKind::Thread && slot.date == date(2026, 3, 10));
    for slot in threads {
        let paused =
            (at("2026-03-10T11:00:00Z")..at("2026-03-10T14:00:00Z")).contains(&slot.scheduled_at);
        let is_skipped = matches!(
            slot.state,
            SlotState::Skipped {
                reason: SkipReason::SenderStopped,
                ..
            }
        );
        assert_eq!(is_skipped, paused, "{slot:?}");
    }
    let account = sim.account(0);
    assert_eq!(account.warmup.unwrap().day_number, 4, "every date counted");
}

/// It is in no roster when its first mail comes.
#[tokio::test]
async fn a_partner_that_never_warms_is_engaged_with_all_the_same() {
    let mut sim = Sim::story("a quiet partner", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T20:00:00Z"));
    let quiet = sim
        .world
        .connect("quentin@birch.test", "Europe/London")
        .await;
    sim.accounts.push(quiet);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let receipts = sim.receipts(6);
    assert!(receipts.len() > 3, "{}", receipts.len());
    let yesterday = receipts.iter().filter(|it| it.date < date(2026, 3, 12));
    for receipt in yesterday {
        let done = engage::done(receipt, sim.engaged_through(6));
        assert!(done.filed, "{receipt:?}");
        assert_eq!(receipt.engagement.reply, None, "it does not send");
    }
}

#[tokio::test]
async fn a_week_of_pause_freezes_the_days_and_loses_no_figures() {
    let mut sim = Sim::story("a week", "2026-03-09T06:00:00Z").await;
    sim.run_until(at("2026-03-11T12:00:00Z"));
    let tenant = sim.world.tenant;
    let alice = sim.accounts[0];
    sim.world.pause.pause(&tenant, alice).await.unwrap();
    sim.run_until(at("2026-03-20T09:30:00Z"));
    let paused = sim.account(0);
    assert_eq!(paused.warmup.as_ref().unwrap().day_number, 3);
    assert_eq!(
        paused.totals_through,
        Some(date(2026, 3, 11)),
        "days are closed though nothing is planned"
    );
    sim.world.resume.resume(&tenant, alice).await.unwrap();
    sim.run_until(at("2026-03-25T06:00:00Z"));
    sim.finish();
    let account = sim.account(0);
    assert_eq!(account.status, AccountStatus::Warming);
    assert_eq!(account.warmup.unwrap().day_number, 9);
    assert_eq!(account.totals_through, Some(date(2026, 3, 23)));
}

#[tokio::test]
async fn an_account_is_deleted_in_the_middle_of_a_day() {
    let mut sim = Sim::story("delete", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T11:00:00Z"));
    let tenant = sim.world.tenant;
    let alice = sim.accounts[0];
    sim.world.delete.delete(&tenant, alice).await.unwrap();
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let after = sim.watch.left.values().filter(|left| {
        (left.sender == alice || left.recipient == alice) && left.at > at("2026-03-10T11:01:00Z")
    });
    assert_eq!(after.count(), 0);
    for n in 1..6 {
        let lost: Vec<_> = sim
            .slots(n)
            .into_iter()
            .filter(|slot| slot.kind == SlotKind::Thread && slot.state.accepted_at().is_none())
            .collect();
        assert!(lost.is_empty(), "partners were replaced: {lost:?}");
    }
}

#[tokio::test]
async fn a_partner_is_deleted_while_a_mail_to_it_waits_for_its_next_attempt() {
    use agentwarm_app::ports::mail::{SmtpPhase, Submission};
    use agentwarm_testkit::memory::mail::Scripted;

    let mut sim = Sim::story("deleted partner", "2026-03-10T06:00:00Z").await;
    let not_now = Scripted::Answered(Submission::Refused {
        phase: SmtpPhase::RcptTo,
        code: 451,
        enhanced: None,
        text: "greylisted".to_owned(),
    });
    sim.world.post.next_submission("adam@acorn.test", not_now);
    let slot = loop {
        sim.run_for(jiff::SignedDuration::from_mins(1));
        // An answer would have nobody left to go to.
        let retry = sim.slots(1).into_iter().find(|slot| {
            slot.kind == SlotKind::Thread && matches!(slot.state, SlotState::Retry { .. })
        });
        if let Some(slot) = retry {
            break slot;
        }
    };
    let tenant = sim.world.tenant;
    sim.world
        .delete
        .delete(&tenant, slot.recipient)
        .await
        .unwrap();
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let look = sim.world.store.look();
    let after = look.slot(sim.world.owner(slot.sender), slot.id).unwrap();
    assert!(after.state.accepted_at().is_some(), "{after:?}");
    assert_ne!(after.recipient, slot.recipient);
    let receiver = sim.world.owner(after.recipient);
    assert!(
        look.receipt(receiver, slot.id).is_some(),
        "its new receiver knows it"
    );
}
