//! Mail servers that are down for a while, refuse, or change under us.

use agentwarm_app::engine::sending::Handled;
use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{ConnectFailure, Folder, SmtpPhase, Submission};
use agentwarm_core::account::AccountStatus;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, SlotState};
use agentwarm_core::warmup::day::Rule;
use agentwarm_testkit::chaos::Stroke;
use agentwarm_testkit::memory::mail::{Connect, Scripted, Trouble, Verb};
use jiff::civil::date;

use crate::audit::Patience;
use crate::harness::{AROUND_THE_WORLD, Sim, at, mails_a_day, minutes, order_of};
use crate::seeds;

const ALICE: &str = "alice@acorn.test";

#[tokio::test]
async fn hours_of_silence_delay_mail_and_leave_the_account_alone() {
    let mut sim = Sim::story("silence", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.post.set_down(ALICE, true);
    sim.run_until(at("2026-03-10T14:00:00Z"));
    let alice = sim.account(0);
    assert_eq!(alice.status, AccountStatus::Warming);
    assert!(
        alice
            .status_reason
            .unwrap()
            .contains("could not be reached since")
    );
    sim.world.post.set_down(ALICE, false);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    assert_eq!(sim.account(0).status_reason, None);
    let lost = sim.slots(0).into_iter().filter(|slot| {
        slot.date == date(2026, 3, 10)
            && slot.kind == SlotKind::Thread
            && slot.state.accepted_at().is_none()
    });
    assert_eq!(lost.count(), 0, "four hours were left to send them");
}

#[tokio::test]
async fn a_recipient_that_does_not_exist_bounces_once_and_gets_no_more_mail() {
    let mut sim = Sim::story("no such recipient", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.post.refuse_mail(ALICE);
    let since = sim.world.now();
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    let user = sim.world.tenant.user;
    let look = sim.world.store.look();
    assert!(look.is_suppressed(user, ALICE, sim.world.now()));
    drop(look);
    let bounced: Vec<_> = sim
        .all_slots()
        .into_iter()
        .filter(|slot| matches!(slot.state, SlotState::Rejected { bounced: true, .. }))
        .collect();
    assert_eq!(bounced.len(), 1, "the first says it all");
    assert_eq!(bounced[0].recipient, sim.accounts[0]);
    let to_alice = |slot: &Slot| slot.recipient == sim.accounts[0];
    let later = sim
        .all_slots()
        .into_iter()
        .filter(|slot| to_alice(slot) && slot.state.accepted_at().is_some_and(|at| at > since));
    assert_eq!(later.count(), 0);
    let own = sim.slots(0).into_iter();
    let own = own.filter(|slot| slot.state.accepted_at().is_some_and(|at| at > since));
    assert!(own.count() > 10, "she goes on writing");
}

#[tokio::test]
async fn a_closed_mailbox_stops_its_account_and_nobody_elses() {
    let mut sim = Sim::story("closed", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.post.close_mailbox(ALICE);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
    assert_eq!(sim.account(0).status, AccountStatus::Error);
    for n in 1..6 {
        let lost = sim
            .slots(n)
            .into_iter()
            .filter(|slot| slot.kind == SlotKind::Thread && slot.state.accepted_at().is_none());
        assert!(lost.count() <= 1, "but for one that bounced");
    }
}

#[tokio::test]
async fn a_renumbered_inbox_is_read_again_and_nothing_is_booked_twice() {
    let mut sim = Sim::story("renumbered", "2026-03-10T06:00:00Z").await;
    sim.world.post.set_spam_share(ALICE, 0.3);
    for hour in [11, 13, 15] {
        sim.run_until(at(&format!("2026-03-10T{hour}:00:00Z")));
        sim.world.post.reset_uid_validity(ALICE, Folder::Inbox);
        sim.world.post.reset_uid_validity(ALICE, Folder::Junk);
    }
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
    assert!(sim.receipts(0).len() > 10);
}

#[tokio::test]
async fn an_attempt_comes_when_it_was_to_come_though_its_worker_takes_it_for_early() {
    let mut sim = Sim::story("a slow clock", "2026-03-10T06:00:00Z").await;
    let not_now = Trouble::Reply(451, None);
    for _ in 0..2 {
        sim.world.post.next_trouble(ALICE, Verb::RcptTo, not_now);
    }
    let waits = |slot: &Slot| matches!(slot.state, SlotState::Retry { attempt: 2, .. });
    while !sim.slots(0).iter().any(waits) {
        sim.run_for(minutes(1));
    }
    let slow = jiff::SignedDuration::from_secs(-40);
    sim.world.senders_clock.set_ahead(slow);
    sim.run_for(minutes(5));
    assert!(!sim.slots(0).iter().any(waits), "{:?}", sim.slots(0));
    sim.world
        .senders_clock
        .set_ahead(jiff::SignedDuration::ZERO);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn an_answer_that_was_tried_and_has_moved_says_so_though_its_mover_died() {
    let mut sim = Sim::story("a moved answer", "2026-03-10T06:00:00Z").await;
    sim.watch.crowded = true;
    sim.run_until(at("2026-03-10T16:50:00Z"));
    for (address, _) in AROUND_THE_WORLD {
        let not_now = Trouble::Reply(451, None);
        sim.world
            .post
            .set_trouble(address, Some((Verb::RcptTo, not_now)));
    }
    sim.run_until(at("2026-03-10T17:59:00Z"));
    let tried: Vec<_> = sim
        .all_slots()
        .into_iter()
        .filter(|slot| matches!(slot.state, SlotState::Retry { .. }))
        .filter_map(|slot| match slot.kind {
            SlotKind::Reply { answers } => Some((sim.world.owner(slot.sender), answers, slot.id)),
            SlotKind::Thread => None,
        })
        .collect();
    assert!(!tried.is_empty());
    sim.patience = Patience::long();
    while sim.world.now() < at("2026-03-10T20:00:00Z") {
        let look = sim.world.store.look();
        let stays = tried.iter().any(|(owner, answers, slot)| {
            let receipt = look.receipt(*owner, *answers).unwrap();
            receipt.engagement.reply.is_some_and(|it| it.slot == *slot)
        });
        drop(look);
        if stays && sim.world.chaos.unmet().is_empty() {
            let chaos = &sim.world.chaos;
            chaos.script("receipts.replace", Stroke::DiesAfter);
        }
        sim.run_for(minutes(1));
    }
    let look = sim.world.store.look();
    for (owner, _, slot) in &tried {
        let slot = look.slot(*owner, *slot).unwrap();
        assert!(slot.state.is_final(), "the day's hours are over: {slot:?}");
    }
    drop(look);
    for (address, _) in AROUND_THE_WORLD {
        sim.world.post.set_trouble(address, None);
    }
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.patience = Patience::default();
    sim.finish();
}

#[tokio::test]
async fn not_now_is_tried_again_and_given_up_in_the_end() {
    let mut sim = Sim::story("not now", "2026-03-10T06:00:00Z").await;
    let not_now = Scripted::Answered(Submission::Refused {
        phase: SmtpPhase::RcptTo,
        code: 451,
        enhanced: Some("4.7.1".to_owned()),
        text: "greylisted".to_owned(),
    });
    sim.run_until(at("2026-03-10T07:00:00Z"));
    sim.world.post.next_submission(ALICE, not_now.clone());
    for _ in 0..5 {
        sim.world
            .post
            .next_submission("adam@acorn.test", not_now.clone());
    }
    let hung = Connect::Fails(ConnectFailure::Busy);
    sim.world
        .post
        .next_connect("bella@birch.test", MailProtocol::Smtp, hung);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
    let threads = |n: usize| {
        let slots = sim.slots(n).into_iter();
        slots.filter(|slot| slot.kind == SlotKind::Thread && slot.date == date(2026, 3, 10))
    };
    assert!(threads(0).all(|slot| slot.state.accepted_at().is_some()));
    assert!(threads(2).all(|slot| slot.state.accepted_at().is_some()));
    let given_up = threads(1).filter(|slot| {
        matches!(
            slot.state,
            SlotState::Skipped {
                reason: SkipReason::RetriesExhausted | SkipReason::ServerUnavailable,
                ..
            }
        )
    });
    assert!(given_up.count() <= 1);
}

/// Only an outage of ours lifts the cap: what servers refuse or do not take is a day like any other (decision 20).
#[tokio::test]
async fn a_day_that_servers_cut_short_holds_the_next_one_back() {
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, "Europe/London"));
    let (number, start) = (seeds::story(), "2026-03-10T06:00:00Z");
    let mut sim = Sim::of("short days", number, &mailboxes, start, mails_a_day(40)).await;
    sim.run_until(at("2026-03-10T13:00:00Z"));
    let not_now = Trouble::Reply(451, None);
    let bella = "bella@birch.test";
    sim.world
        .post
        .set_trouble(ALICE, Some((Verb::RcptTo, not_now)));
    sim.world.post.set_smtp_down(bella, true);
    sim.run_until(at("2026-03-10T22:00:00Z"));
    sim.world.post.set_trouble(ALICE, None);
    sim.world.post.set_smtp_down(bella, false);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();

    for n in [0, 2] {
        let kept_back = sim.slots(n).into_iter().filter(|slot| {
            let reason = SkipReason::ServerUnavailable;
            slot.date == date(2026, 3, 10)
                && matches!(slot.state, SlotState::Skipped { reason: why, .. } if why == reason)
        });
        let kept_back = kept_back.count();
        let look = sim.world.store.look();
        let owner = sim.world.owner(sim.accounts[n]);
        let mut days = look.days();
        let tuesday = days.find(|(it, row)| *it == owner && row.date == date(2026, 3, 10));
        assert!(!tuesday.unwrap().1.cut_short, "mailbox {n}");
        let wednesday = look.plan(owner, date(2026, 3, 11)).unwrap();
        let rules: Vec<_> = wednesday.reasons.iter().map(|it| it.rule).collect();
        assert!(rules.contains(&Rule::SpikeCap), "{:?}", wednesday.reasons);
        assert!(kept_back > 0, "mailbox {n}");
    }
}

/// Its back-off was over long before the mails were due that an outage of ours made late.
#[tokio::test]
async fn a_server_that_failed_before_an_outage_of_ours_is_not_blamed_for_it() {
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, "Europe/London"));
    let (number, start) = (seeds::story(), "2026-03-10T06:00:00Z");
    let mut sim = Sim::of("an old failure", number, &mailboxes, start, mails_a_day(40)).await;
    sim.run_until(at("2026-03-10T13:00:00Z"));
    sim.world.post.set_smtp_down(ALICE, true);
    while sim.account(0).status_reason.is_none() {
        sim.run_for(minutes(1));
    }
    let backed_off = sim.world.now() + minutes(2);
    sim.world.post.set_smtp_down(ALICE, false);
    sim.stand_still_until(at("2026-03-10T20:00:00Z"));
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();

    let missed = sim.slots(0).into_iter().filter(|slot| {
        slot.date == date(2026, 3, 10)
            && slot.kind == SlotKind::Thread
            && slot.scheduled_at > backed_off
    });
    let missed: Vec<_> = missed.map(|slot| slot.state).collect();
    let is_ours = |state: &SlotState| {
        let reason = SkipReason::OutsideHours;
        matches!(state, SlotState::Skipped { reason: why, .. } if *why == reason)
    };
    assert!(missed.len() > 4 && missed.iter().all(is_ours), "{missed:?}");
    let look = sim.world.store.look();
    let owner = sim.world.owner(sim.accounts[0]);
    let mut days = look.days();
    let tuesday = days.find(|(it, row)| *it == owner && row.date == date(2026, 3, 10));
    assert!(tuesday.unwrap().1.cut_short);
}

#[tokio::test]
async fn after_421_the_next_mail_of_a_batch_has_a_connection_of_its_own() {
    let mut sim = Sim::story("421", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    let (now, alice) = (sim.world.now(), sim.world.owner(sim.accounts[0]));
    let look = sim.world.store.look();
    let planned = look.plan(alice, date(2026, 3, 10)).unwrap().slots.iter();
    let later = planned.filter(|slot| slot.at > now);
    let orders: Vec<_> = later.take(2).map(|slot| order_of(alice, slot)).collect();
    drop(look);
    assert_eq!(orders.len(), 2);
    let closes = Trouble::Reply(421, None);
    sim.world.post.next_trouble(ALICE, Verb::MailFrom, closes);
    let handled = sim.world.sending.send(&orders).await;
    assert!(
        matches!(handled[..], [Ok(Handled::Settled), Ok(Handled::Sent)]),
        "{handled:?}"
    );
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
}
