//! Folders by role, and one message in all of them.

use agentwarm_app::ports::mail::{ConnectFailure, Folder, Location};

use crate::server::{Server, fetch_headers, fetched, selected};

const FOLDERS: &str = "* LIST () \"/\" INBOX\r\n* LIST (\\Junk) \"/\" \"Courrier ind&AOk-sirable\"\r\n* LIST (\\Sent) \"/\" Sent\r\n\
    * LIST (\\Noselect) \"/\" Nothing\r\n* LIST () \"/\" Other\r\nTAG OK\r\n";

const SEARCH: &str = "UID SEARCH HEADER Message-ID \"slot-7@one.test\"";

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
            (&fetch_headers("5"), &near_miss),
            ("SELECT \"Courrier ind&AOk-sirable\"", &selected(2, 10, 5)),
            (SEARCH, "* SEARCH\r\nTAG OK\r\n"),
            // No right to look into this one, and then everywhere else, each once.
            ("SELECT \"Sent\"", "TAG NO [NOPERM] not yours\r\n"),
            (SEARCH, "TAG BAD no folder\r\n"),
            ("SELECT \"Other\"", &selected(4, 10, 5)),
            (SEARCH, "* SEARCH 9 8\r\nTAG OK\r\n"),
            (&fetch_headers("8:9"), &hits.concat()),
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

#[tokio::test]
async fn a_search_that_fails_is_not_a_message_that_is_missing() {
    for (select, search, expected) in [
        (
            selected(1, 10, 5),
            "TAG NO [UNAVAILABLE] later\r\n",
            ConnectFailure::Busy,
        ),
        (
            selected(1, 10, 5),
            "TAG BAD what\r\n",
            ConnectFailure::Protocol("it does not take a command"),
        ),
        (selected(1, 10, 5), "* BYE\r\n", ConnectFailure::Busy),
    ] {
        let server = Server::secure(move |mut peer| async move {
            peer.imap_login("").await;
            peer.imap(&[("SELECT \"INBOX\"", &select), (SEARCH, search)])
                .await;
        })
        .await;
        let mut session = server.reader().await.unwrap();
        let found = session
            .find("slot-7@one.test", &[Folder::Inbox], false)
            .await;
        assert_eq!(found, Err(expected), "{search}");
        server.ended().await;
    }
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
