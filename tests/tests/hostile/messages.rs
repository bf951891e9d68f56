//! What may lie in a mailbox: messages made to cost more than they are. Each is read in both ways at once: by the engine's visit, which takes it
//! for a delivery report, and by showing the folder, which reads as much as it ever reads.

use std::sync::Arc;

use agentwarm_app::ports::mail::TlsMode;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::behaviour::{Act, Behaviour, Outcome, Task};
use crate::imap_server::{self, Fault, MAY_BE_REPORT, Messages, Step};
use crate::measure::measure_working;

/// As much as is ever read of one message.
const SIZE: usize = 2 * 1024 * 1024;

async fn read_well(messages: Vec<(&str, Vec<u8>)>) {
    let behaviours = messages.into_iter();
    let behaviours = behaviours.map(|(name, source)| holding(2, MAY_BE_REPORT, name, source));
    measure_working(behaviours.collect()).await;
}

/// A server that does what it should and holds this.
fn holding(count: u32, headers: &'static str, name: &str, source: Vec<u8>) -> Behaviour {
    let source = Arc::new(source);
    let messages = Messages {
        source,
        count,
        headers,
    };
    let nothing = Fault {
        at: Step::Other,
        act: Act::Nothing,
    };
    let serve = move || imap_server::serve(nothing.clone(), messages.clone());
    let name = format!("mail: {name}");
    Behaviour::new(name, Task::Browse, TlsMode::Implicit, serve, Outcome::Works)
}

/// As many as are shown at once, and as long as a text is shown.
#[tokio::test(flavor = "multi_thread")]
async fn many_long_mails() {
    const NO_REPORT: &str = "Message-ID: <long@one.test>\r\n\r\n";
    let text = |kind: &str| {
        let head = format!("Content-Type: text/{kind}; charset=windows-1252\r\n\r\n");
        [head.as_bytes(), &b"\x80".repeat(110_000)].concat()
    };
    measure_working(vec![
        holding(100, NO_REPORT, "a hundred long texts", text("plain")),
        holding(100, NO_REPORT, "a hundred long pages", text("html")),
    ])
    .await;
}

/// `part` as often as it fits, behind `head`.
fn filled(head: &str, part: &[u8]) -> Vec<u8> {
    let mut source = head.as_bytes().to_vec();
    source.extend_from_slice(&part.repeat((SIZE - head.len()) / part.len()));
    source
}

/// The numbered parts that fit, behind `head`.
fn counted(head: &str, part: impl Fn(usize) -> String) -> Vec<u8> {
    let mut source = head.to_owned();
    for i in 0.. {
        let part = part(i);
        if source.len() + part.len() > SIZE {
            break;
        }
        source.push_str(&part);
    }
    source.into_bytes()
}

/// A message whose only part is this one, encoded.
fn in_base64(message: &str) -> Vec<u8> {
    let head = "Content -Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    [head, &BASE64_STANDARD.encode(message)]
        .concat()
        .into_bytes()
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
const REPORT: &str = "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_end() {
    read_well(vec![
        ("a million headers", b"a:\r\n".repeat(1_000_000)),
        ("headers of one letter each", filled("", b"a:\n")),
        ("recipients without end", filled("To: ", b"a@b,")),
        ("groups without end", filled("To: ", b"a:b;")),
        ("nothing but commas", filled("To: ", b",")),
        ("references without end", filled("References: ", b"<a>")),
        ("words without end", filled("Subject: ", b"a ")),
        ("folded lines without end", filled("Subject: a", b"\r\n a")),
        (
            "encoded words without end",
            filled("Subject: ", b"=?utf-8?q?=41?= "),
        ),
        (
            "parameters without end",
            counted("Content-Type: text/plain", |i| format!(";a{i}=b")),
        ),
        (
            "continued parameters without end",
            counted("Content-Type: text/plain", |i| format!(";a*{i}*=b")),
        ),
        (
            "parameters in languages without end",
            counted("Content-Type: text/plain", |i| format!(";a{i}*='x'y")),
        ),
        ("comments in comments", filled("Content-Type: ", b"(")),
        ("keywords without end", filled("Keywords: ", b"a,")),
        (
            "hops without end",
            filled("", b"Received: from a by b;\r\n"),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_without_end() {
    let deep = |i| format!("Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n");
    read_well(vec![
        ("parts of nothing", filled(MIXED, b"--b\r\n\r\n")),
        (
            "parts with a type",
            filled(MIXED, b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"),
        ),
        ("parts in parts", counted("", deep)),
        (
            "messages in messages",
            filled("", b"Content-Type: message/rfc822\r\n\r\n"),
        ),
        (
            "messages in messages whose type has a space in its name",
            filled("", b"Content -Type:message/rfc822\n\n"),
        ),
        (
            "the same in base64",
            in_base64(&"Content -Type:message/rfc822\n\n".repeat(SIZE / 42)),
        ),
        (
            "fields within a field",
            filled("Content-Type: x;", b" Content-Type: message"),
        ),
        (
            "digests in digests",
            filled(
                "",
                b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n",
            ),
        ),
        (
            "parts whose own parts never begin",
            filled(
                MIXED,
                b"--b\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n",
            ),
        ),
        (
            "parts in base64 that never ends",
            filled(
                MIXED,
                b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\nQUFB\r\n",
            ),
        ),
        ("one boundary for all depths", filled("", MIXED.as_bytes())),
        (
            "attachments without end",
            filled(
                MIXED,
                b"--b\r\nContent-Disposition: attachment; filename=a\r\n\r\n",
            ),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encodings_and_charsets() {
    let text = |charset: &str, encoding: &str| {
        format!(
            "Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        )
    };
    let html = "Content-Type: text/html\r\n\r\n";
    read_well(vec![
        ("bytes that grow threefold", filled(&text("windows-1252", "8bit"), b"\x80")),
        ("bytes that are no UTF-8", filled(&text("utf-8", "8bit"), b"\xff")),
        ("half a character", filled(&text("utf-16", "8bit"), b"\xd8")),
        ("a charset that nobody knows", filled(&text("x-\u{fc}-\u{0}", "8bit"), b"\xe4\x0e\x1b$B")),
        ("UTF-7 that is none", filled(&text("utf-7", "7bit"), b"+AGEA+-&")),
        ("escapes of ISO 2022", filled(&text("iso-2022-jp", "7bit"), b"\x1b$B\x1b(J")),
        ("quoted-printable that is none", filled(&text("utf-8", "quoted-printable"), b"==\xff=4")),
        ("base64 that is none", filled(&text("utf-8", "base64"), b"=A=\xffB")),
        ("an encoding that nobody knows", filled(&text("utf-8", "x-gzip"), b"\x1f\x8b\x08\x00")),
        ("a gzip bomb", filled("Content-Type: application/gzip\r\nContent-Encoding: gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n", b"H4sIAAAAAAAA/2NgGAWjYBSMglEw")),
        ("tags without end", filled(html, b"<div>")),
        ("entities without end", filled(html, b"&lt;")),
        ("HTML that never begins", filled(html, b"<!--<")),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_without_end() {
    let feedback = "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n";
    read_well(vec![
        (
            "a report about everybody",
            filled(
                REPORT,
                b"Action: failed\r\nFinal-Recipient: rfc822; a@b\r\n\r\n",
            ),
        ),
        ("fields without end", filled(REPORT, b"a:\n")),
        ("groups of nothing", filled(REPORT, b"\n")),
        (
            "a field that does not end",
            filled(REPORT, b"Diagnostic-Code: smtp; 550\r\n 5.1.1"),
        ),
        (
            "a complaint about everything",
            filled(feedback, b"Feedback-Type: abuse\r\n"),
        ),
        ("a complaint without end", filled(feedback, b"a:b\n")),
        (
            "a bounce for people",
            filled(
                "X-Failed-Recipients: a@b.de\r\n\r\n------ This is a copy of\r\n",
                b"Message-ID: <a\r\n",
            ),
        ),
    ])
    .await;
}
