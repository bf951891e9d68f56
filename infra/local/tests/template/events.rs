//! Every event of `events/` through the function that it is for: `FUNCTION.QUIRK.json`.
//!
//! The API's events carry a key that nobody has, as they would from anybody who sends them by hand; here they are sent as they are and with
//! a real key.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use agentwarm_local::invoke::InvokeError;
use serde_json::{Value, json};

use crate::world::World;

/// The key in the files.
const NOBODYS_KEY: &str = "aw_00000000000000000000000000000000";

/// Events for HTTP: the statuses with nobody's key and with a user's. That user has nothing, so what an event names is not found.
const REQUESTS: &[(&str, u16, u16)] = &[
    ("api-accounts.create", 403, 201),
    ("api-accounts.list-with-query", 403, 200),
    ("api-accounts.preflight", 204, 204),
    ("api-accounts.stage-prefix", 403, 404),
    ("api-agent.status", 403, 200),
    ("api-analytics.progress", 403, 404),
    ("api-audit-log.repeated-query", 403, 400),
    ("api-discovery.healthz", 200, 200),
    ("api-discovery.unknown-path", 403, 404),
    ("api-keys.create-base64-body", 403, 201),
    ("api-pools.put-config", 403, 404),
    ("api-suppression.delete-encoded-address", 403, 404),
    ("api-warmup.start", 403, 404),
];

/// Events for batches: what the function says of them, by the ids of what it could not handle.
const BATCHES: &[(&str, &[&str])] = &[
    ("job-event-fanout.entities-insert", &[]),
    ("job-event-fanout.old-events-on-a-newer-version", &[]),
    ("job-event-fanout.removed-by-ttl", &[]),
    ("job-inbox-poll.batch", &[]),
    (
        "job-inbox-poll.malformed-among-good",
        &["00000002-0000-4000-8000-000000000000"],
    ),
    ("job-send-slot.batch", &[]),
    (
        "job-send-slot.malformed-among-good",
        &["00000002-0000-4000-8000-000000000000"],
    ),
];

/// Events that fail their function's call, as what says so ends: nothing of them can be done.
const FAILURES: &[(&str, &str)] = &[(
    "job-event-fanout.unreadable-item",
    "the batch that begins with record 000000000000000001004",
)];

/// Events whose function has nothing to say.
const SIGNALS: &[&str] = &["job-scheduler-tick.minute"];

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_answered_by_its_function() {
    let world = World::begin("local-events").await;
    for (name, stranger, user) in REQUESTS {
        let answer = world.invoke(name, |text| text).await;
        assert_eq!(answer["statusCode"], *stranger, "{name}: {answer:#}");
        let answer = world
            .invoke(name, |text| text.replace(NOBODYS_KEY, &world.key))
            .await;
        assert_eq!(answer["statusCode"], *user, "{name}: {answer:#}");
        assert!(
            answer["body"].is_string() || *user == 204,
            "{name}: {answer:#}"
        );
    }
    for (name, failed) in BATCHES {
        let answer = world.invoke(name, |text| text).await;
        let failures: Vec<_> = failed
            .iter()
            .map(|id| json!({"itemIdentifier": id}))
            .collect();
        assert_eq!(answer, json!({"batchItemFailures": failures}), "{name}");
    }
    for name in SIGNALS {
        assert_eq!(world.invoke(name, |text| text).await, Value::Null, "{name}");
    }
    assert_eq!(world.stack.take_flaws(), Vec::<String>::new());
    for (name, said) in FAILURES {
        let failure = world.call(name, |text| text).await.unwrap_err().to_string();
        assert!(failure.ends_with(said), "{name}: {failure}");
        assert_eq!(world.stack.take_flaws(), [failure], "{name}");
    }
    world.stack.remove().await.unwrap();
}

#[test]
fn every_event_has_its_answer_and_every_function_its_event() {
    let files: BTreeSet<_> = names(&events(), ".json");
    let requests = REQUESTS.iter().map(|(name, ..)| *name);
    let batches = BATCHES.iter().map(|(name, _)| *name);
    let failures = FAILURES.iter().map(|(name, _)| *name);
    let known = requests.chain(batches).chain(failures);
    let known = known.chain(SIGNALS.iter().copied());
    assert_eq!(files, known.map(str::to_owned).collect());

    let functions = names(&events().join("../functions"), "");
    let woken = files.iter().map(|name| function_of(name).to_owned());
    assert_eq!(woken.collect::<BTreeSet<_>>(), functions);
}

impl World {
    /// The answer of the function that the event `name` is for.
    async fn invoke(&self, name: &str, change: impl FnOnce(String) -> String) -> Value {
        self.call(name, change).await.unwrap()
    }

    /// What becomes of its call.
    async fn call(
        &self,
        name: &str,
        change: impl FnOnce(String) -> String,
    ) -> Result<Value, InvokeError> {
        let text = fs::read_to_string(events().join(format!("{name}.json"))).unwrap();
        let event = serde_json::from_str(&change(text)).unwrap();
        let function = logical_id(function_of(name));
        self.stack.functions().invoke(&function, event).await
    }
}

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// What lies in a folder and ends so, without that end.
fn names(folder: &Path, end: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(end).map(str::to_owned)
        })
        .collect()
}

fn function_of(event: &str) -> &str {
    event.split('.').next().unwrap()
}

/// `api-accounts` is `ApiAccounts` in the template.
fn logical_id(folder: &str) -> String {
    let words = folder.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}
