//! Connecting to IMAP servers that will not, cannot or should not be spoken to.

use agentwarm_app::ports::mail::{ConnectFailure, Folder, MailReader};

use crate::server::{PASSWORD, PATIENT, Server, base64, selected};

fn plain() -> String {
    base64(&format!("\0ada@one.test\0{PASSWORD}"))
}

/// Connects to a server that greets, follows a script of whole lines, and hears nothing more; where it has no answer left, it hangs up.
async fn connect_to(
    greeting: &'static str,
    script: Vec<(String, &'static str)>,
    oauth: bool,
) -> Result<(), ConnectFailure> {
    let server = Server::secure(move |mut peer| async move {
        peer.say(greeting).await;
        let mut ends_hanging = script.is_empty();
        for (expected, answer) in script {
            let line = peer.hear().await.unwrap_or_default();
            assert!(
                line.ends_with(&expected),
                "expected {expected:?}, heard {line:?}"
            );
            let tag = line.split(' ').next().unwrap();
            peer.say(answer.replace("TAG", tag)).await;
            ends_hanging = answer.is_empty();
        }
        if !ends_hanging {
            assert_eq!(peer.hear().await, None, "nothing more is said");
        }
    })
    .await;
    let mut credentials = server.credentials();
    credentials.oauth = oauth;
    let mailboxes = server.mailboxes(PATIENT);
    let session = MailReader::connect(&mailboxes, &credentials).await;
    let came = session.map(|_session| ());
    server.ended().await;
    came
}

#[tokio::test]
async fn every_mechanism_says_what_it_should() {
    const ASK: &str = "* OK hi\r\n";
    const IN: &str = "TAG OK [CAPABILITY IMAP4rev1 MOVE] in\r\n";
    let told = |offer: &'static str| (" CAPABILITY".to_owned(), offer);
    let plain_ir = (format!(" AUTHENTICATE PLAIN {}", plain()), IN);
    let token = base64(&format!(
        "user=ada@one.test\x01auth=Bearer {PASSWORD}\x01\x01"
    ));
    for (greeting, script, oauth) in [
        (
            "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n",
            vec![plain_ir.clone()],
            false,
        ),
        (
            ASK,
            vec![
                told("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\nTAG OK\r\n"),
                (plain_ir.0, "* CAPABILITY IMAP4rev1 MOVE\r\nTAG OK in\r\n"),
            ],
            false,
        ),
        (
            ASK,
            vec![
                told("* CAPABILITY IMAP4rev1 auth=plain\r\nTAG OK\r\n"),
                (" AUTHENTICATE PLAIN".into(), "+ \r\n"),
                (plain(), "a2 OK in\r\n"),
                told("* CAPABILITY IMAP4rev1\r\nTAG OK\r\n"),
            ],
            false,
        ),
        (
            ASK,
            vec![
                told("* CAPABILITY IMAP4rev1 AUTH=LOGIN\r\nTAG OK\r\n"),
                (" AUTHENTICATE LOGIN".into(), "+ VXNlcg==\r\n"),
                (base64("ada@one.test"), "+ UGFzcw==\r\n"),
                (base64(PASSWORD), "a2 OK [CAPABILITY IMAP4rev1] in\r\n"),
            ],
            false,
        ),
        (
            // The password is not ASCII, so it goes as a literal, when invited.
            ASK,
            vec![
                told("* CAPABILITY IMAP4rev1\r\nTAG OK\r\n"),
                (" LOGIN \"ada@one.test\" {16}".into(), "+ go\r\n"),
                (PASSWORD.into(), "a2 OK [CAPABILITY IMAP4rev1] in\r\n"),
            ],
            false,
        ),
        (
            ASK,
            vec![
                told("* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2\r\nTAG OK\r\n"),
                (format!(" AUTHENTICATE XOAUTH2 {token}"), IN),
            ],
            true,
        ),
    ] {
        assert_eq!(connect_to(greeting, script, oauth).await, Ok(()));
    }
}

#[tokio::test]
async fn a_mechanism_that_does_not_work_is_not_a_wrong_password() {
    const HI: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2] hi\r\n";
    const NO_LOGIN: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED] hi\r\n";
    const NO: &str = "TAG NO AUTHENTICATE failed.\r\n";
    let plain = |answer: &'static str| (" AUTHENTICATE PLAIN ".to_owned() + &plain(), answer);
    let login = |answer: &'static str| {
        let first = (
            " LOGIN \"ada@one.test\" {16}".to_owned(),
            if answer.is_empty() { "" } else { "+ go\r\n" },
        );
        let then = (PASSWORD.to_owned(), answer);
        if answer.is_empty() {
            vec![first]
        } else {
            vec![first, then]
        }
    };
    let refused = Err(ConnectFailure::Credentials);
    for (greeting, first, then, expected) in [
        (HI, NO, login("a2 OK [CAPABILITY IMAP4rev1] in\r\n"), Ok(())),
        (
            HI,
            "TAG BAD no initial response\r\n",
            login("* CAPABILITY IMAP4rev1\r\na2 OK in\r\n"),
            Ok(()),
        ),
        (HI, NO, login("a2 NO LOGIN failed.\r\n"), refused.clone()),
        (
            HI,
            NO,
            login("a2 NO [UNAVAILABLE] later\r\n"),
            Err(ConnectFailure::Busy),
        ),
        // What it hangs up on was refused before.
        (HI, NO, login(""), refused.clone()),
        (HI, NO, login("* BYE enough\r\n"), refused.clone()),
        // Nothing else is said: the script would have heard it.
        (NO_LOGIN, NO, vec![], refused.clone()),
        (
            HI,
            "TAG NO [AUTHENTICATIONFAILED] no\r\n",
            vec![],
            refused.clone(),
        ),
        (
            HI,
            "TAG NO Request is throttled.\r\n",
            vec![],
            Err(ConnectFailure::Busy),
        ),
    ] {
        let script = [vec![plain(first)], then].concat();
        let came = connect_to(greeting, script, false).await;
        assert_eq!(came, expected, "{first:?}");
    }
    // A token is no password, and a password is not said twice by the same command.
    let token = base64(&format!(
        "user=ada@one.test\x01auth=Bearer {PASSWORD}\x01\x01"
    ));
    let script = vec![(format!(" AUTHENTICATE XOAUTH2 {token}"), NO)];
    assert_eq!(connect_to(HI, script, true).await, refused);
    let bare = "* OK [CAPABILITY IMAP4rev1] hi\r\n";
    let script = login("a1 NO LOGIN failed.\r\n");
    assert_eq!(connect_to(bare, script, false).await, refused);
}

#[tokio::test]
async fn every_way_not_to_get_in() {
    const HI: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2] hi\r\n";
    const NO_LOGIN: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED] hi\r\n";
    const CLOSED: &str = "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n";
    let protocol = |what| Err(ConnectFailure::Protocol(what));
    let login = |answer: &'static str| vec![(format!(" AUTHENTICATE PLAIN {}", plain()), answer)];
    let token = base64(&format!(
        "user=ada@one.test\x01auth=Bearer {PASSWORD}\x01\x01"
    ));
    let unfit = protocol("it offers no authentication that fits the credentials");
    for (greeting, script, oauth, expected) in [
        ("", vec![], false, Err(ConnectFailure::Unreachable)),
        (
            "* BYE [UNAVAILABLE] full\r\n",
            vec![],
            false,
            Err(ConnectFailure::Busy),
        ),
        (
            "* PREAUTH welcome\r\n",
            vec![],
            false,
            protocol("it logs in by itself"),
        ),
        (
            "* NO\r\n",
            vec![],
            false,
            protocol("it refuses the session"),
        ),
        (
            "220 smtp ESMTP\r\n",
            vec![],
            false,
            protocol("its greeting is not IMAP"),
        ),
        (
            "* 5 EXISTS\r\n",
            vec![],
            false,
            protocol("its greeting is not IMAP"),
        ),
        (CLOSED, vec![], false, unfit.clone()),
        (CLOSED, vec![], true, unfit),
        (
            HI,
            login("TAG NO [AUTHENTICATIONFAILED] no\r\n"),
            false,
            Err(ConnectFailure::Credentials),
        ),
        (
            HI,
            login("TAG NO [UNAVAILABLE] later\r\n"),
            false,
            Err(ConnectFailure::Busy),
        ),
        (
            HI,
            login("* BYE later\r\n"),
            false,
            Err(ConnectFailure::Busy),
        ),
        (
            NO_LOGIN,
            login("TAG BAD what\r\n"),
            false,
            protocol("its AUTHENTICATE does not work"),
        ),
        (HI, login(""), false, Err(ConnectFailure::Unreachable)),
        (
            HI,
            vec![
                (
                    format!(" AUTHENTICATE XOAUTH2 {token}"),
                    "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n",
                ),
                (String::new(), "a1 NO SASL authentication failed\r\n"),
            ],
            true,
            Err(ConnectFailure::Credentials),
        ),
        (
            HI,
            vec![
                (format!(" AUTHENTICATE PLAIN {}", plain()), "+ \r\n"),
                (String::new(), "+ \r\n"),
                (String::new(), "+ \r\n"),
            ],
            false,
            protocol("its challenges do not end"),
        ),
    ] {
        let refused = connect_to(greeting, script, oauth).await;
        assert_eq!(refused, expected, "{greeting:?}");
    }
}

const ID: &str = concat!(
    "ID (\"name\" \"AgentWarm\" \"version\" \"",
    env!("CARGO_PKG_VERSION"),
    "\")"
);

#[tokio::test]
async fn a_server_that_wants_to_know_who_we_are_is_told_without_a_round_trip() {
    // NetEase's are not among the capabilities that come with the login.
    for (before, after) in [("ID", "MOVE"), ("", "ID MOVE"), ("ID", "ID")] {
        let server = Server::secure(move |mut peer| async move {
            let hi = format!("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR {before}] hi\r\n");
            peer.say(hi).await;
            let line = peer.hear().await.unwrap();
            let tag = line.split(' ').next().unwrap();
            peer.say(format!("{tag} OK [CAPABILITY IMAP4rev1 {after}] in\r\n"))
                .await;
            // Nothing is answered before both were heard.
            let line = peer.hear().await.unwrap();
            let (id_tag, command) = line.split_once(' ').unwrap();
            assert_eq!(command, ID);
            let line = peer.hear().await.unwrap();
            let (tag, command) = line.split_once(' ').unwrap();
            assert_eq!(command, "EXAMINE \"INBOX\"");
            let who = "* ID (\"name\" \"Coremail Imap\" \"vendor\" NIL)\r\n";
            let inbox = selected(1, 1, 0).replace("TAG", tag);
            peer.say(format!("{who}{id_tag} OK ID completed\r\n{inbox}"))
                .await;
            peer.imap(&[("LOGOUT", "* BYE bye\r\nTAG OK\r\n")]).await;
        })
        .await;
        let mut session = server.reader().await.unwrap();
        assert_eq!(session.open_inbox().await, Ok(()), "{before} {after}");
        session.close().await;
        server.ended().await;
    }
}

#[tokio::test]
async fn a_server_that_refuses_to_hear_who_we_are_is_used_all_the_same() {
    let server = Server::secure(|mut peer| async move {
        peer.imap_login("ID").await;
        peer.imap(&[
            (ID, "TAG BAD Command Argument Error. 11\r\n"),
            ("SELECT \"INBOX\"", &selected(1, 1, 0)),
        ])
        .await;
    })
    .await;
    let mut session = server.reader().await.unwrap();
    let inbox = session.read(Folder::Inbox, None, 10).await.unwrap();
    assert_eq!(inbox.unwrap().messages, []);
    server.ended().await;
}

#[tokio::test]
async fn a_login_is_worth_nothing_where_no_folder_opens() {
    const UNSAFE: &str = "TAG NO EXAMINE Unsafe Login. Please contact kefu@188.com for help\r\n";
    const LISTED: &str = "* LIST () \"/\" INBOX\r\nTAG OK\r\n";
    for (answers, expected) in [
        (
            vec![("EXAMINE \"INBOX\"", UNSAFE), ("LIST \"\" \"*\"", LISTED)],
            ConnectFailure::Busy,
        ),
        (
            vec![("EXAMINE \"INBOX\"", "TAG NO [NONEXISTENT] none\r\n")],
            ConnectFailure::Protocol("it has no INBOX"),
        ),
    ] {
        let server = Server::secure(move |mut peer| async move {
            peer.imap_login("").await;
            peer.imap(&answers).await;
        })
        .await;
        let mut session = server.reader().await.unwrap();
        assert_eq!(session.open_inbox().await, Err(expected));
        server.ended().await;
    }
}

#[tokio::test]
async fn starttls_is_a_new_beginning() {
    let server = Server::plain(|mut peer| async move {
        peer.say("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] hi\r\n")
            .await;
        peer.imap(&[("STARTTLS", "TAG OK go\r\n")]).await;
        let mut peer = peer.start_tls().await.unwrap();
        // What was told in plain text no longer counts.
        peer.imap(&[(
            "CAPABILITY",
            "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK\r\n",
        )])
        .await;
        peer.imap(&[("AUTHENTICATE PLAIN", "+ \r\n")]).await;
        assert_eq!(peer.hear().await, Some(plain()));
        peer.say("a2 OK [CAPABILITY IMAP4rev1] in\r\n").await;
        peer.imap(&[("LOGOUT", "* BYE bye\r\nTAG OK\r\n")]).await;
    })
    .await;
    server.reader().await.unwrap().close().await;
    server.ended().await;
}

#[tokio::test]
async fn without_starttls_nothing_secret_is_said() {
    for (answer, expected) in [
        (
            "TAG NO what\r\n",
            ConnectFailure::Tls("STARTTLS is refused"),
        ),
        (
            "TAG BAD what\r\n",
            ConnectFailure::Tls("STARTTLS is refused"),
        ),
        (
            "TAG OK go\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\na2 OK in\r\n",
            ConnectFailure::Tls("it sent plain text ahead of TLS"),
        ),
        ("* BYE no\r\n", ConnectFailure::Busy),
    ] {
        let server = Server::plain(move |mut peer| async move {
            peer.say("* OK hi\r\n").await;
            peer.imap(&[("STARTTLS", answer)]).await;
            assert_eq!(peer.hear().await, None, "nothing more is said");
        })
        .await;
        assert_eq!(server.reader().await.err(), Some(expected), "{answer:?}");
        server.ended().await;
    }
}

#[tokio::test]
async fn plain_text_is_not_spoken_where_tls_was_meant() {
    let server = Server::plain(|mut peer| async move {
        peer.say("* PREAUTH welcome\r\n").await;
        assert_eq!(peer.hear().await, None);
    })
    .await;
    let refused = server.reader().await.err();
    assert_eq!(
        refused,
        Some(ConnectFailure::Protocol("it logs in by itself"))
    );
    server.ended().await;
}
