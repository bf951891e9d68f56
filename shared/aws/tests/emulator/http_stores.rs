//! The rate limit's counters and the idempotency records (decisions 7, 8).

use crate::support::World;
use agentwarm_app::ports::requests::{
    Begun, IdempotencyStore as _, RateCounter as _, RequestScope,
};
use agentwarm_aws::dynamo::{IdempotencyTable, RateTable};
use agentwarm_core::ids::ApiKeyId;
use agentwarm_testkit::store_contract::fixtures::{after, now, user};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// How many requests with one `Idempotency-Key` begin at the same moment.
const CROWD: usize = 1_000;

/// How many requests are counted at the same moment.
const COUNTED: u64 = 500;

fn key(n: u128) -> ApiKeyId {
    ApiKeyId::new(now(), n)
}

fn scope(idempotency_key: &str) -> RequestScope<'_> {
    RequestScope {
        user: user(1),
        key: key(1),
        idempotency_key,
    }
}

#[tokio::test]
async fn parallel_requests_are_counted_exactly() {
    let world = World::open().await;
    let rate = RateTable::new(world.ephemeral());
    let count = |at| rate.increment(user(1), key(1), at);
    let counts = join_all((0..COUNTED).map(|_| count(now()))).await;
    let mut counts: Vec<_> = counts.into_iter().map(Result::unwrap).collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=COUNTED).collect::<Vec<_>>());
}

#[tokio::test]
async fn each_key_and_minute_has_its_own_counter() {
    let world = World::open().await;
    let rate = RateTable::new(world.ephemeral());
    let minute = Timestamp::from_second(now().as_second() / 60 * 60).unwrap();
    let second = |n| minute + SignedDuration::from_secs(n);
    let count = async |n, at| rate.increment(user(1), key(n), at).await.unwrap();
    assert_eq!(count(1, second(0)).await, 1);
    assert_eq!(count(1, second(59)).await, 2);
    assert_eq!(count(1, second(60)).await, 1);
    assert_eq!(count(2, second(0)).await, 1);
}

async fn begin(requests: &IdempotencyTable, owner: &str, print: &str, at: Timestamp) -> Begun {
    let begun = requests.begin(scope("once"), print, owner, at, LEASE);
    begun.await.unwrap()
}

#[tokio::test]
async fn of_parallel_requests_one_is_carried_out() {
    let world = World::open().await;
    let requests = IdempotencyTable::new(world.ephemeral());
    let owners: Vec<_> = (0..CROWD).map(|n| format!("owner-{n}")).collect();
    let tries = owners
        .iter()
        .map(|owner| begin(&requests, owner, "print", now()));
    let begun = join_all(tries).await;
    let started = begun
        .iter()
        .filter(|begun| **begun == Begun::Started { note: None });
    assert_eq!(started.count(), 1);
    let waiting = Begun::InProgress { until: after(30) };
    let waiting = begun.iter().filter(|begun| **begun == waiting);
    assert_eq!(waiting.count(), CROWD - 1);
}

#[tokio::test]
async fn a_finished_request_is_answered_byte_for_byte_for_a_day() {
    let world = World::open().await;
    let requests = IdempotencyTable::new(world.ephemeral());
    let answer: Vec<u8> = (0..=255).collect();
    assert_eq!(
        begin(&requests, "a", "print", now()).await,
        Begun::Started { note: None }
    );
    assert!(requests.finish(scope("once"), "a", &answer).await.unwrap());

    let finished = Begun::Finished { answer };
    assert_eq!(begin(&requests, "b", "print", after(60)).await, finished);
    let day = 24 * 3600;
    assert_eq!(
        begin(&requests, "b", "print", after(day - 1)).await,
        finished
    );
    assert_eq!(
        begin(&requests, "b", "print", after(day)).await,
        Begun::Started { note: None }
    );
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused_begun_or_finished() {
    let world = World::open().await;
    let requests = IdempotencyTable::new(world.ephemeral());
    let _ = begin(&requests, "a", "print", now()).await;
    let other = begin(&requests, "b", "other", after(1)).await;
    assert_eq!(other, Begun::OtherRequest);
    // Also when the lease is over: the key belongs to the first request.
    let other = begin(&requests, "b", "other", after(60)).await;
    assert_eq!(other, Begun::OtherRequest);
    assert!(requests.finish(scope("once"), "a", b"").await.unwrap());
    let other = begin(&requests, "b", "other", after(61)).await;
    assert_eq!(other, Begun::OtherRequest);
}

#[tokio::test]
async fn a_process_that_died_blocks_its_key_only_for_its_lease() {
    let world = World::open().await;
    let requests = IdempotencyTable::new(world.ephemeral());
    let _ = begin(&requests, "a", "print", now()).await;
    let waiting = Begun::InProgress { until: after(30) };
    assert_eq!(begin(&requests, "b", "print", after(29)).await, waiting);
    assert_eq!(
        begin(&requests, "b", "print", after(30)).await,
        Begun::Started { note: None }
    );
    // The dead one wakes up: it neither stores its answer nor frees the key.
    assert!(!requests.finish(scope("once"), "a", b"late").await.unwrap());
    requests.abandon(scope("once"), "a").await.unwrap();
    let waiting = Begun::InProgress { until: after(60) };
    assert_eq!(begin(&requests, "c", "print", after(31)).await, waiting);
    assert!(requests.finish(scope("once"), "b", b"right").await.unwrap());
}

#[tokio::test]
async fn an_abandoned_request_can_be_begun_again_a_finished_one_not() {
    let world = World::open().await;
    let requests = IdempotencyTable::new(world.ephemeral());
    let _ = begin(&requests, "a", "print", now()).await;
    requests.abandon(scope("once"), "a").await.unwrap();
    requests.abandon(scope("once"), "a").await.unwrap();
    assert_eq!(
        begin(&requests, "b", "print", now()).await,
        Begun::Started { note: None }
    );
    assert!(requests.finish(scope("once"), "b", b"yes").await.unwrap());
    requests.abandon(scope("once"), "b").await.unwrap();
    let finished = Begun::Finished {
        answer: b"yes".to_vec(),
    };
    assert_eq!(begin(&requests, "c", "print", now()).await, finished);
}

#[tokio::test]
async fn what_was_noted_outlives_the_process_and_the_request_that_was_given_up() {
    let world = World::open().await;
    let requests = IdempotencyTable::new(world.ephemeral());
    let note = async |owner, note| requests.note(scope("once"), owner, note).await.unwrap();
    let noted = |note: &str| Begun::Started {
        note: Some(note.to_owned()),
    };
    let _ = begin(&requests, "a", "print", now()).await;
    assert!(!note("b", Some("not mine")).await);
    assert!(note("a", Some("one")).await);
    let waiting = Begun::InProgress { until: after(30) };
    assert_eq!(begin(&requests, "b", "print", after(29)).await, waiting);
    let owners: Vec<_> = (0..8).map(|n| format!("owner-{n}")).collect();
    let tries = owners
        .iter()
        .map(|owner| begin(&requests, owner, "print", after(31)));
    let begun = join_all(tries).await;
    let winner = begun.iter().position(|begun| *begun == noted("one"));
    let winner = owners[winner.unwrap()].as_str();
    let started = begun.iter().filter(|begun| **begun == noted("one"));
    assert_eq!(started.count(), 1);
    assert!(!note("a", Some("late")).await);

    // Given up, it can be begun at once, by who hears what was noted.
    requests.abandon(scope("once"), winner).await.unwrap();
    assert_eq!(
        begin(&requests, "c", "print", after(32)).await,
        noted("one")
    );
    assert!(note("c", None).await);
    requests.abandon(scope("once"), "c").await.unwrap();
    let fresh = Begun::Started { note: None };
    assert_eq!(begin(&requests, "d", "other", after(33)).await, fresh);
}

#[tokio::test]
async fn a_long_answer_fits_and_scopes_are_apart() {
    let world = World::open().await;
    let requests = IdempotencyTable::new(world.ephemeral());
    let long_key = "k".repeat(255);
    let others_key = RequestScope {
        key: key(2),
        ..scope(&long_key)
    };
    let others = RequestScope {
        user: user(2),
        ..scope(&long_key)
    };
    for scope in [scope(&long_key), others_key, others] {
        let begun = requests.begin(scope, "print", "a", now(), LEASE).await;
        assert_eq!(begun.unwrap(), Begun::Started { note: None });
    }
    // DynamoDB's limit of an item is 400 KB, with everything around the answer.
    let answer = vec![7; 390_000];
    assert!(
        requests
            .finish(scope(&long_key), "a", &answer)
            .await
            .unwrap()
    );
    let begun = requests.begin(scope(&long_key), "print", "b", now(), LEASE);
    assert_eq!(begun.await.unwrap(), Begun::Finished { answer });
}
