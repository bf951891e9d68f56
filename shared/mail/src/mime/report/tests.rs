use base64::Engine as _;
use proptest::prelude::*;

use super::*;
use crate::mime::header::recognise;

const TOKEN: &str = "X-AW-Token";

fn fixture(name: &str) -> String {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn read(name: &str) -> FoundContent {
    let source = fixture(name);
    let wire = source.replace('\n', "\r\n");
    assert_eq!(
        read_report(wire.as_bytes(), TOKEN),
        read_report(source.as_bytes(), TOKEN),
        "line ends do not matter"
    );
    read_report(wire.as_bytes(), TOKEN)
}

fn named(message_id: Option<&str>) -> ReportedMail {
    ReportedMail {
        message_id: message_id.map(str::to_owned),
        token: None,
    }
}

fn failed(
    message_id: Option<&str>,
    recipient: &str,
    status: &str,
    diagnostic: Option<u16>,
) -> FoundContent {
    FoundContent::DeliveryReport {
        about: named(message_id),
        recipient: Some(recipient.into()),
        action: "failed".into(),
        status: status.into(),
        diagnostic,
    }
}

#[test]
fn real_bounces_are_read() {
    let (id, nobody) = (Some("slot-7@one.test"), "nobody@two.test");
    for (name, expected) in [
        ("dsn-postfix.eml", failed(id, nobody, "5.1.1", Some(550))),
        ("dsn-exchange.eml", failed(id, nobody, "5.1.10", Some(550))),
        ("dsn-gmail.eml", failed(id, nobody, "5.1.1", Some(550))),
        ("dsn-exim.eml", failed(id, nobody, "5.1.1", Some(550))),
        ("dsn-vague.eml", failed(id, nobody, "5.0.0", Some(550))),
        ("bounce-exim-old.eml", failed(id, nobody, "5.0.0", None)),
        ("bounce-qmail.eml", failed(id, nobody, "5.1.1", Some(550))),
        ("dsn-no-original.eml", failed(id, nobody, "5.2.2", None)),
        ("bounce-gmx.eml", failed(id, nobody, "5.1.1", None)),
        ("bounce-ionos.eml", failed(id, nobody, "5.0.0", Some(550))),
        (
            "bounce-workmail.eml",
            failed(id, nobody, "5.1.1", Some(550)),
        ),
    ] {
        assert_eq!(read(name), expected, "{name}");
        let header = recognise(fixture(name).as_bytes(), TOKEN);
        assert!(header.may_be_report, "{name} is fetched");
    }
}

#[test]
fn a_reply_that_speaks_of_us_says_nothing_about_the_recipient() {
    let (id, nobody) = (Some("slot-7@one.test"), "nobody@two.test");
    for name in ["dsn-vague.eml", "bounce-ionos.eml"] {
        for said in ["no such user", "no such mailbox"] {
            let source = fixture(name).replace(said, "blocked for spam");
            if source != fixture(name) {
                let expected = failed(id, nobody, "5.0.0", None);
                assert_eq!(read_report(source.as_bytes(), TOKEN), expected, "{name}");
            }
        }
    }
}

#[test]
fn the_reply_of_an_automatic_message_may_have_a_line_of_its_own() {
    let source = fixture("bounce-gmx.eml").replace("\n5.1.1 <", "\n550 <");
    assert_eq!(
        read_report(source.as_bytes(), TOKEN),
        failed(
            Some("slot-7@one.test"),
            "nobody@two.test",
            "5.0.0",
            Some(550)
        )
    );
}

#[test]
fn a_folded_message_id_of_returned_headers_is_read() {
    let source = fixture("dsn-two-recipients.eml");
    assert!(source.contains("text/rfc822-headers"));
    let folded = source.replace("Message-ID: <slot-7", "Message-ID:\n\t<slot-7");
    assert_ne!(folded, source);
    assert_eq!(
        read_report(folded.as_bytes(), TOKEN),
        failed(Some("slot-7@one.test"), "nobody@two.test", "5.1.1", None)
    );
}

#[test]
fn what_only_looks_like_an_automatic_bounce_is_none() {
    for (name, from, to) in [
        // It goes on trying.
        (
            "bounce-gmx.eml",
            "could not be delivered",
            "has not been delivered yet",
        ),
        // Somebody writes about one.
        (
            "bounce-gmx.eml",
            "This message was created",
            "Ada, what is this?\n\nThis message was created",
        ),
        ("bounce-gmx.eml", "--- The header", "The header"),
        ("bounce-gmx.eml", "\"Nobody@two.test\":", "somebody"),
        ("bounce-workmail.eml", "MAILER-DAEMON@", "bob@"),
        ("bounce-workmail.eml", "message/rfc822", "text/plain"),
        ("bounce-workmail.eml", "Technical", "> Technical"),
        ("bounce-workmail.eml", "Action:", "Reaction:"),
    ] {
        let source = fixture(name);
        let changed = source.replace(from, to);
        assert_ne!(changed, source, "{from}");
        let read = read_report(changed.as_bytes(), TOKEN);
        assert_eq!(read, FoundContent::Message, "{from}");
    }
}

#[test]
fn a_mail_that_its_server_renamed_is_known_by_the_token_that_is_returned() {
    let returned = "<slot-7@one.test>\n";
    let renamed = "<0102@ses.test>\nX-AW-TOKEN: v1.abc.def\n";
    for name in [
        "dsn-postfix.eml",
        "dsn-exchange.eml",
        "dsn-two-recipients.eml",
        "bounce-exim-old.eml",
        "bounce-qmail.eml",
        "bounce-gmx.eml",
        "bounce-workmail.eml",
        "arf-abuse.eml",
    ] {
        let source = fixture(name);
        let changed = source.replace(returned, renamed);
        assert_ne!(changed, source, "{name}");
        let read = read_report(changed.as_bytes(), TOKEN);
        let (FoundContent::DeliveryReport { about, .. } | FoundContent::Complaint { about }) = read
        else {
            panic!("{name}: {read:?}");
        };
        let expected = ReportedMail {
            message_id: Some("0102@ses.test".into()),
            token: Some("v1.abc.def".into()),
        };
        assert_eq!(about, expected, "{name}");
    }
}

#[test]
fn a_delay_is_not_a_failure() {
    assert_eq!(
        read("dsn-postfix-delayed.eml"),
        FoundContent::DeliveryReport {
            about: named(Some("slot-7@one.test")),
            recipient: Some("slow@two.test".into()),
            action: "delayed".into(),
            status: "4.4.1".into(),
            diagnostic: None,
        }
    );
}

#[test]
fn the_failed_one_of_several_recipients_is_reported() {
    assert_eq!(
        read("dsn-two-recipients.eml"),
        failed(Some("slot-7@one.test"), "nobody@two.test", "5.1.1", None)
    );
}

#[test]
fn complaints_are_read_and_other_feedback_is_not_one() {
    assert_eq!(
        read("arf-abuse.eml"),
        FoundContent::Complaint {
            about: named(Some("slot-7@one.test"))
        }
    );
    assert_eq!(read("arf-not-spam.eml"), FoundContent::Message);
}

#[test]
fn people_who_write_about_bounces_are_not_bounces() {
    assert_eq!(read("not-a-bounce.eml"), FoundContent::Message);
    assert_eq!(read_report(b"", TOKEN), FoundContent::Message);
}

#[test]
fn a_report_that_was_cut_off_still_says_what_it_says() {
    let path = format!("{}/fixtures/dsn-postfix.eml", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read(path).unwrap();
    let cut = String::from_utf8_lossy(&source)
        .find("you at twelve.")
        .unwrap();
    assert_eq!(
        read_report(&source[..cut], TOKEN),
        failed(
            Some("slot-7@one.test"),
            "nobody@two.test",
            "5.1.1",
            Some(550)
        )
    );
}

#[test]
fn nesting_does_not_reach_the_end_of_a_small_stack() {
    for level in [
        "Content-Type:message/rfc822\n\n".to_owned(),
        "Content -Type:message/rfc822\n\n".to_owned(),
        ":Con\rtent-Type\t:\r\n message/global\n\n".to_owned(),
        "Content-Type:multipart/digest;boundary=b\n\n--b\n\n".to_owned(),
        "Content-Type:multipart/mixed;boundary=b\n\n--b\n".to_owned(),
    ] {
        for levels in [100, 65_536 / level.len()] {
            is_read_on_a_small_stack(level.repeat(levels));
        }
    }
}

fn is_read_on_a_small_stack(source: String) {
    std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || assert_eq!(read_report(source.as_bytes(), TOKEN), FoundContent::Message))
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn enhanced_codes_are_found_in_text() {
    for (text, code) in [
        ("smtp; 550 5.1.1 unknown", Some("5.1.1")),
        ("550-5.7.26 see", Some("5.7.26")),
        ("from 10.5.1.1 at 5.1.1.2", None),
        ("it is 5.1.1.", Some("5.1.1")),
        ("3.1.1 9.9.9 5.1 5.1000.1", None),
    ] {
        assert_eq!(enhanced_code(text).as_deref(), code, "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_found_is_usable(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n", "Content-Type: message/delivery-status\n",
                "Content-Type: message/rfc822\n", "Content-Type: text/rfc822-headers\n", "Content-Type: message/feedback-report\n", "--b\n", "--b--\n",
                "\n", "Action: failed\n", "Status: 5.1.1\n", "Final-Recipient: rfc822; <a@b.de>\n", "Message-ID: <x@y>\n", "X-AW-Token: v1.a\n", "Message-ID: <\r\n",
                "Diagnostic-Code: smtp; 550 5.1.1\n", "Content-Transfer-Encoding: base64\n", "é\u{0}=?utf-8?b?", "Hi. This is the qmail\n<a@b.de>:\n",
                "--- Below this line is a copy of the message.\n", "This message was created automatically by mail delivery software could not be delivered\n",
                "--- The header of the original message is following. ---\n", "\"a@b.de\":\n", "reason: 550 no\n", "Technical report:\n",
                "From: MAILER-DAEMON@b.de\n", "X-Failed-Recipients: a@b.de\n", "Feedback-Type: abuse\n", " folded\n",
            ]),
            0..40,
        ),
    ) {
        let about = match read_report(pieces.concat().as_bytes(), TOKEN) {
            FoundContent::Message => ReportedMail::default(),
            FoundContent::DeliveryReport { about, status, .. } => {
                assert!(status.parse::<EnhancedStatus>().is_ok());
                about
            }
            FoundContent::Complaint { about } => about,
        };
        prop_assert!(about.message_id.is_none_or(|id| is_message_id(&id)));
        prop_assert!(about.token.is_none_or(|token| !token.contains(char::is_whitespace)));
    }

    #[test]
    fn bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read_report(&bytes, TOKEN);
    }
}

#[test]
fn messages_that_are_encoded_are_not_opened_without_end() {
    // In the last one the second line is the beginning of a part for the parser.
    for name in [
        "Content-Type",
        "Content -Type",
        "\nContent-Type: x;\n --b Content-Type",
    ] {
        let nested = "Content -Type:message/rfc822\n\n".repeat(1_600);
        let source = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n{name}:message/rfc822\nContent-Transfer-Encoding:base64\n\n{}\n--b--\n",
            base64::engine::general_purpose::STANDARD.encode(nested)
        );
        is_read_on_a_small_stack(source);
    }
}
