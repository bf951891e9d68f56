//! Between HTTP and the proxy events of a REST API.
//!
//! Shape: "Input format of a Lambda function for proxy integration" in API Gateway's developer guide. `path` is what follows the stage,
//! `requestContext.path` begins with it. Without binary media types a body is text, as here.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::paths::Match;

/// What the gateway itself adds to a request.
#[derive(Debug, Clone)]
pub struct Arrival<'a> {
    /// The API's stage.
    pub stage: &'a str,
    /// The request's id.
    pub request_id: &'a str,
    /// When it came.
    pub at: Timestamp,
    /// From where.
    pub source_ip: &'a str,
}

/// The event for a request.
pub fn to_event(request: &Request<Vec<u8>>, found: &Match<'_>, arrival: &Arrival<'_>) -> Value {
    let (headers, multi_headers) = header_maps(request.headers());
    let (query, multi_query) = query_maps(request.uri().query().unwrap_or_default());
    let path = request.uri().path();
    let body = String::from_utf8_lossy(request.body());
    json!({
        "resource": found.resource,
        "path": path,
        "httpMethod": request.method().as_str(),
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": multi_query,
        "pathParameters": if found.parameters.is_empty() { Value::Null } else { json!(found.parameters) },
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "resourceId": "local",
            "resourcePath": found.resource,
            "httpMethod": request.method().as_str(),
            "path": format!("/{}{path}", arrival.stage),
            "stage": arrival.stage,
            "protocol": "HTTP/1.1",
            "requestId": arrival.request_id,
            "extendedRequestId": arrival.request_id,
            "requestTime": arrival.at.strftime("%d/%b/%Y:%H:%M:%S %z").to_string(),
            "requestTimeEpoch": arrival.at.as_millisecond(),
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "identity": {
                "sourceIp": arrival.source_ip,
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
        },
        "body": if request.body().is_empty() { Value::Null } else { json!(body) },
        "isBase64Encoded": false,
    })
}

/// The last value of each header, and all of them.
fn header_maps(headers: &HeaderMap) -> (Map<String, Value>, Map<String, Value>) {
    let mut last = Map::new();
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let value = Value::from(String::from_utf8_lossy(value.as_bytes()));
        append(&mut all, name.as_str(), value.clone());
        last.insert(name.to_string(), value);
    }
    (last, all)
}

/// The same of query parameters, decoded; null when there is none.
fn query_maps(query: &str) -> (Value, Value) {
    if query.is_empty() {
        return (Value::Null, Value::Null);
    }
    let mut last = Map::new();
    let mut all = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = Value::from(decode(value));
        append(&mut all, &decode(name), value.clone());
        last.insert(decode(name), value);
    }
    (Value::Object(last), Value::Object(all))
}

fn append(all: &mut Map<String, Value>, name: &str, value: Value) {
    match all.get_mut(name) {
        Some(Value::Array(values)) => values.push(value),
        _ => {
            all.insert(name.to_owned(), Value::Array(vec![value]));
        }
    }
}

/// Percent-decoding with `+` as space, as API Gateway does for queries. What is no escape stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => match tail {
                [high, low, after @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                    rest = after;
                    hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0)
                }
                _ => b'%',
            },
            byte => *byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// A function's answer that API Gateway would not understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed proxy response: {0}")]
pub struct Malformed(pub &'static str);

/// What a REST API calls a function's `WWW-Authenticate`; it keeps that name for itself ("Important notes" of the developer guide).
const REMAPPED_WWW_AUTHENTICATE: HeaderName =
    HeaderName::from_static("x-amzn-remapped-www-authenticate");

/// The response that a function's answer stands for.
pub fn to_response(answer: &Value) -> Result<Response<Vec<u8>>, Malformed> {
    let status = answer
        .get("statusCode")
        .and_then(Value::as_u64)
        .and_then(|code| u16::try_from(code).ok())
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(Malformed("statusCode"))?;
    let mut response = Response::new(body(answer)?);
    *response.status_mut() = status;
    for (name, values) in header_values(answer) {
        let mut name = HeaderName::try_from(name).map_err(|_| Malformed("headers"))?;
        if name == WWW_AUTHENTICATE {
            name = REMAPPED_WWW_AUTHENTICATE;
        }
        for value in values {
            let value = HeaderValue::try_from(value).map_err(|_| Malformed("headers"))?;
            response.headers_mut().append(name.clone(), value);
        }
    }
    Ok(response)
}

fn body(answer: &Value) -> Result<Vec<u8>, Malformed> {
    let text = match answer.get("body") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Malformed("body")),
    };
    if answer.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        STANDARD.decode(text).map_err(|_| Malformed("body"))
    } else {
        Ok(text.clone().into_bytes())
    }
}

/// Headers of both maps; where both have a name, the one with many values counts.
fn header_values(answer: &Value) -> BTreeMap<String, Vec<String>> {
    let entries = |key: &str| {
        answer
            .get(key)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let mut headers = BTreeMap::new();
    for (name, value) in entries("headers") {
        headers.insert(name.to_lowercase(), text(&value).into_iter().collect());
    }
    for (name, values) in entries("multiValueHeaders") {
        if let Value::Array(values) = values {
            headers.insert(
                name.to_lowercase(),
                values.iter().filter_map(text).collect(),
            );
        }
    }
    headers
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(request: &Request<Vec<u8>>) -> Value {
        let found = Match {
            function: "F",
            resource: "/api/accounts/{proxy+}",
            parameters: BTreeMap::from([("proxy".to_owned(), "1".to_owned())]),
        };
        let arrival = Arrival {
            stage: "v1",
            request_id: "r",
            at: "2026-03-13T09:05:00Z".parse().unwrap(),
            source_ip: "127.0.0.1",
        };
        to_event(request, &found, &arrival)
    }

    #[test]
    fn a_request_becomes_a_proxy_event() {
        let request =
            Request::get("/api/accounts/1?email=a%2Bb%40x.test&tag=1&tag=2&flag&q=a+b%zz")
                .header("Accept", "a")
                .header("Accept", "b")
                .body(Vec::new())
                .unwrap();
        let event = event(&request);
        assert_eq!(event["path"], "/api/accounts/1");
        assert_eq!(event["requestContext"]["path"], "/v1/api/accounts/1");
        assert_eq!(
            event["queryStringParameters"],
            json!({"email": "a+b@x.test", "tag": "2", "flag": "", "q": "a b%zz"})
        );
        assert_eq!(
            event["multiValueQueryStringParameters"]["tag"],
            json!(["1", "2"])
        );
        assert_eq!(event["headers"]["accept"], "b");
        assert_eq!(event["multiValueHeaders"]["accept"], json!(["a", "b"]));
        assert_eq!(event["pathParameters"], json!({"proxy": "1"}));
        assert_eq!(event["body"], Value::Null);
        assert_eq!(
            event["requestContext"]["requestTime"],
            "13/Mar/2026:09:05:00 +0000"
        );
    }

    #[test]
    fn a_body_is_text() {
        let request = Request::post("/").body("{\"ü\":1}".into()).unwrap();
        assert_eq!(event(&request)["body"], "{\"ü\":1}");
        assert_eq!(event(&request)["queryStringParameters"], Value::Null);
    }

    #[test]
    fn an_answer_becomes_a_response() {
        let response = to_response(&json!({
            "statusCode": 201,
            "headers": {"Content-Type": "text/plain", "Set-Cookie": "lost"},
            "multiValueHeaders": {"set-cookie": ["a", "b"]},
            "body": "aGk=", "isBase64Encoded": true,
        }))
        .unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.body(), b"hi");
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a", "b"]);
    }

    #[test]
    fn a_challenge_is_renamed_as_by_a_rest_api() {
        let answer = json!({"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer"}});
        let response = to_response(&answer).unwrap();
        assert_eq!(response.headers().get("www-authenticate"), None);
        let renamed = &response.headers()["x-amzn-remapped-www-authenticate"];
        assert_eq!(renamed, "Bearer");
    }

    #[test]
    fn a_malformed_answer_is_an_error() {
        for answer in [
            json!(null),
            json!({"statusCode": 42}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "body": "*", "isBase64Encoded": true}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": "b\nc"}}),
        ] {
            assert!(to_response(&answer).is_err(), "{answer}");
        }
    }
}
