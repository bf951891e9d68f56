//! The `Idempotency-Key` header (decision 8).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use agentwarm_lambda::http::{Caller, Request, Response, Route};
use http::{HeaderName, HeaderValue, Method};
use serde_json::json;

use crate::http_app::{app, json as body, problems, request, serve, table};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key.
const LONGEST: usize = 255;

/// The bytes are the header's value; after a line feed comes that of a second one.
pub fn check(bytes: &[u8]) {
    let values: Result<Vec<HeaderValue>, _> = bytes
        .splitn(2, |byte| *byte == b'\n')
        .map(HeaderValue::from_bytes)
        .collect();
    let Ok(values) = values else {
        return;
    };
    let carried_out = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&carried_out);
    let count = move |_: Arc<()>, _: Caller, _: Request| {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        async move { Response::created(&json!({ "number": number })) }
    };
    let app = app(table([Route::post("/api/count", count)]).bind(()));
    let ask = |body: &str| {
        let mut incoming = request(Method::POST, "/api/count");
        for value in &values {
            incoming.headers.append(HEADER, value.clone());
        }
        incoming.body = body.into();
        serve(&app, incoming)
    };
    let first = ask("{}");
    let again = ask("{}");
    if is_key(&values) {
        assert_eq!(first.status(), 201);
        assert_eq!(
            (again.status(), again.body()),
            (first.status(), first.body())
        );
        assert_eq!(
            again.headers().get("idempotent-replayed"),
            Some(&HeaderValue::from_static("true"))
        );
        let other = ask("{\"other\":1}");
        assert_eq!(other.status(), 409);
        assert_eq!(body(&other)["code"], "IDEMPOTENCY_KEY_REUSE");
        assert_eq!(carried_out.load(Ordering::Relaxed), 1);
    } else {
        for response in [first, again] {
            assert_eq!(response.status(), 400);
            assert!(
                matches!(problems(&response).as_slice(), [(path, _)] if path == "Idempotency-Key")
            );
        }
        assert_eq!(carried_out.load(Ordering::Relaxed), 0);
    }
}

/// One header of 1 to 255 printable ASCII characters, as the document says.
fn is_key(values: &[HeaderValue]) -> bool {
    let [value] = values else {
        return false;
    };
    let bytes = value.as_bytes();
    (1..=LONGEST).contains(&bytes.len()) && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}
