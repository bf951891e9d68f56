//! Connecting to SMTP servers that will not, cannot or should not be spoken to.

use agentwarm_app::ports::mail::{ConnectFailure, MailSender};

use crate::server::{PASSWORD, PATIENT, Server, base64, mail};

/// Connects to a server with this greeting, offer, and answer to AUTH; it hangs up where it has none.
async fn connect_to(
    greeting: &'static str,
    ehlo: &'static str,
    auth: &'static str,
) -> Result<(), ConnectFailure> {
    let server = Server::secure(move |mut peer| async move {
        peer.say(greeting).await;
        for answer in [ehlo, auth] {
            if answer.is_empty() || peer.hear().await.is_none() {
                return;
            }
            peer.say(answer).await;
        }
        // A refused token explains itself once, and waits.
        while peer.hear().await.is_some_and(|line| line.is_empty()) {
            peer.say("535 5.7.8 no\r\n").await;
        }
    })
    .await;
    let session = server.sender().await?;
    session.close().await;
    Ok(())
}

#[tokio::test]
async fn every_way_not_to_get_in() {
    const HI: &str = "220 hi\r\n";
    const OFFER: &str = "250-hi\r\n250 AUTH PLAIN\r\n";
    let protocol = |what| Err(ConnectFailure::Protocol(what));
    let unfit = protocol("it offers no authentication that fits the credentials");
    for (greeting, ehlo, auth, expected) in [
        (HI, OFFER, "235 in\r\n", Ok(())),
        (
            HI,
            "250-hi\r\n250 AUTH=PLAIN LOGIN\r\n",
            "235 in\r\n",
            Ok(()),
        ),
        ("", "", "", Err(ConnectFailure::Unreachable)),
        ("421 busy\r\n", "", "", Err(ConnectFailure::Busy)),
        (
            "554 go away\r\n",
            "",
            "",
            protocol("it refuses the session"),
        ),
        ("* OK imap\r\n", "", "", protocol("a reply is not SMTP")),
        (HI, "", "", Err(ConnectFailure::Unreachable)),
        (HI, "502 what\r\n", "", protocol("it refuses EHLO")),
        (HI, "250 hi\r\n", "", unfit.clone()),
        (HI, "250-hi\r\n250 AUTH CRAM-MD5\r\n", "", unfit),
        (HI, OFFER, "", Err(ConnectFailure::Unreachable)),
        (
            HI,
            OFFER,
            "535 5.7.8 no\r\n",
            Err(ConnectFailure::Credentials),
        ),
        (
            HI,
            OFFER,
            "534 5.7.9 app password\r\n",
            Err(ConnectFailure::Credentials),
        ),
        (HI, OFFER, "454 4.7.0 later\r\n", Err(ConnectFailure::Busy)),
        (HI, OFFER, "421 later\r\n", Err(ConnectFailure::Busy)),
        (
            HI,
            OFFER,
            "535 auth failed (this user authenticate too many times)\r\n",
            Err(ConnectFailure::Busy),
        ),
        (
            HI,
            OFFER,
            "535-Authentication failed. User has exceeded\r\n535 its 24-hour sending limit.\r\n",
            Err(ConnectFailure::Busy),
        ),
        // Words that count elsewhere, in refusals that name the credentials.
        (
            HI,
            OFFER,
            "535 5.7.8 Error: authentication failed: (reason unavailable)\r\n",
            Err(ConnectFailure::Credentials),
        ),
        (
            HI,
            OFFER,
            "534-5.7.14 Please log in via your web browser and\r\n534 5.7.14 then try again.\r\n",
            Err(ConnectFailure::Credentials),
        ),
        (
            HI,
            OFFER,
            "535 5.7.0 (#AUTH005) Too many bad auth attempts.\r\n",
            Err(ConnectFailure::Credentials),
        ),
        (
            HI,
            OFFER,
            "504 what\r\n",
            protocol("its AUTH does not work"),
        ),
        (
            HI,
            OFFER,
            "334 eyJzIjoiNDAxIn0=\r\n",
            Err(ConnectFailure::Credentials),
        ),
    ] {
        assert_eq!(
            connect_to(greeting, ehlo, auth).await,
            expected,
            "{greeting:?} {ehlo:?} {auth:?}"
        );
    }
}

#[tokio::test]
async fn floods_end_before_they_cost_anything() {
    let line = "220-".to_owned() + &"x".repeat(100);
    for (flood, expected) in [
        ("x".repeat(1 << 20), "a line is too long"),
        ((line + "\r\n").repeat(10_000), "it sends too much unasked"),
    ] {
        let server =
            Server::secure(|mut peer| async move { while peer.say(&flood).await {} }).await;
        let refused = server.sender().await.err();
        assert_eq!(refused, Some(ConnectFailure::Protocol(expected)));
        server.ended().await;
    }
}

#[tokio::test]
async fn every_mechanism_says_what_it_should() {
    let plain = format!(
        "AUTH PLAIN {}",
        base64(&format!("\0ada@one.test\0{PASSWORD}"))
    );
    let (user, password) = (base64("ada@one.test"), base64(PASSWORD));
    let token = format!("user=ada@one.test\x01auth=Bearer {PASSWORD}\x01\x01");
    let token = format!("AUTH XOAUTH2 {}", base64(&token));
    for (offer, oauth, dialogue) in [
        ("PLAIN", false, vec![(plain.clone(), "235 in\r\n")]),
        (
            "PLAIN",
            false,
            vec![
                (plain.clone(), "334 \r\n"),
                (plain["AUTH PLAIN ".len()..].to_owned(), "235 in\r\n"),
            ],
        ),
        (
            "LOGIN",
            false,
            vec![
                ("AUTH LOGIN".into(), "334 VXNlcm5hbWU6\r\n"),
                (user, "334 UGFzc3dvcmQ6\r\n"),
                (password, "235 in\r\n"),
            ],
        ),
        ("PLAIN XOAUTH2", true, vec![(token, "235 in\r\n")]),
    ] {
        let server = Server::secure(move |mut peer| async move {
            peer.say("220 hi\r\n").await;
            let offer = format!("250-hi\r\n250 AUTH {offer}\r\n");
            peer.on("EHLO ", &offer).await;
            for (expected, answer) in dialogue {
                assert_eq!(peer.hear().await.unwrap(), expected);
                peer.say(answer).await;
            }
            peer.on("QUIT", "221 bye\r\n").await;
        })
        .await;
        let mut credentials = server.credentials();
        credentials.oauth = oauth;
        let session = MailSender::connect(&server.mailboxes(PATIENT), &credentials).await;
        session.unwrap().close().await;
        server.ended().await;
    }
}

#[tokio::test]
async fn a_mechanism_that_does_not_work_is_not_a_wrong_password() {
    const BOTH: &str = "PLAIN LOGIN XOAUTH2";
    let refused = Err(ConnectFailure::Credentials);
    for (offer, oauth, first, second, expected) in [
        (
            BOTH,
            false,
            "502 Invalid input\r\n",
            Some("235 in\r\n"),
            Ok(()),
        ),
        (
            BOTH,
            false,
            "535 Login fail.\r\n",
            Some("235 in\r\n"),
            Ok(()),
        ),
        (
            BOTH,
            false,
            "535 Login fail.\r\n",
            Some("535 Login fail.\r\n"),
            refused.clone(),
        ),
        (
            BOTH,
            false,
            "504 what\r\n",
            Some("535 Login fail.\r\n"),
            refused.clone(),
        ),
        // What it hangs up on was refused before.
        (
            BOTH,
            false,
            "535 Login fail.\r\n",
            Some(""),
            refused.clone(),
        ),
        (
            BOTH,
            false,
            "535 Login fail.\r\n",
            Some("421 enough\r\n"),
            refused.clone(),
        ),
        // These are not asked twice.
        ("PLAIN", false, "535 Login fail.\r\n", None, refused.clone()),
        (BOTH, false, "535 5.7.8 no\r\n", None, refused.clone()),
        (
            BOTH,
            false,
            "535 this user authenticate too many times\r\n",
            None,
            Err(ConnectFailure::Busy),
        ),
        (BOTH, true, "535 5.7.3 no\r\n", None, refused.clone()),
    ] {
        let server = Server::secure(move |mut peer| async move {
            peer.say("220 hi\r\n").await;
            let offer = format!("250-hi\r\n250 AUTH {offer}\r\n");
            peer.on("EHLO ", &offer).await;
            peer.on(
                if oauth {
                    "AUTH XOAUTH2 "
                } else {
                    "AUTH PLAIN "
                },
                first,
            )
            .await;
            if let Some(second) = second {
                peer.on("AUTH LOGIN", "334 VXNlcm5hbWU6\r\n").await;
                peer.on(&base64("ada@one.test"), "334 UGFzc3dvcmQ6\r\n")
                    .await;
                peer.on(&base64(PASSWORD), second).await;
            }
            if second != Some("") {
                let bye = peer.hear().await;
                assert!(matches!(bye.as_deref(), None | Some("QUIT")), "{bye:?}");
            }
        })
        .await;
        let mut credentials = server.credentials();
        credentials.oauth = oauth;
        let session = MailSender::connect(&server.mailboxes(PATIENT), &credentials).await;
        assert_eq!(session.map(|_session| ()), expected, "{first:?} {second:?}");
        server.ended().await;
    }
}

#[tokio::test]
async fn starttls_is_a_new_beginning() {
    let server = Server::plain(|mut peer| async move {
        peer.say("220 hi\r\n").await;
        peer.on("EHLO", "250-hi\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
            .await;
        peer.on("STARTTLS", "220 go\r\n").await;
        let mut peer = peer.start_tls().await.unwrap();
        // No greeting; what was offered in plain text no longer counts.
        peer.on("EHLO", "250-hi\r\n250 AUTH LOGIN\r\n").await;
        peer.on("AUTH LOGIN", "334 \r\n").await;
        peer.on(&base64("ada@one.test"), "334 \r\n").await;
        peer.on(&base64(PASSWORD), "235 in\r\n").await;
        peer.on("MAIL", "250 ok\r\n").await;
        peer.on("RCPT", "250 ok\r\n").await;
        peer.on("DATA", "354 go\r\n").await;
        peer.content().await.unwrap();
        peer.say("250 ok\r\n").await;
        peer.on("QUIT", "221 bye\r\n").await;
    })
    .await;
    let mut session = server.sender().await.unwrap();
    let sent = session.send(&mail()).await;
    assert_eq!(sent, agentwarm_app::ports::mail::Submission::Accepted);
    session.close().await;
    server.ended().await;
}

#[tokio::test]
async fn without_starttls_nothing_secret_is_said() {
    for (ehlo, starttls, expected) in [
        (
            "250-hi\r\n250 AUTH PLAIN\r\n",
            "",
            "STARTTLS is not offered",
        ),
        (
            "250-hi\r\n250 STARTTLS\r\n",
            "500 no\r\n",
            "STARTTLS is refused",
        ),
        (
            "250-hi\r\n250 STARTTLS\r\n",
            "220 go\r\n250-hi\r\n250 AUTH PLAIN\r\n",
            "it sent plain text ahead of TLS",
        ),
        (
            "250-hi\r\n250 STARTTLS\r\n",
            "220 go\r\nnot TLS",
            "it sent plain text ahead of TLS",
        ),
    ] {
        let server = Server::plain(move |mut peer| async move {
            peer.say("220 hi\r\n").await;
            peer.on("EHLO", ehlo).await;
            if !starttls.is_empty() {
                peer.on("STARTTLS", starttls).await;
            }
            assert_eq!(peer.hear().await, None, "nothing more is said");
        })
        .await;
        let refused = server.sender().await.err();
        assert_eq!(refused, Some(ConnectFailure::Tls(expected)), "{ehlo:?}");
        server.ended().await;
    }
}
