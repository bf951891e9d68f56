//! Builds messages (RFC 5322) that say what was meant and nothing else.
//!
//! lettre does the encoding and folding. What it lets through is refused here first: a CRLF in a Message-ID becomes an encoded word, so
//! that a thread breaks silently; a ready-made `=?utf-8?q?…=0D=0A…?=` is passed on and read back as a line break; a word of 5,000
//! characters becomes a line of 5,000. `Date` and `Message-ID` are those of the slot, because a repeated submission is dropped by
//! servers only if both match. There is no `User-Agent`.

use std::time::{Duration, SystemTime};

use agentwarm_app::ports::letters::Correspondent;
use agentwarm_app::ports::mail::OutgoingMail;
use agentwarm_app::text::{MAIL_TEXT_MAX_BYTES, can_be_folded};
use jiff::Timestamp;
use lettre::address::{Address, Envelope};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MessageBuilder, SinglePart};

use super::header::is_message_id;

/// Longest subject or header value, in bytes: 998 characters (API reference §3, send) of any script.
const LONGEST_VALUE: usize = 4 * 998;

/// Longest `References`, in Message-IDs.
const MOST_REFERENCES: usize = 100;

/// Headers that are made from the mail's own parts.
const OWN_HEADERS: [&str; 15] = [
    "from",
    "to",
    "cc",
    "bcc",
    "sender",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "return-path",
    "received",
    "user-agent",
];

/// Why a mail cannot be built. Its content is wrong; no server was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The subject has a line break, a control character, a ready-made encoded word, or is too long.
    #[error("the subject cannot be put into a header")]
    Subject,
    /// A display name has what a subject may not have.
    #[error("a display name cannot be put into a header")]
    Name,
    /// An address that the message builder does not take.
    #[error("an address cannot be put into a header")]
    Address,
    /// A Message-ID of its own or of its thread is not one.
    #[error("a Message-ID is not one")]
    MessageId,
    /// A date before 1970.
    #[error("the date cannot be written")]
    Date,
    /// A further header's name or value, or a header that is made from the mail's parts.
    #[error("a further header cannot be written")]
    Header,
    /// The text holds a NUL or is larger than 1 MB.
    #[error("the text cannot be sent")]
    Text,
    /// A file's name, which is no header's text, or its media type, which is none.
    #[error("an attachment cannot be put into a message")]
    Attachment,
    /// The message builder refused it.
    #[error("the message cannot be built")]
    Build,
}

/// The message as it goes over the wire: CRLF line ends, ASCII only, lines within limits.
pub fn build(mail: &OutgoingMail) -> Result<Vec<u8>, Unsendable> {
    check_further(&mail.headers)?;
    check_text(&mail.text)?;
    let head = Head {
        from: &mail.from,
        to: std::slice::from_ref(&mail.to),
        cc: &[],
        subject: &mail.subject,
        message_id: &mail.message_id,
        date: mail.date,
        in_reply_to: mail.in_reply_to.as_deref(),
        references: mail.references.iter().map(String::as_str).collect(),
    };
    let mut message = head.builder()?;
    for (name, value) in &mail.headers {
        let name =
            HeaderName::new_from_ascii(name.clone()).map_err(|_invalid| Unsendable::Header)?;
        message = message.raw_header(HeaderValue::new(name, single_spaced(value)));
    }
    let message = message
        .singlepart(SinglePart::plain(lines(&mail.text)))
        .map_err(|_refused| Unsendable::Build)?;
    Ok(message.formatted())
}

/// What every message begins with.
pub(super) struct Head<'m> {
    pub(super) from: &'m Correspondent,
    pub(super) to: &'m [Correspondent],
    pub(super) cc: &'m [Correspondent],
    pub(super) subject: &'m str,
    pub(super) message_id: &'m str,
    pub(super) date: Timestamp,
    pub(super) in_reply_to: Option<&'m str>,
    pub(super) references: Vec<&'m str>,
}

impl Head<'_> {
    /// The headers, checked.
    pub(super) fn builder(&self) -> Result<MessageBuilder, Unsendable> {
        self.check()?;
        let from = mailbox(self.from)?;
        // Who gets it is the SMTP session's business; lettre wants to know of somebody.
        let envelope = Envelope::new(Some(from.email.clone()), vec![from.email.clone()])
            .map_err(|_empty| Unsendable::Address)?;
        let mut message = Message::builder().envelope(envelope).from(from);
        for recipient in self.to {
            message = message.to(mailbox(recipient)?);
        }
        for recipient in self.cc {
            message = message.cc(mailbox(recipient)?);
        }
        message = message
            .subject(single_spaced(self.subject))
            .message_id(Some(bracketed(self.message_id)))
            .date(date(self.date)?);
        if let Some(id) = self.in_reply_to {
            message = message.in_reply_to(bracketed(id));
        }
        if !self.references.is_empty() {
            let thread: Vec<String> = self.references.iter().map(|id| bracketed(id)).collect();
            message = message.references(thread.join(" "));
        }
        Ok(message)
    }

    fn check(&self) -> Result<(), Unsendable> {
        let ids_are_ids = std::iter::once(self.message_id)
            .chain(self.in_reply_to)
            .chain(self.references.iter().copied())
            .all(is_message_id);
        let mut names = std::iter::once(self.from).chain(self.to).chain(self.cc);
        for (fits, error) in [
            (is_header_text(self.subject), Unsendable::Subject),
            (
                names.all(|(name, _)| is_header_text(name)),
                Unsendable::Name,
            ),
            (
                ids_are_ids && self.references.len() <= MOST_REFERENCES,
                Unsendable::MessageId,
            ),
        ] {
            if !fits {
                return Err(error);
            }
        }
        Ok(())
    }
}

fn check_further(headers: &[(String, String)]) -> Result<(), Unsendable> {
    let fit = headers
        .iter()
        .all(|(name, value)| is_further_header(name) && is_header_text(value) && value.is_ascii());
    fit.then_some(()).ok_or(Unsendable::Header)
}

pub(super) fn check_text(text: &str) -> Result<(), Unsendable> {
    let fits = text.len() <= MAIL_TEXT_MAX_BYTES && !text.contains('\0');
    fits.then_some(()).ok_or(Unsendable::Text)
}

/// A text whose lines end in one way. CR and LF may only occur together (RFC 5322 §2.3): lettre mends a lone LF and passes on a lone CR, which
/// some servers take for a line end, so that a dot after it would end the message. At the end lettre adds a line end of its own.
pub(super) fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim_end_matches('\n').to_owned()
}

/// Whether a text means in a header what it says: one line, nothing invisible that breaks lines, no ready-made encoded word (RFC 2047 §2).
pub(super) fn is_header_text(text: &str) -> bool {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let encoded_word = text
        .find("=?")
        .is_some_and(|at| text.get(at + 2..).is_some_and(|rest| rest.contains("?=")));
    text.len() <= LONGEST_VALUE && !text.contains(breaks) && !encoded_word && can_be_folded(text)
}

fn is_further_header(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    (1..=76).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !lower.starts_with("content-")
        && !OWN_HEADERS.contains(&lower.as_str())
}

/// Runs of spaces as one: lettre writes them between two encoded words, where they mean nothing (RFC 2047 §6.2), and folds a line at one space,
/// not within a run of a thousand.
fn single_spaced(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn mailbox((name, address): &Correspondent) -> Result<Mailbox, Unsendable> {
    let name = single_spaced(name);
    let address = Address::new(address.local_part(), address.domain())
        .map_err(|_invalid| Unsendable::Address)?;
    let name = (!name.is_empty()).then_some(name);
    Ok(Mailbox::new(name, address))
}

fn date(date: Timestamp) -> Result<SystemTime, Unsendable> {
    let since_1970 = u64::try_from(date.as_second()).map_err(|_negative| Unsendable::Date)?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(since_1970))
}

fn bracketed(id: &str) -> String {
    format!("<{id}>")
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn mail() -> OutgoingMail {
        OutgoingMail {
            from: ("Ada Löve".into(), "ada@one.test".parse().unwrap()),
            to: ("Bob".into(), "bob@two.test".parse().unwrap()),
            subject: "Lunch on Thursday?".into(),
            text: "Hello Bob,\n\nsee you at twelve.\n".into(),
            message_id: "slot-1@one.test".into(),
            date: "2026-03-04T05:06:07Z".parse().unwrap(),
            in_reply_to: None,
            references: vec![],
            headers: vec![("X-AW-Token".into(), "v1.abc-_=".into())],
        }
    }

    #[test]
    fn a_plain_mail() {
        let built = String::from_utf8(build(&mail()).unwrap()).unwrap();
        insta::assert_snapshot!(built.replace("\r\n", "\n"), @r#"
        From: =?utf-8?b?QWRhIEzDtnZl?= <ada@one.test>
        To: Bob <bob@two.test>
        Subject: Lunch on Thursday?
        Message-ID: <slot-1@one.test>
        Date: Wed, 04 Mar 2026 05:06:07 +0000
        X-AW-Token: v1.abc-_=
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 7bit

        Hello Bob,

        see you at twelve.
        "#);
    }

    #[test]
    fn a_reply_keeps_its_thread_and_any_script() {
        let built = build(&OutgoingMail {
            subject: "Re: Übergrößenträger und 昼食の予定 ".repeat(6),
            text: format!("Gerne!\n{}\n.\n..x\n", "Größe ".repeat(300)),
            in_reply_to: Some("b@two.test".into()),
            references: (0..40).map(|i| format!("thread-{i}@one.test")).collect(),
            ..mail()
        })
        .unwrap();
        let text = std::str::from_utf8(&built).unwrap();
        assert!(text.is_ascii());
        assert!(text.split("\r\n").all(|line| line.len() <= 78), "{text}");
        assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        let parsed = MessageParser::default().parse(&built).unwrap();
        assert_eq!(
            parsed.subject().unwrap().trim(),
            "Re: Übergrößenträger und 昼食の予定 ".repeat(6).trim()
        );
        assert_eq!(parsed.in_reply_to().as_text(), Some("b@two.test"));
        assert_eq!(parsed.references().as_text_list().unwrap().len(), 40);
        let body = parsed.body_text(0).unwrap();
        assert!(
            body.contains(&"Größe ".repeat(300).trim_end().to_owned()) && body.contains("\n..x")
        );
    }

    #[test]
    fn spaces_between_encoded_words_survive_as_one() {
        let built = build(&OutgoingMail {
            subject: " Übung  größer   ärger ".into(),
            ..mail()
        });
        let built = built.unwrap();
        let parsed = MessageParser::default().parse(&built).unwrap();
        assert_eq!(parsed.subject(), Some("Übung größer ärger"));
    }

    #[test]
    fn what_a_header_could_misread_is_refused() {
        let id = |id: &str| OutgoingMail {
            message_id: id.into(),
            ..mail()
        };
        let subject = |subject: &str| OutgoingMail {
            subject: subject.into(),
            ..mail()
        };
        let header = |name: &str, value: &str| OutgoingMail {
            headers: vec![(name.into(), value.into())],
            ..mail()
        };
        let long = "a".repeat(901);
        for (mail, error) in [
            (subject("a\r\nBcc: x@y.z"), Unsendable::Subject),
            (subject("a\nb"), Unsendable::Subject),
            (subject("a\0b"), Unsendable::Subject),
            (subject("a\u{2028}b"), Unsendable::Subject),
            (subject("a\u{85}b"), Unsendable::Subject),
            (subject("=?utf-8?q?a=0D=0ABcc:_x?="), Unsendable::Subject),
            (subject("x =?utf-8?b?YQ==?="), Unsendable::Subject),
            (subject(&long), Unsendable::Subject),
            (id(""), Unsendable::MessageId),
            (id("a"), Unsendable::MessageId),
            (id("<a@b>"), Unsendable::MessageId),
            (id("a@b\r\nBcc: x"), Unsendable::MessageId),
            (id("a b@c"), Unsendable::MessageId),
            (id("a@b@c"), Unsendable::MessageId),
            (id("ä@b"), Unsendable::MessageId),
            (id("\"a\"@b"), Unsendable::MessageId),
            (header("Bcc", "x@y.z"), Unsendable::Header),
            (header("bcc", "x@y.z"), Unsendable::Header),
            (header("Content-Type", "text/html"), Unsendable::Header),
            (header("X-A: b", "c"), Unsendable::Header),
            (header("X-A\r\n", "c"), Unsendable::Header),
            (header("X-A", "c\r\nBcc: x"), Unsendable::Header),
            (header("X-A", "ü"), Unsendable::Header),
            (header("", "c"), Unsendable::Header),
            (
                OutgoingMail {
                    from: ("A\r\nBcc: x".into(), mail().from.1),
                    ..mail()
                },
                Unsendable::Name,
            ),
            (
                OutgoingMail {
                    references: vec!["a@b".into(), "c".into()],
                    ..mail()
                },
                Unsendable::MessageId,
            ),
            (
                OutgoingMail {
                    text: "a\0".into(),
                    ..mail()
                },
                Unsendable::Text,
            ),
            (
                OutgoingMail {
                    date: "1969-12-31T23:59:59Z".parse().unwrap(),
                    ..mail()
                },
                Unsendable::Date,
            ),
        ] {
            assert_eq!(build(&mail), Err(error), "{mail:?}");
        }
    }

    #[test]
    fn names_of_people_survive() {
        for name in [
            "",
            "Ada",
            "O'Brien, \"Bo\" (Jr.)",
            "Dr. Å. Ström @ Home <x>",
            "名前",
            "a\\b",
        ] {
            let built = build(&OutgoingMail {
                from: (name.into(), mail().from.1),
                ..mail()
            });
            let built = built.unwrap_or_else(|e| panic!("{name}: {e}"));
            let parsed = MessageParser::default().parse(&built).unwrap();
            let from = parsed.from().unwrap().first().unwrap();
            assert_eq!(from.name.as_deref().unwrap_or_default(), name);
            assert_eq!(from.address.as_deref(), Some("ada@one.test"));
        }
    }

    proptest! {
        #[test]
        fn no_content_adds_a_header_or_breaks_a_line(
            subject in "(\\PC|[ =?\r\n\u{2028}]){0,120}",
            name in "(\\PC|[ \"\\\\,<>@\r\n]){0,40}",
            text in "(\\PC|[\r\n.\t ]){0,400}",
        ) {
            let outgoing = OutgoingMail {
                subject: subject.clone(),
                from: (name.clone(), mail().from.1),
                text,
                ..mail()
            };
            if let Ok(built) = build(&outgoing) {
                let text = std::str::from_utf8(&built).unwrap();
                let (head, _) = text.split_once("\r\n\r\n").unwrap();
                let names: Vec<&str> = head
                    .split("\r\n")
                    .filter(|line| !line.starts_with([' ', '\t']))
                    .map(|line| line.split(':').next().unwrap())
                    .collect();
                prop_assert_eq!(names, [
                    "From", "To", "Subject", "Message-ID", "Date", "X-AW-Token", "MIME-Version", "Content-Type",
                    "Content-Transfer-Encoding",
                ]);
                prop_assert!(text.is_ascii());
                prop_assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
                let parsed = MessageParser::default().parse(&built).unwrap();
                let collapse = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                prop_assert_eq!(collapse(parsed.subject().unwrap_or_default()), collapse(&subject));
                let from = parsed.from().unwrap().first().unwrap();
                prop_assert_eq!(from.address.as_deref(), Some("ada@one.test"));
                prop_assert_eq!(collapse(from.name.as_deref().unwrap_or_default()), collapse(&name));
            }
        }
    }
}
