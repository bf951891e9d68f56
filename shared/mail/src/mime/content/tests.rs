//! Messages of real programs, and of hostile ones.

use base64::Engine as _;
use proptest::prelude::*;

use super::*;

fn read(source: &str) -> MailContent {
    read_content(source.replace('\n', "\r\n").into_bytes(), true)
}

const EVERYTHING: &str = "\
From: =?utf-8?q?Zo=C3=AB?= <zoe@one.test>
To: a@two.test, \"B, C\" <b@two.test>
Cc: c@two.test
Subject: =?utf-8?b?5pi86aOf?= on
 Friday
Message-ID: <m@one.test>
In-Reply-To: <r@two.test>
References: <q@two.test> <r@two.test>
Date: Fri, 13 Mar 2026 11:30:00 +0200
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe=00
--y
Content-Type: text/html

<p>Gr&uuml;&szlig;e</p>
--y--
--x
Content-Type: application/pdf
Content-Disposition: attachment; filename*0*=utf-8''%C3%9Cber; filename*1*=sicht.pdf
Content-Transfer-Encoding: base64

JVBERi0x
--x--
";

#[test]
fn a_message_with_everything() {
    insta::assert_debug_snapshot!(read(EVERYTHING), @r#"
    MailContent {
        message_id: Some(
            "m@one.test",
        ),
        in_reply_to: Some(
            "r@two.test",
        ),
        references: [
            "q@two.test",
            "r@two.test",
        ],
        from: [
            Mailbox {
                name: "Zoë",
                address: "zoe@one.test",
            },
        ],
        to: [
            Mailbox {
                name: "",
                address: "a@two.test",
            },
            Mailbox {
                name: "B, C",
                address: "b@two.test",
            },
        ],
        cc: [
            Mailbox {
                name: "",
                address: "c@two.test",
            },
        ],
        subject: "昼食 on Friday",
        date: Some(
            2026-03-13T09:30:00Z,
        ),
        text: "Grüße",
        html: Some(
            "<p>Gr&uuml;&szlig;e</p>",
        ),
        attachments: [
            AttachedFile {
                filename: "Übersicht.pdf",
                content_type: "application/pdf",
                size: Some(
                    6,
                ),
            },
        ],
        is_truncated: false,
    }
    "#);
}

#[test]
fn html_alone_is_text_too() {
    let read = read("Content-Type: text/html\n\n<p>Hi <b>you</b></p><script>x</script>\n");
    assert!(read.text.contains("Hi you"), "{read:?}");
    assert!(read.html.unwrap().contains("<b>you</b>"));
    assert!(read.attachments.is_empty());
}

#[test]
fn of_a_message_that_is_cut_off_only_the_size_of_its_last_file_is_unknown() {
    let two = EVERYTHING.replace(
        "--x--\n",
        "--x\nContent-Type: image/png; name=\"b.png\"\n\nAAAA",
    );
    let cut = read_content(two.replace('\n', "\r\n").into_bytes(), false);
    assert!(cut.is_truncated);
    let files: Vec<_> = cut
        .attachments
        .iter()
        .map(|file| (file.filename.as_str(), file.size))
        .collect();
    assert_eq!(files, [("Übersicht.pdf", Some(6)), ("b.png", None)]);
}

#[test]
fn a_message_within_is_a_file() {
    let read = read(
        "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nSee below.\n--x\n\
         Content-Type: message/rfc822; name=\"message.eml\"\n\nSubject: inner\n\ninner text\n--x--\n",
    );
    assert_eq!(read.text.trim_end(), "See below.");
    let file = &read.attachments[0];
    let found = (file.filename.as_str(), file.content_type.as_str());
    assert_eq!(found, ("message.eml", "message/rfc822"));
}

#[test]
fn a_file_of_no_type_that_can_be_said_is_bytes() {
    for kind in ["\u{16}\u{16}", ";;", ""] {
        let read = read(&format!(
            "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nSee below.\n--x\n\
             Content-Type: {kind}\nContent-Disposition: attachment; filename=a\n\nA\n--x--\n"
        ));
        let kinds: Vec<_> = read
            .attachments
            .iter()
            .map(|it| it.content_type.as_str())
            .collect();
        assert_eq!(kinds, ["application/octet-stream"], "{kind:?}");
    }
}

#[test]
fn nothing_of_a_stranger_is_long_or_breaks_a_line() {
    let name = "é".repeat(3_000);
    let source = format!(
        "From: {name} <{}@x.de>\nTo: {}\nSubject: a\u{7}b =?utf-8?q?c=0D=0Ad?=\nReferences: {}\n\n{}",
        "a".repeat(5_000),
        "a@b.de, ".repeat(500),
        "<a@b.de> ".repeat(500),
        "é\u{1b}[2J".repeat(100_000),
    );
    let read = read(&source);
    assert_eq!(read.from[0].name.chars().count(), LONGEST_LINE);
    assert!(read.from[0].address.len() <= LONGEST_LINE);
    assert_eq!((read.to.len(), read.references.len()), (MOST, MOST));
    assert_eq!(read.subject, "a b c d");
    assert!(read.is_truncated && read.text.len() <= LONGEST_TEXT);
    assert!(!read.text.contains('\u{1b}'));
}

#[test]
fn multiparts_beyond_a_number_are_files() {
    let level = |n| format!("Content-Type: multipart/mixed; boundary=b{n}.\n\n--b{n}.\n");
    let end = |n| format!("--b{n}.--\n");
    let deep = |levels| {
        let begins: String = (0..levels).map(level).collect();
        let ends: String = (0..levels).rev().map(end).collect();
        format!("{begins}\nfound\n{ends}")
    };
    assert_eq!(read(&deep(50)).text, "found");
    let closed = read(&deep(51));
    assert_eq!(closed.text, "");
    assert_eq!(closed.attachments[0].content_type, "multipart/mixed");
}

#[test]
fn a_message_is_read_as_far_as_it_is_cheap() {
    let costly = "Subject: x\n".to_owned() + &"a:\n".repeat(50_000) + "To: a@b.de\n";
    for is_whole in [true, false] {
        let read = read_content(costly.clone().into_bytes(), is_whole);
        assert!(read.is_truncated);
        assert_eq!((read.subject.as_str(), read.to.len()), ("x", 0));
    }
}

#[test]
fn nesting_and_countless_parts_are_read_on_a_small_stack() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(20_000);
    let encoded = |name| {
        format!(
            "{name}: (;) MESSAGE/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64::engine::general_purpose::STANDARD.encode(&nested)
        )
    };
    let encoded = ["Content-Type", "Content -Type"].map(encoded);
    let digest = "Content-Type:\r\n multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n".repeat(20_000);
    let parts = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\n".repeat(100_000)
    );
    let level = |n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    let deep = (0..5_000).map(level).collect::<Vec<_>>().concat();
    let tags = format!("Content-Type: text/html\r\n\r\n{}", "<div>".repeat(200_000));
    std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(move || {
            let others = [nested, digest, parts, deep, tags];
            for source in encoded.into_iter().chain(others) {
                let read = read_content(source.into_bytes(), true);
                assert!(read.attachments.len() <= MOST);
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn a_text_may_speak_of_messages_and_their_types() {
    let said = "The Content-Type: Message/rfc822 of a multipart/digest; or message.";
    let one = |of: &str| read(&format!("Subject: {said}\nContent-Type: {of}\n\n{said}\n"));
    let plain = one("text/plain");
    assert_eq!((plain.subject.as_str(), plain.text.as_str()), (said, said));
    let html = one("text/html");
    assert_eq!(html.text, said);
    assert_eq!(html.html.unwrap().trim(), said);
}

proptest! {
    #[test]
    fn nothing_panics(source in prop::collection::vec(any::<u8>(), 0..400), is_whole: bool) {
        let _ = read_content(source, is_whole);
    }

    #[test]
    fn what_is_cut_anywhere_is_read(at in 0_usize..900, is_whole: bool) {
        let source = EVERYTHING.replace('\n', "\r\n");
        let source = source.get(..at.min(source.len())).unwrap();
        let read = read_content(source.as_bytes().to_vec(), is_whole);
        prop_assert!(read.is_truncated || is_whole);
    }
}
