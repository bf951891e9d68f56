//! The IMAP proxy: passes the dialogue on and sees the commands that change a mailbox, and their answers.

use std::io;
use std::sync::{Mutex, PoisonError};

use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::message_id;
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf,
    split,
};
use tokio::net::TcpStream;

use super::tls::{Client, Server, Tls};
use crate::gate::Gate;
use crate::points::{Change, Moment};

/// More than an answer to our commands has.
const CHUNK: usize = 64 * 1024;

/// What both directions of a dialogue know.
#[derive(Debug, Default)]
struct Dialogue {
    /// The mail that was looked for last.
    slot: Option<SlotId>,
    /// The command that changes something and is not answered yet.
    changing: Option<(String, Change)>,
}

/// Serves one connection.
pub(super) async fn session(stream: TcpStream, tls: Tls, port: u16, gate: Gate) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (from_client, to_client) = split(tls.accept(stream).await?);
    let (from_server, to_server) = split(tls.connect(port).await?);
    let dialogue = Mutex::default();
    tokio::select! {
        ended = upwards(from_client, to_server, &dialogue, &gate) => ended,
        ended = downwards(from_server, to_client, &dialogue, &gate) => ended,
    }
}

/// From the runner to the server.
async fn upwards(
    from: ReadHalf<Client>,
    mut to: WriteHalf<Server>,
    dialogue: &Mutex<Dialogue>,
    gate: &Gate,
) -> io::Result<()> {
    let mut from = BufReader::with_capacity(CHUNK, from);
    loop {
        let mut line = Vec::new();
        if from.read_until(b'\n', &mut line).await? == 0 {
            return to.shutdown().await;
        }
        gate.pass().await;
        let text = String::from_utf8_lossy(&line);
        let (tag, command) = text.split_once(' ').unwrap_or_default();
        if let Some(searched) = command.strip_prefix("UID SEARCH HEADER Message-ID ") {
            let id = searched.trim_end().trim_matches('"');
            with(dialogue, |dialogue| dialogue.slot = message_id::slot_of(id));
        }
        if let Some(change) = change(command) {
            let slot = with(dialogue, |dialogue| dialogue.slot);
            gate.let_pass(&Moment::Changing(change), slot).await;
            with(dialogue, |dialogue| {
                dialogue.changing = Some((tag.to_owned(), change));
            });
        }
        to.write_all(&line).await?;
        to.flush().await?;
    }
}

/// What a command changes, if it does.
fn change(command: &str) -> Option<Change> {
    let rescue = |rest: &str| rest.trim_end().trim_end_matches('"').ends_with("INBOX");
    if command.starts_with("UID STORE ") {
        return Some(Change::Engage);
    }
    let rest = command.strip_prefix("UID MOVE ")?;
    Some(if rescue(rest) {
        Change::Rescue
    } else {
        Change::Engage
    })
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
        if let Some((change, slot)) = with(dialogue, |dialogue| dialogue.answered(bytes)) {
            gate.let_pass(&Moment::Changed(change), slot).await;
        }
        gate.pass().await;
        to.write_all(bytes).await?;
        to.flush().await?;
    }
}

impl Dialogue {
    /// The change that is done, if these bytes say so. An answer that comes in two pieces is missed, which only spares the process.
    fn answered(&mut self, bytes: &[u8]) -> Option<(Change, Option<SlotId>)> {
        let (tag, _) = self.changing.as_ref()?;
        let done = format!("{tag} OK");
        let text = String::from_utf8_lossy(bytes);
        if !text.lines().any(|line| line.starts_with(&done)) {
            return None;
        }
        let (_, change) = self.changing.take()?;
        Some((change, self.slot))
    }
}

fn with<T>(dialogue: &Mutex<Dialogue>, work: impl FnOnce(&mut Dialogue) -> T) -> T {
    work(&mut dialogue.lock().unwrap_or_else(PoisonError::into_inner))
}
