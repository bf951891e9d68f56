//! Answers that are short enough and not true.

use agentwarm_app::ports::mail::{ConnectFailure, TlsMode};
use agentwarm_testkit::scripted::selected;

use crate::behaviour::{Act, BUSY, Behaviour, Outcome, Task, UNREACHABLE, insecure, protocol};
use crate::imap_server::{Step, wrong, wrong_by};
use crate::measure::measure_waiting;

fn lie(name: &str, at: Step, answer: impl Into<Vec<u8>>, expected: Outcome) -> Behaviour {
    wrong(name, Task::Read, at, Act::Instead(answer.into()), expected)
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_do_no_harm() {
    let lies = [
        literals_that_lie(),
        numbers_and_texts_that_lie(),
        logins_that_lie(),
    ];
    measure_waiting(lies.into_iter().flatten().collect()).await;
}

fn literals_that_lie() -> Vec<Behaviour> {
    let fetch = "* 1 FETCH (UID 7 BODY[]<0> ";
    vec![
        lie(
            "a literal that is longer than it says",
            Step::Headers,
            format!("{fetch}{{5}}\r\nMessage-ID: <a@x>\r\n\r\n)\r\nTAG OK done\r\n"),
            Outcome::Works,
        ),
        lie(
            "a literal that is shorter than it says",
            Step::Headers,
            format!("{fetch}{{100000}}\r\nMessage-ID: <a@x>\r\n\r\n)\r\nTAG OK done\r\n"),
            UNREACHABLE,
        ),
        lie(
            "literals of half and less than no bytes",
            Step::Headers,
            format!("{fetch}{{-5}}\r\n{fetch}{{0.5}}\r\n{fetch}{{-1+}}\r\nTAG OK done\r\n"),
            Outcome::Works,
        ),
        lie(
            "a literal that does not say its size",
            Step::Headers,
            format!("{fetch}{{}}\r\nTAG OK done\r\n"),
            // It counts as an empty one, so the line after it goes on.
            UNREACHABLE,
        ),
        lie(
            "a literal in every place that has none",
            Step::Select,
            "* {1}\r\nx EXISTS {1}\r\nx\r\n* OK [UIDVALIDITY {1}\r\nTAG OK done\r\n",
            protocol("a folder has no UIDVALIDITY"),
        ),
    ]
}

fn numbers_and_texts_that_lie() -> Vec<Behaviour> {
    vec![
        lie(
            "a folder with four billion messages",
            Step::Select,
            selected(1, u32::MAX, u32::MAX),
            BUSY,
        ),
        lie(
            "numbers at the end of their range and beyond",
            Step::Search,
            "* SEARCH 4294967295 4294967296 0 -1 99999999999999999999 x\r\nTAG OK done\r\n",
            Outcome::Works,
        ),
        lie(
            "bytes that are no text",
            Step::List,
            b"* LIST (\\Junk \xff\xfe) \"\xc3\" \"\xed\xa0\x80\"\r\n* LIST (\\Junk) \"/\" \"&AAAA\"\r\n* OK [ALERT]\xc3\r\nTAG OK \xff\r\n",
            // The folder is listed and cannot be a folder of this server; it answers what it always does.
            Outcome::Works,
        ),
        lie("a tag of its own", Step::Select, "b7 OK done\r\n", UNREACHABLE),
        lie("a tag from the future", Step::List, "a9 OK done\r\nTAG OK done\r\n", Outcome::Works),
        lie(
            "a command that ended before it was sent",
            Step::List,
            "TAG OK done\r\na4 OK early\r\na5 OK early\r\na6 OK early\r\n",
            protocol("a folder has no UIDVALIDITY"),
        ),
    ]
}

fn logins_that_lie() -> Vec<Behaviour> {
    vec![
        lie(
            "it logs us in by itself",
            Step::Greeting,
            "* PREAUTH welcome\r\n",
            protocol("it logs in by itself"),
        ),
        lie(
            "it is no mail server",
            Step::Greeting,
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            protocol("its greeting is not IMAP"),
        ),
        lie(
            "challenges without end",
            Step::Login,
            "+ \r\n".repeat(10),
            protocol("its challenges do not end"),
        ),
        lie(
            "it sends us elsewhere",
            Step::Login,
            "TAG NO [REFERRAL imap://169.254.169.254/] over there\r\n",
            Outcome::Fails(ConnectFailure::Credentials),
        ),
        lie(
            "it offers to compress",
            Step::Login,
            "TAG OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE MOVE] in\r\n",
            Outcome::Works,
        ),
        wrong_by(
            TlsMode::StartTls,
            "STARTTLS is taken out of the dialogue",
            Task::Read,
            Step::StartTls,
            Act::Last(b"a1 BAD unknown command\r\n".to_vec()),
            insecure("STARTTLS is refused"),
        ),
        wrong_by(
            TlsMode::StartTls,
            "words put in front of TLS",
            Task::Read,
            Step::StartTls,
            Act::Instead(
                b"TAG OK go\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\na2 OK in\r\n".to_vec(),
            ),
            insecure("it sent plain text ahead of TLS"),
        ),
    ]
}
