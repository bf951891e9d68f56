//! What the API promises of every request, kept by the real tables when many ask at once: the rate limit is exact, a request with an
//! `Idempotency-Key` is carried out once and answered byte for byte, and what is kept of it is sealed (decisions 4, 7, 8).

use std::collections::BTreeMap;
use std::time::Duration;

use agentwarm_local::http_client::HttpClient;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::stream::{self, StreamExt as _};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::world::World;

/// Requests a minute and key, here. Twice as many are made.
const LIMIT: usize = 250;

/// More than they take: requests of one minute are not to fall into two.
const ENOUGH_OF_A_MINUTE: u64 = 30;

/// Requests that are one and the same. Their key may ask more often than that.
const CROWD: usize = 1_000;

/// How many requests are on their way at any moment. With more the emulator, a single process, answers later than the functions wait.
const IN_FLIGHT: usize = 50;

pub(crate) type Answer = Response<Vec<u8>>;

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_get_what_each_was_promised() {
    let world = World::limited("local-promises", LIMIT).await;
    let client = HttpClient::default();
    the_limit_is_exact(&world, &client).await;
    let key = fresh_key(&world).await;
    a_key_is_made_once_and_kept_sealed(&world, &client, &key).await;
    the_gateway_answers_in_our_shape(&world, &client).await;
    assert_eq!(world.stack.take_flaws(), Vec::<String>::new());
    world.stack.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_with_one_key_are_carried_out_once() {
    let world = World::limited("local-crowd", 2 * CROWD).await;
    let key = fresh_key(&world).await;
    a_pool_is_made_once(&world, &HttpClient::default(), &key).await;
    assert_eq!(world.stack.take_flaws(), Vec::<String>::new());
    world.stack.remove().await.unwrap();
}

async fn the_limit_is_exact(world: &World, client: &HttpClient) {
    let key = fresh_key(world).await;
    let ask = |key| world.ask(client, "GET /api/keys", key, &[], Vec::new());
    let left: u64 = text(&ask(&world.key).await, "ratelimit-reset")
        .parse()
        .unwrap();
    if left < ENOUGH_OF_A_MINUTE {
        tokio::time::sleep(Duration::from_secs(left)).await;
    }
    let answers = side_by_side((0..2 * LIMIT).map(|_| ask(&key))).await;
    let mut remaining = BTreeMap::new();
    for answer in &answers {
        let left = text(answer, "ratelimit-remaining").to_owned();
        *remaining.entry((answer.status(), left)).or_insert(0) += 1;
    }
    // Each place was given away once, and nobody got one that was not there.
    let places = (0..LIMIT).map(|left| ((StatusCode::OK, left.to_string()), 1));
    let none = (StatusCode::TOO_MANY_REQUESTS, "0".to_owned());
    assert_eq!(remaining, places.chain([(none, LIMIT)]).collect());
}

async fn a_pool_is_made_once(world: &World, client: &HttpClient, key: &str) {
    let wanted = json!({ "name": "Once" }).to_string().into_bytes();
    let once = [("idempotency-key", "one pool")];
    let create = || {
        let line = "POST /api/warmup/pools";
        world.ask(client, line, key, &once, wanted.clone())
    };
    let answers = side_by_side((0..CROWD).map(|_| create())).await;
    let carried_out = |answer: &&Answer| {
        answer.status() == StatusCode::CREATED && !answer.headers().contains_key(REPLAYED)
    };
    let first: Vec<_> = answers.iter().filter(carried_out).collect();
    assert_eq!(first.len(), 1);
    for answer in &answers {
        if answer.status() == StatusCode::CREATED {
            assert_eq!(answer.body(), first[0].body());
        } else {
            assert_eq!(json(answer)["code"], "IDEMPOTENCY_IN_PROGRESS");
            assert!(answer.headers().contains_key("retry-after"));
        }
    }
    let again = create().await;
    assert_eq!(
        (again.status(), again.body()),
        (first[0].status(), first[0].body())
    );
    assert_eq!(text(&again, REPLAYED), "true");
    assert_eq!(text(&again, "content-type"), text(first[0], "content-type"));
    assert_ne!(text(&again, "x-request-id"), text(first[0], "x-request-id"));
    let pools = world.api.get("/api/warmup/pools").await.unwrap();
    let made = pools["pools"].as_array().unwrap().iter();
    assert_eq!(made.filter(|pool| pool["name"] == "Once").count(), 1);
}

const REPLAYED: &str = "idempotent-replayed";

async fn a_key_is_made_once_and_kept_sealed(world: &World, client: &HttpClient, key: &str) {
    let wanted = json!({ "name": "Sealed" }).to_string().into_bytes();
    let once = [("idempotency-key", "one key")];
    let create = || world.ask(client, "POST /api/keys", key, &once, wanted.clone());
    let (first, second) = (create().await, create().await);
    assert_eq!(
        (first.status(), first.body()),
        (StatusCode::CREATED, second.body())
    );
    let secret = json(&first)["key"].as_str().unwrap().to_owned();
    let stored = world.everything_in("EphemeralTable").await;
    assert!(stored.contains("answer: "), "it is remembered");
    assert!(!stored.contains(&secret), "and cannot be read");
    assert!(!world.everything_in("EntitiesTable").await.contains(&secret));
}

async fn the_gateway_answers_in_our_shape(world: &World, client: &HttpClient) {
    let large = vec![b' '; 11 * 1024 * 1024];
    // The gateway hangs up on who sends too much: a connection of its own, which nobody uses again.
    let refused = world
        .ask(
            &HttpClient::default(),
            "POST /api/keys",
            &world.key,
            &[],
            large,
        )
        .await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(json(&refused)["code"], "PAYLOAD_TOO_LARGE");
    assert_eq!(text(&refused, "access-control-allow-origin"), "*");
    let nowhere = world
        .ask(client, "GET /no/where", "aw_nobody", &[], Vec::new())
        .await;
    assert_eq!(json(&nowhere)["code"], "AUTH_INVALID_KEY");
}

/// Asks all of it, always [`IN_FLIGHT`] at a time.
async fn side_by_side(asked: impl Iterator<Item = impl Future<Output = Answer>>) -> Vec<Answer> {
    stream::iter(asked)
        .buffer_unordered(IN_FLIGHT)
        .collect()
        .await
}

/// The secret of a key that was not used yet.
async fn fresh_key(world: &World) -> String {
    let wanted = json!({ "name": "Fresh" });
    let made = world.api.post("/api/keys", Some(&wanted)).await.unwrap();
    made["key"].as_str().unwrap().to_owned()
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(answer.body()).unwrap()
}

fn text<'a>(answer: &'a Answer, header: &str) -> &'a str {
    answer.headers()[header].to_str().unwrap()
}

impl World {
    /// Sends a request; whatever its answer is.
    pub(crate) async fn ask(
        &self,
        client: &HttpClient,
        line: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.stack.api_url()))
            .header("authorization", format!("Bearer {key}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        client.send(request.body(body).unwrap()).await.unwrap()
    }

    /// All items of a table, as text: whatever of it is bytes is shown as text too.
    pub(crate) async fn everything_in(&self, table: &str) -> String {
        let table = &self.stack.deployed().get(table).unwrap().reference;
        let scan = self.stack.emulator().dynamodb.scan().table_name(table);
        let page = scan.send().await.unwrap();
        assert_eq!(page.last_evaluated_key, None, "{table} has more");
        let items = page.items.unwrap_or_default();
        let attributes = items.iter().flatten();
        attributes.map(readable).collect()
    }
}

fn readable((name, value): (&String, &AttributeValue)) -> String {
    match value {
        AttributeValue::B(bytes) => {
            let text = String::from_utf8_lossy(bytes.as_ref());
            format!("{name}: {text}\n")
        }
        other => format!("{name}: {other:?}\n"),
    }
}
