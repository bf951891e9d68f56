//! Accounts in error: what makes one, what becomes of its mails meanwhile, and how it heals.

use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{ConnectFailure, Submission};
use agentwarm_core::account::AccountStatus;
use agentwarm_core::audit::EventType;
use agentwarm_core::mail::slot::{SkipReason, Slot, SlotKind, SlotState};
use agentwarm_testkit::memory::mail::{Connect, Scripted, Trouble, Verb};
use agentwarm_testkit::world::PASSWORD;
use jiff::civil::date;

use crate::harness::{AROUND_THE_WORLD, Sim, at, hours, mails_a_day, minutes};
use crate::seeds;

const ALICE: &str = "alice@acorn.test";

#[tokio::test]
async fn a_day_of_silence_is_an_error_that_heals() {
    let mut sim = Sim::story("a day of silence", "2026-03-09T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.post.set_down(ALICE, true);
    sim.run_until(at("2026-03-11T09:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Warming);
    sim.run_until(at("2026-03-11T12:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Error);
    sim.run_until(at("2026-03-12T09:00:00Z"));
    let openings = openings_of_the_eleventh(&sim);
    assert!(!openings.is_empty());
    for slot in openings {
        assert!(
            was_skipped(&slot, SkipReason::ServerUnavailable),
            "{slot:?}"
        );
    }
    sim.world.post.set_down(ALICE, false);
    // Tried hourly, healed, and planned for what is left of the day.
    sim.run_until(at("2026-03-12T12:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Warming);
    // What came meanwhile is answered, though it was found by the visit that healed.
    let back = at("2026-03-12T09:00:00Z");
    let found = sim.receipts(0).into_iter();
    let found = found.filter(|receipt| receipt.found_at >= back);
    let answers = found.filter(|receipt| receipt.engagement.reply.is_some());
    assert!(answers.count() > 1);
    let look = sim.world.store.look();
    let plan = look.plan(sim.world.owner(sim.accounts[0]), date(2026, 3, 12));
    assert!(plan.is_some_and(|plan| plan.limit > 0));
    drop(look);
    sim.run_until(at("2026-03-16T06:00:00Z"));
    sim.finish();
    let sent = sim
        .slots(0)
        .into_iter()
        .filter(|slot| slot.date >= date(2026, 3, 12) && slot.state.accepted_at().is_some());
    assert!(sent.count() > 10);
}

/// Her openings of the eleventh, the second day of each of these stories.
fn openings_of_the_eleventh(sim: &Sim) -> Vec<Slot> {
    let slots = sim.slots(0).into_iter();
    slots
        .filter(|slot| slot.date == date(2026, 3, 11) && slot.kind == SlotKind::Thread)
        .collect()
}

/// A world of forty mails a day that `breaks` for Alice at ten o'clock of the tenth, at noon of the next day, when she is in error.
async fn in_error_at_noon(name: &str, breaks: impl Fn(&Sim)) -> Sim {
    let mailboxes = AROUND_THE_WORLD.map(|(email, _)| (email, "Europe/London"));
    let (number, start) = (seeds::story(), "2026-03-09T06:00:00Z");
    let mut sim = Sim::of(name, number, &mailboxes, start, mails_a_day(40)).await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    breaks(&sim);
    sim.run_until(at("2026-03-11T12:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Error);
    sim
}

fn goes_down(sim: &Sim) {
    sim.world.post.set_down(ALICE, true);
}

fn was_skipped(slot: &Slot, why: SkipReason) -> bool {
    matches!(slot.state, SlotState::Skipped { reason, .. } if reason == why)
}

/// Alice warms, and shows no trouble.
fn is_well(sim: &Sim) {
    let alice = sim.account(0);
    assert_eq!(
        (alice.status, alice.status_reason),
        (AccountStatus::Warming, None)
    );
}

#[tokio::test]
async fn mails_wait_for_an_error_that_heals_within_their_day() {
    let mut sim = in_error_at_noon("healed the same day", goes_down).await;
    sim.world.post.set_down(ALICE, false);
    sim.run_until(at("2026-03-11T23:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Warming);
    let openings = openings_of_the_eleventh(&sim);
    let noon = at("2026-03-11T12:00:00Z");
    let waited = openings.iter().filter(|slot| slot.scheduled_at < noon);
    assert!(waited.count() > 5);
    let left = |slot: &Slot| {
        slot.state
            .accepted_at()
            .unwrap_or_else(|| panic!("{slot:?}"))
    };
    let mut left: Vec<_> = openings.iter().map(left).collect();
    left.sort();
    let busiest = left.iter().map(|first| {
        let in_it = |at: &&jiff::Timestamp| (*first..*first + minutes(60)).contains(*at);
        left.iter().filter(in_it).count()
    });
    let busiest = busiest.max().unwrap();
    assert!(
        busiest * 2 < left.len(),
        "{busiest} within an hour: {left:?}"
    );
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn mails_of_an_account_that_is_paused_in_error_are_skipped_and_those_after_its_resume_are_not()
 {
    let mut sim = in_error_at_noon("paused in error", goes_down).await;
    let (tenant, alice) = (sim.world.tenant, sim.accounts[0]);
    sim.world.pause.pause(&tenant, alice).await.unwrap();
    sim.run_until(at("2026-03-11T14:00:00Z"));
    sim.world.post.set_down(ALICE, false);
    sim.world.resume.resume(&tenant, alice).await.unwrap();
    sim.run_until(at("2026-03-11T23:00:00Z"));
    let openings = openings_of_the_eleventh(&sim);
    let stopped = openings
        .iter()
        .filter(|slot| was_skipped(slot, SkipReason::SenderStopped));
    let sent = openings
        .iter()
        .filter(|slot| slot.state.accepted_at().is_some());
    let (stopped, sent) = (stopped.count(), sent.count());
    assert!(stopped > 0 && sent > 0, "{stopped} and {sent}");
    assert_eq!(stopped + sent, openings.len(), "{openings:?}");
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
}

/// The server that it sends by works all the while, and its back-off keeps no mail.
#[tokio::test]
async fn a_day_whose_mails_an_unreadable_mailbox_kept_is_not_cut_short_by_us() {
    let breaks = |sim: &Sim| sim.world.post.set_unreadable(ALICE, true);
    let mut sim = in_error_at_noon("unread at night", breaks).await;
    sim.run_until(at("2026-03-12T10:00:00Z"));
    sim.world.post.set_unreadable(ALICE, false);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();

    let openings = openings_of_the_eleventh(&sim).into_iter();
    let unsent = openings.filter(|slot| slot.state.accepted_at().is_none());
    let unsent: Vec<_> = unsent.collect();
    let is_kept = |slot: &Slot| was_skipped(slot, SkipReason::ServerUnavailable);
    assert!(unsent.len() > 5 && unsent.iter().all(is_kept), "{unsent:?}");
    let look = sim.world.store.look();
    let owner = sim.world.owner(sim.accounts[0]);
    let mut days = look.days();
    let eleventh = days.find(|(it, row)| *it == owner && row.date == date(2026, 3, 11));
    assert!(!eleventh.unwrap().1.cut_short);
}

#[tokio::test]
async fn a_mailbox_that_can_be_read_but_never_sends_is_an_error_that_heals() {
    let mut sim = Sim::story("half a mailbox", "2026-03-09T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.post.set_smtp_down(ALICE, true);
    sim.run_until(at("2026-03-10T12:00:00Z"));
    let received = sim.receipts(0).len();
    sim.run_until(at("2026-03-11T12:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Error);
    assert!(
        sim.receipts(0).len() > received,
        "it is read all the same, and its mail is engaged with"
    );
    sim.run_until(at("2026-03-12T09:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Error);
    sim.world.post.set_smtp_down(ALICE, false);
    sim.run_until(at("2026-03-12T12:00:00Z"));
    is_well(&sim);
    sim.run_until(at("2026-03-16T06:00:00Z"));
    sim.finish();
    let sent = sim
        .slots(0)
        .into_iter()
        .filter(|slot| slot.date >= date(2026, 3, 12) && slot.state.accepted_at().is_some());
    assert!(sent.count() > 10);
}

#[tokio::test]
async fn reading_that_fails_now_and_then_does_not_hide_that_nothing_is_sent() {
    let mut sim = Sim::story("two servers", "2026-03-09T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.post.set_smtp_down(ALICE, true);
    sim.run_until(at("2026-03-10T12:00:00Z"));
    let since = sim.account(0).status_reason.unwrap();
    assert!(since.starts_with("The SMTP server could not be reached since 2026-03-10T10:"));
    for restart in ["2026-03-10T14:00:00Z", "2026-03-11T08:00:00Z"] {
        let restarts = Connect::Fails(ConnectFailure::Unreachable);
        sim.world
            .post
            .next_connect(ALICE, MailProtocol::Imap, restarts);
        sim.run_until(at(restart));
        assert_eq!(sim.account(0).status_reason.as_ref(), Some(&since));
    }
    assert_eq!(sim.account(0).status, AccountStatus::Warming);
    sim.run_until(at("2026-03-11T12:00:00Z"));
    let alice = sim.account(0);
    assert_eq!(
        (alice.status, alice.status_reason),
        (AccountStatus::Error, Some(since))
    );
    // In error too: what makes it is not mended by reading that was.
    sim.world.post.set_down(ALICE, true);
    sim.run_until(at("2026-03-11T14:00:00Z"));
    sim.world.post.set_down(ALICE, false);
    sim.run_until(at("2026-03-11T17:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Error);
    sim.world.post.set_smtp_down(ALICE, false);
    sim.run_until(at("2026-03-12T12:00:00Z"));
    is_well(&sim);
    sim.run_until(at("2026-03-16T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn servers_that_let_us_in_and_then_do_nothing_are_errors_that_heal() {
    let mut sim = Sim::story("let in", "2026-03-09T06:00:00Z").await;
    let (unread, unsent) = (ALICE, "adam@acorn.test");
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.post.set_unreadable(unread, true);
    let broken = Submission::NotSent(ConnectFailure::Unreachable);
    for _ in 0..1_000 {
        let broken = Scripted::Answered(broken.clone());
        sim.world.post.next_submission(unsent, broken);
    }
    sim.run_until(at("2026-03-10T14:00:00Z"));
    let reason = sim.account(0).status_reason.unwrap();
    assert!(
        reason.starts_with("The IMAP server could not be used since 2026-03-10T10:")
            && reason.ends_with("it does not take a command."),
        "{reason}"
    );
    let reason = sim.account(1).status_reason.unwrap();
    assert!(
        reason.starts_with("The SMTP server could not be reached since 2026-03-10T1"),
        "{reason}"
    );
    sim.run_until(at("2026-03-11T12:00:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Error);
    sim.world.post.set_unreadable(unread, false);
    sim.run_until(at("2026-03-11T14:00:00Z"));
    is_well(&sim);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn a_wrong_password_is_an_error_after_three_refusals_and_heals() {
    let mut sim = Sim::story("password", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    sim.world.post.open_mailbox(ALICE, "another");
    let refused_since = sim.world.now();
    while sim.account(0).status == AccountStatus::Warming {
        sim.run_for(jiff::SignedDuration::from_mins(1));
        assert!(sim.world.now().duration_since(refused_since) < hours(2));
    }
    let account = sim.account(0);
    assert_eq!(account.status, AccountStatus::Error);
    assert!(
        account
            .status_reason
            .unwrap()
            .contains("refused the login since")
    );
    assert!(sim.world.now().duration_since(refused_since).as_mins() >= 15);
    let attempts = sim.world.post.refused_logins(ALICE);
    assert_eq!(attempts, 3, "a mailbox must not be locked by us");

    sim.run_until(at("2026-03-11T10:00:00Z"));
    let attempts = sim.world.post.refused_logins(ALICE);
    assert!(attempts < 35, "hourly from then on: {attempts}");
    sim.world.post.open_mailbox(ALICE, PASSWORD);
    sim.run_until(at("2026-03-11T12:30:00Z"));
    assert_eq!(sim.account(0).status, AccountStatus::Warming);
    sim.run_until(at("2026-03-14T06:00:00Z"));
    sim.finish();
    let changes = sim.world.published().iter().filter(|(_, _, event)| {
        event.event_type == EventType::AccountStatusChanged
            && event.entity_id == sim.accounts[0].to_string()
    });
    let changes: Vec<_> = changes.map(|(_, _, event)| &event.metadata).collect();
    let [_started, error, healed] = changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(
        (&error["to"], &error["failures"]),
        (&"error".into(), &3.into())
    );
    let since = error["failingSince"].as_str().unwrap();
    assert!(since.starts_with("2026-03-10T10:"), "{error:?}");
    assert_eq!(
        (&healed["from"], &healed["failures"]),
        (&"error".into(), &0.into())
    );
    let since = healed["previousSince"].as_str().unwrap();
    assert!(since.starts_with("2026-03-10T1"), "{healed:?}");
}

/// At MAIL FROM: logging in works all the while, and so does reading.
#[tokio::test]
async fn a_server_that_refuses_the_sender_is_not_taken_for_well_because_it_lets_us_in() {
    let mut sim = Sim::story("turned away", "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T10:00:00Z"));
    let refused = Trouble::Reply(550, Some("5.7.1"));
    sim.world
        .post
        .set_trouble(ALICE, Some((Verb::MailFrom, refused)));
    while sim.account(0).status == AccountStatus::Warming {
        sim.run_for(minutes(1));
        assert!(sim.world.now() < at("2026-03-10T14:00:00Z"));
    }
    assert_eq!(sim.account(0).status, AccountStatus::Error);
    let since = sim.account(0).status_reason.unwrap();
    assert!(
        since.starts_with("The SMTP server accepts the login and has refused mail from this address since 2026-03-10T1"),
        "{since}"
    );
    let received = sim.receipts(0).len();
    let errors = |sim: &Sim| {
        let alice = sim.accounts[0].to_string();
        let published = sim.world.published().iter().map(|(_, _, event)| event);
        let changes = published.filter(|it| it.event_type == EventType::AccountStatusChanged);
        let errors = changes.filter(|it| it.entity_id == alice && it.metadata["to"] == "error");
        errors.count()
    };
    let end = at("2026-03-10T17:00:00Z");
    let most = end.duration_since(sim.world.now()).as_hours() + 2;
    while sim.world.now() < end {
        sim.run_for(minutes(1));
        assert_eq!(sim.account(0).status_reason.as_ref(), Some(&since));
    }
    assert!(i64::try_from(errors(&sim)).unwrap() <= most, "once an hour");
    assert!(sim.receipts(0).len() > received, "it is read");

    sim.world.post.set_trouble(ALICE, None);
    sim.run_until(at("2026-03-11T12:00:00Z"));
    is_well(&sim);
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
}
