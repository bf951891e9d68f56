//! Folders as people see them.

use std::time::Duration;

use agentwarm_app::ports::inbox::{Headline, MailContent};
use agentwarm_app::ports::letters::{Body, Letter};
use agentwarm_app::ports::mail::{Folder, ReadSession};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::letters::letter;
use crate::mailbox::{Mailbox, Way};

#[expect(clippy::disallowed_methods, reason = "the servers' clocks are real")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn a_minute_ago() -> Timestamp {
    now() - SignedDuration::from_mins(1)
}

/// The headline and content of a letter that lies in a folder.
async fn shown(
    session: &mut dyn ReadSession,
    folder: &str,
    letter: &Letter,
) -> (Headline, MailContent) {
    let headlines = session.headlines(folder, a_minute_ago(), 100).await;
    let headlines = headlines.unwrap().unwrap_or_else(|| panic!("no {folder}"));
    let until = Instant::now() + Duration::from_secs(20);
    let mut contents = session.contents(&headlines.messages, until).await.unwrap();
    let is_it =
        |content: &MailContent| content.message_id.as_deref() == Some(letter.message_id.as_str());
    let found = headlines.messages.into_iter().find_map(|headline| {
        let content = contents.remove(&headline.uid)?;
        is_it(&content).then_some((headline, content))
    });
    found.unwrap_or_else(|| panic!("not in {folder}"))
}

#[tokio::test]
async fn folders_are_found_by_role_and_name_and_stay_as_they_are() {
    let own = "w930@cedar.test";
    let mailbox = Mailbox::with_folder(own, Way::Implicit, "Wärme & Übung/日本");
    let letter = letter(own, &["bo@birch.test"]);
    let mut session = mailbox.reader().await;
    for folder in [Folder::Sent, Folder::Junk, Folder::Warmup, Folder::Inbox] {
        session.file(&letter, folder).await.unwrap();
    }
    session.close().await;

    let mut session = Mailbox::new(own, Way::StartTls).reader().await;
    for folder in ["sent", "SPAM", "Junk", "inbox", "Wärme & Übung/日本"] {
        let (headline, content) = shown(session.as_mut(), folder, &letter).await;
        assert!(headline.flags.seen && !headline.flags.flagged, "{folder}");
        assert_eq!(content.subject, letter.draft.subject);
        assert_eq!(content.text, "Grüße\n.");
        assert_eq!(content.from[0].name, "Åsa Lund");
        assert_eq!(content.html.as_deref().map(str::trim), Some("<p>Grüße</p>"));
        let file = &content.attachments[0];
        assert_eq!(
            (
                file.filename.as_str(),
                file.content_type.as_str(),
                file.size
            ),
            ("Übersicht 昼食.pdf", "application/pdf", Some(200_000))
        );
        assert!(!content.is_truncated && headline.size > 200_000);
    }
    for nowhere in ["Nowhere", "wärme & übung/日本", "", "a\r\nb LOGOUT"] {
        let found = session.headlines(nowhere, a_minute_ago(), 10).await;
        assert_eq!(found, Ok(None), "{nowhere}");
    }
    let future = now() + SignedDuration::from_hours(48);
    let none = session.headlines("INBOX", future, 10).await;
    assert_eq!(none.unwrap().unwrap().messages, []);
    session.close().await;
}

#[tokio::test]
async fn what_arrives_is_shown_unread_and_stays_unread() {
    let sender = Mailbox::new("w931@acorn.test", Way::Implicit);
    let receiver = Mailbox::new("w931@birch.test", Way::Implicit);
    let mut letter = letter(&sender.address, &[&receiver.address]);
    letter.draft.body = Body::Html("<h1>Grüße</h1><p>an <b>alle</b></p>".into());
    letter.draft.attachments.clear();
    let mut session = sender.sender().await;
    session.post(&letter, &crate::letters::gate(true)).await;
    session.close().await;
    receiver
        .await_message(Folder::Inbox, None, |message| {
            message.message_id.as_deref() == Some(letter.message_id.as_str())
        })
        .await;
    let mut session = receiver.reader().await;
    for _ in 0..2 {
        let (headline, content) = shown(session.as_mut(), "INBOX", &letter).await;
        assert!(!headline.flags.seen);
        assert!(content.text.contains("an alle"), "{}", content.text);
        assert!(content.attachments.is_empty());
    }
    session.close().await;
}

#[tokio::test]
async fn of_a_large_message_the_beginning_is_read() {
    let own = "w932@birch.test";
    let mailbox = Mailbox::new(own, Way::Implicit);
    let mut session = mailbox.reader().await;
    let mut large = letter(own, &[own]);
    let file = large.draft.attachments[0].clone();
    large.draft.attachments[0].content = vec![7; 1_000_000];
    session.file(&large, Folder::Inbox).await.unwrap();
    let (_, content) = shown(session.as_mut(), "INBOX", &large).await;
    assert_eq!(content.attachments[0].size, Some(1_000_000));
    assert!(!content.is_truncated);

    let mut huge = letter(own, &[own]);
    huge.draft.attachments[0].content = vec![7; 3_000_000];
    huge.draft.attachments.insert(0, file);
    session.file(&huge, Folder::Inbox).await.unwrap();
    let (headline, content) = shown(session.as_mut(), "INBOX", &huge).await;
    let sizes: Vec<_> = content.attachments.iter().map(|file| file.size).collect();
    assert_eq!(sizes, [Some(200_000), None]);
    assert!(content.is_truncated && headline.size > 4_000_000);
    assert_eq!(content.text, "Grüße\n.");
    session.close().await;
}
