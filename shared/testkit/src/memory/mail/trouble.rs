//! What can go wrong in a dialogue with an SMTP server, and what a client says of it.
//!
//! The product's client is asked the same against real sockets, and must say the same (`shared/mail/tests/hostile/smtp_simulated.rs`).

use std::time::Duration;

use agentwarm_app::ports::mail::{ConnectFailure, SmtpPhase, Submission};
use agentwarm_mail::TimeLimits;

/// What of a dialogue goes wrong (RFC 5321 §3), in the order in which it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// The greeting.
    Greeting,
    /// The answer to EHLO.
    Ehlo,
    /// The answer to AUTH.
    Auth,
    /// The answer to MAIL FROM.
    MailFrom,
    /// The answer to RCPT TO.
    RcptTo,
    /// The answer to DATA.
    Data,
    /// The message: less than all of it gets over.
    Body,
    /// The answer to the final dot. Unless it is a refusal, the server has taken the mail.
    Dot,
}

/// What the server does instead of going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// It answers with this code and, where given, enhanced code.
    Reply(u16, Option<&'static str>),
    /// It says nothing, until the client gives up.
    Silence,
    /// It closes its half of the connection.
    HalfClose,
}

/// The text of refusals.
pub const REFUSAL: &str = "not as you like it";

impl Verb {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Greeting,
        Self::Ehlo,
        Self::Auth,
        Self::MailFrom,
        Self::RcptTo,
        Self::Data,
        Self::Body,
        Self::Dot,
    ];

    /// Whether there is no session yet.
    pub fn is_before_session(self) -> bool {
        self <= Self::Auth
    }

    /// Its name among the operations of [`Chaos`](crate::chaos::Chaos).
    pub fn name(self) -> &'static str {
        match self {
            Self::Greeting => "smtp.greeting",
            Self::Ehlo => "smtp.ehlo",
            Self::Auth => "smtp.auth",
            Self::MailFrom => "smtp.mail_from",
            Self::RcptTo => "smtp.rcpt_to",
            Self::Data => "smtp.data",
            Self::Body => "smtp.body",
            Self::Dot => "smtp.dot",
        }
    }

    fn phase(self) -> SmtpPhase {
        match self {
            Self::Greeting | Self::Ehlo => SmtpPhase::Connect,
            Self::Auth => SmtpPhase::Auth,
            Self::MailFrom => SmtpPhase::MailFrom,
            Self::RcptTo => SmtpPhase::RcptTo,
            Self::Data => SmtpPhase::Data,
            Self::Body | Self::Dot => SmtpPhase::Content,
        }
    }
}

impl Trouble {
    /// One of each kind that means something else somewhere: for now and closing, for now, no such user or no, no; silence; gone.
    pub const ALL: [Self; 6] = [
        Self::Reply(421, None),
        Self::Reply(451, None),
        Self::Reply(550, None),
        Self::Reply(554, None),
        Self::Silence,
        Self::HalfClose,
    ];

    /// What [`Chaos::met`](crate::chaos::Chaos::met) calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reply(421, _) => "421",
            Self::Reply(451, _) => "451",
            Self::Reply(550, _) => "550",
            Self::Reply(554, _) => "554",
            Self::Reply(..) => "reply",
            Self::Silence => "silence",
            Self::HalfClose => "half-close",
        }
    }

    /// Why there is no session, for a client that meets this at `verb`.
    pub(super) fn failure(self, verb: Verb) -> ConnectFailure {
        match (self, verb) {
            (Self::Silence | Self::HalfClose, _) => ConnectFailure::Unreachable,
            (Self::Reply(..500, _), _) => ConnectFailure::Busy,
            (Self::Reply(..510, _), Verb::Auth) => {
                ConnectFailure::Protocol("its AUTH does not work")
            }
            (Self::Reply(..), Verb::Auth) => ConnectFailure::Credentials,
            (Self::Reply(..), Verb::Greeting) => ConnectFailure::Protocol("it refuses the session"),
            (Self::Reply(..), _) => ConnectFailure::Protocol("it refuses EHLO"),
        }
    }

    /// What becomes of a mail, for a client that meets this at `verb`.
    pub(super) fn outcome(self, verb: Verb) -> Submission {
        match self {
            Self::Reply(code, enhanced) => Submission::Refused {
                phase: verb.phase(),
                code,
                enhanced: enhanced.map(str::to_owned),
                text: REFUSAL.to_owned(),
            },
            Self::Silence | Self::HalfClose if verb < Verb::Body => {
                Submission::NotSent(ConnectFailure::Unreachable)
            }
            Self::Silence | Self::HalfClose => Submission::InDoubt,
        }
    }

    /// How long a client waits until it knows.
    pub(super) fn lasts(self, verb: Verb) -> Duration {
        let time = TimeLimits::default();
        match (self, verb) {
            (Self::Silence, Verb::Dot) => time.acceptance,
            (Self::Silence, _) => time.answer,
            (Self::Reply(..) | Self::HalfClose, _) => Duration::ZERO,
        }
    }
}

/// Why a session is of no more use after this.
pub(super) fn over_after(outcome: &Submission) -> Option<ConnectFailure> {
    match outcome {
        Submission::NotSent(failure) => Some(failure.clone()),
        Submission::InDoubt => Some(ConnectFailure::Unreachable),
        // "Closing transmission channel" (RFC 5321 §3.8).
        Submission::Refused { code: 421, .. } => Some(ConnectFailure::Busy),
        Submission::Refused { .. } | Submission::Accepted => None,
    }
}
