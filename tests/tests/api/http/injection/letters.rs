//! The letters that texts come to stand in: what `/send` posts, as the bytes that a server is given.

use agentwarm_app::ports::letters::{Attachment, Body, Correspondent, Draft, Letter};
use agentwarm_app::ports::mail::Folder;
use agentwarm_core::mail::message_id::{MessageId, of_letter};
use agentwarm_mail::mime::build::Unsendable;
use agentwarm_mail::mime::letter::build_letter;
use agentwarm_testkit::payloads::payloads;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{HeaderValue, Message, MessageParser, MessagePart, MimeHeaders as _};
use serde_json::Value;

use super::super::client::Api;
use super::super::send::letters;
use super::is_one_visible_line;
use super::mails::{check_people, check_wire, lines, words};

/// Puts the text there, if its type takes it.
type Put = fn(&mut Letter, &str) -> Option<()>;

/// The texts of a letter.
const PARTS: &[(&str, Put)] = &[
    ("sender's name", |letter, text| name(&mut letter.from, text)),
    ("name in To", |letter, text| {
        name(&mut letter.draft.to[0], text)
    }),
    ("name in Cc", |letter, text| {
        name(&mut letter.draft.cc[0], text)
    }),
    ("name in Bcc", |letter, text| {
        name(&mut letter.draft.bcc[0], text)
    }),
    ("sender's address", |letter, text| {
        put(&mut letter.from.1, format!("{text}@one.test").parse().ok())
    }),
    ("address in To", |letter, text| {
        let address = format!("{text}@two.test").parse().ok();
        put(&mut letter.draft.to[0].1, address)
    }),
    ("domain in Cc", |letter, text| {
        let address = format!("cc@{text}").parse().ok();
        put(&mut letter.draft.cc[0].1, address)
    }),
    ("subject", |letter, text| {
        put(&mut letter.draft.subject, Some(text.to_owned()))
    }),
    ("Message-ID", |letter, text| {
        put(&mut letter.message_id, id(text))
    }),
    ("In-Reply-To", |letter, text| {
        put(&mut letter.draft.in_reply_to, Some(Some(id(text)?)))
    }),
    ("References", |letter, text| {
        put(&mut letter.draft.references[0], id(text))
    }),
    ("text", |letter, text| {
        put(&mut letter.draft.body, Some(Body::Text(text.to_owned())))
    }),
    ("HTML", |letter, text| {
        put(&mut letter.draft.body, Some(Body::Html(text.to_owned())))
    }),
    ("text and HTML", |letter, text| {
        let [text, html] = [text, text].map(str::to_owned);
        put(&mut letter.draft.body, Some(Body::Both { text, html }))
    }),
    ("file's name", |letter, text| {
        put(&mut file(letter).filename, Some(text.to_owned()))
    }),
    ("file's media type", |letter, text| {
        put(&mut file(letter).content_type, Some(text.to_owned()))
    }),
    ("media type's second half", |letter, text| {
        put(
            &mut file(letter).content_type,
            Some(format!("application/{text}")),
        )
    }),
    ("file's bytes", |letter, text| {
        put(&mut file(letter).content, Some(text.as_bytes().to_vec()))
    }),
];

/// The builder of letters by itself, for what no user can set: a payload in each text of a letter.
#[test]
fn no_part_of_a_letter_becomes_another() {
    for (part, put) in PARTS {
        let mut built = 0;
        for payload in payloads() {
            for files in [0, 1] {
                let mut letter = letter(files);
                if put(&mut letter, &payload).is_none() {
                    continue;
                }
                match build_letter(&letter) {
                    Ok(bytes) => check_letter(&bytes, &letter),
                    Err(refused) => assert_ne!(refused, Unsendable::Build, "{part} {payload:?}"),
                }
                built += 1;
            }
        }
        // A domain is not built at all when it has any of it.
        assert!(built > 0 || *part == "domain in Cc", "{part}");
    }
}

fn put<T>(place: &mut T, text: Option<T>) -> Option<()> {
    *place = text?;
    Some(())
}

fn name(person: &mut Correspondent, text: &str) -> Option<()> {
    put(&mut person.0, Some(text.to_owned()))
}

fn id(text: &str) -> Option<MessageId> {
    format!("{text}@two.test").parse().ok()
}

/// A file of the letter's; one that is not sent if it has none.
fn file(letter: &mut Letter) -> &mut Attachment {
    let files = &mut letter.draft.attachments;
    if files.is_empty() {
        files.push(a_file());
    }
    &mut files[0]
}

fn a_file() -> Attachment {
    Attachment {
        filename: "a.pdf".into(),
        content_type: "application/pdf".into(),
        content: b"%PDF".to_vec(),
    }
}

fn letter(files: usize) -> Letter {
    let person =
        |name: &str, address: &str| -> Correspondent { (name.into(), address.parse().unwrap()) };
    Letter {
        from: person("Ada", "ada@one.test"),
        draft: Draft {
            to: vec![person("Bob", "bob@two.test"), person("", "eve@two.test")],
            cc: vec![person("Cy", "cc@two.test")],
            bcc: vec![person("Di", "hidden@two.test")],
            subject: "Lunch".into(),
            body: Body::Both {
                text: "Hello".into(),
                html: "<p>Hello</p>".into(),
            },
            attachments: vec![a_file(); files],
            in_reply_to: id("b"),
            references: vec![id("a").unwrap(), id("b").unwrap()],
        },
        message_id: of_letter(7, "one.test"),
        date: "2026-03-04T05:06:07Z".parse().unwrap(),
    }
}

/// The letter that was posted by `sender` and answered with `told`: what people read in it is one visible line each, and its bytes say
/// what is in it.
pub(super) fn check_posted(api: &Api, sender: &str, told: &Value) {
    let letter = letters(api, sender, Folder::Sent).pop().unwrap();
    assert_eq!(told["messageId"], letter.message_id.bracketed());
    let draft = &letter.draft;
    let people = draft.to.iter().chain(&draft.cc).chain(&draft.bcc);
    let names = people.map(|(name, _)| name);
    let files = draft.attachments.iter().map(|file| &file.filename);
    for text in names.chain(files).chain([&draft.subject]) {
        assert!(is_one_visible_line(text), "{text:?}");
    }
    let built = build_letter(&letter).unwrap_or_else(|error| panic!("{error}: {letter:?}"));
    check_letter(&built, &letter);
}

/// What was built has the headers and parts of the letter and no others, and they say what was meant.
fn check_letter(built: &[u8], meant: &Letter) {
    let text = check_wire(built);
    let draft = &meant.draft;
    let parsed = MessageParser::default().parse(built).unwrap();
    assert_eq!(
        parsed
            .headers_raw()
            .map(|(name, _)| name)
            .collect::<Vec<_>>(),
        head(meant),
        "{text}"
    );
    check_people(parsed.from(), std::slice::from_ref(&meant.from), text);
    check_people(parsed.to(), &draft.to, text);
    check_people(parsed.cc(), &draft.cc, text);
    assert_eq!(
        words(parsed.subject().unwrap_or_default()),
        words(&draft.subject)
    );
    assert_eq!(parsed.message_id(), Some(meant.message_id.as_str()));
    let thread: Vec<&str> = draft.references.iter().map(MessageId::as_str).collect();
    let answered = draft.in_reply_to.iter().map(MessageId::as_str);
    assert_eq!(ids(parsed.references()), thread);
    assert_eq!(
        ids(parsed.in_reply_to()),
        answered.collect::<Vec<_>>(),
        "{text}"
    );
    check_parts(&parsed, built, draft);
}

/// The names of a letter's headers, in order.
fn head(letter: &Letter) -> Vec<&'static str> {
    let draft = &letter.draft;
    let is_one_part = !matches!(draft.body, Body::Both { .. }) && draft.attachments.is_empty();
    let there = |is_there: bool, name| is_there.then_some(name);
    [
        Some("From"),
        there(!draft.to.is_empty(), "To"),
        there(!draft.cc.is_empty(), "Cc"),
        Some("Subject"),
        Some("Message-ID"),
        Some("Date"),
        there(draft.in_reply_to.is_some(), "In-Reply-To"),
        there(!draft.references.is_empty(), "References"),
        Some("MIME-Version"),
        Some("Content-Type"),
        there(is_one_part, "Content-Transfer-Encoding"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The parts, in their order, each with its own headers and what it holds.
fn check_parts(parsed: &Message<'_>, built: &[u8], draft: &Draft) {
    let mut parts = parsed.parts.iter().enumerate();
    let mut next = |media_type: &str, headers: &[&str]| -> &MessagePart<'_> {
        let (at, part) = parts.next().unwrap_or_else(|| panic!("no {media_type}"));
        let own = part.content_type().unwrap();
        let own = format!("{}/{}", own.ctype(), own.subtype().unwrap_or_default());
        assert!(own.eq_ignore_ascii_case(media_type), "{own} {media_type}");
        if at > 0 {
            let names = part.headers.iter().map(mail_parser::Header::name);
            assert_eq!(names.collect::<Vec<_>>(), headers, "{media_type}");
        }
        part
    };
    let leaf = ["Content-Type", "Content-Transfer-Encoding"];
    if !draft.attachments.is_empty() {
        next("multipart/mixed", &[]);
    }
    let bodies: &[(&str, &str)] = match &draft.body {
        Body::Text(text) => &[("text/plain", text)],
        Body::Html(html) => &[("text/html", html)],
        Body::Both { text, html } => {
            next("multipart/alternative", &["Content-Type"]);
            &[("text/plain", text), ("text/html", html)]
        }
    };
    for (media_type, meant) in bodies {
        let read = next(media_type, &leaf).text_contents().unwrap();
        assert_eq!(lines(read), lines(meant));
    }
    for file in &draft.attachments {
        let part = next(
            &file.content_type,
            &["Content-Disposition", leaf[0], leaf[1]],
        );
        let name = part.attachment_name().unwrap_or_default();
        assert_eq!(words(name), words(&file.filename));
        let body = &built[part.raw_body_offset() as usize..part.raw_end_offset() as usize];
        let encoded: Vec<u8> = body
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        assert_eq!(STANDARD.decode(encoded).as_ref(), Ok(&file.content));
    }
    assert!(parts.next().is_none(), "{draft:?}");
}

fn ids<'m>(header: &'m HeaderValue<'_>) -> Vec<&'m str> {
    match header.as_text_list() {
        Some(ids) => ids.iter().map(AsRef::as_ref).collect(),
        None => header.as_text().into_iter().collect(),
    }
}
