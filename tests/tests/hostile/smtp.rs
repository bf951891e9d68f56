//! Every step of a submission: silence, 421, an end without a word, a byte a second; floods; and what is said ahead of TLS.

use agentwarm_app::ports::mail::{ConnectFailure, SmtpPhase, Submission, TlsMode};

use crate::behaviour::{Act, BUSY, Behaviour, Outcome, UNREACHABLE, insecure, protocol};
use crate::measure::measure_waiting;
use crate::smtp_server::{Step, wrong, wrong_by};

const STEPS: [Step; 7] = [
    Step::Greeting,
    Step::Ehlo,
    Step::Auth,
    Step::Mail,
    Step::Rcpt,
    Step::Data,
    Step::Dot,
];

/// What losing the connection means at a step: before there is a session, before the content, after it.
fn lost(step: Step, failure: ConnectFailure) -> Outcome {
    match step {
        Step::Mail | Step::Rcpt | Step::Data => Outcome::Sends(Submission::NotSent(failure)),
        Step::Dot => Outcome::Sends(Submission::InDoubt),
        _ => Outcome::Fails(failure),
    }
}

fn at_each(name: &str, act: &Act, failure: &ConnectFailure) -> Vec<Behaviour> {
    let at = |step| {
        let name = format!("{name} at {step:?}");
        wrong(name, step, act.clone(), lost(step, failure.clone()))
    };
    STEPS.into_iter().map(at).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_ends_in_time() {
    let mut behaviours = silence();
    behaviours.extend(dribble());
    measure_waiting(behaviours).await;
}

fn silence() -> Vec<Behaviour> {
    let mut behaviours = at_each("silence", &Act::Silence, &ConnectFailure::Unreachable);
    for step in [Step::Greeting, Step::Ehlo, Step::StartTls] {
        let name = format!("silence before TLS at {step:?}");
        let security = TlsMode::StartTls;
        behaviours.push(wrong_by(security, name, step, Act::Silence, UNREACHABLE));
    }
    behaviours
}

fn dribble() -> Vec<Behaviour> {
    let endless = b"250-still working on it, please do not go away\r\n".to_vec();
    let slow = ConnectFailure::Unreachable;
    let mut behaviours = at_each("a byte a second", &Act::Drip(endless.clone(), 1), &slow);
    behaviours.push(wrong(
        "a line of a reply a second",
        Step::Ehlo,
        Act::Drip(endless, 100),
        UNREACHABLE,
    ));
    behaviours
}

#[tokio::test(flavor = "multi_thread")]
async fn goodbyes_are_answers() {
    let refused = |phase| {
        Outcome::Sends(Submission::Refused {
            phase,
            code: 421,
            enhanced: Some("4.3.2".into()),
            text: "closing".into(),
        })
    };
    let closing = |at, expected| {
        let act = Act::Last(b"421 4.3.2 closing\r\n".to_vec());
        wrong(format!("421 at {at:?}"), at, act, expected)
    };
    let mut behaviours = vec![
        closing(Step::Greeting, BUSY),
        closing(Step::Ehlo, BUSY),
        closing(Step::Auth, BUSY),
        closing(Step::Mail, refused(SmtpPhase::MailFrom)),
        closing(Step::Rcpt, refused(SmtpPhase::RcptTo)),
        closing(Step::Data, refused(SmtpPhase::Data)),
        closing(Step::Dot, refused(SmtpPhase::Content)),
        wrong_by(
            TlsMode::StartTls,
            "421 at STARTTLS",
            Step::StartTls,
            Act::Last(b"421 4.3.2 closing\r\n".to_vec()),
            BUSY,
        ),
    ];
    let gone = ConnectFailure::Unreachable;
    behaviours.extend(at_each("hanging up", &Act::Last(Vec::new()), &gone));
    measure_waiting(behaviours).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_and_nonsense_end_early() {
    let line = "250-".to_owned() + &"x".repeat(400) + "\r\n";
    let flood = |bytes: &str| Act::Flood(bytes.repeat(10).into());
    let garbage = Act::Last(b"HTTP/1.1 400 Bad Request\r\n".to_vec());
    let mut behaviours = at_each(
        "a line that does not end",
        &flood("250 xxxxxxxxxxxxxxxxxxxx"),
        &ConnectFailure::Protocol("a line is too long"),
    );
    behaviours.extend(at_each(
        "a reply that does not end",
        &flood(&line),
        &ConnectFailure::Protocol("it sends too much unasked"),
    ));
    behaviours.extend(at_each(
        "nonsense",
        &garbage,
        &ConnectFailure::Protocol("a reply is not SMTP"),
    ));
    behaviours.push(wrong(
        "two codes in one reply",
        Step::Ehlo,
        Act::Instead(b"250-mx.test\r\n550 no\r\n".to_vec()),
        protocol("a reply is not SMTP"),
    ));
    behaviours.push(wrong(
        "mechanisms without end",
        Step::Ehlo,
        Act::Instead(
            [
                &b"250-mx.test\r\n"[..],
                &b"250-AUTH X-A X-B\r\n".repeat(500),
                b"250 AUTH X\r\n",
            ]
            .concat(),
        ),
        protocol("it offers no authentication that fits the credentials"),
    ));
    behaviours.push(wrong(
        "it sends us elsewhere",
        Step::Rcpt,
        Act::Instead(b"551 5.7.1 try <x@169.254.169.254>\r\n".to_vec()),
        Outcome::Sends(Submission::Refused {
            phase: SmtpPhase::RcptTo,
            code: 551,
            enhanced: Some("5.7.1".into()),
            text: "try (address)".into(),
        }),
    ));
    measure_waiting(behaviours).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_counts_that_was_said_ahead_of_tls() {
    let wrong = |name, at, answer: &str, reason| {
        let act = Act::Instead(answer.into());
        wrong_by(TlsMode::StartTls, name, at, act, insecure(reason))
    };
    measure_waiting(vec![
        wrong(
            "STARTTLS is taken out of the offer",
            Step::Ehlo,
            "250-mx.test\r\n250 AUTH PLAIN\r\n",
            "STARTTLS is not offered",
        ),
        wrong(
            "STARTTLS is refused",
            Step::StartTls,
            "502 what\r\n",
            "STARTTLS is refused",
        ),
        wrong(
            "replies put in front of TLS",
            Step::StartTls,
            "220 go\r\n250-mx.test\r\n250 AUTH PLAIN\r\n235 in\r\n",
            "it sent plain text ahead of TLS",
        ),
    ])
    .await;
}
