//! Reads whole protocol units from a peer that is assumed hostile, within limits of bytes, depth and time.
//!
//! A unit is a line (SMTP) or a response with its literals (IMAP). Units are framed here, before anything parses them, so a parser sees
//! each one once, whole and bounded: no second parse of a growing buffer, no literal that is allocated because it was announced, no nesting
//! that a recursive parser could follow off its stack. The alternative, limits on a byte stream under a library's own reader, would leave
//! the re-parsing and the allocations to the library.
//!
//! Time is limited three times: by an idle time-out for each read and write; by the same time for a whole answer, which grows with what
//! arrives, so that a byte every few seconds does not hold a session open; and by a deadline for the session. An answer is a protocol's notion,
//! so its reader says where one begins ([`Guarded::next_answer`]): a server that says from time to time that it still works, as some do while
//! they search, is not slow.

mod scan;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

pub use scan::{Framing, ScanLimits, Scanner, Violation};

/// How much is read or written at a time.
const CHUNK: usize = 8 * 1024;

/// Bytes a second below which a peer that has begun an answer is too slow; as much as a bad telephone line carries.
const SLOWEST: u64 = 1024;

/// What reading a unit costs, however short it is: as much as so many bytes.
pub const UNIT_COSTS: u64 = 64;

/// What a peer may cost us.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Limits within a unit.
    pub scan: ScanLimits,
    /// Bytes the peer may send between two of our writes. Bounds endless untagged responses, of which even an empty one is work: each
    /// counts [`UNIT_COSTS`] bytes more.
    pub exchange_bytes: u64,
    /// Bytes the peer may send in all.
    pub session_bytes: u64,
}

/// A stream to a peer, read in units.
#[derive(Debug)]
pub struct Guarded<S> {
    stream: S,
    limits: Limits,
    scanner: Scanner,
    unread: Unread,
    exchange_bytes: u64,
    session_bytes: u64,
    answer: Answer,
    idle: Duration,
    deadline: Instant,
    dead: bool,
}

/// The answer that is waited for.
#[derive(Debug, Clone, Copy)]
struct Answer {
    since: Instant,
    bytes: u64,
}

/// Bytes that were read and not yet handed out.
#[derive(Debug, Default)]
struct Unread {
    bytes: Vec<u8>,
    start: usize,
    scanned: usize,
}

/// Why a session with a peer cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The peer hung up.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer was silent for too long, or the session took too long.
    #[error("the peer took too long")]
    Timeout,
    /// The peer passed a limit.
    #[error("the peer passed a limit: {0}")]
    Violation(#[from] Violation),
    /// The connection broke.
    #[error("the connection failed")]
    Io(#[source] io::Error),
}

impl<S> Guarded<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// Guards a stream. `idle` limits each wait, `deadline` everything.
    pub fn new(
        stream: S,
        framing: Framing,
        limits: Limits,
        idle: Duration,
        deadline: Instant,
    ) -> Self {
        Self {
            stream,
            limits,
            scanner: Scanner::new(framing, limits.scan),
            unread: Unread::default(),
            exchange_bytes: 0,
            session_bytes: 0,
            answer: Answer::begin(),
            idle,
            deadline,
            dead: false,
        }
    }

    /// Reads one unit, with its line end. After an error the stream is of no more use.
    pub async fn read_unit(&mut self) -> Result<Vec<u8>, GuardError> {
        if self.dead {
            return Err(GuardError::Closed);
        }
        let read = self.read_unit_alive().await;
        self.dead = read.is_err();
        read
    }

    async fn read_unit_alive(&mut self) -> Result<Vec<u8>, GuardError> {
        loop {
            if let Some(length) = self.scanner.advance(self.unread.fresh())? {
                self.exchange_bytes = self.exchange_bytes.saturating_add(UNIT_COSTS);
                return Ok(self.unread.take(length));
            }
            self.unread.all_scanned();
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Result<(), GuardError> {
        let until = self.until().min(self.answer.ends(self.idle));
        let read = timeout_at(until, self.stream.read_buf(self.unread.space())).await;
        let count = match read {
            Err(_elapsed) => return Err(GuardError::Timeout),
            Ok(Err(error)) => return Err(GuardError::Io(error)),
            Ok(Ok(0)) => return Err(GuardError::Closed),
            Ok(Ok(count)) => u64::try_from(count).unwrap_or(u64::MAX),
        };
        self.answer.bytes = self.answer.bytes.saturating_add(count);
        self.exchange_bytes = self.exchange_bytes.saturating_add(count);
        self.session_bytes = self.session_bytes.saturating_add(count);
        if self.exchange_bytes > self.limits.exchange_bytes {
            return Err(Violation::Exchange.into());
        }
        if self.session_bytes > self.limits.session_bytes {
            return Err(Violation::Session.into());
        }
        Ok(())
    }

    /// Writes all of it. After an error the stream is of no more use, and how much arrived is unknown.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), GuardError> {
        if self.dead {
            return Err(GuardError::Closed);
        }
        self.exchange_bytes = 0;
        self.next_answer();
        let written = self.write_alive(bytes).await;
        self.dead = written.is_err();
        written
    }

    async fn write_alive(&mut self, bytes: &[u8]) -> Result<(), GuardError> {
        for chunk in bytes.chunks(CHUNK) {
            timeout_at(self.until(), self.stream.write_all(chunk))
                .await
                .map_err(|_elapsed| GuardError::Timeout)?
                .map_err(GuardError::Io)?;
        }
        timeout_at(self.until(), self.stream.flush())
            .await
            .map_err(|_elapsed| GuardError::Timeout)?
            .map_err(GuardError::Io)
    }

    /// What comes now is another answer, with its own time.
    pub fn next_answer(&mut self) {
        self.answer = Answer::begin();
    }

    /// Changes how long the peer may be silent: some answers take their time.
    pub fn set_idle(&mut self, idle: Duration) {
        self.idle = idle;
    }

    /// Ends our side, so that the peer sees an orderly end. Errors do not matter any more.
    pub async fn shutdown(mut self) {
        let until = self.until();
        let _ = timeout_at(until, self.stream.shutdown()).await;
    }

    /// The bare stream, to be upgraded to TLS. Whatever the peer sent ahead in plain text would be taken for its words under TLS, so
    /// there must be none (the command injection of CVE-2011-0411).
    pub fn into_stream(self) -> Result<S, GuardError> {
        if self.dead {
            return Err(GuardError::Closed);
        }
        if self.unread.is_empty() {
            Ok(self.stream)
        } else {
            Err(Violation::Injected.into())
        }
    }

    fn until(&self) -> Instant {
        self.deadline.min(Instant::now() + self.idle)
    }
}

impl Answer {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            bytes: 0,
        }
    }

    /// Until when it must have come, given what has come of it.
    fn ends(self, idle: Duration) -> Instant {
        self.since + idle + Duration::from_secs(self.bytes / SLOWEST)
    }
}

impl Unread {
    /// What the scanner has not seen.
    fn fresh(&self) -> &[u8] {
        self.bytes
            .get(self.start + self.scanned..)
            .unwrap_or_default()
    }

    fn all_scanned(&mut self) {
        self.scanned = self.bytes.len() - self.start;
    }

    /// The unit that ends `length` bytes into what was fresh.
    fn take(&mut self, length: usize) -> Vec<u8> {
        let end = self.start + self.scanned + length;
        let unit = self.bytes.get(self.start..end).unwrap_or_default().to_vec();
        self.start = end;
        self.scanned = 0;
        unit
    }

    /// Room to read into.
    fn space(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.reserve(CHUNK);
        &mut self.bytes
    }

    fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }
}

#[cfg(test)]
mod tests;
