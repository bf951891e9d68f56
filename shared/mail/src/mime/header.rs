//! What the few headers that are fetched of each message say. They were written by anybody.

use agentwarm_core::mail::message_id::MessageId;
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders};

/// What recognition needs to know of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recognition {
    /// The Message-ID without angle brackets, if it is one.
    pub message_id: Option<String>,
    /// The value of the token header.
    pub token: Option<String>,
    /// Whether the message may be a delivery report or a complaint, so that its body is worth fetching.
    pub may_be_report: bool,
}

/// Whether a text is a Message-ID as the core takes them, without angle brackets.
pub fn is_message_id(text: &str) -> bool {
    text.parse::<MessageId>()
        .is_ok_and(|id| id.as_str() == text)
}

/// The headers to ask for, besides the token's.
pub const RECOGNITION_HEADERS: &str =
    "MESSAGE-ID CONTENT-TYPE FROM RETURN-PATH X-FAILED-RECIPIENTS";

/// Reads a header block.
pub fn recognise(header: &[u8], token_header: &str) -> Recognition {
    MessageParser::default()
        .parse_headers(header)
        .map(|parsed| Recognition {
            message_id: message_id(&parsed),
            token: token(&parsed, token_header),
            may_be_report: may_be_report(&parsed),
        })
        .unwrap_or_default()
}

/// The message's own Message-ID, if it is one.
pub(super) fn message_id(message: &Message<'_>) -> Option<String> {
    message
        .message_id()
        .filter(|id| is_message_id(id))
        .map(str::to_owned)
}

/// The value of the header of this name, without its folding.
pub(super) fn token(message: &Message<'_>, name: &str) -> Option<String> {
    let value = message
        .headers_raw()
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.split_ascii_whitespace().collect::<String>())?;
    (!value.is_empty()).then_some(value)
}

/// A report by its type (RFC 6522), or what came before there was one: Exim's header, or qmail's null sender and mailer daemon.
fn may_be_report(message: &Message<'_>) -> bool {
    let is_multipart_report = message.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind
                .subtype()
                .is_some_and(|sub| sub.eq_ignore_ascii_case("report"))
    });
    let is_exim = message.header("X-Failed-Recipients").is_some();
    let null_sender = message
        .headers_raw()
        .any(|(name, value)| name.eq_ignore_ascii_case("Return-Path") && value.trim() == "<>");
    is_multipart_report || is_exim || null_sender || from_mailer_daemon(message)
}

/// Whether the local part of the sender is that of a mailer daemon, in any case.
pub(super) fn from_mailer_daemon(message: &Message<'_>) -> bool {
    let Some(HeaderValue::Address(from)) = message.header("From") else {
        return false;
    };
    from.iter().filter_map(|one| one.address()).any(|address| {
        address
            .split('@')
            .next()
            .is_some_and(|local| local.eq_ignore_ascii_case("mailer-daemon"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_are_read_in_any_case_and_folding() {
        let header =
            b"message-ID:\r\n <a.b-c@one.test>\r\nx-aw-TOKEN: v1.abc\r\n def\r\nFrom: A <a@one.test>\r\n\r\n";
        assert_eq!(
            recognise(header, "X-AW-Token"),
            Recognition {
                message_id: Some("a.b-c@one.test".into()),
                token: Some("v1.abcdef".into()),
                may_be_report: false,
            }
        );
    }

    #[test]
    fn a_message_without_a_usable_message_id_has_none() {
        for header in [
            "",
            "\r\n",
            "Message-ID: \r\n\r\n",
            "Message-ID: <>\r\n\r\n",
            "Message-ID: <a b@c>\r\n\r\n",
            "Message-ID: <nothing>\r\n\r\n",
            "Subject: x\r\n\r\n",
        ] {
            assert_eq!(
                recognise(header.as_bytes(), "X-AW-Token").message_id,
                None,
                "{header:?}"
            );
        }
    }

    #[test]
    fn reports_are_noticed_by_type_sender_or_marker() {
        for (header, report) in [
            (
                "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
                true,
            ),
            ("Content-Type: Multipart/REPORT; boundary=x", true),
            ("X-Failed-Recipients: a@b.de", true),
            ("Return-Path: <>", true),
            ("Return-Path: <a@b.de>", false),
            ("From: MAILER-DAEMON@mx.example.com", true),
            (
                "From: Mail Delivery System <Mailer-Daemon@mx.example.com>",
                true,
            ),
            ("From: mailer-daemon-fan@example.com", false),
            ("Content-Type: multipart/mixed; boundary=x", false),
        ] {
            let header = format!("{header}\r\n\r\n");
            assert_eq!(
                recognise(header.as_bytes(), "X").may_be_report,
                report,
                "{header}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = recognise(&bytes, "X-AW-Token");
        }

        #[test]
        fn what_is_found_is_a_message_id(text in "(Message-ID|From|X-AW-Token|Return-Path): *[<>@a-z\" \r\n]{0,60}") {
            let found = recognise(text.as_bytes(), "X-AW-Token");
            prop_assert!(found.message_id.is_none_or(|id| is_message_id(&id)));
        }
    }
}
