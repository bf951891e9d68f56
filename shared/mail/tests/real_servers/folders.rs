//! Junk, rescue, engagement, filing, search.

use agentwarm_app::ports::mail::{Folder, Location, Submission};

use crate::mailbox::{Mailbox, Way};

/// Sends a mail that cedar.test files into Junk, and waits for it.
async fn in_junk(receiver: &Mailbox) -> (String, Location) {
    let sender = Mailbox::new("w910@acorn.test", Way::Implicit);
    let before = receiver.end_of(Folder::Junk).await;
    let mail = sender.mail_to(&receiver.address, '0');
    assert_eq!(sender.send(&mail).await, Submission::Accepted);
    let (found, _) = receiver
        .await_message(Folder::Junk, before, |message| {
            message.message_id.as_ref() == Some(&mail.message_id)
        })
        .await;
    assert_eq!(found.location.mailbox, "Junk");
    (mail.message_id, found.location)
}

#[tokio::test]
async fn a_mail_is_rescued_engaged_with_and_filed() {
    for (address, way, warmup) in [
        ("w911@cedar.test", Way::Implicit, "Warmup"),
        ("w912@cedar.test", Way::StartTls, "Wärme & Übung/日本"),
    ] {
        let receiver = Mailbox::with_folder(address, way, warmup);
        let (id, junk) = in_junk(&receiver).await;
        let mut session = receiver.reader().await;
        let everywhere = &[Folder::Inbox, Folder::Junk, Folder::Warmup];

        session.relocate(&junk, Folder::Inbox).await.unwrap();
        let inbox = session.find(&id, everywhere, false).await.unwrap().unwrap();
        assert_eq!(
            (inbox.folder, inbox.mailbox.as_str()),
            (Some(Folder::Inbox), "INBOX")
        );
        // Done again, nothing happens.
        session.relocate(&junk, Folder::Inbox).await.unwrap();

        session.mark_seen(&inbox).await.unwrap();
        session.mark_important(&inbox).await.unwrap();
        session.relocate(&inbox, Folder::Warmup).await.unwrap();
        let filed = session.find(&id, everywhere, false).await.unwrap().unwrap();
        assert_eq!(filed.folder, Some(Folder::Warmup), "{filed:?}");
        session.relocate(&filed, Folder::Warmup).await.unwrap();
        session.close().await;

        // A new session finds the folder that the last one made, and reads it.
        let mut session = receiver.reader().await;
        let read = session
            .read(Folder::Warmup, None, 500)
            .await
            .unwrap()
            .unwrap();
        assert!(
            read.messages
                .iter()
                .any(|message| message.message_id.as_ref() == Some(&id))
        );
        session.close().await;
    }
}

#[tokio::test]
async fn a_mail_is_found_in_a_folder_without_a_role_and_nowhere_if_it_is_nowhere() {
    let receiver = Mailbox::new("w913@cedar.test", Way::Implicit);
    let (id, junk) = in_junk(&receiver).await;
    // For a client with another configuration the folder has no role.
    let mut session = receiver.reader().await;
    session.relocate(&junk, Folder::Warmup).await.unwrap();
    session.close().await;
    let other = Mailbox::with_folder(&receiver.address, Way::Implicit, "Elsewhere");
    let mut session = other.reader().await;
    let roles = [Folder::Inbox, Folder::Junk, Folder::Sent, Folder::Warmup];
    assert_eq!(session.find(&id, &roles, false).await, Ok(None));
    let found = session.find(&id, &roles, true).await.unwrap().unwrap();
    assert_eq!((found.mailbox.as_str(), found.folder), ("Warmup", None));
    // SEARCH finds parts of a header; a part of a Message-ID is none.
    let part = id.split_once('.').unwrap().1;
    assert_eq!(session.find(part, &roles, true).await, Ok(None));
    session.close().await;
}

#[tokio::test]
async fn a_folder_is_read_in_turns_without_gaps() {
    let sender = Mailbox::new("w914@acorn.test", Way::Implicit);
    let receiver = Mailbox::new("w914@birch.test", Way::Implicit);
    let before = receiver.end_of(Folder::Inbox).await;
    let mut session = sender.sender().await;
    let mut sent = Vec::new();
    for _ in 0..7 {
        let mail = sender.mail_to(&receiver.address, '9');
        assert_eq!(session.send(&mail).await, Submission::Accepted);
        sent.push(mail.message_id);
    }
    session.close().await;
    for id in &sent {
        receiver
            .await_message(Folder::Inbox, before, |message| {
                message.message_id.as_ref() == Some(id)
            })
            .await;
    }
    let mut session = receiver.reader().await;
    let (mut read, mut cursor) = (Vec::new(), before);
    loop {
        let turn = session
            .read(Folder::Inbox, cursor, 2)
            .await
            .unwrap()
            .unwrap();
        assert!(turn.messages.len() <= 2);
        read.extend(
            turn.messages
                .into_iter()
                .filter_map(|message| message.message_id),
        );
        cursor = Some(turn.cursor);
        if !turn.more {
            break;
        }
    }
    session.close().await;
    read.sort();
    sent.sort();
    assert_eq!(read, sent);
}
