//! Every step of an IMAP session: silence, goodbye, an end without one, and a byte a second.

use agentwarm_app::ports::mail::TlsMode;

use crate::behaviour::{Act, BUSY, Behaviour, Task, UNREACHABLE};
use crate::imap_server::{Step, wrong, wrong_by};
use crate::measure::measure_waiting;

const STEPS: [Step; 8] = [
    Step::Greeting,
    Step::Capability,
    Step::Login,
    Step::List,
    Step::Select,
    Step::Search,
    Step::Headers,
    Step::Body,
];

fn at_each(name: &str, act: &Act, expected: &crate::behaviour::Outcome) -> Vec<Behaviour> {
    let at = |step| {
        let name = format!("{name} at {step:?}");
        wrong(name, Task::Read, step, act.clone(), expected.clone())
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
    let mut behaviours = at_each("silence", &Act::Silence, &UNREACHABLE);
    behaviours.push(wrong(
        "silence while a message is looked for",
        Task::Find,
        Step::Search,
        Act::Silence,
        UNREACHABLE,
    ));
    for step in [Step::Greeting, Step::StartTls] {
        behaviours.push(wrong_by(
            TlsMode::StartTls,
            format!("silence before TLS at {step:?}"),
            Task::Read,
            step,
            Act::Silence,
            UNREACHABLE,
        ));
    }
    behaviours
}

#[tokio::test(flavor = "multi_thread")]
async fn goodbyes_are_answers() {
    let bye = Act::Last(b"* BYE [UNAVAILABLE] later\r\n".to_vec());
    let mut behaviours = at_each("BYE", &bye, &BUSY);
    behaviours.extend(at_each("hanging up", &Act::Last(Vec::new()), &UNREACHABLE));
    measure_waiting(behaviours).await;
}

fn dribble() -> Vec<Behaviour> {
    let endless = b"* OK still working on it, please do not go away ".to_vec();
    let mut behaviours = at_each("a byte a second", &Act::Drip(endless, 1), &UNREACHABLE);
    behaviours.push(wrong(
        "a literal that hardly arrives",
        Task::Browse,
        Step::Body,
        Act::Drip(b"* 1 FETCH (UID 7 BODY[] {30000}\r\n".repeat(1_000), 40),
        UNREACHABLE,
    ));
    behaviours.push(wrong(
        "a notice a second",
        Task::Read,
        Step::Search,
        Act::Drip(b"* OK still working\r\n".to_vec(), 100),
        UNREACHABLE,
    ));
    behaviours
}
