//! The SMTP proxy: says STARTTLS itself, then passes the dialogue on, line by line and content as it comes.

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf,
    split,
};
use tokio::net::TcpStream;

use super::tls::{Client, Server, Tls};
use crate::gate::Gate;
use crate::points::Moment;

/// Enough for a warmup mail in one piece.
const CHUNK: usize = 64 * 1024;

/// What both directions of a dialogue know.
#[derive(Debug, Default)]
struct Dialogue {
    sender: String,
    phase: Phase,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Commands,
    /// `DATA` was sent.
    Asked,
    /// The server said 354.
    Content,
    /// Some of the content was passed on.
    InContent,
    /// The final dot was passed on.
    Sent,
}

/// Serves one connection.
pub(super) async fn session(stream: TcpStream, tls: Tls, port: u16, gate: Gate) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = until_tls(stream).await?;
    let client = tls.accept(stream).await?;
    let mut server = BufReader::new(tls.connect(port).await?);
    // The client was greeted already.
    server.read_line(&mut String::new()).await?;
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server.into_inner());
    let dialogue = Mutex::default();
    tokio::select! {
        ended = upwards(from_client, to_server, &dialogue, &gate) => ended,
        ended = downwards(from_server, to_client, &dialogue, &gate) => ended,
    }
}

/// The dialogue up to TLS, as any server leads it.
async fn until_tls(stream: TcpStream) -> io::Result<TcpStream> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 localhost ESMTP\r\n").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer: &[u8] = match line.split_ascii_whitespace().next() {
            Some("EHLO") => b"250-localhost\r\n250 STARTTLS\r\n",
            Some("STARTTLS") => b"220 go on\r\n",
            _ => b"502 not before STARTTLS\r\n",
        };
        stream.write_all(answer).await?;
        if answer.starts_with(b"220") {
            return Ok(stream.into_inner());
        }
    }
}

/// From the runner to the server.
async fn upwards(
    mut from: ReadHalf<Client>,
    mut to: WriteHalf<Server>,
    dialogue: &Mutex<Dialogue>,
    gate: &Gate,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut tail = Vec::new();
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        gate.pass().await;
        let bytes = &chunk[..read];
        match with(dialogue, |dialogue| dialogue.phase) {
            Phase::Commands | Phase::Asked | Phase::Sent => {
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    command(line, dialogue, gate).await;
                    to.write_all(line).await?;
                }
            }
            Phase::Content | Phase::InContent => {
                tail.extend_from_slice(bytes);
                content(bytes, &tail, &mut to, dialogue, gate).await?;
                tail.drain(..tail.len().saturating_sub(5));
            }
        }
        to.flush().await?;
    }
}

/// A command is about to pass.
async fn command(line: &[u8], dialogue: &Mutex<Dialogue>, gate: &Gate) {
    let line = String::from_utf8_lossy(line);
    if let Some(rest) = line.strip_prefix("MAIL FROM:<") {
        let sender = rest.split('>').next().unwrap_or_default().to_owned();
        with(dialogue, |dialogue| dialogue.sender.clone_from(&sender));
        gate.let_pass(&Moment::Sender, gate.claim_of(&sender)).await;
    } else if line.trim_end() == "DATA" {
        let sender = with(dialogue, |dialogue| dialogue.sender.clone());
        gate.let_pass(&Moment::Data, gate.claim_of(&sender)).await;
        with(dialogue, |dialogue| dialogue.phase = Phase::Asked);
    }
}

/// A piece of content passes, whole or by half.
async fn content(
    bytes: &[u8],
    tail: &[u8],
    to: &mut WriteHalf<Server>,
    dialogue: &Mutex<Dialogue>,
    gate: &Gate,
) -> io::Result<()> {
    let (sender, phase) = with(dialogue, |dialogue| {
        (dialogue.sender.clone(), dialogue.phase)
    });
    if phase == Phase::Content {
        let slot = gate.claim_of(&sender);
        gate.let_pass(&Moment::ContentBegins, slot).await;
        if let Some(shot) = gate.reached(&Moment::HalfContent, slot) {
            to.write_all(&bytes[..bytes.len() / 2]).await?;
            to.flush().await?;
            shot.fire().await;
        }
    }
    let is_last = tail.ends_with(b"\r\n.\r\n");
    with(dialogue, |dialogue| {
        dialogue.phase = if is_last {
            Phase::Sent
        } else {
            Phase::InContent
        };
    });
    to.write_all(bytes).await
}

/// From the server to the runner.
async fn downwards(
    mut from: ReadHalf<Server>,
    mut to: WriteHalf<Client>,
    dialogue: &Mutex<Dialogue>,
    gate: &Gate,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let bytes = &chunk[..read];
        let (sender, phase) = with(dialogue, |dialogue| {
            (dialogue.sender.clone(), dialogue.phase)
        });
        match phase {
            Phase::Asked => with(dialogue, |dialogue| {
                let goes_on = bytes.starts_with(b"354");
                dialogue.phase = if goes_on {
                    Phase::Content
                } else {
                    Phase::Commands
                };
            }),
            Phase::Sent => {
                if bytes.starts_with(b"250") {
                    gate.let_pass(&Moment::Accepted, gate.claim_of(&sender))
                        .await;
                }
                with(dialogue, |dialogue| dialogue.phase = Phase::Commands);
            }
            Phase::Commands | Phase::Content | Phase::InContent => {}
        }
        gate.pass().await;
        to.write_all(bytes).await?;
        to.flush().await?;
    }
}

fn with<T>(dialogue: &Mutex<Dialogue>, work: impl FnOnce(&mut Dialogue) -> T) -> T {
    work(&mut dialogue.lock().unwrap_or_else(PoisonError::into_inner))
}
