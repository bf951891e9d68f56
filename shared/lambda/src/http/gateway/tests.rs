//! Events as API Gateway sends them.

use std::time::Duration;

use super::super::testing::{KEY, api};
use super::*;

fn rest(method: &str, path: &str) -> Value {
    json!({
        "resource": "/{proxy+}", "path": path, "httpMethod": method,
        "headers": { "Host": "abc.execute-api.eu-west-1.amazonaws.com", "Authorization": format!("Bearer {KEY}"), "X-Forwarded-Proto": "https" },
        "multiValueHeaders": { "Authorization": [format!("Bearer {KEY}")] },
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "pathParameters": null, "stageVariables": null,
        "requestContext": {
            "accountId": "123456789012", "apiId": "abc", "httpMethod": method, "stage": "v1", "path": format!("/v1{path}"),
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "resourcePath": "/{proxy+}",
            "identity": { "sourceIp": "192.0.2.1" },
        },
        "body": null, "isBase64Encoded": false,
    })
}

fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

async fn answer(event: Value) -> Value {
    let call = Invocation::within(
        "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        Duration::from_secs(30),
    );
    let app = Arc::into_inner(api().app).unwrap();
    HttpTask::new(app).handle(event, call).await.unwrap()
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_rest_event_is_answered_as_a_proxy_response() {
    let answer = answer(rest("GET", "/api/pools")).await;
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["isBase64Encoded"], false);
    assert_eq!(
        answer["multiValueHeaders"]["content-type"],
        json!(["application/json"])
    );
    assert_eq!(
        answer["multiValueHeaders"]["ratelimit-remaining"],
        json!(["4"])
    );
    assert_eq!(
        answer["multiValueHeaders"]["x-request-id"],
        json!(["c6af9ac6-7b61-11e6-9a41-93e8deadbeef"])
    );
    assert_eq!(body(&answer)["pools"], json!([]));
}

#[tokio::test]
async fn the_path_is_the_events_with_the_stage_or_without_it() {
    for path in ["/api/pools/check/a b", "/v1/api/pools/check/a%20b"] {
        assert_eq!(
            body(&answer(rest("GET", path)).await)["echo"],
            "a b",
            "{path}"
        );
    }
    // Decoded by the gateway, these would end a URL's path.
    for word in ["a#b", "a?b"] {
        let answer = answer(rest("GET", &format!("/api/pools/check/{word}"))).await;
        assert_eq!(body(&answer)["echo"], word);
    }
}

#[tokio::test]
async fn queries_and_bodies_come_through() {
    let event = with(
        rest("GET", "/api/pools"),
        "/multiValueQueryStringParameters",
        json!({ "limit": ["0"], "offset": ["1", "2"] }),
    );
    let refused = answer(event).await;
    assert_eq!(
        body(&refused)["errors"],
        json!([
            { "path": "limit", "message": "must be a whole number from 1 to 200" },
            { "path": "offset", "message": "is given more than once" },
        ])
    );
    let create = rest("POST", "/api/pools");
    let plain = with(create.clone(), "/body", json!("{\"name\": \"Zoë\"}"));
    assert_eq!(body(&answer(plain).await)["pool"]["name"], "Zoë");
    let encoded = with(create, "/body", json!("eyJuYW1lIjogIlpvw6sifQ=="));
    let encoded = with(encoded, "/isBase64Encoded", json!(true));
    assert_eq!(body(&answer(encoded).await)["pool"]["name"], "Zoë");
}

#[tokio::test]
async fn a_header_that_is_given_twice_is_seen_twice() {
    let mut event = with(
        rest("POST", "/api/pools"),
        "/body",
        json!("{\"name\": \"a\"}"),
    );
    // As API Gateway sends it: all values, and the last one.
    event["headers"]["idempotency-key"] = json!("k-2");
    event["multiValueHeaders"]["Idempotency-Key"] = json!(["k-1", "k-2"]);
    let refused = answer(event.clone()).await;
    assert_eq!(
        body(&refused)["errors"],
        json!([{ "path": "Idempotency-Key", "message": "is given more than once" }])
    );
    event["multiValueHeaders"]["Idempotency-Key"] = json!(["k-2"]);
    assert_eq!(answer(event).await["statusCode"], 201);
}

#[tokio::test]
async fn a_body_is_json_whatever_its_type_is_said_to_be() {
    for media in ["text/plain", "application/xml", "no type at all", ""] {
        let event = with(
            rest("POST", "/api/pools"),
            "/body",
            json!("{\"name\": \"a\"}"),
        );
        let event = with(
            event,
            "/multiValueHeaders",
            json!({ "Authorization": [format!("Bearer {KEY}")], "Content-Type": [media] }),
        );
        assert_eq!(answer(event).await["statusCode"], 201, "{media}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_text_are_refused_like_others() {
    let event = with(rest("POST", "/api/pools"), "/body", json!("/////w=="));
    let answer = answer(with(event, "/isBase64Encoded", json!(true))).await;
    assert_eq!(answer["statusCode"], 400);
    assert_eq!(body(&answer)["errors"][0]["message"], "must be UTF-8");
}

#[tokio::test]
async fn what_panics_in_the_translation_is_a_400() {
    let host = with(
        rest("GET", "/api/pools"),
        "/headers/Host",
        json!("not a host"),
    );
    let base64 = with(rest("POST", "/api/pools"), "/body", json!("*"));
    let base64 = with(base64, "/isBase64Encoded", json!(true));
    let (host, base64) = (answer(host).await, answer(base64).await);
    // It carries what every answer carries.
    let mut usual = answer(rest("GET", "/nowhere")).await["multiValueHeaders"].take();
    let headers = usual.as_object_mut().unwrap();
    headers.retain(|name, _| !name.starts_with("ratelimit-"));
    usual["x-request-id"] = json!(["8476a536-e9f4-11e8-9739-2dfe598c3fcd"]);
    assert_eq!(host["multiValueHeaders"], usual);
    assert_eq!(
        (&host["statusCode"], &host["body"]),
        (&json!(400), &base64["body"])
    );
    insta::assert_json_snapshot!(body(&host), @r#"
    {
      "error": "The request is invalid",
      "code": "VALIDATION_FAILED",
      "statusCode": 400,
      "action": "fix_request_body",
      "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
      "errors": [
        {
          "path": "request",
          "message": "cannot be understood"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn the_events_of_cargo_lambda_watch_and_of_function_urls_are_understood() {
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/api/pools", "rawQueryString": "limit=7",
        "headers": { "host": "127.0.0.1:9000", "authorization": format!("Bearer {KEY}") },
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "localhost", "domainPrefix": "localhost", "requestId": "not-a-uuid",
            "http": { "method": "GET", "path": "/api/pools", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "curl" },
            "routeKey": "$default", "stage": "$default", "time": "12/Mar/2020:19:03:58 +0000", "timeEpoch": 1_583_348_638_390_i64,
        },
        "isBase64Encoded": false,
    });
    let answer = answer(event).await;
    assert_eq!(answer["statusCode"], 200);
    let id = answer["headers"]["x-request-id"].as_str().unwrap();
    assert!(id.parse::<RequestId>().is_ok(), "{id}");
}

#[tokio::test]
async fn other_events_are_no_requests() {
    let call = Invocation::within("1", Duration::from_secs(3));
    let app = Arc::into_inner(api().app).unwrap();
    let error = HttpTask::new(app)
        .handle(json!({ "Records": [] }), call)
        .await
        .unwrap_err();
    assert!(matches!(error, TaskError::Malformed { .. }));
}

#[test]
fn text_goes_as_it_is_and_all_else_as_base64() {
    assert_eq!(
        encoded(b"{\"name\":\"\xc3\xbc\"}".to_vec()),
        Body::Text("{\"name\":\"ü\"}".to_owned())
    );
    assert_eq!(
        encoded(vec![0x1f, 0x8b, 0xff]),
        Body::Binary(vec![0x1f, 0x8b, 0xff])
    );
}
