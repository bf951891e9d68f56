//! Folders by role, and one message in all of them.

use agentwarm_app::ports::mail::{ConnectFailure, Folder, Location};

use crate::server::{Server, fetch_message_ids, fetched, selected};

const FOLDERS: &str = "* LIST () \"/\" INBOX\r\n* LIST (\\Junk) \"/\" \"Courrier ind&AOk-sirable\"\r\n* LIST (\\Sent) \"/\" Sent\r\n\
    * LIST (\\Noselect) \"/\" Nothing\r\n* LIST () \"/\" Other\r\nTAG OK\r\n";

const SEARCH: &str = "UID SEARCH HEADER Message-ID \"<slot-7@one.test>\"";

#[tokio::test]
async fn uses_are_asked_for_where_they_can_be() {
    for (capabilities, command) in [
        (
            "SPECIAL-USE LIST-EXTENDED",
            "LIST \"\" \"*\" RETURN (SPECIAL-USE)",
        ),
        ("SPECIAL-USE", "LIST \"\" \"*\""),
        ("", "LIST \"\" \"*\""),
    ] {
        let server = Server::secure(move |mut peer| async move {
            peer.imap_login(capabilities).await;
            peer.imap(&[
                (command, FOLDERS),
                ("SELECT \"Courrier ind&AOk-sirable\"", &selected(1, 1, 0)),
            ])
            .await;
            peer.imap(&[("LOGOUT", "* BYE bye\r\nTAG OK\r\n")]).await;
        })
        .await;
        let mut session = server.reader().await.unwrap();
        let junk = session.read(Folder::Junk, None, 10).await.unwrap();
        assert_eq!(junk.unwrap().messages, []);
        // Listed once; there is none, and a read does not make one.
        assert_eq!(session.read(Folder::Warmup, None, 10).await, Ok(None));
        session.close().await;
        server.ended().await;
    }
}

#[tokio::test]
async fn a_folder_that_disappeared_reads_as_none() {
    for refused in ["TAG NO [NONEXISTENT] gone\r\n", "TAG NO gone\r\n"] {
        let server = Server::secure(move |mut peer| async move {
            peer.imap_login("").await;
            peer.imap(&[("LIST \"\" \"*\"", FOLDERS), ("SELECT \"Sent\"", refused)])
                .await;
            if !refused.contains('[') {
                peer.imap(&[("LIST \"\" \"*\"", "* LIST () \"/\" INBOX\r\nTAG OK\r\n")])
                    .await;
            }
        })
        .await;
        let mut session = server.reader().await.unwrap();
        assert_eq!(session.read(Folder::Sent, None, 10).await, Ok(None));
        server.ended().await;
    }
}

#[tokio::test]
async fn a_message_is_found_by_its_exact_id_where_it_is() {
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("").await;
        let near_miss = fetched(5, "Message-ID: <re-slot-7@one.test>\n") + "TAG OK\r\n";
        let hits = [
            fetched(8, "Message-ID: <slot-7@one.test>\n"),
            fetched(9, "Message-ID: <slot-7@one.test.evil>\n"),
            "TAG OK\r\n".into(),
        ];
        peer.imap(&[
            ("LIST \"\" \"*\"", FOLDERS),
            // Both at once; SEARCH finds parts of a header.
            ("SELECT \"INBOX\"", &selected(1, 10, 5)),
            (SEARCH, "* SEARCH 5\r\nTAG OK\r\n"),
            (&fetch_message_ids("5"), &near_miss),
            ("SELECT \"Courrier ind&AOk-sirable\"", &selected(2, 10, 5)),
            (SEARCH, "* SEARCH\r\nTAG OK\r\n"),
            // No right to look into this one, and then everywhere else, each once.
            ("SELECT \"Sent\"", "TAG NO [NOPERM] not yours\r\n"),
            (SEARCH, "TAG BAD no folder\r\n"),
            ("SELECT \"Other\"", &selected(4, 10, 5)),
            (SEARCH, "* SEARCH 9 8\r\nTAG OK\r\n"),
            (&fetch_message_ids("8:9"), &hits.concat()),
        ])
        .await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    let found = session
        .find("slot-7@one.test", &[Folder::Inbox, Folder::Junk], true)
        .await;
    assert_eq!(
        found,
        Ok(Some(Location {
            mailbox: "Other".into(),
            folder: None,
            uid: 8
        }))
    );
    server.ended().await;
}

/// What a folder of five messages, or of so many that not all are looked through, answers to who looks through it.
async fn looked_for(
    search: &'static str,
    exists: u32,
    everywhere: bool,
    headers: Option<String>,
) -> Result<Option<u32>, ConnectFailure> {
    let first = exists.saturating_sub(299).max(1);
    let server = Server::secure(move |mut peer| async move {
        peer.imap_login("").await;
        let select = selected(1, 10, exists);
        let list = format!("FETCH {first}:* (UID)");
        let listed = "* 1 FETCH (UID 6)\r\n* 2 FETCH (UID 8)\r\n* 3 FETCH (UID 9)\r\nTAG OK\r\n";
        if everywhere {
            peer.imap(&[("LIST \"\" \"*\"", "* LIST () \"/\" INBOX\r\nTAG OK\r\n")])
                .await;
        }
        peer.imap(&[("SELECT \"INBOX\"", &select), (SEARCH, search)])
            .await;
        if let Some(headers) = headers {
            peer.imap(&[
                ("SELECT \"INBOX\"", &select),
                (&list, listed),
                (&fetch_message_ids("6,8:9"), &headers),
            ])
            .await;
        }
    })
    .await;
    let mut session = server.reader().await.unwrap();
    let found = session
        .find("slot-7@one.test", &[Folder::Inbox], everywhere)
        .await;
    server.ended().await;
    found.map(|found| found.map(|location| location.uid))
}

/// iCloud, Exchange, Yahoo and QQ find what they find; Mail.ru and Alimail refuse.
#[tokio::test]
async fn what_a_search_does_not_find_is_looked_for() {
    let there = || {
        let headers = [
            fetched(6, "Message-ID: <slot-7@one.test>\n"),
            fetched(8, "Message-ID: <slot-7@one.test>\n"),
            fetched(9, "Message-ID: <another@one.test>\n"),
            "TAG OK\r\n".into(),
        ];
        Some(headers.concat())
    };
    let absent = || Some(fetched(9, "Message-ID: <another@one.test>\n") + "TAG OK\r\n");
    for search in [
        "* SEARCH\r\nTAG OK\r\n",
        "TAG OK\r\n",
        "TAG NO [CANNOT] Unsupported search criterion: HEADER\r\n",
        "TAG NO [UNAVAILABLE] later\r\n",
        "TAG BAD invalid command or parameters\r\n",
    ] {
        for everywhere in [false, true] {
            let found = looked_for(search, 5, everywhere, there()).await;
            assert_eq!(found, Ok(Some(8)), "{search}");
            let found = looked_for(search, 5, everywhere, absent()).await;
            assert_eq!(found, Ok(None), "{search}");
        }
    }
    // Of a folder that is neither searched nor looked through as a whole nobody can say that the mail is not there.
    let refused = "TAG NO later\r\n";
    assert_eq!(looked_for(refused, 301, false, absent()).await, Ok(None));
    assert_eq!(
        looked_for(refused, 301, true, absent()).await,
        Err(ConnectFailure::Protocol("it does not search a folder"))
    );
    let nothing = "* SEARCH\r\nTAG OK\r\n";
    assert_eq!(looked_for(nothing, 301, true, absent()).await, Ok(None));
}

#[tokio::test]
async fn a_look_that_fails_is_not_a_message_that_is_missing() {
    let goodbye = looked_for("* BYE\r\n", 5, false, None).await;
    assert_eq!(goodbye, Err(ConnectFailure::Busy));
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("").await;
        peer.imap(&[
            ("SELECT \"INBOX\"", &selected(1, 10, 5)),
            (SEARCH, "TAG NO [UNAVAILABLE] later\r\n"),
            ("SELECT \"INBOX\"", &selected(1, 10, 5)),
            ("FETCH 1:* (UID)", "TAG NO [UNAVAILABLE] later\r\n"),
        ])
        .await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    let found = session
        .find("slot-7@one.test", &[Folder::Inbox], false)
        .await;
    assert_eq!(found, Err(ConnectFailure::Busy));
    server.ended().await;
}

#[tokio::test]
async fn what_is_no_message_id_is_not_searched_for() {
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("").await;
        peer.imap(&[("LOGOUT", "* BYE bye\r\nTAG OK\r\n")]).await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    for text in ["", "x", "a@b\"\r\na9 DELETE \"INBOX", "a@b c"] {
        assert_eq!(session.find(text, &[Folder::Inbox], true).await, Ok(None));
    }
    session.close().await;
    server.ended().await;
}

#[tokio::test]
async fn a_mailbox_of_too_many_folders_is_not_one_of_few() {
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("").await;
        let folders = "* LIST () NIL a\r\n".repeat(10_001) + "TAG OK\r\n";
        peer.imap(&[("LIST \"\" \"*\"", &folders)]).await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    assert_eq!(
        session.read(Folder::Junk, None, 10).await,
        Err(ConnectFailure::Protocol("it lists too many folders"))
    );
    server.ended().await;
}
