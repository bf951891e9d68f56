use base64::Engine as _;
use proptest::prelude::*;

use super::*;

fn read(name: &str) -> FoundContent {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).unwrap();
    let wire = source.replace('\n', "\r\n");
    assert_eq!(
        read_report(wire.as_bytes()),
        read_report(source.as_bytes()),
        "line ends do not matter"
    );
    read_report(wire.as_bytes())
}

fn failed(
    message_id: Option<&str>,
    recipient: &str,
    status: &str,
    diagnostic: Option<u16>,
) -> FoundContent {
    FoundContent::DeliveryReport {
        original_message_id: message_id.map(str::to_owned),
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
    ] {
        assert_eq!(read(name), expected, "{name}");
    }
}

#[test]
fn a_delay_is_not_a_failure() {
    assert_eq!(
        read("dsn-postfix-delayed.eml"),
        FoundContent::DeliveryReport {
            original_message_id: Some("slot-7@one.test".into()),
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
            original_message_id: Some("slot-7@one.test".into())
        }
    );
    assert_eq!(read("arf-not-spam.eml"), FoundContent::Message);
}

#[test]
fn people_who_write_about_bounces_are_not_bounces() {
    assert_eq!(read("not-a-bounce.eml"), FoundContent::Message);
    assert_eq!(read_report(b""), FoundContent::Message);
}

#[test]
fn a_report_that_was_cut_off_still_says_what_it_says() {
    let path = format!("{}/fixtures/dsn-postfix.eml", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read(path).unwrap();
    let cut = String::from_utf8_lossy(&source)
        .find("you at twelve.")
        .unwrap();
    assert_eq!(
        read_report(&source[..cut]),
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
        .spawn(move || assert_eq!(read_report(source.as_bytes()), FoundContent::Message))
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
                "\n", "Action: failed\n", "Status: 5.1.1\n", "Final-Recipient: rfc822; <a@b.de>\n", "Message-ID: <x@y>\n", "Message-ID: <\r\n",
                "Diagnostic-Code: smtp; 550 5.1.1\n", "Content-Transfer-Encoding: base64\n", "é\u{0}=?utf-8?b?", "Hi. This is the qmail\n<a@b.de>:\n",
                "--- Below this line is a copy of the message.\n", "X-Failed-Recipients: a@b.de\n", "Feedback-Type: abuse\n", " folded\n",
            ]),
            0..40,
        ),
    ) {
        let ids = |content| match content {
            FoundContent::Message => None,
            FoundContent::DeliveryReport { original_message_id, status, .. } => {
                assert!(status.parse::<EnhancedStatus>().is_ok());
                original_message_id
            }
            FoundContent::Complaint { original_message_id } => original_message_id,
        };
        prop_assert!(ids(read_report(pieces.concat().as_bytes())).is_none_or(|id| is_message_id(&id)));
    }

    #[test]
    fn bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read_report(&bytes);
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
