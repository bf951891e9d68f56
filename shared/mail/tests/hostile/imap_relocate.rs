//! Moving and flagging: one message, once, and nothing else.

use agentwarm_app::ports::mail::{ConnectFailure, Folder, Location};

use crate::server::{Server, fetch_message_ids, fetched, selected};

const JUNK: &str = "* LIST () \"/\" INBOX\r\n* LIST (\\Junk) \"/\" Junk\r\nTAG OK\r\n";
const GONE: &str = "* 1 EXPUNGE\r\nTAG OK\r\n";
const ID_PART: &str = "UID FETCH 5 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]<0.2048>)";
const SEARCH: &str = "UID SEARCH HEADER Message-ID \"<slot-7@one.test>\"";

fn in_junk() -> Location {
    Location {
        mailbox: "Junk".into(),
        folder: Some(Folder::Junk),
        uid: 5,
    }
}

/// Moves the message from Junk, at a server with these capabilities and this script.
async fn relocate(
    capabilities: &'static str,
    to: Folder,
    script: Vec<(&'static str, String)>,
) -> Result<(), ConnectFailure> {
    let server = Server::secure(move |mut peer| async move {
        peer.imap_login(capabilities).await;
        for (command, answer) in &script {
            peer.imap(&[(command, answer)]).await;
        }
        peer.imap(&[("LOGOUT", "* BYE bye\r\nTAG OK\r\n")]).await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    let moved = session.relocate(&in_junk(), to).await;
    session.close().await;
    server.ended().await;
    moved
}

#[tokio::test]
async fn with_move_it_is_one_step() {
    let select = ("SELECT \"Junk\"", selected(1, 10, 5));
    for (answer, rest, expected) in [
        (
            "* OK [COPYUID 9 5 77] m\r\n* 1 EXPUNGE\r\nTAG OK\r\n",
            None,
            Ok(()),
        ),
        // Gone: some servers say nothing, some refuse.
        ("TAG OK nothing\r\n", None, Ok(())),
        ("TAG NO no such message\r\n", Some("TAG OK\r\n"), Ok(())),
        (
            "TAG NO over quota\r\n",
            Some("* 1 FETCH (UID 5)\r\nTAG OK\r\n"),
            Err(ConnectFailure::Busy),
        ),
    ] {
        let mut script = vec![select.clone(), ("UID MOVE 5 \"INBOX\"", answer.to_owned())];
        script.extend(rest.map(|rest| ("UID FETCH 5 (UID)", rest.to_owned())));
        let moved = relocate("MOVE", Folder::Inbox, script).await;
        assert_eq!(moved, expected, "{answer}");
    }
}

#[tokio::test]
async fn without_move_it_is_copied_marked_and_expunged_alone() {
    let header = fetched(5, "Message-ID: <slot-7@one.test>\n") + "TAG OK\r\n";
    let begin = vec![
        ("SELECT \"Junk\"", selected(1, 10, 5)),
        (ID_PART, header),
        ("SELECT \"INBOX\"", selected(2, 10, 5)),
    ];
    let back = ("SELECT \"Junk\"", selected(1, 10, 5));
    let store = (
        "UID STORE 5 +FLAGS.SILENT (\\Deleted)",
        "TAG OK\r\n".to_owned(),
    );
    let copy = ("UID COPY 5 \"INBOX\"", "TAG OK\r\n".to_owned());
    // Neither found nor among the newest.
    let newest: &'static str = fetch_message_ids("11").leak();
    let other = fetched(11, "Message-ID: <another@one.test>\n") + "TAG OK\r\n";
    let absent = [
        (SEARCH, "* SEARCH\r\nTAG OK\r\n".to_owned()),
        ("SELECT \"INBOX\"", selected(2, 12, 25)),
        (
            "FETCH 6:* (UID)",
            "* 25 FETCH (UID 11)\r\nTAG OK\r\n".into(),
        ),
        (newest, other),
    ];
    let script = |rest: Vec<(&'static str, String)>| [begin.clone(), rest].concat();
    let made = |rest: Vec<(&'static str, String)>| script([absent.to_vec(), rest].concat());

    let uidplus = made(vec![
        back.clone(),
        copy.clone(),
        store.clone(),
        ("UID EXPUNGE 5", GONE.into()),
    ]);
    assert_eq!(relocate("UIDPLUS", Folder::Inbox, uidplus).await, Ok(()));

    let alone = made(vec![
        back.clone(),
        copy.clone(),
        store.clone(),
        ("UID SEARCH DELETED", "* SEARCH 5\r\nTAG OK\r\n".into()),
        ("EXPUNGE", GONE.into()),
    ]);
    assert_eq!(relocate("", Folder::Inbox, alone).await, Ok(()));

    // Others are marked: expunging would take them, too.
    let others = made(vec![
        back.clone(),
        copy.clone(),
        store.clone(),
        ("UID SEARCH DELETED", "* SEARCH 3 5\r\nTAG OK\r\n".into()),
    ]);
    assert_eq!(relocate("", Folder::Inbox, others).await, Ok(()));

    // An earlier attempt ended after the copy: no second one.
    let copied = fetched(8, "Message-ID: <slot-7@one.test>\n") + "TAG OK\r\n";
    let headers: &'static str = fetch_message_ids("8").leak();
    let again = script(vec![
        (SEARCH, "* SEARCH 8\r\nTAG OK\r\n".into()),
        (headers, copied),
        back.clone(),
        store,
        ("UID EXPUNGE 5", GONE.into()),
    ]);
    assert_eq!(relocate("UIDPLUS", Folder::Inbox, again).await, Ok(()));

    // A copy that failed leaves the original alone.
    let refused = made(vec![back, (copy.0, "TAG NO over quota\r\n".into())]);
    assert_eq!(
        relocate("UIDPLUS", Folder::Inbox, refused).await,
        Err(ConnectFailure::Busy)
    );
}

#[tokio::test]
async fn what_is_gone_is_not_moved() {
    let gone = vec![("SELECT \"Junk\"", "TAG NO [NONEXISTENT] x\r\n".to_owned())];
    assert_eq!(relocate("MOVE", Folder::Inbox, gone).await, Ok(()));
    let no_message = vec![
        ("SELECT \"Junk\"", selected(1, 10, 5)),
        (ID_PART, "TAG OK\r\n".to_owned()),
    ];
    assert_eq!(relocate("", Folder::Inbox, no_message).await, Ok(()));
    let already_there = vec![("LIST \"\" \"*\"", JUNK.to_owned())];
    assert_eq!(relocate("MOVE", Folder::Junk, already_there).await, Ok(()));
}

#[tokio::test]
async fn the_warmup_folder_is_made_where_the_server_wants_it() {
    let select = ("SELECT \"Junk\"", selected(1, 10, 5));
    for (created, below) in [
        ("TAG OK made\r\n", false),
        ("TAG NO [ALREADYEXISTS] there\r\n", false),
        ("TAG NO not at the top\r\n", true),
    ] {
        let mut script = vec![
            ("LIST \"\" \"*\"", JUNK.to_owned()),
            ("CREATE \"Warmup\"", created.to_owned()),
        ];
        if below {
            script.push(("CREATE \"INBOX/Warmup\"", "TAG OK made\r\n".into()));
        }
        script.push(select.clone());
        let command = if below {
            "UID MOVE 5 \"INBOX/Warmup\""
        } else {
            "UID MOVE 5 \"Warmup\""
        };
        script.push((command, "TAG OK\r\n".into()));
        assert_eq!(
            relocate("MOVE", Folder::Warmup, script).await,
            Ok(()),
            "{created}"
        );
    }
}

#[tokio::test]
async fn flags_are_set_silently_and_selection_is_kept() {
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("MOVE").await;
        peer.imap(&[
            ("SELECT \"Junk\"", &selected(1, 10, 5)),
            ("UID STORE 5 +FLAGS.SILENT (\\Seen)", "TAG OK\r\n"),
            (
                "UID STORE 5 +FLAGS.SILENT (\\Flagged)",
                "TAG NO read-only\r\n",
            ),
        ])
        .await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    assert_eq!(session.mark_seen(&in_junk()).await, Ok(()));
    assert_eq!(
        session.mark_important(&in_junk()).await,
        Err(ConnectFailure::Busy)
    );
    server.ended().await;
}

#[tokio::test]
async fn a_renumbered_folder_keeps_its_messages_to_itself() {
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("MOVE").await;
        peer.imap(&[
            ("LIST \"\" \"*\"", JUNK),
            ("SELECT \"Junk\"", &selected(1, 1, 0)),
            ("SELECT \"INBOX\"", &selected(9, 1, 0)),
            // Made anew meanwhile: UID 5 is another message now.
            ("SELECT \"Junk\"", &selected(2, 10, 5)),
            ("LOGOUT", "* BYE bye\r\nTAG OK\r\n"),
        ])
        .await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    session.read(Folder::Junk, None, 10).await.unwrap();
    session.read(Folder::Inbox, None, 10).await.unwrap();
    assert_eq!(session.mark_seen(&in_junk()).await, Ok(()));
    session.close().await;
    server.ended().await;
}

#[tokio::test]
async fn a_refused_select_has_left_nothing_selected() {
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("MOVE").await;
        peer.imap(&[
            ("SELECT \"INBOX\"", &selected(1, 1, 0)),
            ("LIST \"\" \"*\"", JUNK),
            ("SELECT \"Junk\"", "TAG NO [NONEXISTENT] gone\r\n"),
            (SEARCH, "TAG BAD no folder\r\n"),
            ("SELECT \"INBOX\"", &selected(1, 10, 5)),
            ("UID STORE 7 +FLAGS.SILENT (\\Seen)", "TAG OK\r\n"),
        ])
        .await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    session.read(Folder::Inbox, None, 10).await.unwrap();
    let found = session
        .find("slot-7@one.test", &[Folder::Junk], false)
        .await;
    assert_eq!(found, Ok(None));
    let at = Location {
        mailbox: "INBOX".into(),
        folder: Some(Folder::Inbox),
        uid: 7,
    };
    assert_eq!(session.mark_seen(&at).await, Ok(()));
    server.ended().await;
}
