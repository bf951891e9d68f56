//! Submission, refusals and reports.

use agentwarm_app::ports::mail::{
    ConnectFailure, Folder, FoundContent, MailReader, MailSender, SmtpPhase, Submission,
};

use crate::mailbox::{Mailbox, Way};

#[tokio::test]
async fn what_is_sent_arrives_and_is_recognised() {
    for (way, from, to) in [
        (Way::Implicit, "w900@acorn.test", "w900@birch.test"),
        (Way::StartTls, "w901@acorn.test", "w901@birch.test"),
    ] {
        let (sender, receiver) = (Mailbox::new(from, way), Mailbox::new(to, way));
        let before = receiver.end_of(Folder::Inbox).await;
        let mail = sender.mail_to(to, '9');
        assert_eq!(sender.send(&mail).await, Submission::Accepted, "{way:?}");
        let (found, after) = receiver
            .await_message(Folder::Inbox, before, |message| {
                message.message_id.as_ref() == Some(&mail.message_id)
            })
            .await;
        assert_eq!(found.token.as_ref(), Some(&mail.headers[0].1));
        assert_eq!(found.content, FoundContent::Message);
        assert_eq!(found.location.folder, Some(Folder::Inbox));
        let mut session = receiver.reader().await;
        let again = session
            .read(Folder::Inbox, Some(after), 50)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (again.messages, again.cursor.uid_next),
            (vec![], after.uid_next)
        );
        session.close().await;
    }
}

#[tokio::test]
async fn a_batch_goes_over_one_session() {
    let sender = Mailbox::new("w902@acorn.test", Way::Implicit);
    let receiver = Mailbox::new("w902@birch.test", Way::Implicit);
    let before = receiver.end_of(Folder::Inbox).await;
    let mut session = sender.sender().await;
    let mut last = String::new();
    for _ in 0..10 {
        let mail = sender.mail_to(&receiver.address, '9');
        assert_eq!(session.send(&mail).await, Submission::Accepted);
        // A refused one in between does not disturb the next.
        let lost = sender.mail_to("nobody@birch.test", '9');
        assert!(matches!(
            session.send(&lost).await,
            Submission::Refused { code: 550, .. }
        ));
        last = mail.message_id;
    }
    session.close().await;
    receiver
        .await_message(Folder::Inbox, before, |message| {
            message.message_id.as_deref() == Some(&last)
        })
        .await;
}

#[tokio::test]
async fn refusals_have_the_phase_and_code_of_the_server() {
    let sender = Mailbox::new("w903@acorn.test", Way::StartTls);
    let mut session = sender.sender().await;
    for (to, phase, code, enhanced) in [
        ("nobody@birch.test", SmtpPhase::RcptTo, 550, "5.1.1"),
        ("full@birch.test", SmtpPhase::RcptTo, 552, "5.2.2"),
        ("overquota@birch.test", SmtpPhase::RcptTo, 452, "4.2.2"),
        ("greylist@birch.test", SmtpPhase::RcptTo, 451, "4.7.1"),
        ("someone@elsewhere.test", SmtpPhase::RcptTo, 550, "5.1.2"),
        (
            "refuse-content@birch.test",
            SmtpPhase::Content,
            554,
            "5.7.1",
        ),
        ("defer-content@birch.test", SmtpPhase::Content, 451, "4.3.0"),
    ] {
        let outcome = session.send(&sender.mail_to(to, '9')).await;
        let Submission::Refused {
            phase: in_phase,
            code: with,
            enhanced: and,
            text,
        } = outcome
        else {
            panic!("{to}: {outcome:?}");
        };
        assert_eq!(
            (in_phase, with, and.as_deref()),
            (phase, code, Some(enhanced)),
            "{to}"
        );
        assert!(!text.is_empty() && !text.contains('@'), "{text}");
    }
    session.close().await;
}

#[tokio::test]
async fn one_sends_as_oneself_only() {
    let sender = Mailbox::new("w904@acorn.test", Way::Implicit);
    let mut mail = sender.mail_to("w904@birch.test", '9');
    mail.from.1 = "w905@acorn.test".parse().unwrap();
    let outcome = sender.send(&mail).await;
    assert!(
        matches!(outcome, Submission::Refused { code: 553, .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn passwords_and_tokens_open_what_they_should() {
    for way in [Way::Implicit, Way::StartTls] {
        let mut mailbox = Mailbox::new("w906@acorn.test", way);
        let token = format!("token-{}", mailbox.credentials.password);
        for (oauth, secret, expected) in [
            (false, None, Ok(())),
            (
                false,
                Some("wrong".to_owned()),
                Err(ConnectFailure::Credentials),
            ),
            (true, Some(token), Ok(())),
            (
                true,
                Some("wrong".to_owned()),
                Err(ConnectFailure::Credentials),
            ),
        ] {
            mailbox.credentials.oauth = oauth;
            if let Some(secret) = secret {
                mailbox.credentials.password = secret;
            }
            let reader = MailReader::connect(&mailbox.client, &mailbox.credentials).await;
            assert_eq!(
                reader.map(|_open| ()),
                expected,
                "IMAP, oauth {oauth}, {way:?}"
            );
            let sender = MailSender::connect(&mailbox.client, &mailbox.credentials).await;
            assert_eq!(
                sender.map(|_open| ()),
                expected,
                "SMTP, oauth {oauth}, {way:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_late_bounce_comes_back_as_a_report() {
    let sender = Mailbox::new("w907@acorn.test", Way::Implicit);
    let before = sender.end_of(Folder::Inbox).await;
    let mail = sender.mail_to("late-bounce@birch.test", '9');
    assert_eq!(sender.send(&mail).await, Submission::Accepted);
    let (report, _) = sender
        .await_message(Folder::Inbox, before, |message| {
            matches!(&message.content, FoundContent::DeliveryReport { about, .. }
                if about.message_id.as_ref() == Some(&mail.message_id))
        })
        .await;
    let FoundContent::DeliveryReport {
        recipient,
        action,
        status,
        ..
    } = report.content
    else {
        panic!("{report:?}");
    };
    assert_eq!(recipient.as_deref(), Some("late-bounce@birch.test"));
    assert_eq!((action.as_str(), status.as_str()), ("failed", "5.1.1"));
}
