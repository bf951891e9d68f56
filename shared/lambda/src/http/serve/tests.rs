//! The life of a request, step by step.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::super::testing::{Api, Got, KEY, REVOKED, api, ports, request, specs};
use super::*;

async fn with_key(api: &Api, header: &str) -> Got {
    let header = format!("Authorization: {header}");
    api.send(request("GET /api/pools", &[&header], "")).await
}

#[tokio::test]
async fn public_routes_need_no_key_and_all_else_does() {
    let api = api();
    let status = async |line: &str| api.anonymous(line).await.status;

    assert_eq!(status("GET /api/healthz").await, 200);
    for line in [
        "GET /api/pools",
        "GET /nowhere",
        "GET /",
        "POST /api/healthz",
        "GET /api/healthz/",
        "GET /api/Healthz",
        "GET /api//healthz",
        "GET /api/health%7A",
        "GET /api/healthz/../pools",
        "GET /api/healthzz",
        "GET /other/api/healthz",
    ] {
        let got = api.anonymous(line).await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (401, "AUTH_MISSING_HEADER"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn keys_are_judged_before_anything_else_is_told() {
    let api = api();
    let missing = api.anonymous("GET /nowhere").await;
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
    insta::assert_json_snapshot!(missing.json(), @r#"
    {
      "error": "The Authorization header is missing",
      "code": "AUTH_MISSING_HEADER",
      "statusCode": 401,
      "action": "add_authorization_bearer_header",
      "requestId": "00000000-0000-0000-0000-000000000009"
    }
    "#);

    let format = with_key(&api, "Basic YTpi").await;
    assert_eq!(
        (format.status, format.code().as_str()),
        (401, "AUTH_INVALID_FORMAT")
    );
    for unknown in [format!("Bearer {REVOKED}"), "Bearer aw_short".to_owned()] {
        let got = with_key(&api, &unknown).await;
        assert_eq!((got.status, got.code().as_str()), (403, "AUTH_INVALID_KEY"));
        assert_eq!(got.header("ratelimit-limit"), None);
    }
    assert_eq!(with_key(&api, &format!("Bearer {KEY}")).await.status, 200);
}

/// One request that is wrong at every step, put right one step after the other (decision 4).
#[tokio::test]
async fn the_steps_come_in_their_order() {
    let api = api();
    let key = format!("Authorization: Bearer {KEY}");
    let large = " ".repeat(1024 * 1024 + 1);
    let bad_once = ["Idempotency-Key: "];
    let told = async |line: &str, headers: &[&str], body: &str| {
        let got = api.send(request(line, headers, body)).await;
        let at = got.json()["errors"][0]["path"].clone();
        (got.status, got.code(), at.as_str().map(str::to_owned))
    };
    let refused = |status: u16, code: &str, at: Option<&str>| {
        let at = at.map(str::to_owned);
        (status, code.to_owned(), at)
    };
    let preflight = told("OPTIONS /nowhere", &bad_once, &large).await;
    assert_eq!(preflight, refused(204, "", None));

    let no_key = told("POST /nowhere", &bad_once, &large).await;
    assert_eq!(no_key, refused(401, "AUTH_MISSING_HEADER", None));

    let with_key = [key.as_str(), bad_once[0]];
    for _ in 0..5 {
        api.call("GET /api/pools", "").await;
    }
    let too_many = told("POST /nowhere", &with_key, &large).await;
    assert_eq!(too_many, refused(429, "RATE_LIMIT_EXCEEDED", None));

    *api.world.now.lock().unwrap() += jiff::SignedDuration::from_mins(1);
    let nowhere = told("POST /nowhere", &with_key, &large).await;
    assert_eq!(nowhere, refused(404, "NOT_FOUND", None));

    let size = told("POST /api/pools", &with_key, &large).await;
    assert_eq!(size, refused(413, "PAYLOAD_TOO_LARGE", None));

    let syntax = told("POST /api/pools", &with_key, "{").await;
    assert_eq!(syntax, refused(400, "VALIDATION_FAILED", Some("body")));

    let once = told("POST /api/pools", &with_key, "{}").await;
    let at = Some("Idempotency-Key");
    assert_eq!(once, refused(400, "VALIDATION_FAILED", at));
    assert_eq!(
        api.world.stored().len(),
        0,
        "nothing of this is the key's answer"
    );

    let right_once = [key.as_str(), "Idempotency-Key: k"];
    let fields = told("POST /api/pools", &right_once, "{}").await;
    assert_eq!(fields, refused(400, "VALIDATION_FAILED", Some("name")));
    assert_eq!(api.world.stored().len(), 1);
}

#[tokio::test]
async fn with_a_key_one_learns_what_is_not_there() {
    let api = api();
    let nowhere = api.call("GET /nowhere", "").await;
    assert_eq!(
        (nowhere.status, nowhere.code().as_str()),
        (404, "NOT_FOUND")
    );
    // The rate limit comes before the route.
    assert_eq!(nowhere.header("ratelimit-remaining"), Some("4"));

    let method = api.call("DELETE /api/pools", "").await;
    assert_eq!(
        (method.status, method.code().as_str()),
        (405, "METHOD_NOT_ALLOWED")
    );
    assert_eq!(method.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
}

#[tokio::test]
async fn a_malformed_id_is_the_resources_404() {
    let got = api().call("GET /api/pools/not-a-uuid", "").await;
    insta::assert_json_snapshot!(got.json(), @r#"
    {
      "error": "Warmup pool not found",
      "code": "WARMUP_POOL_NOT_FOUND",
      "statusCode": 404,
      "action": "verify_pool_id",
      "requestId": "00000000-0000-0000-0000-000000000009"
    }
    "#);
}

#[tokio::test]
async fn static_segments_win_parameters_are_decoded_and_the_stage_may_lead() {
    let api = api();
    let echo = async |line: &str| api.call(line, "").await.json()["echo"].clone();
    assert_eq!(echo("GET /api/pools/check/a%2Fb%20c").await, "a/b c");
    assert_eq!(echo("GET /prod/api/pools/check/d").await, "d");
    assert_eq!(echo("GET /api/pools/check/%ff").await, "%ff");
    assert_eq!(api.call("GET /dev/api/pools/check/d", "").await.status, 404);
}

#[tokio::test]
async fn preflights_are_public_and_alike_everywhere() {
    let api = api();
    for line in ["OPTIONS /api/pools", "OPTIONS /nowhere"] {
        let got = api.anonymous(line).await;
        assert_eq!((got.status, got.body.len()), (204, 0));
        assert_eq!(got.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            got.header("access-control-allow-headers"),
            Some("Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
        );
    }
}

#[tokio::test]
async fn every_answer_has_its_request_and_is_not_kept_unless_it_says_so() {
    let api = api();
    for got in [
        api.anonymous("GET /nowhere").await,
        api.anonymous("GET /api/healthz").await,
        api.call("GET /api/pools", "").await,
    ] {
        assert_eq!(
            got.header("x-request-id"),
            Some("00000000-0000-0000-0000-000000000009")
        );
        assert_eq!(got.header("cache-control"), Some("no-store"));
        assert_eq!(got.header("access-control-allow-origin"), Some("*"));
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    }
    let manual = api.anonymous("GET /llms.txt").await;
    assert_eq!(manual.header("cache-control"), Some("public, max-age=300"));
    let known = format!("If-None-Match: {}", manual.header("etag").unwrap());
    let again = api.send(request("GET /llms.txt", &[&known], "")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let got = api().anonymous("HEAD /api/healthz").await;
    assert_eq!((got.status, got.body.len()), (200, 0));
    assert_eq!(got.header("content-type"), Some("application/json"));
    let private = api().call("HEAD /api/pools", "").await;
    assert_eq!((private.status, private.body.len()), (200, 0));
    let nobody = api().anonymous("HEAD /api/pools").await;
    assert_eq!((nobody.status, nobody.body.len()), (401, 0));
}

#[tokio::test]
async fn the_sixth_request_of_a_minute_is_refused_and_the_next_minute_is_new() {
    let api = api();
    for left in ["4", "3", "2", "1", "0"] {
        let got = api.call("GET /api/pools", "").await;
        assert_eq!(
            (got.status, got.header("ratelimit-remaining")),
            (200, Some(left))
        );
    }
    let refused = api.call("GET /api/pools", "").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "RATE_LIMIT_EXCEEDED")
    );
    // It is 09:00:42.
    assert_eq!(refused.header("retry-after"), Some("18"));
    assert_eq!(refused.header("ratelimit-reset"), Some("18"));
    assert_eq!(refused.header("ratelimit-limit"), Some("5"));

    *api.world.now.lock().unwrap() = "2026-03-13T09:01:00Z".parse().unwrap();
    let next = api.call("GET /api/pools", "").await;
    assert_eq!(
        (next.status, next.header("ratelimit-reset")),
        (200, Some("60"))
    );
    // Public routes are not counted.
    assert_eq!(
        api.anonymous("GET /api/healthz")
            .await
            .header("ratelimit-limit"),
        None
    );
}

#[tokio::test]
async fn every_authenticated_answer_says_what_is_left_whatever_it_is() {
    for (line, body, status) in [
        ("GET /api/pools", "", 200),
        ("POST /api/pools", "{", 400),
        ("GET /nowhere", "", 404),
        ("PUT /api/pools", "", 405),
        ("POST /api/fail/panic", "", 500),
        ("POST /api/fail/store", "", 503),
    ] {
        let got = api().call(line, body).await;
        let quota = ["limit", "remaining", "reset"].map(|what| {
            got.header(&format!("ratelimit-{what}"))
                .map(str::to_owned)
                .unwrap_or_default()
        });
        let expected = ["5", "4", "18"].map(str::to_owned);
        assert_eq!((got.status, quota), (status, expected), "{line}");
    }
}

#[tokio::test]
async fn a_counter_that_is_down_stops_nobody_a_lookup_that_is_down_everybody() {
    let api = api();
    api.world.counter_down.store(true, Relaxed);
    for _ in 0..10 {
        let got = api.call("GET /api/pools", "").await;
        assert_eq!(
            (got.status, got.header("ratelimit-limit")),
            (200, Some("5"))
        );
    }
    api.world.keys_down.store(true, Relaxed);
    let got = api.call("GET /api/pools", "").await;
    assert_eq!(
        (got.status, got.code().as_str()),
        (503, "PROVIDER_UNAVAILABLE")
    );
    assert!(!String::from_utf8_lossy(&got.body).contains("10.0.0.7"));
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_now_and_then() {
    let api = api();
    api.call("GET /api/pools", "").await;
    api.call("GET /api/pools", "").await;
    assert_eq!(api.world.touched.load(Relaxed), 1);
}

#[tokio::test]
async fn bodies_are_read_before_they_are_judged_and_all_is_named() {
    let api = api();
    let got = api.call("POST /api/pools", r#"{"size": 10, "x": 1}"#).await;
    assert_eq!(
        (got.status, got.code().as_str()),
        (400, "VALIDATION_FAILED")
    );
    insta::assert_json_snapshot!(got.json()["errors"], @r#"
    [
      {
        "path": "name",
        "message": "is required"
      },
      {
        "path": "size",
        "message": "must be a whole number from 1 to 9"
      }
    ]
    "#);
    let large = api
        .call("POST /api/pools", &" ".repeat(1024 * 1024 + 1))
        .await;
    assert_eq!(
        (large.status, large.code().as_str()),
        (413, "PAYLOAD_TOO_LARGE")
    );
    for (body, path) in [("", "body"), ("[]", "body"), ("{", "body"), ("{}", "name")] {
        let got = api.call("POST /api/fail/no", body).await;
        let refused = matches!(body, "{");
        assert_eq!(got.status, if refused { 400 } else { 409 }, "{body}");
        *api.world.now.lock().unwrap() += jiff::SignedDuration::from_mins(1);
        let got = api.call("POST /api/pools", body).await;
        assert_eq!(got.json()["errors"][0]["path"], path, "{body}");
    }
}

#[tokio::test]
async fn panics_and_overruns_are_our_errors_in_our_shape() {
    let api = api();
    let panicked = api.call("POST /api/fail/panic", "").await;
    assert_eq!(
        (panicked.status, panicked.code().as_str()),
        (500, "INTERNAL_ERROR")
    );
    assert!(!String::from_utf8_lossy(&panicked.body).contains("canary"));

    let mut hanging = request(
        "POST /api/fail/hang",
        &[&format!("Authorization: Bearer {KEY}")],
        "",
    );
    hanging.deadline = Instant::now() + Duration::from_millis(510);
    let hung = api.send(hanging).await;
    assert_eq!((hung.status, hung.code().as_str()), (500, "INTERNAL_ERROR"));
    assert_eq!(api.anonymous("GET /api/healthz").await.status, 200);
}

#[test]
fn an_app_that_could_not_keep_its_word_is_not_built() {
    let api = api();
    let mut ports = ports(&api.world);
    ports.idempotency = None;
    let post = || {
        super::super::Routes::new("T")
            .with(super::super::Route::<()>::post("/a", |_, _, _| async {
                Response::no_content()
            }))
    };
    let error = HttpApp::new(post().bind(()), ports.clone()).err().unwrap();
    assert!(matches!(
        error,
        RouteError::NoIdempotencyStore { path: "/a", .. }
    ));

    let twice = post().bind(()).into_iter().chain(post().bind(())).collect();
    let error = HttpApp::new(twice, ports).err().unwrap();
    assert_eq!(error.to_string(), "POST /a is there twice");
    assert_eq!(api.app.specs().len(), specs().len());
}
