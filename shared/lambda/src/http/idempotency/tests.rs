//! The same request twice.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tokio::time::Instant;

use super::super::testing::{Api, Got, KEY, api, request};
use super::*;

#[test]
fn the_same_request_has_the_same_fingerprint_however_it_is_written() {
    let pairs = |list: &[(&str, &str)]| {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    let of = |query: &[(&str, &str)], body: &Value| {
        fingerprint("POST", "/api/keys", &pairs(query), Some(body))
    };
    let one = of(
        &[("a", "1"), ("b", "2")],
        &json!({"x": {"c": 1, "d": [2, 1]}, "y": null}),
    );
    assert_eq!(
        one,
        of(
            &[("b", "2"), ("a", "1")],
            &json!({"y": null, "x": {"d": [2, 1], "c": 1}})
        )
    );
    for (query, body) in [
        (
            &[("a", "1")][..],
            json!({"x": {"c": 1, "d": [2, 1]}, "y": null}),
        ),
        (
            &[("a", "1"), ("b", "2")],
            json!({"x": {"c": 1, "d": [1, 2]}, "y": null}),
        ),
        (
            &[("a", "1"), ("b", "2")],
            json!({"x": {"c": 1, "d": [2, 1]}}),
        ),
    ] {
        assert_ne!(one, of(query, &body));
    }
    assert_ne!(
        fingerprint("POST", "/a", &[], None),
        fingerprint("PUT", "/a", &[], None)
    );
    assert_ne!(
        fingerprint("POST", "/a", &[], None),
        fingerprint("POST", "/a", &[], Some(&Value::Null)),
    );
}

#[test]
fn keys_have_1_to_255_characters() {
    let header = |key: &str| {
        HeaderMap::from_iter([(
            HeaderName::from_static(HEADER),
            HeaderValue::from_bytes(key.as_bytes()).unwrap(),
        )])
    };
    assert_eq!(key_of(&HeaderMap::new()).unwrap(), None);
    assert_eq!(key_of(&header("a b")).unwrap(), Some("a b"));
    for wrong in [String::new(), "x".repeat(256), "é".to_owned()] {
        let error = key_of(&header(&wrong)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValidationFailed, "{wrong}");
    }
    let mut two = header("a");
    two.append(HEADER, HeaderValue::from_static("b"));
    assert!(key_of(&two).is_err());
}

#[test]
fn what_says_nothing_about_the_request_is_not_remembered() {
    for (status, remembered) in [
        (200, true),
        (201, true),
        (204, true),
        (207, true),
        (400, true),
        (404, true),
        (409, true),
        (401, false),
        (429, false),
        (500, false),
        (501, false),
        (503, false),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(is_remembered(status), remembered, "{status}");
    }
}

proptest! {
    #[test]
    fn parts_do_not_run_into_each_other(a in "[a-z\"/,]{0,4}", b in "[a-z\"/,]{0,4}", c in "[a-z\"/,]{0,4}", d in "[a-z\"/,]{0,4}") {
        let one = fingerprint(&a, &b, &[], None);
        let other = fingerprint(&c, &d, &[], None);
        prop_assert_eq!(one == other, (a, b) == (c, d));
    }
}

const BODY: &str = r#"{"name": "Sales"}"#;
const SAME: &str = "{ \"name\" : \"Sales\" }";

async fn create(api: &Api, key: &str, body: &str) -> Got {
    let header = format!("Idempotency-Key: {key}");
    api.with("POST /api/pools", &[&header], body).await
}

async fn fail(api: &Api, how: &str) -> Got {
    let line = format!("POST /api/fail/{how}");
    api.with(&line, &["Idempotency-Key: k"], "").await
}

fn pass(api: &Api, time: SignedDuration) {
    *api.world.now.lock().unwrap() += time;
}

#[tokio::test]
async fn a_repetition_gets_the_same_bytes_and_does_nothing() {
    let api = api();
    let first = create(&api, "k", BODY).await;
    let second = create(&api, "k", SAME).await;

    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(second.header("content-type"), Some("application/json"));
    // What belongs to the request is the second's own.
    assert_eq!(second.header("ratelimit-remaining"), Some("3"));
    assert_eq!(api.pools.made.load(Relaxed), 1);

    let other_key = create(&api, "l", BODY).await;
    assert_eq!(other_key.json()["number"], 1);
}

#[tokio::test]
async fn another_request_with_the_key_is_refused() {
    let api = api();
    create(&api, "k", BODY).await;
    for (line, body) in [
        ("POST /api/pools", r#"{"name": "Other"}"#),
        ("POST /api/pools?x=1", BODY),
        ("POST /api/fail/no", BODY),
    ] {
        let got = api.with(line, &["Idempotency-Key: k"], body).await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (409, "IDEMPOTENCY_KEY_REUSE"),
            "{line}"
        );
    }
    assert_eq!(api.pools.made.load(Relaxed), 1);
}

#[tokio::test]
async fn while_it_is_carried_out_a_repetition_waits() {
    let api = Arc::new(api());
    let slow = tokio::spawn({
        let api = api.clone();
        async move { fail(&api, "wait").await }
    });
    api.pools.entered.notified().await;
    let meanwhile = fail(&api, "wait").await;
    assert_eq!(
        (meanwhile.status, meanwhile.code().as_str()),
        (409, "IDEMPOTENCY_IN_PROGRESS")
    );
    let seconds: u64 = meanwhile.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=35).contains(&seconds), "{seconds}");

    api.pools.proceed.notify_one();
    assert_eq!(slow.await.unwrap().status, 204);
    let after = fail(&api, "wait").await;
    assert_eq!(
        (after.status, after.header("idempotent-replayed")),
        (204, Some("true"))
    );
    assert_eq!(api.pools.made.load(Relaxed), 1);
}

#[tokio::test]
async fn refusals_are_remembered_and_failures_of_ours_are_not() {
    let api = api();
    let first = fail(&api, "no").await;
    let second = fail(&api, "no").await;
    assert_eq!((first.status, first.body), (409, second.body.clone()));
    assert_eq!(second.header("idempotent-replayed"), Some("true"));

    let api = super::super::testing::api();
    assert_eq!(fail(&api, "store").await.status, 503);
    assert_eq!(fail(&api, "store").await.status, 503);
    assert_eq!(api.pools.made.load(Relaxed), 2);

    let invalid = create(&api, "i", "{}").await;
    let again = create(&api, "i", "{}").await;
    assert_eq!((invalid.status, invalid.body), (400, again.body.clone()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

#[tokio::test]
async fn after_a_panic_the_key_rests_until_the_lease_ends() {
    let api = api();
    assert_eq!(fail(&api, "panic").await.status, 500);
    assert_eq!(fail(&api, "panic").await.code(), "IDEMPOTENCY_IN_PROGRESS");
    pass(&api, SignedDuration::from_secs(40));
    assert_eq!(fail(&api, "panic").await.status, 500);
    assert_eq!(api.pools.made.load(Relaxed), 2);
}

/// Its effects are unknown, as after a panic.
#[tokio::test]
async fn after_an_overrun_the_key_rests_until_the_lease_ends() {
    let api = api();
    let hang = async || {
        let bearer = format!("Authorization: Bearer {KEY}");
        let mut hanging = request("POST /api/fail/hang", &[&bearer, "Idempotency-Key: k"], "");
        hanging.deadline = Instant::now() + Duration::from_millis(510);
        api.send(hanging).await
    };
    let hung = hang().await;
    assert_eq!((hung.status, hung.code().as_str()), (500, "INTERNAL_ERROR"));
    let meanwhile = hang().await;
    assert_eq!(
        (meanwhile.status, meanwhile.code().as_str()),
        (409, "IDEMPOTENCY_IN_PROGRESS")
    );
    assert!(meanwhile.header("retry-after").is_some());
    assert_eq!(api.pools.made.load(Relaxed), 1);
    pass(&api, SignedDuration::from_secs(40));
    assert_eq!(hang().await.status, 500);
    assert_eq!(api.pools.made.load(Relaxed), 2);
}

#[tokio::test]
async fn a_store_that_is_down_lets_nothing_happen() {
    let api = api();
    api.world.store_down.store(true, Relaxed);
    let got = create(&api, "k", BODY).await;
    assert_eq!(
        (got.status, got.code().as_str()),
        (503, "PROVIDER_UNAVAILABLE")
    );
    assert_eq!(api.pools.made.load(Relaxed), 0);
    // Without a key there is nothing to remember.
    assert_eq!(api.call("POST /api/pools", BODY).await.status, 201);
}

#[tokio::test]
async fn keys_are_checked_and_reading_ignores_them() {
    let api = api();
    let long = "x".repeat(256);
    for key in ["", "a\tb", long.as_str()] {
        let header = format!("Idempotency-Key: {key}");
        let got = api.with("POST /api/pools", &[&header], BODY).await;
        assert_eq!(got.json()["errors"][0]["path"], "Idempotency-Key");
    }
    let got = api
        .with("GET /api/pools", &["Idempotency-Key: k"], "")
        .await;
    assert_eq!((got.status, api.world.stored().len()), (200, 0));
}

#[tokio::test]
async fn stored_answers_are_sealed() {
    let api = api();
    create(&api, "k", BODY).await;
    let stored = api.world.stored();
    assert_eq!(stored.len(), 1);
    assert!(!String::from_utf8_lossy(&stored[0]).contains("Sales"));
}
