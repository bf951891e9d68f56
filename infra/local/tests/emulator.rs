//! The runner's dealings with the emulator: deploying the template, and playing SQS's and the streams' part. `make test` starts one and
//! says where it is in `AWS_ENDPOINT_URL`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentwarm_local::deploy::{StackName, deploy, remove};
use agentwarm_local::emulator::{Emulator, EmulatorConfig};
use agentwarm_local::invoke::{Invoke, InvokeError};
use agentwarm_local::template::mappings::{Mappings, mappings};
use agentwarm_local::template::{Resolver, Template};
use agentwarm_local::triggers::queue::{QueuePoller, Redelivery};
use agentwarm_local::triggers::stream::{Checkpoints, Shards, StreamPoller};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A function that fails where a test says so, and remembers what it was handed.
#[derive(Default)]
struct Recorder {
    events: Mutex<Vec<Value>>,
    poison: Option<&'static str>,
}

#[async_trait]
impl Invoke for Recorder {
    async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        let records = event["Records"].as_array().cloned().unwrap_or_default();
        self.events.lock().unwrap().extend(records.clone());
        let is_poison = |record: &&Value| {
            self.poison
                .is_some_and(|poison| record.to_string().contains(poison))
        };
        match records.iter().find(is_poison) {
            None => Ok(Value::Null),
            Some(record) if record["eventSource"] == "aws:sqs" => {
                Ok(json!({"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}))
            }
            Some(_) => Err(InvokeError::Failed {
                function: function.to_owned(),
                message: "poison".to_owned(),
            }),
        }
    }
}

impl Recorder {
    fn failing_on(poison: &'static str) -> Arc<Self> {
        Arc::new(Self {
            poison: Some(poison),
            ..Self::default()
        })
    }

    fn count(&self, of: &str) -> usize {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter(|record| record.to_string().contains(of))
            .count()
    }
}

fn template() -> Template {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    Template::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the emulator is, is configuration of the test run"
)]
async fn emulator() -> Emulator {
    let endpoint = std::env::var("AWS_ENDPOINT_URL")
        .expect("these tests need the emulator: run `make test`, which starts one");
    let region = "us-east-1".to_owned();
    Emulator::new(&EmulatorConfig { endpoint, region }).await
}

fn stack(name: &str) -> StackName {
    StackName {
        name: format!("local-{name}"),
        parameters: BTreeMap::from([("MaxConcurrentSends".to_owned(), "2".to_owned())]),
    }
}

fn found(template: &Template, resolver: &Resolver<'_>) -> Mappings {
    mappings(template, resolver).unwrap()
}

#[tokio::test]
async fn deploying_twice_is_deploying_once() {
    let (emulator, template) = (emulator().await, template());
    let first = deploy(&emulator, &template, &stack("twice")).await.unwrap();
    let second = deploy(&emulator, &template, &stack("twice")).await.unwrap();
    assert_eq!(first.resources(), second.resources());
    let table = &first.resources()["EntitiesTable"];
    assert_eq!(table.reference, "local-twice-entities");
    assert!(table.attributes.contains_key("StreamArn"));
    assert!(
        !first.resources()["EphemeralTable"]
            .attributes
            .contains_key("StreamArn")
    );
    remove(&emulator, &template, first.resources())
        .await
        .unwrap();
    remove(&emulator, &template, first.resources())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_message_that_fails_comes_back_on_the_schedule_clock_and_ends_in_the_dead_letters() {
    let (emulator, template) = (emulator().await, template());
    let resolver = deploy(&emulator, &template, &stack("queue")).await.unwrap();
    let mapping = found(&template, &resolver)
        .queues
        .into_iter()
        .find(|mapping| mapping.queue == "SendQueue")
        .unwrap();
    let visibility = SignedDuration::try_from(mapping.visibility).unwrap();
    for body in ["good 1", "poison", "good 2"] {
        let request = emulator.sqs.send_message().queue_url(&mapping.queue_url);
        request.message_body(body).send().await.unwrap();
    }
    let function = Recorder::failing_on("poison");
    let redelivery = Redelivery::Schedule {
        after_crash: Duration::from_mins(10),
        rest: Duration::ZERO,
    };
    let poller = QueuePoller::new(
        emulator.sqs.clone(),
        mapping,
        function.clone(),
        redelivery,
        &emulator.region,
    );
    let mut now: Timestamp = "2026-03-13T09:00:00Z".parse().unwrap();
    assert_eq!(poller.round(now).await.unwrap(), 3);
    assert_eq!(
        poller.round(now).await.unwrap(),
        0,
        "it waits its visibility time-out"
    );
    for _ in 0..6 {
        now += visibility;
        poller.round(now).await.unwrap();
    }
    assert_eq!(function.count("good"), 2);
    assert_eq!(function.count("poison"), 5, "maxReceiveCount");
    let dead = &resolver.resources()["SendDeadLetters"].reference;
    let dead = emulator
        .sqs
        .receive_message()
        .queue_url(dead)
        .send()
        .await
        .unwrap();
    assert_eq!(dead.messages()[0].body(), Some("poison"));
    remove(&emulator, &template, resolver.resources())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stream_hands_over_what_its_filters_want_and_lays_a_poison_record_aside() {
    let (emulator, template) = (emulator().await, template());
    let resolver = deploy(&emulator, &template, &stack("stream"))
        .await
        .unwrap();
    let mapping = found(&template, &resolver)
        .streams
        .into_iter()
        .find(|mapping| mapping.table == "ActivityTable")
        .unwrap();
    let table = &resolver.resources()["ActivityTable"].reference;
    for (sk, version) in [
        ("slot#1", Some("1")),
        ("day#2026-03-13", None),
        ("slot#poison", Some("1")),
        ("slot#3", Some("1")),
    ] {
        let request = emulator.dynamodb.put_item().table_name(table);
        let request = request.item("pk", AttributeValue::S("p".to_owned()));
        let mut item = request.item("sk", AttributeValue::S(sk.to_owned()));
        if let Some(version) = version {
            item = item.item("eventVersion", AttributeValue::N(version.to_owned()));
        }
        item.send().await.unwrap();
    }
    let failures = resolver.resources()["StreamFailures"].reference.clone();
    let function = Recorder::failing_on("slot#poison");
    let poller = |checkpoints: Checkpoints| {
        StreamPoller::new(
            Shards::new(emulator.streams.clone(), &mapping.stream_arn, checkpoints),
            mapping.clone(),
            function.clone(),
            emulator.sqs.clone(),
            Some(failures.clone()),
        )
    };
    let mut first = poller(Checkpoints::new());
    assert_eq!(first.round().await.unwrap(), 3);
    assert_eq!(first.round().await.unwrap(), 0);
    assert_eq!(function.count("day#"), 0);
    assert!(function.count("slot#3") >= 1);
    let laid_aside = emulator
        .sqs
        .receive_message()
        .queue_url(&failures)
        .send()
        .await
        .unwrap();
    let note: Value = serde_json::from_str(laid_aside.messages()[0].body().unwrap()).unwrap();
    assert_eq!(note["DDBStreamBatchInfo"]["batchSize"], 1);

    let mut resumed = poller(first.checkpoints().clone());
    assert_eq!(
        resumed.round().await.unwrap(),
        0,
        "a checkpoint is where it goes on"
    );
    remove(&emulator, &template, resolver.resources())
        .await
        .unwrap();
}
