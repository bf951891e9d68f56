//! An IMAP server with some messages in each of two folders, which does all that is asked of it but for one thing.

use std::sync::Arc;

use agentwarm_app::ports::mail::TlsMode;
use agentwarm_testkit::scripted::{Peer, Script, script, selected};

use crate::behaviour::{Act, Behaviour, Outcome, Task};

/// A point of the dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Greeting,
    Capability,
    StartTls,
    Login,
    List,
    Select,
    Search,
    /// The headers of messages.
    Headers,
    /// A message, or its beginning.
    Body,
    Other,
}

/// The one thing.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) at: Step,
    pub(crate) act: Act,
}

/// What a server holds: the same message, so many times.
#[derive(Debug, Clone)]
pub(crate) struct Messages {
    pub(crate) source: Arc<Vec<u8>>,
    pub(crate) count: u32,
    /// What a visit learns of it first.
    pub(crate) headers: &'static str,
}

/// A delivery report.
pub(crate) const REPORT: &str = "From: MAILER-DAEMON@mx.test\r\nMessage-ID: <report@mx.test>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n\
    --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; nobody@two.test\r\n\
    Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n";

impl Messages {
    /// Two delivery reports.
    fn some() -> Self {
        Self {
            source: Arc::new(REPORT.into()),
            count: 2,
            headers: MAY_BE_REPORT,
        }
    }

    /// Their UIDs: 7, 9, 11 and so on.
    fn uids(&self) -> impl Iterator<Item = u32> {
        (0..self.count).map(|n| 7 + 2 * n)
    }
}

impl Step {
    /// What a command asks for.
    fn of(command: &str) -> Self {
        match command.to_ascii_uppercase() {
            line if line.starts_with("CAPABILITY") => Self::Capability,
            line if line.starts_with("STARTTLS") => Self::StartTls,
            line if line.starts_with("AUTHENTICATE") || line.starts_with("LOGIN") => Self::Login,
            line if line.starts_with("LIST") => Self::List,
            line if line.starts_with("SELECT") || line.starts_with("EXAMINE") => Self::Select,
            line if line.starts_with("UID SEARCH") => Self::Search,
            line if line.contains("HEADER.FIELDS") => Self::Headers,
            line if line.contains("BODY.PEEK[]") => Self::Body,
            _ => Self::Other,
        }
    }

    /// What a good server answers.
    fn answer(self, command: &str, messages: &Messages) -> Vec<u8> {
        let text = match self {
            Self::Greeting => "* OK hello\r\n".into(),
            Self::Capability => {
                "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR\r\nTAG OK done\r\n".into()
            }
            Self::Login => "TAG OK [CAPABILITY IMAP4rev1 MOVE] in\r\n".into(),
            Self::List => {
                "* LIST () \"/\" INBOX\r\n* LIST (\\Junk) \"/\" Junk\r\nTAG OK done\r\n".into()
            }
            Self::Select => selected(1, 1_000, messages.count),
            Self::Search => {
                let uids: Vec<String> = messages.uids().map(|uid| uid.to_string()).collect();
                format!("* SEARCH {}\r\nTAG OK done\r\n", uids.join(" "))
            }
            Self::StartTls | Self::Other => "TAG OK done\r\n".into(),
            Self::Headers => {
                return fetched(command, messages, HEADLINE, 0, messages.headers.as_bytes());
            }
            Self::Body => return body(command, messages),
        };
        text.into_bytes()
    }
}

/// What FETCH shows besides the header.
const HEADLINE: &str = "FLAGS () INTERNALDATE \"10-Mar-2026 09:00:00 +0000\" RFC822.SIZE 900 ";

/// Anybody's mail, which may be a report, so that a visit asks for all of it.
pub(crate) const MAY_BE_REPORT: &str = "Message-ID: <report@mx.test>\r\nReturn-Path: <>\r\n\r\n";

/// The part of a message that `BODY.PEEK[]<from.length>` names.
fn body(command: &str, messages: &Messages) -> Vec<u8> {
    let range = command.rsplit_once('<').map_or("", |(_, range)| range);
    let (from, rest) = range.split_once('.').unwrap_or(("0", "0>"));
    let from: usize = from.parse().unwrap_or_default();
    let length: usize = rest
        .trim_end_matches([')', '>'])
        .parse()
        .unwrap_or_default();
    let rest = messages.source.get(from..).unwrap_or_default();
    let part = rest.get(..length).unwrap_or(rest);
    fetched(command, messages, "", from, part)
}

/// The answer to FETCH of some of the messages.
fn fetched(command: &str, messages: &Messages, others: &str, from: usize, part: &[u8]) -> Vec<u8> {
    let set = command.split(' ').nth(2).unwrap_or_default();
    let mut answer = Vec::new();
    for uid in messages.uids().filter(|uid| is_in(set, *uid)) {
        let head = format!(
            "* 1 FETCH (UID {uid} {others}BODY[]<{from}> {{{}}}\r\n",
            part.len()
        );
        answer.extend_from_slice(head.as_bytes());
        answer.extend_from_slice(part);
        answer.extend_from_slice(b")\r\n");
    }
    answer.extend_from_slice(b"TAG OK done\r\n");
    answer
}

/// Whether a set of UIDs (RFC 3501 §9 `sequence-set`) names this one.
fn is_in(set: &str, uid: u32) -> bool {
    set.split(',').any(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let number = |text: &str| text.parse().unwrap_or(0);
        (number(first)..=number(last)).contains(&uid)
    })
}

/// The server on one connection.
pub(crate) fn serve(fault: Fault, messages: Messages) -> Script {
    script(move |peer| run(peer, fault, messages))
}

async fn run(mut peer: Peer, fault: Fault, messages: Messages) {
    let mut step = Step::Greeting;
    let mut line = String::new();
    loop {
        let (tag, command) = line.split_once(' ').unwrap_or(("", &line));
        let act = if fault.at == step {
            fault.act.clone()
        } else {
            Act::Nothing
        };
        let act = match act {
            Act::Nothing => Act::Instead(step.answer(command, &messages)),
            act => act,
        };
        if !act.run(&mut peer, tag).await {
            return;
        }
        if step == Step::StartTls {
            match peer.start_tls().await {
                Some(secure) => peer = secure,
                None => return,
            }
        }
        match peer.hear().await {
            Some(heard) => line = heard,
            None => return,
        }
        step = Step::of(line.split_once(' ').map_or("", |(_, command)| command));
    }
}

/// A good server.
pub(crate) fn good() -> Script {
    let fault = Fault {
        at: Step::Other,
        act: Act::Nothing,
    };
    serve(fault, Messages::some())
}

/// A server that does one thing wrong.
pub(crate) fn wrong(
    name: impl std::fmt::Display,
    task: Task,
    at: Step,
    act: Act,
    expected: Outcome,
) -> Behaviour {
    wrong_by(TlsMode::Implicit, name, task, at, act, expected)
}

/// The same, by STARTTLS.
pub(crate) fn wrong_by(
    security: TlsMode,
    name: impl std::fmt::Display,
    task: Task,
    at: Step,
    act: Act,
    expected: Outcome,
) -> Behaviour {
    let fault = Fault { at, act };
    let serve = move || serve(fault.clone(), Messages::some());
    Behaviour::new(format!("IMAP: {name}"), task, security, serve, expected)
}
