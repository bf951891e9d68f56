//! Delivery reports and complaints that come back.

use agentwarm_app::ports::mail::{Folder, FoundContent, OutgoingMail, ReportedMail};
use agentwarm_app::ports::suppressions::SuppressionList;
use agentwarm_core::account::AccountStatus;
use agentwarm_core::audit::EventType;
use agentwarm_core::mail::slot::{Slot, SlotState};

use crate::harness::{AROUND_THE_WORLD, Sim, at, hours, minutes};

/// What the audit log says of `slot` by events of this type.
fn logged(sim: &Sim, slot: &Slot, event_type: EventType) -> Vec<serde_json::Value> {
    let look = sim.world.store.look();
    let entries = look.audit().map(|entry| &entry.event);
    let of_it = entries
        .filter(|it| it.event_type == event_type && it.metadata["slotId"] == slot.id.to_string());
    of_it.map(|it| it.metadata.clone().into()).collect()
}

/// Drops a report about `slot` into its sender's inbox.
fn report(sim: &Sim, slot: &Slot, content: FoundContent) {
    let n = sim
        .accounts
        .iter()
        .position(|id| *id == slot.sender)
        .unwrap();
    let (address, _) = AROUND_THE_WORLD[n];
    let left = sim.watch.left.get(&slot.message_id).unwrap();
    let mail = OutgoingMail {
        message_id: format!("report-{}@mta.test", slot.id),
        subject: "Undelivered Mail Returned to Sender".to_owned(),
        headers: Vec::new(),
        references: Vec::new(),
        in_reply_to: None,
        ..left.over.mail.clone()
    };
    sim.world
        .post
        .drop_in(address, Folder::Inbox, mail, content);
}

fn of(slot: &Slot) -> ReportedMail {
    ReportedMail {
        message_id: Some(slot.message_id.clone()),
        token: None,
    }
}

/// The same of a mail that its server gave another Message-ID.
fn renamed(sim: &Sim, slot: &Slot) -> ReportedMail {
    let left = sim.watch.left.get(&slot.message_id).unwrap();
    let headers = &left.over.mail.headers;
    let token = headers.iter().find(|(_, value)| value.starts_with("v1."));
    ReportedMail {
        message_id: Some("0102018c@ses.test".to_owned()),
        token: Some(token.unwrap().1.clone()),
    }
}

fn failed(slot: &Slot, status: &str) -> FoundContent {
    failed_about(of(slot), status)
}

fn failed_about(about: ReportedMail, status: &str) -> FoundContent {
    FoundContent::DeliveryReport {
        about,
        recipient: None,
        diagnostic: None,
        action: "failed".to_owned(),
        status: status.to_owned(),
    }
}

async fn some_mails(name: &str) -> (Sim, Vec<Slot>) {
    let mut sim = Sim::story(name, "2026-03-10T06:00:00Z").await;
    sim.run_until(at("2026-03-10T12:00:00Z"));
    let slots = sim.all_slots();
    let accepted = slots
        .into_iter()
        .filter(|slot| slot.state.accepted_at().is_some());
    let accepted = accepted.collect();
    (sim, accepted)
}

#[tokio::test]
async fn a_report_of_no_such_user_is_a_bounce_and_suppresses() {
    let (mut sim, slots) = some_mails("no such user").await;
    let slot = &slots[0];
    report(&sim, slot, failed(slot, "5.1.1"));
    sim.run_for(hours(1));
    let look = sim.world.store.look();
    let after = look.slot(sim.world.owner(slot.sender), slot.id).unwrap();
    assert!(matches!(
        after.state,
        SlotState::Returned { bounced: true, .. }
    ));
    let recipient = look
        .account(slot.user, slot.recipient)
        .unwrap()
        .email
        .clone();
    assert!(look.is_suppressed(slot.user, recipient.as_str(), sim.world.now()));
    drop(look);
    let [entry] = &logged(&sim, slot, EventType::WarmupEmailBounced)[..] else {
        panic!("one entry");
    };
    assert_eq!(entry["recipientSuppressed"], true, "{entry}");
    assert!(entry["suppressedUntil"].is_null(), "{entry}");
    sim.run_until(at("2026-03-13T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn a_report_about_a_mail_that_its_server_renamed_is_known_by_its_token() {
    let (mut sim, slots) = some_mails("renamed").await;
    let mine = &slots[0];
    let other = slots.iter().find(|it| it.sender != mine.sender).unwrap();
    report(&sim, mine, failed_about(renamed(&sim, mine), "5.1.1"));
    // A token that somebody else's mail carried proves nothing about ours.
    report(&sim, mine, failed_about(renamed(&sim, other), "5.1.1"));
    sim.run_for(hours(1));
    let state = |slot: &Slot| {
        let look = sim.world.store.look();
        let slot = look.slot(sim.world.owner(slot.sender), slot.id);
        slot.unwrap().state.clone()
    };
    assert!(matches!(
        state(mine),
        SlotState::Returned { bounced: true, .. }
    ));
    assert!(matches!(state(other), SlotState::Accepted { .. }));
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn a_full_mailbox_is_left_alone_for_a_week() {
    let (mut sim, slots) = some_mails("full").await;
    let slot = &slots[0];
    report(&sim, slot, failed(slot, "5.2.2"));
    sim.run_until(at("2026-03-12T12:00:00Z"));
    let [entry] = &logged(&sim, slot, EventType::WarmupEmailRejected)[..] else {
        panic!("one entry");
    };
    let until = entry["suppressedUntil"].as_str().unwrap();
    assert!(until.starts_with("2026-03-17T12:"), "{entry}");
    {
        let look = sim.world.store.look();
        let sender = sim.world.owner(slot.sender);
        let after = look.slot(sender, slot.id).unwrap();
        assert!(matches!(
            after.state,
            SlotState::Returned { bounced: false, .. }
        ));
        let accepted = look.slots().filter(|it| {
            (it.sender, it.date) == (slot.sender, slot.date) && it.state.accepted_at().is_some()
        });
        let accepted = u32::try_from(accepted.count()).unwrap();
        let days = look
            .days()
            .find(|(owner, row)| (*owner, row.date) == (sender, slot.date));
        let figures = days.unwrap().1.figures;
        assert_eq!(
            (figures.sent, figures.rejected),
            (accepted, 1),
            "it was sent all the same"
        );
    }
    sim.run_until(at("2026-03-16T12:00:00Z"));
    let recipient = {
        let look = sim.world.store.look();
        let account = look.account(slot.user, slot.recipient).unwrap();
        let email = account.email.as_str().to_owned();
        assert!(look.is_suppressed(slot.user, &email, sim.world.now()));
        account.id
    };
    sim.run_until(at("2026-03-19T06:00:00Z"));
    sim.finish();
    let again = sim
        .watch
        .left
        .values()
        .filter(|left| left.recipient == recipient && left.at > at("2026-03-17T12:00:00Z"));
    assert!(again.count() > 0, "mail goes there again");
}

#[tokio::test]
async fn a_forged_report_changes_nothing() {
    let (mut sim, slots) = some_mails("forged").await;
    let [mine, other] = [
        &slots[0],
        slots
            .iter()
            .find(|it| it.sender != slots[0].sender)
            .unwrap(),
    ];
    // About a mail of somebody else, dropped into this sender's inbox.
    let content = failed(other, "5.1.1");
    report(&sim, mine, content);
    sim.run_for(hours(1));
    let look = sim.world.store.look();
    let after = look.slot(sim.world.owner(other.sender), other.id).unwrap();
    assert!(matches!(after.state, SlotState::Accepted { .. }));
    drop(look);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
}

#[tokio::test]
async fn a_complaint_counts_as_spam_and_suppresses() {
    let (mut sim, slots) = some_mails("complaint").await;
    let slot = &slots[0];
    let content = FoundContent::Complaint { about: of(slot) };
    report(&sim, slot, content);
    sim.run_for(hours(1));
    let look = sim.world.store.look();
    let after = look.slot(sim.world.owner(slot.sender), slot.id).unwrap();
    assert!(after.spammed_at.is_some());
    let recipient = look
        .account(slot.user, slot.recipient)
        .unwrap()
        .email
        .clone();
    assert!(look.is_suppressed(slot.user, recipient.as_str(), sim.world.now()));
    drop(look);
    let [entry] = &logged(&sim, slot, EventType::WarmupEmailComplained)[..] else {
        panic!("one entry");
    };
    assert_eq!(entry["recipientSuppressed"], true, "{entry}");
}

/// While the mailbox is stopped nobody reads the reports that still come.
#[tokio::test]
async fn bounces_of_before_a_resume_suspend_nobody_again() {
    let (mut sim, slots) = some_mails("read late").await;
    let alice = sim.accounts[0];
    let mine: Vec<_> = slots.iter().filter(|it| it.sender == alice).collect();
    assert!(mine.len() >= 5);
    for slot in &mine[..3] {
        report(&sim, slot, failed(slot, "5.1.1"));
    }
    sim.run_for(hours(1));
    assert_eq!(sim.account(0).status, AccountStatus::Suspended);

    for slot in &mine[3..] {
        report(&sim, slot, failed(slot, "5.1.1"));
    }
    sim.run_for(minutes(10));
    let tenant = sim.world.tenant;
    sim.world.resume.resume(&tenant, alice).await.unwrap();
    sim.run_for(hours(2));

    let bounced = sim.slots(0).into_iter().filter(|slot| {
        mine.iter().any(|it| it.id == slot.id) && matches!(slot.state, SlotState::Returned { .. })
    });
    assert_eq!(bounced.count(), mine.len());
    assert_eq!(sim.account(0).status, AccountStatus::Warming);
    sim.run_until(at("2026-03-12T06:00:00Z"));
    sim.finish();
    assert_eq!(sim.account(0).status, AccountStatus::Warming);
}

/// A look reads again what no sitting has noted.
#[tokio::test]
async fn a_complaint_that_is_read_again_suppresses_nobody_again() {
    let (mut sim, slots) = some_mails("read again").await;
    let slot = &slots[0];
    let complaint = || FoundContent::Complaint { about: of(slot) };
    report(&sim, slot, complaint());
    sim.run_for(hours(1));
    let (user, recipient) = {
        let look = sim.world.store.look();
        let account = look.account(slot.user, slot.recipient).unwrap();
        (account.user, account.email.clone())
    };
    let list: &dyn SuppressionList = sim.world.store.as_ref();
    assert!(list.remove(user, &recipient).await.unwrap());
    report(&sim, slot, complaint());
    sim.run_for(hours(2));
    let now = sim.world.now();
    let look = sim.world.store.look();
    assert!(!look.is_suppressed(user, recipient.as_str(), now));
}
