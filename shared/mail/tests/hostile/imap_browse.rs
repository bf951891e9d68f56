//! Showing a folder of servers that lie about it, and messages that do not end.

use std::time::Duration;

use agentwarm_app::ports::inbox::{Headline, Headlines, MailContent};
use agentwarm_app::ports::mail::ConnectFailure;
use tokio::time::Instant;

use crate::server::{Peer, Server, selected};

const LIST: (&str, &str) = (
    "LIST \"\" \"*\"",
    "* LIST () \"/\" INBOX\r\nTAG OK done\r\n",
);
const SEARCH: &str = "UID SEARCH 1:* SINCE 12-Mar-2026";
const PARTS: &str =
    "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-AW-Token)]<0.2048>)";

fn headline(uid: u32, received: &str) -> String {
    format!(
        "* 1 FETCH (UID {uid} FLAGS (\\Seen $x) INTERNALDATE \"{received}\" RFC822.SIZE 9 BODY[HEADER.FIELDS (X-AW-Token)]<0> {{2}}\r\n\r\n)\r\n"
    )
}

async fn headlines<F, R>(run: F) -> Result<Option<Headlines>, ConnectFailure>
where
    F: FnOnce(Peer) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let server = Server::secure(run).await;
    let mut session = server.reader().await.unwrap();
    let since = "2026-03-13T10:00:00Z".parse().unwrap();
    let found = session.headlines("inbox", since, 3).await;
    drop(session);
    server.ended().await;
    found
}

#[tokio::test]
async fn what_was_received_since_is_told_from_what_the_calendar_has() {
    let found = headlines(|mut peer| async move {
        peer.imap_login("").await;
        let answer = [
            headline(9, "13-Mar-2026 12:00:00 +0200"),
            headline(8, "13-Mar-2026 09:59:59 +0000"),
            headline(8, "13-Mar-2026 11:00:00 +0000"),
            headline(7, "13-Mar-2026 11:30:00 +0000"),
            headline(77, "13-Mar-2026 11:30:00 +0000"),
            "* 1 FETCH (UID 9 FLAGS () INTERNALDATE NIL)\r\nTAG OK done\r\n".to_owned(),
        ];
        peer.imap(&[
            LIST,
            ("EXAMINE \"INBOX\"", &selected(7, 10, 5)),
            (SEARCH, "* SEARCH 9 8 7 2\r\nTAG OK done\r\n"),
            (&format!("UID FETCH 7:9 {PARTS}"), &answer.concat()),
        ])
        .await;
    })
    .await
    .unwrap()
    .unwrap();
    let uids: Vec<_> = found.messages.iter().map(|message| message.uid).collect();
    assert_eq!((uids, found.more), (vec![7, 8, 9], true));
    assert!(found.messages[0].flags.seen && !found.messages[0].flags.answered);
}

#[tokio::test]
async fn a_folder_that_is_gone_is_none_and_a_refusal_is_a_failure() {
    for (answer, expected) in [
        ("TAG NO [NONEXISTENT] gone\r\n", Ok(None)),
        ("TAG NO [INUSE] later\r\n", Err(ConnectFailure::Busy)),
    ] {
        let found = headlines(move |mut peer| async move {
            peer.imap_login("").await;
            peer.imap(&[LIST, ("EXAMINE \"INBOX\"", answer)]).await;
            if answer.contains("INUSE") {
                peer.imap(&[LIST]).await;
            }
        });
        assert_eq!(found.await, expected, "{answer}");
    }
}

/// What is read of a message whose server answers each FETCH with as much as was asked for, forever.
async fn endless(until: Duration) -> (MailContent, usize) {
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("").await;
        let mut begun = false;
        while let Some(line) = peer.hear().await {
            let (tag, command) = line.split_once(' ').unwrap();
            let asked = command.rsplit_once('.').unwrap().1;
            let asked: usize = asked.trim_end_matches(['>', ')']).parse().unwrap();
            let mut body = if begun {
                String::new()
            } else {
                "Subject: x\r\n\r\n".to_owned()
            };
            begun = true;
            body.push_str(&"a".repeat(asked - body.len()));
            let answer =
                format!("* 1 FETCH (UID 5 BODY[]<0> {{{asked}}}\r\n{body})\r\n{tag} OK\r\n");
            if !peer.say(answer).await {
                return;
            }
        }
    })
    .await;
    let mut session = server.reader().await.unwrap();
    let message = Headline {
        uid: 5,
        received: "2026-03-13T10:00:00Z".parse().unwrap(),
        flags: agentwarm_app::ports::inbox::Flags::default(),
        size: 1,
        token: None,
    };
    let contents = session.contents(&[message], Instant::now() + until).await;
    let content = contents.unwrap().remove(&5).unwrap();
    let length = content.text.len();
    (content, length)
}

#[tokio::test]
async fn a_message_without_an_end_is_cut_off() {
    for until in [Duration::from_secs(20), Duration::ZERO] {
        let (content, length) = endless(until).await;
        assert!(content.is_truncated);
        assert!((30_000..=100_000).contains(&length), "{length}");
        assert_eq!(content.subject, "x");
    }
}
