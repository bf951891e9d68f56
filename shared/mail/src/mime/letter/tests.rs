//! What is built is what a parser reads.

use agentwarm_app::ports::letters::Draft;
use agentwarm_core::mail::message_id::of_letter;
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

use super::*;

fn letter(body: Body, attachments: Vec<Attachment>) -> Letter {
    Letter {
        from: ("Ada Löve".into(), "ada@one.test".parse().unwrap()),
        draft: Draft {
            to: vec![("Bob".into(), "bob@two.test".parse().unwrap())],
            cc: vec![(String::new(), "cc@xn--bcher-kva.example".parse().unwrap())],
            bcc: vec![(String::new(), "hidden@two.test".parse().unwrap())],
            subject: "Hello".into(),
            body,
            attachments,
            in_reply_to: Some("<a@b>".parse().unwrap()),
            references: vec!["<r@b>".parse().unwrap(), "<a@b>".parse().unwrap()],
        },
        message_id: of_letter(7, "one.test"),
        date: "2026-03-04T05:06:07Z".parse().unwrap(),
    }
}

fn both() -> Body {
    Body::Both {
        text: "Grüße\n.\n".into(),
        html: "<p>Grüße</p>".into(),
    }
}

fn file(filename: &str, content: &[u8]) -> Attachment {
    Attachment {
        filename: filename.into(),
        content_type: "application/pdf".into(),
        content: content.to_vec(),
    }
}

#[test]
fn a_letter_with_everything() {
    let built = build_letter(&letter(both(), vec![file("report.pdf", b"%PDF-1")])).unwrap();
    let built = String::from_utf8(built).unwrap();
    assert!(!built.contains("hidden"));
    insta::assert_snapshot!(built.replace("\r\n", "\n"), @r#"
    From: =?utf-8?b?QWRhIEzDtnZl?= <ada@one.test>
    To: Bob <bob@two.test>
    Cc: cc@xn--bcher-kva.example
    Subject: Hello
    Message-ID: <00000000000000000000000000000007.mail@one.test>
    Date: Wed, 04 Mar 2026 05:06:07 +0000
    In-Reply-To: <a@b>
    References: <r@b> <a@b>
    MIME-Version: 1.0
    Content-Type: multipart/mixed;
     boundary="=_00000000000000000000000000000007mailonetest_mixed"

    --=_00000000000000000000000000000007mailonetest_mixed
    Content-Type: multipart/alternative;
     boundary="=_00000000000000000000000000000007mailonetest_alternative"

    --=_00000000000000000000000000000007mailonetest_alternative
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: base64

    R3LDvMOfZQ0KLg==
    --=_00000000000000000000000000000007mailonetest_alternative
    Content-Type: text/html; charset=utf-8
    Content-Transfer-Encoding: quoted-printable

    <p>Gr=C3=BC=C3=9Fe</p>
    --=_00000000000000000000000000000007mailonetest_alternative--
    --=_00000000000000000000000000000007mailonetest_mixed
    Content-Disposition: attachment; filename="report.pdf"
    Content-Type: application/pdf
    Content-Transfer-Encoding: base64

    JVBERi0x
    --=_00000000000000000000000000000007mailonetest_mixed--
    "#);
}

#[test]
fn the_same_letter_is_the_same_bytes() {
    let letter = letter(both(), vec![file("a.pdf", b"a"), file("b.pdf", b"b")]);
    assert_eq!(build_letter(&letter), build_letter(&letter));
}

#[test]
fn html_alone_is_one_part() {
    let built = build_letter(&letter(Body::Html("<p>ü</p>".into()), vec![])).unwrap();
    let parsed = MessageParser::default().parse(&built).unwrap();
    assert_eq!(parsed.content_type().unwrap().subtype(), Some("html"));
    assert_eq!(parsed.body_html(0).unwrap().trim_end(), "<p>ü</p>");
}

#[test]
fn what_no_header_carries_is_refused() {
    let with = |file| build_letter(&letter(both(), vec![file]));
    for name in [
        "",
        "a\r\nBcc: x@y.z",
        "a\0",
        "=?utf-8?q?a=0D=0A?=",
        "a\u{2028}b",
    ] {
        assert_eq!(
            with(file(name, b"")),
            Err(Unsendable::Attachment),
            "{name:?}"
        );
    }
    let endless = format!("a/{}", "b".repeat(900));
    for content_type in ["", "pdf", "a/b\r\nX: y", endless.as_str()] {
        let bad = Attachment {
            content_type: content_type.into(),
            ..file("a", b"")
        };
        assert_eq!(with(bad), Err(Unsendable::Attachment), "{content_type:?}");
    }
    let text = Body::Text("a\0".into());
    assert_eq!(build_letter(&letter(text, vec![])), Err(Unsendable::Text));
}

#[test]
fn subjects_of_998_characters_pass_in_any_script() {
    for c in ["é", "日", "📬", "a "] {
        let mut letter = letter(both(), vec![]);
        letter.draft.subject = c.repeat(998 / c.chars().count()).trim_end().to_owned();
        let built = build_letter(&letter).unwrap();
        assert!(built.split(|b| *b == b'\n').all(|line| line.len() <= 998));
        let parsed = MessageParser::default().parse(&built).unwrap();
        assert_eq!(parsed.subject(), Some(letter.draft.subject.as_str()));
    }
}

proptest! {
    #[test]
    fn files_arrive_byte_for_byte_under_their_names(
        content in prop::collection::vec(any::<u8>(), 0..600),
        name in "\\PC{1,60}",
        text in "(\\PC|[\r\n.=_\t -]){0,200}",
    ) {
        let body = Body::Both { html: text.clone(), text };
        let letter = letter(body, vec![file(&name, &content), file("b", b"b")]);
        let Ok(built) = build_letter(&letter) else { return Ok(()) };
        prop_assert!(built.is_ascii());
        prop_assert!(built.split(|b| *b == b'\n').all(|line| line.len() <= 999));
        let parsed = MessageParser::default().parse(&built).unwrap();
        let files: Vec<_> = parsed.attachments().collect();
        prop_assert_eq!(files.len(), 2);
        prop_assert_eq!(files[0].contents(), &content[..]);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(words(files[0].attachment_name().unwrap_or_default()), words(&name));
    }
}
