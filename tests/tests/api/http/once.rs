//! What a retry with the same `Idempotency-Key` gets, wherever its first attempt ended (decision 8).
//!
//! While it is not known what became of an attempt, a retry is told to wait. After the lease the request is carried out again, so an effect
//! whose answer was not stored can be there twice: a pool or a key, which its owner sees and can take away; never an account, whose address
//! is taken, nor a mail (`send_once`).

use agentwarm_lambda::http::Response;
use agentwarm_testkit::chaos::Stroke;
use agentwarm_testkit::memory::Fault;
use agentwarm_testkit::tasks;
use futures::FutureExt as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::accounts::new_account;
use super::client::{Api, json as body};

/// Longer than a lease: the function's 30 s and 5 s of grace.
const LEASE: SignedDuration = SignedDuration::from_secs(36);

/// What a client hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing: the process died.
    Nothing,
    /// 201, carried out just now.
    Made,
    /// 201, as it was answered before.
    Replayed,
    /// 409, and to wait.
    InProgress,
    /// 503.
    Unavailable,
    /// Carried out again: 201, or 409 where there can be one only.
    Again,
}

use Told::{Again, InProgress, Made, Nothing, Replayed, Unavailable};

/// Where an attempt ends: what happens to which call of the store of requests; what its client is told, what a retry at once, and what one
/// after the lease.
const ENDS: &[(&str, &str, Stroke, [Told; 3])] = &[
    (
        "dead before begin",
        "requests.begin",
        Stroke::DiesBefore,
        [Nothing, Made, Replayed],
    ),
    (
        "begin failed",
        "requests.begin",
        Stroke::Fails(Fault::Unavailable),
        [Unavailable, Made, Replayed],
    ),
    (
        "begun, and dead",
        "requests.begin",
        Stroke::DiesAfter,
        [Nothing, InProgress, Made],
    ),
    (
        "begun, and the store's answer lost",
        "requests.begin",
        Stroke::Fails(Fault::AnswerLost),
        [Unavailable, InProgress, Made],
    ),
    (
        "effect done, and dead",
        "requests.finish",
        Stroke::DiesBefore,
        [Nothing, InProgress, Again],
    ),
    (
        "finish failed",
        "requests.finish",
        Stroke::Fails(Fault::Unavailable),
        [Made, InProgress, Again],
    ),
    (
        "finish's answer lost",
        "requests.finish",
        Stroke::Fails(Fault::AnswerLost),
        [Made, Replayed, Replayed],
    ),
    (
        "finished, and dead",
        "requests.finish",
        Stroke::DiesAfter,
        [Nothing, Replayed, Replayed],
    ),
];

/// Operations that make something: by what path, from what, the field of its list, and with which code a second one is refused.
type Making = (
    &'static str,
    fn() -> Value,
    &'static str,
    Option<&'static str>,
);

const MAKING: [Making; 3] = [
    (
        "/api/warmup/pools",
        || json!({ "name": "Once" }),
        "pools",
        None,
    ),
    ("/api/keys", || json!({ "name": "Once" }), "keys", None),
    (
        "/api/accounts",
        || new_account("once@example.com"),
        "accounts",
        Some("ACCOUNT_ALREADY_EXISTS"),
    ),
];

/// The answer to one attempt, by a process that may die.
fn attempt(api: &Api, path: &str, sent: &Value) -> Option<Response> {
    let task = api.once("key", path, sent).boxed();
    tasks::run(&api.chaos, vec![task]).pop().flatten()
}

fn heard(answer: Option<&Response>) -> (Told, String) {
    let Some(answer) = answer else {
        return (Nothing, String::new());
    };
    let told = body(answer);
    let code = told["code"].as_str().unwrap_or_default();
    let what = match (answer.status().as_u16(), code) {
        (201, _) if answer.headers().contains_key("idempotent-replayed") => Replayed,
        (201, _) => Made,
        (409, "IDEMPOTENCY_IN_PROGRESS") => InProgress,
        (503, "PROVIDER_UNAVAILABLE") => Unavailable,
        _ => Again,
    };
    (what, code.to_owned())
}

#[tokio::test]
async fn wherever_an_attempt_ends_a_retry_gets_what_is_documented() {
    for (path, sent, list, refused) in MAKING {
        for (end, call, stroke, [first, at_once, later]) in ENDS {
            let api = Api::new().await;
            let sent = sent();
            let there = async || api.get(path, 200).await[list].as_array().unwrap().len();
            let before = there().await;
            api.chaos.script(call, *stroke);
            let mut answers = vec![attempt(&api, path, &sent), attempt(&api, path, &sent)];
            assert_eq!(api.chaos.unmet(), Vec::<&str>::new(), "{path}, {end}");
            api.world.clock.advance(LEASE);
            answers.push(attempt(&api, path, &sent));
            let mut last: Option<&[u8]> = None;
            for (answer, expected) in answers.iter().zip([first, at_once, later]) {
                let (told, code) = heard(answer.as_ref());
                let expected = match (expected, refused) {
                    (Again, None) => Made,
                    (expected, _) => *expected,
                };
                assert_eq!(told, expected, "{path}, {end}: {code}");
                assert!(
                    told != Again || Some(code.as_str()) == refused,
                    "{path}, {end}: {code}"
                );
                let bytes = answer.as_ref().map(Response::body);
                if told == Replayed && last.is_some() {
                    assert_eq!(bytes, last, "{path}, {end}");
                }
                if let Made | Replayed = told {
                    last = bytes;
                }
            }
            let is_repeated = *later == Again && refused.is_none();
            let more = there().await - before;
            assert_eq!(more, 1 + usize::from(is_repeated), "{path}, {end}");
        }
    }
}
