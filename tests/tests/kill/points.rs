//! Where the runner can be killed, to the request and the line of dialogue.
//!
//! A [`Point`] is a place in one mail's life, a [`Stage`] groups the points between which the stored state does not change. What passes the
//! proxies is told as [`Moment`]s; which of them a point means is decided here.

use agentwarm_core::ids::SlotId;
use agentwarm_core::seed::SeedRng;

/// What the process had on its hands when it died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// A slot was claimed, and no server had heard of its mail.
    Claimed,
    /// A claimed slot's mail was being submitted.
    InSmtp,
    /// The server had accepted a mail, the process knew, and the store did not.
    Uncommitted,
    /// A mailbox was being changed and the note of it not finished.
    Engaging,
    /// A mail was being booked as received.
    Arriving,
    /// Any write to the emulator, whatever it was about.
    Anywhere,
}

/// The stages that the issue names, each with the kills that it asks for.
pub(crate) const REQUIRED: [Stage; 4] = [
    Stage::Claimed,
    Stage::InSmtp,
    Stage::Uncommitted,
    Stage::Engaging,
];

/// A place where the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Point {
    /// The claim is stored; its answer never arrives.
    ClaimUnanswered,
    /// The claim's answer arrived; the envelope's first line does not reach the server.
    ClaimAnswered,
    /// The envelope is accepted; `DATA` does not reach the server.
    Envelope,
    /// The server waits for the content; none of it arrives.
    ContentAwaited,
    /// Half of the content's first part arrived.
    HalfContent,
    /// The server accepted the mail; its answer never arrives.
    AcceptanceUnheard,
    /// The process heard that the mail is accepted; its commit does not reach the store.
    CommitHeld,
    /// A flag or a move is asked for; the mailbox does not hear of it.
    ChangeHeld,
    /// The mailbox was changed; the answer never arrives.
    ChangeUnanswered,
    /// The mailbox was changed; the note of it does not reach the store.
    EngagementHeld,
    /// The note is stored; the answer never arrives.
    EngagementUnanswered,
    /// A found mail's receipt does not reach the store.
    BookingHeld,
    /// A found mail's receipt is stored; the answer never arrives.
    BookingUnanswered,
    /// A mail was moved out of spam; the answer never arrives.
    RescueUnanswered,
    /// Some write does not reach the emulator.
    WriteHeld,
    /// Some write is done; the answer never arrives.
    WriteUnanswered,
}

/// A write to the emulator, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    /// What it says.
    pub(crate) kind: WriteKind,
    /// The slot that it is about.
    pub(crate) slot: Option<SlotId>,
    /// What it is called in the histogram: operation, table, kind of item.
    pub(crate) name: String,
}

/// What a write says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteKind {
    /// A slot is claimed.
    Claim,
    /// A slot's mail was accepted.
    Commit,
    /// A mail was found.
    Booking,
    /// Mails were opened, marked or filed, and cursors moved.
    Engagement,
    /// What is written every minute, whatever happens: the runner's clock, the watermark.
    EveryMinute,
    /// Anything else.
    Other,
}

/// What an IMAP command changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Out of spam.
    Rescue,
    /// A flag, or filed.
    Engage,
}

/// Something that is about to pass a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A write, on its way to the emulator.
    Writing(Write),
    /// A write's answer, on its way back.
    Written(Write),
    /// `MAIL FROM`, on its way to the server.
    Sender,
    /// `DATA`, on its way to the server.
    Data,
    /// A mail's first bytes, on their way to the server: none of them pass.
    ContentBegins,
    /// The same: half of them pass.
    HalfContent,
    /// "250" to a mail's content, on its way back.
    Accepted,
    /// An IMAP command, on its way to the server.
    Changing(Change),
    /// Its answer, on its way back.
    Changed(Change),
}

impl Stage {
    /// Its points.
    fn points(self) -> &'static [Point] {
        match self {
            Self::Claimed => &[Point::ClaimUnanswered, Point::ClaimAnswered],
            Self::InSmtp => &[
                Point::Envelope,
                Point::ContentAwaited,
                Point::HalfContent,
                Point::AcceptanceUnheard,
            ],
            Self::Uncommitted => &[Point::CommitHeld],
            Self::Engaging => &[
                Point::ChangeHeld,
                Point::ChangeUnanswered,
                Point::EngagementHeld,
                Point::EngagementUnanswered,
            ],
            Self::Arriving => &[
                Point::BookingHeld,
                Point::BookingUnanswered,
                Point::RescueUnanswered,
            ],
            Self::Anywhere => &[Point::WriteHeld, Point::WriteUnanswered],
        }
    }

    /// One of its points: each in its turn before any comes again, in the order that `turn` counts.
    pub(crate) fn point(self, turn: usize) -> Point {
        let points = self.points();
        points[turn % points.len()]
    }

    /// How many moments of the kind may pass before the one that kills: writes are many, so that a kill may fall on any.
    pub(crate) fn patience(self, rng: &mut SeedRng) -> u64 {
        match self {
            Self::Anywhere => rng.below(40),
            _ => rng.below(3),
        }
    }
}

impl Point {
    /// Whether this is where the process is to be killed.
    pub(crate) fn is_at(self, moment: &Moment) -> bool {
        let kind = |write: &Write, kind: WriteKind| write.kind == kind;
        match (self, moment) {
            (Self::ClaimUnanswered, Moment::Written(write)) => kind(write, WriteKind::Claim),
            (Self::CommitHeld, Moment::Writing(write)) => kind(write, WriteKind::Commit),
            (Self::EngagementHeld, Moment::Writing(write))
            | (Self::EngagementUnanswered, Moment::Written(write)) => {
                kind(write, WriteKind::Engagement)
            }
            (Self::BookingHeld, Moment::Writing(write))
            | (Self::BookingUnanswered, Moment::Written(write)) => kind(write, WriteKind::Booking),
            (Self::WriteHeld, Moment::Writing(write))
            | (Self::WriteUnanswered, Moment::Written(write)) => {
                !kind(write, WriteKind::EveryMinute)
            }
            (Self::ClaimAnswered, Moment::Sender)
            | (Self::Envelope, Moment::Data)
            | (Self::ContentAwaited, Moment::ContentBegins)
            | (Self::HalfContent, Moment::HalfContent)
            | (Self::AcceptanceUnheard, Moment::Accepted)
            | (Self::ChangeHeld, Moment::Changing(Change::Engage))
            | (Self::ChangeUnanswered, Moment::Changed(Change::Engage))
            | (Self::RescueUnanswered, Moment::Changed(Change::Rescue)) => true,
            _ => false,
        }
    }
}
