//! Mails of which nobody knows whether they left (decision 31).

use agentwarm_app::ports::mail::Submission;
use agentwarm_app::ports::queue::{SendOrder, VisitOrder, VisitQueue as _};
use agentwarm_core::audit::EventType;
use agentwarm_core::mail::slot::{Slot, SlotKind, SlotState};
use agentwarm_testkit::chaos::{Rates, Stroke};
use agentwarm_testkit::memory::Fault;
use agentwarm_testkit::memory::mail::Scripted;

use crate::harness::{AROUND_THE_WORLD, Sim, at, hours, minutes};

const ALICE: &str = "alice@acorn.test";

/// Lets time pass until a slot is as `is` wants it.
fn until(sim: &mut Sim, is: impl Fn(&Slot) -> bool) -> Slot {
    let deadline = sim.world.now() + hours(30);
    loop {
        if let Some(slot) = sim.all_slots().into_iter().find(|slot| is(slot)) {
            return slot;
        }
        assert!(sim.world.now() < deadline, "it never came to that");
        sim.run_for(jiff::SignedDuration::from_mins(1));
    }
}

fn again(sim: &Sim, slot: &Slot) -> Slot {
    let look = sim.world.store.look();
    let slot = look.slot(sim.world.owner(slot.sender), slot.id);
    slot.unwrap().clone()
}

fn in_doubt(slot: &Slot) -> bool {
    matches!(slot.state, SlotState::InDoubt { .. })
}

#[tokio::test]
async fn what_was_delivered_is_found() {
    let mut sim = Sim::story("delivered", "2026-03-10T06:00:00Z").await;
    for (address, _) in AROUND_THE_WORLD {
        sim.world
            .post
            .next_submission(address, Scripted::DeliveredInDoubt);
    }
    let slot = until(&mut sim, in_doubt);
    sim.run_for(hours(1));
    assert!(again(&sim, &slot).state.accepted_at().is_some());
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
    let doubted = sim
        .watch
        .left
        .values()
        .filter(|left| !left.over.acknowledged);
    assert_eq!(doubted.count(), 6);
}

#[tokio::test]
async fn what_was_not_is_unknown_after_a_day() {
    let mut sim = Sim::story("lost", "2026-03-10T06:00:00Z").await;
    let lost = Scripted::Answered(Submission::InDoubt);
    sim.world.post.next_submission(ALICE, lost);
    let slot = until(&mut sim, in_doubt);
    sim.run_for(hours(23));
    assert!(in_doubt(&again(&sim, &slot)));
    sim.run_for(hours(2));
    assert!(matches!(
        again(&sim, &slot).state,
        SlotState::Unknown { .. }
    ));
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let told = sim
        .world
        .published()
        .iter()
        .filter(|(_, _, event)| event.event_type == EventType::WarmupEmailUnknown);
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn what_vanishes_is_missing_and_in_no_rate() {
    let mut sim = Sim::story("vanished", "2026-03-10T06:00:00Z").await;
    for _ in 0..3 {
        sim.world.post.next_submission(ALICE, Scripted::Swallowed);
    }
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let look = sim.world.store.look();
    let owner = sim.world.owner(sim.accounts[0]);
    let missing: u32 = look
        .days()
        .filter(|(it, _)| *it == owner)
        .map(|(_, row)| row.figures.missing)
        .sum();
    assert_eq!(missing, 3);
}

#[tokio::test]
async fn a_receiver_that_cannot_be_looked_into_does_not_keep_a_mail_in_doubt() {
    let mut sim = Sim::story("unreadable", "2026-03-10T06:00:00Z").await;
    sim.world
        .post
        .next_submission(ALICE, Scripted::Answered(Submission::InDoubt));
    let slot = until(&mut sim, in_doubt);
    sim.run_for(hours(2));
    let receiver = sim
        .accounts
        .iter()
        .position(|id| *id == slot.recipient)
        .unwrap();
    let address = AROUND_THE_WORLD[receiver].0;
    sim.world.post.set_down(address, true);
    sim.patience.in_doubt = hours(30);
    sim.run_for(hours(60));
    assert!(matches!(
        again(&sim, &slot).state,
        SlotState::Unknown { .. }
    ));
    sim.world.post.set_down(address, false);
    sim.run_for(hours(48));
    sim.finish();
}

#[tokio::test]
async fn a_receiver_that_is_paused_does_not_either() {
    let mut sim = Sim::story("paused in doubt", "2026-03-10T06:00:00Z").await;
    sim.world
        .post
        .next_submission(ALICE, Scripted::Answered(Submission::InDoubt));
    let slot = until(&mut sim, in_doubt);
    let paused = sim
        .world
        .pause
        .pause(&sim.world.tenant, slot.recipient)
        .await;
    paused.unwrap();
    sim.patience.in_doubt = hours(30);
    sim.run_for(hours(60));
    assert!(matches!(
        again(&sim, &slot).state,
        SlotState::Unknown { .. }
    ));
}

#[tokio::test]
async fn an_answer_in_doubt_that_is_found_counts_as_an_answer() {
    let mut sim = Sim::story("answer in doubt", "2026-03-10T06:00:00Z").await;
    // Every mail of this day loses its 250, openings and answers.
    for (address, _) in AROUND_THE_WORLD {
        for _ in 0..12 {
            sim.world
                .post
                .next_submission(address, Scripted::DeliveredInDoubt);
        }
    }
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let answers = sim
        .watch
        .left
        .values()
        .filter(|left| !left.over.acknowledged && left.over.mail.in_reply_to.is_some());
    assert!(answers.count() > 5);
}

#[tokio::test]
async fn a_crash_after_the_250_is_settled_by_looking() {
    let mut sim = Sim::story("crash", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T07:59:00Z"));
    for _ in 0..4 {
        // The commit of an accepted mail.
        sim.world
            .store
            .fail_next("slots.replace", Fault::Unavailable);
    }
    sim.run_until(at("2026-03-10T17:00:00Z"));
    let left = sim.watch.left.len();
    assert!(left > 30, "{left}");
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
    let slots = sim.all_slots();
    let accepted = slots
        .iter()
        .filter(|slot| slot.state.accepted_at().is_some());
    assert_eq!(accepted.count(), sim.watch.left.len());
}

/// It notes on the slot that the mail landed in spam while its sender still holds the claim.
#[tokio::test]
async fn a_receiver_that_is_faster_than_the_commit_leaves_no_doubt() {
    let mut sim = Sim::story("a fast receiver", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T07:59:00Z"));
    sim.world.store.fail_next("slots.replace", Fault::Stale);
    while sim.watch.left.is_empty() {
        sim.run_for(jiff::SignedDuration::from_mins(1));
    }
    let all = sim.all_slots();
    let accepted = all.iter().filter(|slot| slot.state.accepted_at().is_some());
    assert_eq!(accepted.count(), sim.watch.left.len(), "{all:#?}");
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
}

/// Lets time pass until a sender has died between the 250 of a mail and its commit, and somebody looks into the receiver's mailbox while the
/// claim still stands: the mail's slot. (World 516 of the storms.)
async fn found_before_the_commit(sim: &mut Sim) -> Slot {
    sim.run_until(at("2026-03-10T07:59:00Z"));
    sim.world.chaos.script("slots.replace", Stroke::DiesBefore);
    while sim.world.chaos.met().is_empty() {
        sim.run_for(minutes(1));
    }
    let claimed = |slot: &Slot| matches!(slot.state, SlotState::Claimed { .. });
    let slots = sim.all_slots();
    let slot = slots.into_iter().find(claimed).unwrap();
    let visit = VisitOrder {
        user: slot.user,
        account: slot.recipient,
        expected: vec![(slot.sender, slot.id)],
        look_anyway: false,
        sums_up: false,
    };
    sim.world.queues.visit(&[visit]).await.unwrap();
    // However far replicas lag behind.
    sim.world.chaos.set(Rates {
        lag: 1.0,
        ..Rates::default()
    });
    sim.world.drain();
    sim.world.chaos.set(Rates::default());
    let look = sim.world.store.look();
    let receiver = sim.world.owner(slot.recipient);
    assert!(look.receipt(receiver, slot.id).is_some(), "it was found");
    let after = look.slot(sim.world.owner(slot.sender), slot.id);
    assert!(after.is_some_and(claimed), "its sender may still be at it");
    slot
}

#[tokio::test]
async fn a_mail_that_was_found_before_its_sender_died_was_sent() {
    let mut sim = Sim::story("found while sent", "2026-03-10T06:00:00Z").await;
    let slot = found_before_the_commit(&mut sim).await;
    until(&mut sim, in_doubt);
    // The first search comes after five minutes, to a mailbox in which the mail was met before.
    sim.run_for(minutes(8));
    assert!(again(&sim, &slot).state.accepted_at().is_some());
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
}

/// No search can find it any more.
#[tokio::test]
async fn a_mail_that_was_found_and_deleted_before_its_sender_died_was_sent() {
    let mut sim = Sim::story("found and deleted", "2026-03-10T06:00:00Z").await;
    let slot = found_before_the_commit(&mut sim).await;
    let recipient = sim.accounts.iter().position(|id| *id == slot.recipient);
    let (address, _) = AROUND_THE_WORLD[recipient.unwrap()];
    sim.world.post.delete_mail(address, &slot.message_id);
    until(&mut sim, in_doubt);
    sim.run_for(hours(1));
    assert!(again(&sim, &slot).state.accepted_at().is_some());
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
}

/// Nobody can look for it any more: its receipt has to do when its day is closed.
#[tokio::test]
async fn a_mail_that_was_found_was_sent_though_its_receiver_is_never_read_again() {
    let mut sim = Sim::story("found and paused", "2026-03-10T06:00:00Z").await;
    let slot = found_before_the_commit(&mut sim).await;
    let pause = sim.world.pause.pause(&sim.world.tenant, slot.recipient);
    pause.await.unwrap();
    until(&mut sim, in_doubt);
    sim.patience.in_doubt = hours(30);
    sim.run_for(hours(24));
    assert!(in_doubt(&again(&sim, &slot)));
    sim.run_for(hours(36));
    assert!(again(&sim, &slot).state.accepted_at().is_some());
}

#[tokio::test]
async fn a_mail_that_cannot_be_composed_costs_no_claim() {
    let mut sim = Sim::story("keys down", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.vault.set_down(true);
    sim.patience.overdue = hours(2);
    sim.patience.unseen = hours(2);
    sim.watch.crowded = true;
    sim.run_until(at("2026-03-10T10:40:00Z"));
    sim.world.vault.set_down(false);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
    let lost = sim.all_slots().into_iter().filter(|slot| {
        matches!(
            slot.state,
            SlotState::Unknown { .. } | SlotState::InDoubt { .. }
        )
    });
    assert_eq!(lost.count(), 0);
    let threads = sim.all_slots().into_iter();
    let lost = threads
        .filter(|slot| slot.kind == SlotKind::Thread && slot.state.accepted_at().is_none())
        .count();
    assert_eq!(lost, 0);
}

/// Its order is delivered twice around the end of the hours, and a replica does not know of the first delivery's claim yet.
#[tokio::test]
async fn an_answer_that_has_just_left_does_not_move_and_leave_again() {
    let mut sim = Sim::story("an answer twice", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T16:00:00Z"));
    let left_now = |sim: &Sim, slot: &Slot| {
        let a_minute_ago = sim.world.now() - minutes(1);
        matches!(slot.kind, SlotKind::Reply { .. }) && slot.state.accepted_at() > Some(a_minute_ago)
    };
    let slot = loop {
        sim.run_for(minutes(1));
        let slots = sim.all_slots();
        if let Some(slot) = slots.into_iter().find(|slot| left_now(&sim, slot)) {
            break slot;
        }
    };
    sim.world.chaos.set(Rates {
        lag: 1.0,
        ..Rates::default()
    });
    let too_late = at("2026-03-10T18:00:00Z").duration_since(sim.world.now());
    sim.world.senders_clock.set_ahead(too_late);
    let order = SendOrder {
        user: slot.user,
        sender: slot.sender,
        slot: slot.id,
        target: slot.recipient,
        kind: slot.kind,
        due: slot.scheduled_at,
    };
    let again = sim.world.sending.send(&[order]).await;
    assert!(again[0].is_err(), "it is looked at again: {again:?}");
    sim.world.chaos.set(Rates::default());
    sim.world
        .senders_clock
        .set_ahead(jiff::SignedDuration::ZERO);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let answers = sim.all_slots();
    let answers = answers.iter().filter(|it| it.kind == slot.kind);
    assert_eq!(answers.count(), 1);
}
