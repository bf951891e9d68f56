//! A mail server in memory that answers from a script, whatever it is asked, and remembers what it was told.

use std::cell::LazyCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use agentwarm_app::ports::mail::ImapSmtpCredentials;
use agentwarm_mail::{ImapSmtp, MailConfig, Private, TimeLimits};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

/// Ends an answer. The next one is given after the client has said something more.
const NEXT: u8 = b'~';

/// Stands for the tag of the client's last command.
const TAG: u8 = b'^';

/// Stands for the tag of the command before that, where two were sent at once.
const TAG_BEFORE: u8 = b'`';

/// What must be told to nobody before TLS, and be logged nowhere.
const PASSWORD: &str = "canary-password";

/// The server's end of one connection; silent for good, and so closed, when its script is over.
pub(crate) struct Server {
    answers: VecDeque<Vec<u8>>,
    ready: VecDeque<u8>,
    saying: Vec<u8>,
    told: Told,
}

/// All that the client said: what it sent at once is one item.
pub(crate) type Told = Arc<Mutex<Vec<Vec<u8>>>>;

impl Server {
    /// A server whose first answer is there before anything was said.
    pub(crate) fn new(script: &[u8]) -> (Self, Told) {
        let mut answers: VecDeque<Vec<u8>> = script
            .split(|byte| *byte == NEXT)
            .map(<[u8]>::to_vec)
            .collect();
        let told = Told::default();
        let server = Self {
            ready: answers.pop_front().unwrap_or_default().into(),
            answers,
            saying: Vec::new(),
            told: Arc::clone(&told),
        };
        (server, told)
    }

    fn answer(&mut self) {
        let said = std::mem::take(&mut self.saying);
        let tags: Vec<&[u8]> = said
            .split(|byte| *byte == b'\n')
            .map(|line| line.split(|byte| *byte == b' ').next().unwrap_or_default())
            .filter(|tag| !tag.is_empty())
            .collect();
        let tag = tags.last().copied().unwrap_or_default();
        let before = tags.iter().rev().nth(1).copied().unwrap_or(tag);
        for byte in self.answers.pop_front().unwrap_or_default() {
            match byte {
                TAG => self.ready.extend(tag),
                TAG_BEFORE => self.ready.extend(before),
                _ => self.ready.push_back(byte),
            }
        }
        self.told.lock().unwrap().push(said);
    }
}

impl AsyncRead for Server {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = into.remaining().min(self.ready.len());
        let bytes: Vec<u8> = self.ready.drain(..count).collect();
        into.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.saying.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.answer();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Private for Server {}

/// An input's first line, which says what to do, and the script below it.
pub(crate) fn orders_and_script(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (orders, script) = bytes.split_at(end.unwrap_or(bytes.len()));
    (orders, script.get(1..).unwrap_or_default())
}

/// The product's mail clients. Nothing is waited for: what the server has to say is there when it is read.
pub(crate) fn clients() -> ImapSmtp {
    CLIENTS.with(|clients| ImapSmtp::clone(clients))
}

fn make_clients() -> ImapSmtp {
    let time = Duration::from_mins(1);
    ImapSmtp::new(MailConfig {
        name_server: Some(([127, 0, 0, 1], 9).into()),
        time: TimeLimits {
            connect: time,
            answer: time,
            acceptance: time,
            session: time,
        },
        ..MailConfig::default()
    })
    .expect("the configuration is usable")
}

pub(crate) fn credentials() -> ImapSmtpCredentials {
    ImapSmtpCredentials {
        imap_host: "imap.one.test".into(),
        imap_port: 993,
        smtp_host: "smtp.one.test".into(),
        smtp_port: 465,
        username: "ada@one.test".into(),
        password: PASSWORD.into(),
        imap_security: None,
        smtp_security: None,
        oauth: false,
    }
}

thread_local! {
    // Their TLS configuration takes longer to make than a session.
    static CLIENTS: LazyCell<ImapSmtp> = const { LazyCell::new(make_clients) };
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
}

/// Runs to the end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// The lines of what was said at once, each of which has its line end and no other.
pub(crate) fn lines(said: &[u8]) -> Vec<&[u8]> {
    let whole = said
        .strip_suffix(b"\r\n")
        .expect("the client said half a line");
    let mut lines = Vec::new();
    let mut rest = whole;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, after) = rest.split_at(at);
        lines.push(line);
        rest = after.get(2..).unwrap_or_default();
    }
    lines.push(rest);
    for line in &lines {
        let is_one = !line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
        assert!(
            is_one,
            "the client said {:?}",
            String::from_utf8_lossy(said)
        );
    }
    lines
}

/// Whether the password is in it, as it is or as AUTHENTICATE has it (RFC 4616 in base64).
pub(crate) fn tells_password(text: &[u8]) -> bool {
    has(text, PASSWORD.as_bytes()) || has(text, STANDARD.encode(PASSWORD).as_bytes())
}

/// Whether the server says the password by chance, whatever is quoted of it (RFC 3501 §9 `quoted`). A folder of that name is asked for by it.
pub(crate) fn knows_password(script: &[u8]) -> bool {
    let unquoted: Vec<u8> = script
        .iter()
        .copied()
        .filter(|byte| *byte != b'\\')
        .collect();
    tells_password(&unquoted)
}

pub(crate) fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
