//! Letters: to all recipients or to none, filed in Sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

use agentwarm_app::ports::letters::{Attachment, Body, Draft, Gate, Letter, Posted};
use agentwarm_app::ports::mail::{Folder, Submission};
use async_trait::async_trait;

use crate::mailbox::{Mailbox, Way};

/// Counts how often it is asked, and says what it was told to.
pub(crate) struct Counting {
    pub(crate) asked: AtomicUsize,
    pub(crate) says: bool,
}

#[async_trait]
impl Gate for Counting {
    async fn open(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.says
    }
}

pub(crate) fn gate(says: bool) -> Counting {
    Counting {
        asked: AtomicUsize::new(0),
        says,
    }
}

/// A letter of everything, with a Message-ID that no earlier run used.
pub(crate) fn letter(from: &str, to: &[&str]) -> Letter {
    let unique = UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let mut to = to
        .iter()
        .map(|address| ("Bo \"B\" Ö".to_owned(), address.parse().unwrap()));
    Letter {
        from: ("Åsa Lund".into(), from.parse().unwrap()),
        draft: Draft {
            to: to.by_ref().take(1).collect(),
            cc: to.by_ref().take(1).collect(),
            bcc: to.collect(),
            subject: "Angebot — 見積もり 📬".into(),
            body: Body::Both {
                text: "Grüße\n.\n".into(),
                html: "<p>Grüße</p>".into(),
            },
            attachments: vec![Attachment {
                filename: "Übersicht 昼食.pdf".into(),
                content_type: "application/pdf".into(),
                content: (0..=255).cycle().take(200_000).collect(),
            }],
            in_reply_to: None,
            references: vec![],
        },
        message_id: format!("{unique}.9@acorn.test").parse().unwrap(),
        date: "2026-03-04T05:06:07Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_letter_reaches_all_of_its_recipients_and_is_found_in_sent() {
    for (way, from, [to, cc, bcc]) in [
        (
            Way::Implicit,
            "w920@acorn.test",
            ["w920@birch.test", "w921@birch.test", "w922@birch.test"],
        ),
        (
            Way::StartTls,
            "w923@acorn.test",
            ["w923@birch.test", "w924@birch.test", "w925@birch.test"],
        ),
    ] {
        let sender = Mailbox::new(from, way);
        let receivers = [to, cc, bcc].map(|address| Mailbox::new(address, way));
        let letter = letter(from, &[to, cc, bcc]);
        let gate = gate(true);
        let mut session = sender.sender().await;
        let posted = session.post(&letter, &gate).await;
        assert_eq!(posted, Posted::Settled(Submission::Accepted), "{way:?}");
        assert_eq!(gate.asked.load(Ordering::Relaxed), 1);
        session.close().await;
        for receiver in &receivers {
            receiver
                .await_message(Folder::Inbox, None, |message| {
                    message.message_id.as_deref() == Some(letter.message_id.as_str())
                })
                .await;
        }
        let mut session = sender.reader().await;
        let found = async |session: &mut dyn agentwarm_app::ports::mail::ReadSession| {
            let id = letter.message_id.as_str();
            session.find(id, &[Folder::Sent], false).await.unwrap()
        };
        assert_eq!(found(session.as_mut()).await, None);
        session.file(&letter, Folder::Sent).await.unwrap();
        let filed = found(session.as_mut()).await.unwrap();
        assert_eq!(filed.folder, Some(Folder::Sent));
        session.close().await;
    }
}

#[tokio::test]
async fn a_refused_recipient_or_a_shut_gate_keeps_it_from_everybody() {
    let sender = Mailbox::new("w926@acorn.test", Way::Implicit);
    let receiver = Mailbox::new("w926@birch.test", Way::Implicit);
    let mut session = sender.sender().await;
    let refused = letter(
        &sender.address,
        &["nobody@birch.test", &receiver.address, "full@birch.test"],
    );
    let unasked = gate(true);
    let Posted::RecipientsRefused(who) = session.post(&refused, &unasked).await else {
        panic!("it was sent");
    };
    let who: Vec<_> = who
        .iter()
        .map(|refused| (refused.address.as_str(), refused.refusal.code))
        .collect();
    assert_eq!(who, [("nobody@birch.test", 550), ("full@birch.test", 552)]);
    assert_eq!(unasked.asked.load(Ordering::Relaxed), 0);
    let stopped = letter(&sender.address, &[&receiver.address]);
    assert_eq!(session.post(&stopped, &gate(false)).await, Posted::Stopped);
    // The session is of further use, and what comes last is all that comes.
    let last = letter(&sender.address, &[&receiver.address]);
    let posted = session.post(&last, &gate(true)).await;
    assert_eq!(posted, Posted::Settled(Submission::Accepted));
    session.close().await;
    receiver
        .await_message(Folder::Inbox, None, |message| {
            message.message_id.as_deref() == Some(last.message_id.as_str())
        })
        .await;
    let mut session = receiver.reader().await;
    for never in [refused, stopped] {
        let found = session.find(never.message_id.as_str(), &[Folder::Inbox], true);
        assert_eq!(found.await, Ok(None));
    }
    session.close().await;
}
