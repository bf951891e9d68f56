//! A look into a mailbox over IMAP, by a client that shares no code with the product's: async-imap, which is at home with servers that
//! mean well. It talks in the clear, which the local servers allow on loopback.

use std::collections::BTreeMap;

use agentwarm_local::demo::NUMBERED_PASSWORD;
use async_imap::types::{Fetch, Flag, Name};
use async_imap::{Client, Session};
use futures::TryStreamExt as _;
use jiff::Timestamp;
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
    let mut session = open(address).await;
    let listed = session.list(Some(""), Some("*")).await.unwrap();
    let folders: Vec<Name> = listed.try_collect().await.unwrap();
    let mut messages = Vec::new();
    for folder in folders {
        session.examine(folder.name()).await.unwrap();
        let asked = session.uid_fetch("1:*", "(FLAGS BODY.PEEK[HEADER])").await;
        let fetched: Vec<Fetch> = asked.unwrap().try_collect().await.unwrap();
        messages.extend(fetched.iter().map(|one| Message {
            folder: folder.name().to_owned(),
            flags: one.flags().map(|flag| flag_name(&flag)).collect(),
            fields: fields(&String::from_utf8_lossy(one.header().unwrap())),
        }));
    }
    session.logout().await.unwrap();
    messages
}

/// The message with this id in the inbox of a numbered mailbox, whole.
pub(crate) async fn raw(address: &str, id: &str) -> String {
    let mut session = open(address).await;
    session.examine("INBOX").await.unwrap();
    let query = format!("HEADER Message-ID \"{id}\"");
    let found = session.uid_search(query).await.unwrap();
    let uid = found.iter().next().unwrap().to_string();
    let asked = session.uid_fetch(uid, "BODY.PEEK[]").await.unwrap();
    let fetched: Vec<Fetch> = asked.try_collect().await.unwrap();
    session.logout().await.unwrap();
    String::from_utf8_lossy(fetched[0].body().unwrap()).into_owned()
}

async fn open(address: &str) -> Session<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port())).await.unwrap();
    let mut client = Client::new(stream);
    client.read_response().await.unwrap().unwrap();
    let session = client.login(address, NUMBERED_PASSWORD).await;
    session.map_err(|(failure, _)| failure).unwrap()
}

/// As it stands on the wire (RFC 3501 §2.3.2).
fn flag_name(flag: &Flag<'_>) -> String {
    match flag {
        Flag::Custom(name) => name.to_string(),
        system => format!("\\{system:?}"),
    }
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
