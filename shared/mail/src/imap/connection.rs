//! Commands and their ends over one stream.

use agentwarm_app::ports::mail::ConnectFailure;
use agentwarm_net::guard::Guarded;
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use super::command::Command;
use super::response::{Capabilities, Ending, Response, Status};
use crate::dial;

/// How many challenges an authentication may have beyond those that are answered with something.
const EMPTY_ANSWERS: usize = 2;

/// A client over a stream, secure or not yet.
pub(super) struct Connection<S> {
    stream: Guarded<S>,
    tags: u32,
}

/// What ends a wait.
enum Event {
    /// `+`: the server waits for us.
    Invited,
    /// The command ended.
    Done(Ending),
}

impl<S> Connection<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn new(stream: Guarded<S>) -> Self {
        Self { stream, tags: 0 }
    }

    /// The stream, to be upgraded or shut down.
    pub(super) fn into_stream(self) -> Guarded<S> {
        self.stream
    }

    /// The stream, for its settings.
    pub(super) fn stream(&mut self) -> &mut Guarded<S> {
        &mut self.stream
    }

    /// Reads the greeting; its capabilities, if it tells them.
    pub(super) async fn greeting(&mut self) -> Result<Option<Capabilities>, ConnectFailure> {
        let Response::Notice(greeting) = self.read().await? else {
            return Err(ConnectFailure::Protocol("its greeting is not IMAP"));
        };
        match greeting.status {
            Status::Ok => Ok(greeting.capabilities()),
            Status::Bye => Err(ConnectFailure::Busy),
            // Logged in as whom? Not with these credentials.
            Status::PreAuth => Err(ConnectFailure::Protocol("it logs in by itself")),
            Status::No | Status::Bad => Err(ConnectFailure::Protocol("it refuses the session")),
        }
    }

    /// Sends a command, shows each untagged response to `on`, and returns how it ended.
    pub(super) async fn run(
        &mut self,
        command: &Command,
        mut on: impl FnMut(Response),
    ) -> Result<Ending, ConnectFailure> {
        let tag = self.tag();
        let mut pieces = command.pieces().iter();
        let first = pieces.next().map(Vec::as_slice).unwrap_or_default();
        self.write_line(&[tag.as_bytes(), b" ", first].concat())
            .await?;
        for piece in pieces {
            if let Event::Done(end) = self.next(&tag, &mut on).await? {
                return Ok(end);
            }
            self.write_line(piece).await?;
        }
        self.until_done(&tag, &mut on).await
    }

    /// Sends two commands at once, so that both cost one round trip, where neither needs an invitation. The second must be harmless if the
    /// first is refused.
    pub(super) async fn run_both(
        &mut self,
        first: &Command,
        second: &Command,
        mut on: impl FnMut(Response),
    ) -> Result<(Ending, Ending), ConnectFailure> {
        let (Some(one), Some(two)) = (first.one_piece(), second.one_piece()) else {
            let end = self.run(first, &mut on).await?;
            return Ok((end, self.run(second, &mut on).await?));
        };
        let (tag, next_tag) = (self.tag(), self.tag());
        let lines = [
            tag.as_bytes(),
            b" ",
            one,
            b"\r\n",
            next_tag.as_bytes(),
            b" ",
            two,
        ];
        self.write_line(&lines.concat()).await?;
        let end = self.until_done(&tag, &mut on).await?;
        Ok((end, self.until_done(&next_tag, &mut on).await?))
    }

    /// Sends a command whose end does not matter, in one piece. It costs no round trip: its answer comes before the next command's and is
    /// passed over with what else is not that command's end.
    pub(super) async fn mention(&mut self, command: &str) -> Result<(), ConnectFailure> {
        let tag = self.tag();
        self.write_line(format!("{tag} {command}").as_bytes()).await
    }

    /// Sends `opening` and answers each challenge with the next of `answers`, or with nothing when they are used up: a server that refuses
    /// a token explains itself in a challenge.
    pub(super) async fn authenticate(
        &mut self,
        opening: &str,
        answers: &[&str],
        mut on: impl FnMut(Response),
    ) -> Result<Ending, ConnectFailure> {
        let tag = self.tag();
        let opening = Zeroizing::new(format!("{tag} {opening}"));
        self.write_line(opening.as_bytes()).await?;
        let empty = std::iter::repeat_n(&"", EMPTY_ANSWERS);
        for answer in answers.iter().chain(empty) {
            if let Event::Done(end) = self.next(&tag, &mut on).await? {
                return Ok(end);
            }
            self.write_line(answer.as_bytes()).await?;
        }
        match self.next(&tag, &mut on).await? {
            Event::Done(end) => Ok(end),
            Event::Invited => Err(ConnectFailure::Protocol("its challenges do not end")),
        }
    }

    async fn until_done(
        &mut self,
        tag: &str,
        on: &mut impl FnMut(Response),
    ) -> Result<Ending, ConnectFailure> {
        loop {
            if let Event::Done(end) = self.next(tag, on).await? {
                return Ok(end);
            }
        }
    }

    async fn next(
        &mut self,
        tag: &str,
        on: &mut impl FnMut(Response),
    ) -> Result<Event, ConnectFailure> {
        loop {
            match self.read().await? {
                Response::Done { tag: whose, end } if whose == tag => return Ok(Event::Done(end)),
                Response::Continue => return Ok(Event::Invited),
                Response::Notice(end) if end.status == Status::Bye => {
                    return Err(ConnectFailure::Busy);
                }
                other => on(other),
            }
        }
    }

    async fn read(&mut self) -> Result<Response, ConnectFailure> {
        self.stream.next_answer();
        let unit = self
            .stream
            .read_unit()
            .await
            .map_err(|error| dial::failure(&error))?;
        Ok(Response::of(&unit))
    }

    async fn write_line(&mut self, line: &[u8]) -> Result<(), ConnectFailure> {
        let line = Zeroizing::new([line, b"\r\n"].concat());
        self.stream
            .write(&line)
            .await
            .map_err(|error| dial::failure(&error))
    }

    fn tag(&mut self) -> String {
        self.tags = self.tags.wrapping_add(1);
        format!("a{}", self.tags)
    }
}

/// What a command's end means where it had to succeed.
pub(super) fn succeeded(end: &Ending) -> Result<(), ConnectFailure> {
    match end.status {
        Status::Ok => Ok(()),
        Status::Bad => Err(ConnectFailure::Protocol("it does not take a command")),
        Status::No | Status::Bye | Status::PreAuth => Err(ConnectFailure::Busy),
    }
}
