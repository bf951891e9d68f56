//! Where a submission breaks decides what became of the mail (decision 31): every phase, by refusal, hang-up and silence.

use agentwarm_app::ports::letters::{Body, Draft, Gate, Letter, Posted};
use agentwarm_app::ports::mail::{ConnectFailure, MailSender, SmtpPhase, Submission};

use tokio::task::JoinSet;

use crate::server::{HASTY, PATIENT, Peer, Server, mail};

/// How a server leaves the dialogue.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Leave {
    HangUp,
    Stall,
    Chatter,
    Garbage,
}

const LEAVES: [Leave; 4] = [Leave::HangUp, Leave::Stall, Leave::Chatter, Leave::Garbage];

impl Leave {
    async fn run(self, mut peer: Peer) {
        match self {
            Self::HangUp => {}
            // Until the client gives up.
            Self::Stall => while peer.hear().await.is_some() {},
            Self::Chatter => while peer.say("250-more\r\n").await {},
            Self::Garbage => {
                peer.say("HTTP/1.1 400 Bad Request\r\n").await;
            }
        }
    }
}

/// Submits to a server that takes this many of the commands and then leaves.
async fn submit_to(taken: usize, pipelining: bool, leave: Leave) -> Submission {
    let server = Server::secure(move |mut peer| async move {
        let features: &[&str] = if pipelining { &["PIPELINING"] } else { &[] };
        peer.smtp_login(features).await;
        for (i, (command, answer)) in [
            ("MAIL FROM:<ada@one.test>", "250 ok\r\n"),
            ("RCPT TO:<bob@two.test>", "250 ok\r\n"),
            ("DATA", "354 go\r\n"),
        ]
        .into_iter()
        .enumerate()
        {
            if i == taken {
                peer.on(command, "").await;
                return leave.run(peer).await;
            }
            peer.on(command, answer).await;
        }
        if taken == 4 {
            peer.content().await;
        }
        leave.run(peer).await;
    })
    .await;
    let time = if leave == Leave::Stall {
        HASTY
    } else {
        PATIENT
    };
    let mailboxes = server.mailboxes(time);
    let mut session = mailboxes.connect(&server.credentials()).await.unwrap();
    let outcome = session.send(&mail()).await;
    session.close().await;
    outcome
}

/// All ways to leave at these points, at the same time: those that stall take a second each.
async fn submit_to_all(taken: std::ops::Range<usize>) -> Vec<(Leave, Submission)> {
    let mut submissions = JoinSet::new();
    for taken in taken {
        for pipelining in [false, true] {
            for leave in LEAVES {
                submissions
                    .spawn(async move { (leave, submit_to(taken, pipelining, leave).await) });
            }
        }
    }
    submissions.join_all().await
}

#[tokio::test]
async fn a_connection_lost_before_the_content_means_not_sent() {
    for (leave, outcome) in submit_to_all(0..3).await {
        let expected = match leave {
            Leave::HangUp | Leave::Stall => ConnectFailure::Unreachable,
            Leave::Chatter => ConnectFailure::Protocol("it sends too much unasked"),
            Leave::Garbage => ConnectFailure::Protocol("a reply is not SMTP"),
        };
        assert_eq!(outcome, Submission::NotSent(expected), "{leave:?}");
    }
}

#[tokio::test]
async fn a_connection_lost_after_the_content_began_means_in_doubt() {
    for (leave, outcome) in submit_to_all(3..5).await {
        assert_eq!(outcome, Submission::InDoubt, "{leave:?}");
    }
}

#[tokio::test]
async fn a_message_that_could_not_be_written_whole_is_in_doubt_too() {
    for stall in [false, true] {
        let server = Server::secure(move |mut peer| async move {
            peer.smtp_login(&[]).await;
            peer.on("MAIL", "250 ok\r\n").await;
            peer.on("RCPT", "250 ok\r\n").await;
            peer.on("DATA", "354 go\r\n").await;
            if stall {
                // Longer than the client waits, without reading.
                tokio::time::sleep(3 * HASTY.answer).await;
            }
        })
        .await;
        let mailboxes = server.mailboxes(HASTY);
        let mut session = mailboxes.connect(&server.credentials()).await.unwrap();
        let mut large = mail();
        // More than the buffers between us hold.
        large.text = "0123456789\n".repeat(90_000);
        assert_eq!(session.send(&large).await, Submission::InDoubt);
        let next = session.send(&mail()).await;
        assert!(matches!(next, Submission::NotSent(_)), "{next:?}");
        session.close().await;
        server.ended().await;
    }
}

#[tokio::test]
async fn a_refusal_tells_its_phase_code_and_reason() {
    for (refused, phase) in [
        (0, SmtpPhase::MailFrom),
        (1, SmtpPhase::RcptTo),
        (2, SmtpPhase::Data),
        (3, SmtpPhase::Content),
    ] {
        for pipelining in [false, true] {
            for (code, enhanced) in [(550, "5.1.1"), (451, "4.7.1")] {
                let reply =
                    format!("{code}-{enhanced} <bob@two.test>: no\r\n{code} {enhanced} way\r\n");
                let server =
                    Server::secure(move |peer| refuse(peer, refused, pipelining, reply)).await;
                let mut session = server.sender().await.unwrap();
                assert_eq!(
                    session.send(&mail()).await,
                    Submission::Refused {
                        phase,
                        code,
                        enhanced: Some(enhanced.into()),
                        text: "(address) no way".into()
                    },
                );
                assert_eq!(
                    session.send(&mail()).await,
                    Submission::Accepted,
                    "{phase:?}"
                );
                session.close().await;
                server.ended().await;
            }
        }
    }
}

/// Refuses one command of the first mail, and takes the second mail, which must be preceded by RSET.
async fn refuse(mut peer: Peer, refused: usize, pipelining: bool, reply: String) {
    let features: &[&str] = if pipelining { &["PIPELINING"] } else { &[] };
    peer.smtp_login(features).await;
    let mut refused = Some(refused);
    for _ in 0..2 {
        let mut commands = vec![
            ("MAIL FROM:<ada@one.test>", "250 ok\r\n"),
            ("RCPT TO:<bob@two.test>", "250 ok\r\n"),
            ("DATA", "354 go\r\n"),
        ];
        if let Some(at) = refused.take() {
            if at < 3 {
                for (i, (command, answer)) in commands.into_iter().enumerate().take(at + 1) {
                    let answer = if i == at { &reply } else { answer };
                    peer.on(command, answer).await;
                }
                if pipelining && at == 0 {
                    peer.on("RCPT", "503 5.5.1 need MAIL\r\n").await;
                }
            } else {
                for (command, answer) in commands {
                    peer.on(command, answer).await;
                }
                peer.content().await.unwrap();
                peer.say(&reply).await;
            }
            peer.on("RSET", "250 ok\r\n").await;
            continue;
        }
        for (command, answer) in commands.drain(..) {
            peer.on(command, answer).await;
        }
        peer.content().await.unwrap();
        peer.say("250 2.0.0 queued\r\n").await;
    }
    peer.on("QUIT", "221 bye\r\n").await;
}

#[tokio::test]
async fn what_arrives_is_the_message_and_its_envelope() {
    let server = Server::secure(|mut peer| async move {
        peer.smtp_login(&["PIPELINING", "SIZE 1000"]).await;
        for _ in 0..2 {
            peer.on("MAIL FROM:<ada@one.test>", "").await;
            // Both commands were sent before either was answered.
            peer.on("RCPT TO:<bob@two.test>", "250 ok\r\n250 ok\r\n")
                .await;
            peer.on("DATA", "354\r\n").await;
            let lines = peer.content().await.unwrap();
            assert!(lines.contains(&"Message-ID: <slot-7@one.test>".to_owned()));
            let body: Vec<&str> = lines
                .iter()
                .skip_while(|l| !l.is_empty())
                .map(String::as_str)
                .collect();
            assert_eq!(body, ["", "canary-body", "..", "..dot"]);
            peer.say("250-2.0.0 Empf\u{e4}nger\r\n250 queued\r\n").await;
        }
        peer.on("QUIT", "221 bye\r\n").await;
        assert_eq!(peer.hear().await, None);
    })
    .await;
    let mut session = server.sender().await.unwrap();
    assert_eq!(session.send(&mail()).await, Submission::Accepted);
    assert_eq!(session.send(&mail()).await, Submission::Accepted);
    session.close().await;
    server.ended().await;
}

#[tokio::test]
async fn after_421_the_session_is_over() {
    for pipelining in [false, true] {
        let server = Server::secure(move |mut peer| async move {
            let features: &[&str] = if pipelining { &["PIPELINING"] } else { &[] };
            peer.smtp_login(features).await;
            peer.on("MAIL", "421 4.3.2 closing\r\n").await;
        })
        .await;
        let mut session = server.sender().await.unwrap();
        let refused = session.send(&mail()).await;
        assert!(
            matches!(
                refused,
                Submission::Refused {
                    phase: SmtpPhase::MailFrom,
                    code: 421,
                    ..
                }
            ),
            "{refused:?}"
        );
        let next = session.send(&mail()).await;
        assert!(matches!(next, Submission::NotSent(_)), "{next:?}");
        session.close().await;
        server.ended().await;
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_built_is_refused_before_the_server_hears_of_it() {
    let server = Server::secure(|mut peer| async move {
        peer.smtp_login(&["PIPELINING"]).await;
        peer.on("QUIT", "221 bye\r\n").await;
    })
    .await;
    let mut session = server.sender().await.unwrap();
    let mut broken = mail();
    broken.subject = "a\r\nBcc: eve@evil.test".into();
    assert_eq!(
        session.send(&broken).await,
        Submission::Refused {
            phase: SmtpPhase::Data,
            code: 554,
            enhanced: Some("5.6.0".into()),
            text: "the subject cannot be put into a header".into()
        }
    );
    session.close().await;
    server.ended().await;
}

#[tokio::test]
async fn replies_that_do_not_fit_are_no_acceptance() {
    for (data, content, expected) in [
        (
            "250 ok\r\n",
            "",
            Submission::NotSent(ConnectFailure::Protocol("a reply does not fit its command")),
        ),
        ("354 go\r\n", "354 go on\r\n", Submission::InDoubt),
        ("354 go\r\n", "250-ok\r\n550 no\r\n", Submission::InDoubt),
    ] {
        let server = Server::secure(move |mut peer| async move {
            peer.smtp_login(&[]).await;
            peer.on("MAIL", "250 ok\r\n").await;
            peer.on("RCPT", "250 ok\r\n").await;
            peer.on("DATA", data).await;
            if !content.is_empty() {
                peer.content().await.unwrap();
                peer.say(content).await;
            }
        })
        .await;
        let mut session = server.sender().await.unwrap();
        assert_eq!(session.send(&mail()).await, expected);
        session.close().await;
        server.ended().await;
    }
}

/// Keeps whether it was asked.
#[derive(Default)]
struct Asked(std::sync::atomic::AtomicBool);

#[async_trait::async_trait]
impl Gate for Asked {
    async fn open(&self) -> bool {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        true
    }
}

/// Posts a letter to two to a server that takes this many of the commands and hangs up; and whether the gate was asked.
async fn post_to(taken: usize, pipelining: bool) -> (Posted, bool) {
    let server = Server::secure(move |mut peer| async move {
        let features: &[&str] = if pipelining { &["PIPELINING"] } else { &[] };
        peer.smtp_login(features).await;
        for (command, answer) in [
            ("MAIL FROM:<ada@one.test>", "250 ok\r\n"),
            ("RCPT TO:<bob@two.test>", "250 ok\r\n"),
            ("RCPT TO:<eve@two.test>", "250 ok\r\n"),
            ("DATA", "354 go\r\n"),
        ]
        .into_iter()
        .take(taken)
        {
            peer.on(command, answer).await;
        }
        if taken == 5 {
            peer.content().await;
        }
    })
    .await;
    let mailboxes = server.mailboxes(PATIENT);
    let mut session = mailboxes.connect(&server.credentials()).await.unwrap();
    let gate = Asked::default();
    let posted = session.post(&letter(), &gate).await;
    session.close().await;
    (posted, gate.0.into_inner())
}

#[tokio::test]
async fn a_letter_is_in_doubt_only_after_the_gate_was_asked() {
    for pipelining in [false, true] {
        for taken in 0..=5 {
            let (posted, asked) = post_to(taken, pipelining).await;
            let expected = match taken {
                0..=3 => Submission::NotSent(ConnectFailure::Unreachable),
                _ => Submission::InDoubt,
            };
            assert_eq!(posted, Posted::Settled(expected), "{taken}");
            assert_eq!(asked, taken >= 3, "{taken}");
        }
    }
}

fn letter() -> Letter {
    let mail = mail();
    Letter {
        from: mail.from,
        draft: Draft {
            to: vec![mail.to, (String::new(), "eve@two.test".parse().unwrap())],
            cc: vec![],
            bcc: vec![],
            subject: mail.subject,
            body: Body::Text(mail.text),
            attachments: vec![],
            in_reply_to: None,
            references: vec![],
        },
        message_id: mail.message_id.parse().unwrap(),
        date: mail.date,
    }
}
