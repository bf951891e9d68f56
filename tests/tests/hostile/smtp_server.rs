//! An SMTP server that takes every mail, but for one thing.

use agentwarm_app::ports::mail::TlsMode;
use agentwarm_testkit::scripted::{Peer, Script, script};

use crate::behaviour::{Act, Behaviour, Outcome, Task};

/// A point of the dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After the final dot.
    Dot,
    Other,
}

/// The one thing.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) at: Step,
    pub(crate) act: Act,
}

impl Step {
    fn of(line: &str) -> Self {
        match line.get(..4).unwrap_or_default() {
            "EHLO" => Self::Ehlo,
            "STAR" => Self::StartTls,
            "AUTH" => Self::Auth,
            "MAIL" => Self::Mail,
            "RCPT" => Self::Rcpt,
            "DATA" => Self::Data,
            _ => Self::Other,
        }
    }

    /// What a good server answers.
    fn answer(self) -> &'static str {
        match self {
            Self::Greeting => "220 mx.test ESMTP\r\n",
            Self::Ehlo => "250-mx.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n",
            Self::StartTls => "220 go\r\n",
            Self::Auth => "235 2.7.0 in\r\n",
            Self::Data => "354 go\r\n",
            Self::Mail | Self::Rcpt | Self::Dot | Self::Other => "250 2.0.0 ok\r\n",
        }
    }
}

/// The server on one connection.
pub(crate) fn serve(fault: Fault) -> Script {
    script(move |peer| run(peer, fault))
}

async fn run(mut peer: Peer, fault: Fault) {
    let mut step = Step::Greeting;
    loop {
        let act = if fault.at == step {
            fault.act.clone()
        } else {
            Act::Nothing
        };
        let act = match act {
            Act::Nothing => Act::Instead(step.answer().into()),
            act => act,
        };
        if !act.run(&mut peer, "").await {
            return;
        }
        step = match step {
            Step::StartTls => match peer.start_tls().await {
                Some(secure) => {
                    peer = secure;
                    next(&mut peer).await
                }
                None => return,
            },
            Step::Data => peer.content().await.map_or(Step::Other, |_| Step::Dot),
            _ => next(&mut peer).await,
        };
        if step == Step::Other {
            return;
        }
    }
}

/// What the next command wants; [`Step::Other`] at the end.
async fn next(peer: &mut Peer) -> Step {
    let line = peer.hear().await.unwrap_or_default();
    Step::of(&line)
}

/// A good server.
pub(crate) fn good() -> Script {
    serve(Fault {
        at: Step::Other,
        act: Act::Nothing,
    })
}

/// A server that does one thing wrong.
pub(crate) fn wrong(
    name: impl std::fmt::Display,
    at: Step,
    act: Act,
    expected: Outcome,
) -> Behaviour {
    wrong_by(TlsMode::Implicit, name, at, act, expected)
}

/// The same, by STARTTLS.
pub(crate) fn wrong_by(
    security: TlsMode,
    name: impl std::fmt::Display,
    at: Step,
    act: Act,
    expected: Outcome,
) -> Behaviour {
    let fault = Fault { at, act };
    let serve = move || serve(fault.clone());
    Behaviour::new(
        format!("SMTP: {name}"),
        Task::Send,
        security,
        serve,
        expected,
    )
}
