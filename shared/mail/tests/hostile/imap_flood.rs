//! What a server sends is bounded before anything reads it, wherever it sends it.

use agentwarm_app::ports::mail::{ConnectFailure, Folder, MailReader, TlsMode};

use crate::server::{HASTY, PATIENT, Server, selected};

/// Reads the inbox of a server that answers the FETCH with this, over and over if it is to be endless.
fn fetch_answered_by(bytes: String, endless: bool) -> Result<(), ConnectFailure> {
    // A stack as small as a thread ever has: nothing may recurse as deep as a server wants.
    let run = move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(async move {
                let server = Server::secure(move |mut peer| async move {
                    peer.imap_login("").await;
                    peer.imap(&[("SELECT \"INBOX\"", &selected(1, 3, 2))]).await;
                    peer.hear().await;
                    while peer.say(&bytes).await && endless {}
                    while peer.hear().await.is_some() {}
                })
                .await;
                let mut session = server.reader().await.unwrap();
                let read = session.read(Folder::Inbox, None, 50).await;
                read.map(|_read| ())
            })
    };
    std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap()
}

#[test]
fn floods_are_refused_by_kind() {
    let nested = |n: usize| format!("* 1 FETCH (BODYSTRUCTURE {}", "(".repeat(n));
    for (bytes, endless, reason) in [
        (nested(100), false, "parentheses nest too deep"),
        (nested(1_000_000), false, "parentheses nest too deep"),
        (
            "* 1 FETCH (UID 1 BODY[] {500000000}\r\n".into(),
            false,
            "a literal is too large",
        ),
        (
            "* 1 FETCH (UID 1 BODY[] {99999999999999999999999}\r\n".into(),
            false,
            "a literal is too large",
        ),
        (
            "* 1 FETCH (UID 1 BODY[] {131073}\r\n".into(),
            false,
            "a literal is too large",
        ),
        ("x".repeat(4096), true, "a line is too long"),
        (
            format!("* OK {}", "x".repeat(2 << 20)),
            false,
            "a line is too long",
        ),
        (
            format!("* SEARCH {}", "1 ".repeat(1 << 20)),
            false,
            "a line is too long",
        ),
        (
            format!(
                "* 1 FETCH ({}",
                format!("BODY[] {{131072}}\r\n{} ", "y".repeat(131_072)).repeat(12)
            ),
            false,
            "a response is too large",
        ),
        (
            "* 1 EXISTS\r\n".repeat(1000),
            true,
            "it sends too much unasked",
        ),
        (
            "+ go on\r\n".repeat(1000),
            true,
            "it sends too much unasked",
        ),
        (
            "a99 OK not yours\r\n".repeat(1000),
            true,
            "it sends too much unasked",
        ),
        (
            format!(
                "* 1 FETCH (UID 1 BODY[] {{100000}}\r\n{})\r\n",
                "z".repeat(100_000)
            ),
            true,
            "it sends too much unasked",
        ),
    ] {
        let start = bytes.get(..40).unwrap_or(&bytes).to_owned();
        let refused = fetch_answered_by(bytes, endless);
        assert_eq!(refused, Err(ConnectFailure::Protocol(reason)), "{start}");
    }
}

#[test]
fn what_libraries_panic_on_is_only_odd() {
    for odd in [
        "* OK [ALERT]\u{fc}\r\n",
        "* 1 FETCH (INTERNALDATE NIL)\r\n",
        "* 1 FETCH (\r\n",
        "* 1 FETCH UID 1\r\n",
        "* 1 FETCH (UID 1 BODY[ NIL\r\n",
        "* 1 FETCH (UID 99999999999 BODY[] \"x\")\r\n",
        "* LIST (((((\r\n",
        "*\r\n\r\n+\r\n",
        "* SEARCH x \"1\" (2)\r\n",
    ] {
        let answer = format!("{odd}a3 OK done\r\n");
        assert_eq!(fetch_answered_by(answer, false), Ok(()), "{odd:?}");
    }
}

#[tokio::test]
async fn floods_before_the_login_are_refused_too() {
    for (flood, reason) in [
        (
            "* OK ".to_owned() + &"x".repeat(2 << 20),
            "a line is too long",
        ),
        (
            "* CAPABILITY (((((((((((((((((((((((((((".to_owned(),
            "parentheses nest too deep",
        ),
    ] {
        for security in [TlsMode::Implicit, TlsMode::StartTls] {
            let flood = flood.clone();
            let run = |mut peer: crate::server::Peer| async move {
                peer.say(&flood).await;
                while peer.hear().await.is_some() {}
            };
            let server = match security {
                TlsMode::Implicit => Server::secure(run).await,
                TlsMode::StartTls => Server::plain(run).await,
            };
            let refused = server.reader().await.err();
            assert_eq!(refused, Some(ConnectFailure::Protocol(reason)));
            server.ended().await;
        }
    }
}

#[tokio::test]
async fn silence_and_dribbling_end_in_time() {
    for dribble in [false, true] {
        let server = Server::secure(move |mut peer| async move {
            peer.imap_login("").await;
            peer.hear().await;
            while dribble && peer.say("*").await {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            while peer.hear().await.is_some() {}
        })
        .await;
        let mut time = if dribble { PATIENT } else { HASTY };
        time.session = std::time::Duration::from_secs(2);
        let mailboxes = server.mailboxes(time);
        let mut session = MailReader::connect(&mailboxes, &server.credentials())
            .await
            .unwrap();
        let read = session.read(Folder::Inbox, None, 50).await;
        assert_eq!(read, Err(ConnectFailure::Unreachable));
        session.close().await;
        server.ended().await;
    }
}
