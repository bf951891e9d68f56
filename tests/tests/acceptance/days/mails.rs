//! What lies in the mailboxes is what the schedules say was sent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Mailboxes;
use crate::books::{Books, instant};
use crate::findings::Findings;
use crate::imap::Message;

/// No Message-ID twice anywhere, nothing from anybody else, and nothing left in spam.
pub(super) fn exist_once(mailboxes: &Mailboxes, wrong: &mut Findings) {
    let mut ids = BTreeSet::new();
    for (address, messages) in mailboxes {
        for message in messages {
            let told = format!("{address} has {message:?}");
            wrong.require(ids.insert(message.id()), format!("twice: {told}"));
            wrong.require(mailboxes.contains_key(message.from()), &told);
            wrong.require(
                ["INBOX", "Warmup"].contains(&message.folder.as_str()),
                &told,
            );
        }
    }
}

/// Each sender's mails lie in the partners' mailboxes, as many as it counts, dated when it says; each day's schedule and progress agree.
pub(super) fn are_those_of_the_schedules(
    books: &[Books],
    mailboxes: &Mailboxes,
    wrong: &mut Findings,
) {
    for sender in books {
        let dates = sent_by(sender, mailboxes).map(|(_, message)| message.date());
        let executed = sender.sent().map(|slot| instant(&slot["executedAt"]));
        wrong.same(sorted(dates), sorted(executed), &sender.address);
        for receiver in books {
            let arrived = sent_by(sender, mailboxes).filter(|(to, _)| **to == receiver.address);
            let targeted = sender
                .sent()
                .filter(|slot| slot["targetAccountId"] == receiver.id.as_str());
            let told = format!("{} to {}", sender.address, receiver.address);
            wrong.same(arrived.count(), targeted.count(), told);
        }
        agree(sender, wrong);
    }
}

fn sorted(instants: impl Iterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut instants: Vec<_> = instants.collect();
    instants.sort_unstable();
    instants
}

/// Schedule and progress show the same days.
fn agree(mailbox: &Books, wrong: &mut Findings) {
    for (on, schedule) in &mailbox.schedules {
        let day = &mailbox.days[on];
        let told = format!("{} on {on}: {day:#} {schedule:#}", mailbox.address);
        wrong.same(&day["sent"], &schedule["actualSendCount"], &told);
        wrong.same(&day["received"], &schedule["actualReceiveCount"], &told);
    }
}

/// The mails of `sender`, with the address of the mailbox that each lies in.
pub(super) fn sent_by<'m>(
    sender: &'m Books,
    mailboxes: &'m Mailboxes,
) -> impl Iterator<Item = (&'m String, &'m Message)> {
    mailboxes.iter().flat_map(move |(address, messages)| {
        let own = messages
            .iter()
            .filter(|message| message.from() == sender.address);
        own.map(move |message| (address, message))
    })
}

/// The mails that other mails of the same mailboxes answer, with when they do.
pub(super) fn answered(mailboxes: &Mailboxes) -> BTreeMap<&str, Timestamp> {
    let messages = mailboxes.values().flatten();
    messages
        .filter_map(|message| Some((message.answers()?, message.date())))
        .collect()
}
