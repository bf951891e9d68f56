//! A look into a mailbox over IMAP, by a client that shares no code with the product's.
//!
//! It knows the few commands that it needs and talks in the clear, which the local servers allow on loopback.

use std::collections::BTreeMap;

use agentwarm_local::demo::NUMBERED_PASSWORD;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A message as its folder shows it.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The folder's name.
    pub(crate) folder: String,
    /// Its flags, such as `\Seen`.
    flags: Vec<String>,
    /// Its header fields by lower-case name, unfolded.
    fields: BTreeMap<String, String>,
}

impl Message {
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|found| found == flag)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// Its Message-ID without angle brackets.
    pub(crate) fn id(&self) -> &str {
        bare(self.field("message-id").unwrap())
    }

    /// The Message-ID of the mail that it answers.
    pub(crate) fn answers(&self) -> Option<&str> {
        self.field("in-reply-to").map(bare)
    }

    /// The sender's address.
    pub(crate) fn from(&self) -> &str {
        let from = self.field("from").unwrap();
        let (_, address) = from.rsplit_once('<').unwrap_or(("", from));
        address.trim_end_matches('>')
    }

    /// When it says it was sent.
    pub(crate) fn date(&self) -> Timestamp {
        jiff::fmt::rfc2822::parse(self.field("date").unwrap())
            .unwrap()
            .timestamp()
    }
}

fn bare(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// Everything in every folder of a numbered mailbox.
pub(crate) async fn messages(address: &str) -> Vec<Message> {
    let mut session = Session::open(address).await;
    let mut messages = Vec::new();
    for folder in session.folders().await {
        messages.extend(session.messages(&folder).await);
    }
    session.command("LOGOUT").await;
    messages
}

/// The message with this id in the inbox of a numbered mailbox, whole.
pub(crate) async fn raw(address: &str, id: &str) -> String {
    let mut session = Session::open(address).await;
    session.command("EXAMINE INBOX").await;
    let search = format!("UID SEARCH HEADER Message-ID \"{id}\"");
    let found = session.command(&search).await;
    let found = found
        .iter()
        .find_map(|line| line.text.strip_prefix("* SEARCH "))
        .unwrap();
    let fetch = format!("UID FETCH {found} BODY.PEEK[]");
    let fetched = session.command(&fetch).await;
    session.command("LOGOUT").await;
    let mut literals = fetched.into_iter().flat_map(|line| line.literals);
    literals.next().unwrap()
}

struct Session {
    stream: BufReader<TcpStream>,
    commands: u32,
}

/// A line of a response, with the literals in it.
struct Line {
    text: String,
    literals: Vec<String>,
}

impl Session {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port())).await.unwrap();
        let mut session = Self {
            stream: BufReader::new(stream),
            commands: 0,
        };
        session.line().await;
        session
            .command(&format!("LOGIN {address} {NUMBERED_PASSWORD}"))
            .await;
        session
    }

    async fn folders(&mut self) -> Vec<String> {
        let listed = self.command("LIST \"\" *").await;
        listed
            .iter()
            .filter_map(|line| line.text.strip_prefix("* LIST "))
            .map(|line| {
                line.rsplit(' ')
                    .next()
                    .unwrap()
                    .trim_matches('"')
                    .to_owned()
            })
            .collect()
    }

    async fn messages(&mut self, folder: &str) -> Vec<Message> {
        self.command(&format!("EXAMINE \"{folder}\"")).await;
        let fetched = self
            .command("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER])")
            .await;
        fetched
            .iter()
            .filter(|line| line.text.contains(" FETCH ("))
            .map(|line| Message {
                folder: folder.to_owned(),
                flags: flags(&line.text),
                fields: fields(&line.literals[0]),
            })
            .collect()
    }

    /// The untagged lines of a command that succeeds.
    async fn command(&mut self, command: &str) -> Vec<Line> {
        self.commands += 1;
        let tag = format!("a{} ", self.commands);
        let text = format!("{tag}{command}\r\n");
        self.stream.write_all(text.as_bytes()).await.unwrap();
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            if let Some(end) = line.text.strip_prefix(&tag) {
                assert!(end.starts_with("OK"), "{command}: {end}");
                return lines;
            }
            lines.push(line);
        }
    }

    async fn line(&mut self) -> Line {
        let mut line = Line {
            text: String::new(),
            literals: Vec::new(),
        };
        loop {
            let mut part = String::new();
            let read = self.stream.read_line(&mut part).await.unwrap();
            assert!(read > 0, "the server hung up after {}", line.text);
            line.text.push_str(part.trim_end());
            let Some(length) = literal(&part) else {
                return line;
            };
            let mut bytes = vec![0; length];
            self.stream.read_exact(&mut bytes).await.unwrap();
            line.literals
                .push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

/// The length of the literal that a line ends with.
fn literal(line: &str) -> Option<usize> {
    let (_, length) = line.trim_end().strip_suffix('}')?.rsplit_once('{')?;
    length.parse().ok()
}

fn flags(line: &str) -> Vec<String> {
    let (_, flags) = line.split_once("FLAGS (").unwrap();
    let (flags, _) = flags.split_once(')').unwrap();
    flags.split_whitespace().map(str::to_owned).collect()
}

fn fields(header: &str) -> BTreeMap<String, String> {
    let unfolded = header.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where the servers are by their environment"
)]
fn port() -> u16 {
    std::env::var("AGENTWARM_PORT_IMAP")
        .unwrap()
        .parse()
        .unwrap()
}
