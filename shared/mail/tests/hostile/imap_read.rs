//! Cursors against servers that renumber, overstate, understate and refuse.

use agentwarm_app::ports::mail::{
    ConnectFailure, Folder, FolderCursor, FolderRead, FoundContent, Location, ReportedMail,
};

use crate::server::{Peer, Server, fetch_headers, fetched, selected};

fn cursor(uid_validity: u32, uid_next: u32) -> FolderCursor {
    FolderCursor {
        uid_validity,
        uid_next,
        mod_seq: None,
    }
}

/// Reads the inbox of a scripted server.
async fn read<F, R>(
    cursor: Option<FolderCursor>,
    limit: u32,
    run: F,
) -> Result<FolderRead, ConnectFailure>
where
    F: FnOnce(Peer) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let server = Server::secure(run).await;
    let mut session = server.reader().await.unwrap();
    let read = session.read(Folder::Inbox, cursor, limit).await;
    drop(session);
    server.ended().await;
    read.map(|read| read.expect("there is an inbox"))
}

fn uids(read: &FolderRead) -> Vec<u32> {
    read.messages
        .iter()
        .map(|message| message.location.uid)
        .collect()
}

#[tokio::test]
async fn what_is_new_is_fetched_in_one_command() {
    let read = read(Some(cursor(7, 10)), 50, |mut peer| async move {
        peer.imap_login("").await;
        let answer = [
            fetched(12, "Message-ID: <b@x>\nX-AW-Token: t1.v\n"),
            "* 3 FETCH (FLAGS (\\Seen) UID 10)\r\n".into(),
            fetched(10, "Subject: none of ours\n"),
            fetched(10, "Message-ID: <twice@x>\n"),
            fetched(9, "Message-ID: <not-asked-for@x>\n"),
            fetched(13, "Message-ID: <not-asked-for@x>\n"),
            "TAG OK done\r\n".into(),
        ]
        .concat();
        peer.imap(&[
            (
                "SELECT \"INBOX\"",
                &selected(7, 13, 5).replace("TAG", "* OK [HIGHESTMODSEQ 99] x\r\nTAG"),
            ),
            (&fetch_headers("10:12"), &answer),
        ])
        .await;
    })
    .await
    .unwrap();
    assert_eq!(uids(&read), [10, 12]);
    assert_eq!(read.messages[0].message_id, None);
    assert_eq!(read.messages[1].message_id.as_deref(), Some("b@x"));
    assert_eq!(read.messages[1].token.as_deref(), Some("t1.v"));
    assert_eq!(
        read.messages[1].location,
        Location {
            mailbox: "INBOX".into(),
            folder: Some(Folder::Inbox),
            uid: 12
        }
    );
    assert_eq!(read.cursor.uid_next, 13);
    assert_eq!((read.cursor.mod_seq, read.more), (Some(99), false));
}

#[tokio::test]
async fn a_folder_without_news_costs_one_command() {
    for (next, exists) in [(10, 5), (10, 0), (1, 0)] {
        let seen = Some(cursor(7, next));
        let read = read(seen, 50, move |mut peer| async move {
            peer.imap_login("").await;
            peer.imap(&[("SELECT \"INBOX\"", &selected(7, next, exists))])
                .await;
            assert_eq!(peer.hear().await, None);
        })
        .await
        .unwrap();
        assert_eq!((uids(&read), read.cursor), (vec![], cursor(7, next)));
    }
}

#[tokio::test]
async fn more_than_asked_for_is_searched_first_and_read_in_turns() {
    let read = read(Some(cursor(7, 10)), 2, |mut peer| async move {
        peer.imap_login("").await;
        let answer = [
            fetched(20, "Message-ID: <a@x>\n"),
            fetched(30, "Message-ID: <b@x>\n"),
            "TAG OK done\r\n".into(),
        ]
        .concat();
        peer.imap(&[
            ("SELECT \"INBOX\"", &selected(7, 500, 5)),
            (
                "UID SEARCH UID 10:*",
                "* SEARCH 400 20 30\r\n* SEARCH 30 9\r\nTAG OK\r\n",
            ),
            (&fetch_headers("20,30"), &answer),
        ])
        .await;
    })
    .await
    .unwrap();
    assert_eq!(uids(&read), [20, 30]);
    assert_eq!((read.cursor, read.more), (cursor(7, 31), true));
}

#[tokio::test]
async fn the_last_message_is_not_new_because_a_server_names_it() {
    // "n:*" names the last message even if it is older than n; UIDNEXT is not told.
    let read = read(Some(cursor(7, 10)), 50, |mut peer| async move {
        peer.imap_login("").await;
        let select = selected(7, 0, 5).replace("* OK [UIDNEXT 0] n\r\n", "");
        peer.imap(&[
            ("SELECT \"INBOX\"", &select),
            ("UID SEARCH UID 10:*", "* SEARCH 9\r\nTAG OK\r\n"),
        ])
        .await;
        assert_eq!(peer.hear().await, None);
    })
    .await
    .unwrap();
    assert_eq!((uids(&read), read.cursor), (vec![], cursor(7, 10)));
}

#[tokio::test]
async fn a_cursor_that_means_nothing_any_more_is_replaced_by_a_bounded_look() {
    // Renumbered; UIDNEXT went backwards; no cursor at all.
    for seen in [Some(cursor(6, 10)), Some(cursor(7, 5000)), None] {
        let read = read(seen, 500, |mut peer| async move {
            peer.imap_login("").await;
            peer.imap(&[
                ("SELECT \"INBOX\"", &selected(7, 1201, 1000)),
                // The 200th from the end.
                ("FETCH 801 (UID)", "* 801 FETCH (UID 999)\r\nTAG OK\r\n"),
                (
                    &fetch_headers("999:1148"),
                    &(fetched(1000, "Message-ID: <a@x>\n") + "TAG OK\r\n"),
                ),
                (
                    &fetch_headers("1149:1200"),
                    &(fetched(1200, "Message-ID: <b@x>\n") + "TAG OK\r\n"),
                ),
            ])
            .await;
        })
        .await
        .unwrap();
        assert_eq!(
            (uids(&read), read.cursor),
            (vec![1000, 1200], cursor(7, 1201))
        );
    }
}

#[tokio::test]
async fn a_refusal_is_never_an_empty_folder() {
    let select = selected(7, 13, 5);
    let headers = fetch_headers("10:12");
    for (step, answer, expected) in [
        (0, "TAG NO [INUSE] locked\r\n", ConnectFailure::Busy),
        (
            0,
            "TAG BAD what\r\n",
            ConnectFailure::Protocol("it does not take a command"),
        ),
        (
            0,
            "TAG OK no validity\r\n",
            ConnectFailure::Protocol("a folder has no UIDVALIDITY"),
        ),
        (0, "* BYE\r\n", ConnectFailure::Busy),
        (1, "TAG NO [UNAVAILABLE] later\r\n", ConnectFailure::Busy),
        (
            1,
            "TAG BAD what\r\n",
            ConnectFailure::Protocol("it does not take a command"),
        ),
        (1, "* BYE\r\n", ConnectFailure::Busy),
        (1, "", ConnectFailure::Unreachable),
    ] {
        let (select, headers) = (select.clone(), headers.clone());
        let read = read(Some(cursor(7, 10)), 50, move |mut peer| async move {
            peer.imap_login("").await;
            let dialogue = [
                ("SELECT \"INBOX\"", select.as_str()),
                (headers.as_str(), ""),
            ];
            peer.imap(&dialogue[..step]).await;
            peer.imap(&[(dialogue[step].0, answer)]).await;
            if answer.contains("INUSE") {
                // Is it gone, or only locked?
                peer.imap(&[("LIST \"\" \"*\"", "* LIST () \"/\" INBOX\r\nTAG OK\r\n")])
                    .await;
            }
            if answer.contains("UNAVAILABLE") {
                // Is it one message, or all?
                let alone = fetch_headers("10");
                peer.imap(&[(&alone, answer), ("UID FETCH 10 (UID)", answer)])
                    .await;
            }
        })
        .await;
        assert_eq!(read.err(), Some(expected), "{step} {answer:?}");
    }
}

/// What is read of a folder with messages 10 to 17, of which the server cannot read some.
async fn read_but(unreadable: &'static [u32]) -> Result<Vec<u32>, ConnectFailure> {
    let read = read(Some(cursor(7, 10)), 50, move |mut peer| async move {
        peer.imap_login("").await;
        peer.imap(&[("SELECT \"INBOX\"", &selected(7, 18, 8))])
            .await;
        while let Some(line) = peer.hear().await {
            let (tag, command) = line.split_once(' ').unwrap();
            let set = command.split_whitespace().nth(2).unwrap().to_owned();
            let range = |range: &str| {
                let (first, last) = range.split_once(':').unwrap_or((range, range));
                first.parse::<u32>().unwrap()..=last.parse().unwrap()
            };
            let uids: Vec<u32> = set.split(',').flat_map(range).collect();
            let is_content = command.contains("BODY");
            let mut answer: String = uids
                .iter()
                .filter(|uid| is_content && !unreadable.contains(uid))
                .map(|uid| fetched(*uid, &format!("Message-ID: <{uid}@x>\n")))
                .collect();
            let refuses = is_content && uids.iter().any(|uid| unreadable.contains(uid));
            answer += if refuses {
                "TAG NO Some messages could not be FETCHed (Failure)\r\n"
            } else {
                "TAG OK\r\n"
            };
            peer.say(&answer.replace("TAG", tag)).await;
        }
    })
    .await?;
    assert_eq!(read.cursor, cursor(7, 18));
    Ok(read.messages.iter().map(|it| it.location.uid).collect())
}

/// Gmail and Yahoo cannot read some messages themselves, today and tomorrow.
#[tokio::test]
async fn a_message_that_its_server_cannot_read_does_not_keep_the_others() {
    assert_eq!(read_but(&[12]).await, Ok(vec![10, 11, 13, 14, 15, 16, 17]));
    assert_eq!(read_but(&[10, 16, 17]).await, Ok(vec![11, 12, 13, 14, 15]));
    // A server that can read hardly any is one that cannot be used now.
    assert_eq!(read_but(&[10, 12, 14, 16]).await, Err(ConnectFailure::Busy));
}

#[tokio::test]
async fn reports_are_fetched_and_read() {
    let report = "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n\
        Final-Recipient: rfc822; Nobody@two.test\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <slot-7@one.test>\n\n--b--\n";
    let report = report.replace('\n', "\r\n");
    let answer = format!(
        "* 2 FETCH (UID 11 BODY[]<0> {{{}}}\r\n{report})\r\nTAG OK\r\n",
        report.len()
    );
    let read = read(Some(cursor(7, 10)), 50, move |mut peer| async move {
        peer.imap_login("").await;
        let headers = [
            fetched(10, "Message-ID: <a@x>\nX-AW-Token: t\nReturn-Path: <>\n"),
            fetched(11, "Content-Type: multipart/report; boundary=b\n"),
            fetched(12, "From: MAILER-DAEMON@x.test\n"),
            "TAG OK\r\n".into(),
        ]
        .concat();
        peer.imap(&[
            ("SELECT \"INBOX\"", &selected(7, 13, 5)),
            (&fetch_headers("10:12"), &headers),
            ("UID FETCH 11:12 (UID BODY.PEEK[]<0.65536>)", &answer),
        ])
        .await;
    })
    .await
    .unwrap();
    let contents: Vec<&FoundContent> = read.messages.iter().map(|m| &m.content).collect();
    assert_eq!(
        contents,
        [
            &FoundContent::Message,
            &FoundContent::DeliveryReport {
                about: ReportedMail {
                    message_id: Some("slot-7@one.test".into()),
                    token: None,
                },
                recipient: Some("nobody@two.test".into()),
                action: "failed".into(),
                status: "5.1.1".into(),
                diagnostic: None
            },
            &FoundContent::Message,
        ]
    );
}
