//! Queues and the bus on the emulator.

use std::time::Duration;

use crate::support::World;
use crate::support::faults::{Fault, FaultyHttp};
use agentwarm_app::ports::health::{HealthProbes, LeaseGauge, SchedulerGauge};
use agentwarm_app::ports::queue::{
    EventBus, QueueError, SendOrder, SendQueue, VisitOrder, VisitQueue,
};
use agentwarm_aws::clients::ClientSettings;
use agentwarm_aws::eventbridge::{EventBridgeBus, EventDetail};
use agentwarm_aws::health::{AwsProbes, VisitLeases, Watermarks};
use agentwarm_aws::sqs::{SqsSendQueue, SqsVisitQueue};
use agentwarm_core::audit::EventType;
use agentwarm_core::ids::{AccountId, SlotId};
use agentwarm_core::mail::slot::SlotKind;
use agentwarm_testkit::store_contract::fixtures;
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use fixtures::{account, after, event, now, user};
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

async fn faulty() -> (World, FaultyHttp) {
    let http = FaultyHttp::new();
    let settings = ClientSettings {
        http: Some(SharedHttpClient::new(http.clone())),
        ..crate::support::settings()
    };
    (World::with(settings).await, http)
}

async fn queue(sqs: &aws_sdk_sqs::Client) -> String {
    let created = sqs.create_queue().queue_name(crate::support::random_name());
    created.send().await.unwrap().queue_url.unwrap()
}

/// Every message that can be received now.
async fn received<T: DeserializeOwned>(sqs: &aws_sdk_sqs::Client, url: &str) -> Vec<T> {
    let mut messages = Vec::new();
    loop {
        let batch = sqs
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .send()
            .await
            .unwrap();
        let batch = batch.messages();
        if batch.is_empty() {
            return messages;
        }
        let body = |message: &aws_sdk_sqs::types::Message| {
            serde_json::from_str(message.body().unwrap()).unwrap()
        };
        messages.extend(batch.iter().map(body));
    }
}

async fn delayed(sqs: &aws_sdk_sqs::Client, url: &str) -> String {
    let name = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
    let output = sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(name.clone())
        .send()
        .await
        .unwrap();
    output.attributes.unwrap()[&name].clone()
}

fn order(n: u32) -> SendOrder {
    SendOrder {
        user: user(1),
        sender: account(user(1), n).id,
        slot: SlotId::new(after(i64::from(n)), 5),
        target: AccountId::new(now(), 99),
        kind: SlotKind::Reply {
            answers: SlotId::new(now(), 4),
        },
        due: after(i64::from(n)),
    }
}

fn by_due(mut orders: Vec<SendOrder>) -> Vec<SendOrder> {
    orders.sort_by_key(|order| order.due);
    orders
}

#[tokio::test]
async fn every_mail_of_many_is_handed_out_as_it_was_given() {
    let world = World::open().await;
    let sqs = world.clients.sqs();
    let url = queue(&sqs).await;
    let orders: Vec<_> = (0..25).map(|n| (order(n), SignedDuration::ZERO)).collect();
    SqsSendQueue::new(sqs.clone(), &url, true)
        .send(&orders)
        .await
        .unwrap();

    let expected: Vec<_> = (0..25).map(order).collect();
    assert_eq!(by_due(received(&sqs, &url).await), expected);
}

#[tokio::test]
async fn mails_wait_for_their_second_unless_delays_are_off() {
    let world = World::open().await;
    let sqs = world.clients.sqs();
    let orders = [
        (order(1), SignedDuration::from_mins(10)),
        (order(2), SignedDuration::ZERO),
    ];
    let url = queue(&sqs).await;
    let send_queue = SqsSendQueue::new(sqs.clone(), &url, true);
    send_queue.send(&orders).await.unwrap();
    assert_eq!(received::<SendOrder>(&sqs, &url).await, [order(2)]);
    assert_eq!(delayed(&sqs, &url).await, "1");

    let url = queue(&sqs).await;
    let send_queue = SqsSendQueue::new(sqs.clone(), &url, false);
    send_queue.send(&orders).await.unwrap();
    let at_once = by_due(received(&sqs, &url).await);
    assert_eq!(at_once, [order(1), order(2)]);
}

#[tokio::test]
async fn visits_are_handed_out_however_large() {
    let world = World::open().await;
    let sqs = world.clients.sqs();
    let url = queue(&sqs).await;
    let visit = |n: u32| VisitOrder {
        user: user(1),
        account: account(user(1), n).id,
        expected: (0..1500)
            .map(|mail| (account(user(1), mail).id, SlotId::new(now(), 5)))
            .collect(),
        look_anyway: n.is_multiple_of(2),
        sums_up: n.is_multiple_of(3),
    };
    let visits: Vec<_> = (0..5).map(visit).collect();
    let visit_queue = SqsVisitQueue::new(sqs.clone(), &url);
    visit_queue.visit(&visits).await.unwrap();
    visit_queue.visit(&[]).await.unwrap();

    let mut read: Vec<VisitOrder> = received(&sqs, &url).await;
    read.sort_by_key(|visit| visit.account);
    assert_eq!(read, visits);
}

/// Refuses the second entry of a batch whose others are carried out.
fn without_second(request: &Value) -> Value {
    let mut request = request.clone();
    request["Entries"].as_array_mut().unwrap().remove(1);
    request
}

fn second_refused(request: &Value) -> Value {
    let entries = request["Entries"].as_array().unwrap();
    let sent: Vec<_> = entries
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != 1)
        .map(|(_, entry)| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0" }))
        .collect();
    let refused = json!({ "Id": entries[1]["Id"], "SenderFault": false, "Code": "InternalError" });
    json!({ "Successful": sent, "Failed": [refused] })
}

fn all_refused(request: &Value) -> Value {
    let refused: Vec<_> = request["Entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError" }))
        .collect();
    json!({ "Successful": [], "Failed": refused })
}

#[tokio::test]
async fn what_a_queue_refuses_of_a_batch_is_sent_once_more() {
    let (world, http) = faulty().await;
    let sqs = world.clients.sqs();
    let url = queue(&sqs).await;
    let send_queue = SqsSendQueue::new(sqs.clone(), &url, true);
    let orders: Vec<_> = (0..3).map(|n| (order(n), SignedDuration::ZERO)).collect();

    http.plan(
        "SendMessageBatch",
        Fault::Twist(without_second, second_refused),
    );
    send_queue.send(&orders).await.unwrap();
    let sent = by_due(received(&sqs, &url).await);
    assert_eq!(sent, [order(0), order(1), order(2)]);

    http.plan("SendMessageBatch", Fault::Answer(200, all_refused));
    http.plan("SendMessageBatch", Fault::Answer(200, all_refused));
    let error: QueueError = send_queue.send(&orders).await.unwrap_err();
    assert_eq!(error.queue, "send queue");
    assert_eq!(
        error.source.to_string(),
        "3 of a batch were refused, the first with InternalError"
    );
    assert!(http.is_done());
}

/// A bus whose events all go to a queue.
async fn bus(world: &World) -> (String, String) {
    let (bus, sqs) = (world.clients.eventbridge(), world.clients.sqs());
    let name = crate::support::random_name();
    bus.create_event_bus().name(&name).send().await.unwrap();
    let url = queue(&sqs).await;
    let arn = sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .unwrap()
        .attributes
        .unwrap()[&QueueAttributeName::QueueArn]
        .clone();
    bus.put_rule()
        .name(&name)
        .event_bus_name(&name)
        .event_pattern(r#"{"source": ["agentwarm"]}"#)
        .send()
        .await
        .unwrap();
    let target = Target::builder().id("queue").arn(arn).build().unwrap();
    bus.put_targets()
        .rule(&name)
        .event_bus_name(&name)
        .targets(target)
        .send()
        .await
        .unwrap();
    (name, url)
}

/// Waits for `count` events on a queue.
async fn events(sqs: &aws_sdk_sqs::Client, url: &str, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    let arrived = async {
        while events.len() < count {
            events.extend(received::<Value>(sqs, url).await);
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrived)
        .await
        .unwrap();
    events
}

#[tokio::test]
async fn events_arrive_with_their_id_type_and_user() {
    let world = World::open().await;
    let (name, url) = bus(&world).await;
    let published: Vec<_> = (0..23)
        .map(|n| {
            let event = event(EventType::WarmupAutoPaused, n);
            (format!("event-{n:02}"), user(1), event)
        })
        .collect();
    EventBridgeBus::new(world.clients.eventbridge(), &name)
        .publish(&published)
        .await
        .unwrap();

    let events = events(&world.clients.sqs(), &url, 23).await;
    let mut details: Vec<EventDetail> = events
        .iter()
        .map(|event| {
            assert_eq!(event["source"], "agentwarm");
            assert_eq!(event["detail-type"], "warmup.auto_paused");
            serde_json::from_value(event["detail"].clone()).unwrap()
        })
        .collect();
    details.sort_by(|a, b| a.id.cmp(&b.id));
    let expected: Vec<_> = published
        .into_iter()
        .map(|(id, user, event)| EventDetail { id, user, event })
        .collect();
    assert_eq!(details, expected);
}

#[tokio::test]
async fn what_the_bus_refuses_of_a_batch_is_published_once_more() {
    let (world, http) = faulty().await;
    let (name, url) = bus(&world).await;
    let published: Vec<_> = (0..3)
        .map(|n| (n.to_string(), user(1), event(EventType::PoolCreated, n)))
        .collect();
    let bus = EventBridgeBus::new(world.clients.eventbridge(), &name);

    http.plan(
        "PutEvents",
        Fault::Twist(without_second, second_event_refused),
    );
    bus.publish(&published).await.unwrap();
    let events = events(&world.clients.sqs(), &url, 3).await;
    let mut ids: Vec<_> = events
        .iter()
        .map(|event| event["detail"]["id"].to_string())
        .collect();
    ids.sort();
    assert_eq!(ids, ["\"0\"", "\"1\"", "\"2\""]);

    http.plan("PutEvents", Fault::Answer(200, all_events_refused));
    http.plan("PutEvents", Fault::Answer(200, all_events_refused));
    let error = bus.publish(&published).await.unwrap_err();
    assert_eq!(
        error.source.to_string(),
        "3 of a batch were refused, the first with ThrottlingException"
    );
    assert!(http.is_done());
}

const REFUSED: &str = "ThrottlingException";

fn second_event_refused(request: &Value) -> Value {
    let entries = request["Entries"].as_array().unwrap().iter().enumerate();
    let results = entries.map(|(place, _)| match place {
        1 => json!({ "ErrorCode": REFUSED, "ErrorMessage": "slow down" }),
        _ => json!({ "EventId": place.to_string() }),
    });
    json!({ "FailedEntryCount": 1, "Entries": results.collect::<Vec<_>>() })
}

fn all_events_refused(request: &Value) -> Value {
    let entries = request["Entries"].as_array().unwrap().iter();
    let results: Vec<_> = entries
        .map(|_| json!({ "ErrorCode": REFUSED, "ErrorMessage": "slow down" }))
        .collect();
    json!({ "FailedEntryCount": results.len(), "Entries": results })
}

#[tokio::test]
async fn probes_say_how_full_the_queues_are_and_how_far_the_index_is() {
    let world = World::open().await;
    let sqs = world.clients.sqs();
    let (send, visit) = (queue(&sqs).await, queue(&sqs).await);
    let orders = [
        (order(1), SignedDuration::from_mins(10)),
        (order(2), SignedDuration::ZERO),
    ];
    let send_queue = SqsSendQueue::new(sqs.clone(), &send, true);
    send_queue.send(&orders).await.unwrap();
    let look = VisitOrder {
        user: user(1),
        account: account(user(1), 1).id,
        expected: Vec::new(),
        look_anyway: true,
        sums_up: true,
    };
    let visits = SqsVisitQueue::new(sqs.clone(), &visit);
    visits.visit(&[look.clone(), look]).await.unwrap();
    let _in_flight: Vec<VisitOrder> = received(&sqs, &visit).await;

    let roles = vec![
        ("send".to_owned(), send),
        ("visit".to_owned(), visit.clone()),
    ];
    let probes = AwsProbes::new(world.entities(), sqs.clone(), roles);
    probes.database().await.unwrap();
    let depths = probes.queues().await.unwrap();
    let depths: Vec<_> = depths
        .iter()
        .map(|depth| {
            (
                depth.queue.as_str(),
                depth.waiting,
                depth.in_flight,
                depth.delayed,
            )
        })
        .collect();
    assert_eq!(depths, [("send", 1, 0, 1), ("visit", 0, 2, 0)]);
    let leases = VisitLeases::new(sqs, visit, 30).leases().await.unwrap();
    assert_eq!((leases.active, leases.total), (2, 30));

    let index = world.store().due;
    let gauge = Watermarks::new(index.clone(), crate::support::SHARDS);
    for shard in 0..crate::support::SHARDS.0 {
        assert_eq!(gauge.handed_out_to().await.unwrap(), None);
        index
            .advance(shard, after(60 - i64::from(shard)))
            .await
            .unwrap();
    }
    assert_eq!(gauge.handed_out_to().await.unwrap(), Some(after(57)));
}
