//! The HTTP kit with routes that only read: whatever comes in passes the whole pipeline and ends where a use case would begin.

use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::keys::{KeyHash, KeyLookup, KeyOwner};
use agentwarm_core::ids::{ApiKeyId, RequestId, UserId};
use agentwarm_core::plan::Plan;
use agentwarm_core::seed::Seed;
use agentwarm_lambda::http::{
    Answer, BoundRoute, Caller, FromFields, HttpApp, HttpPorts, Incoming, RateLimit, Request,
    Response, Route, Routes,
};
use agentwarm_testkit::clock::{SeededEntropy, VirtualClock};
use agentwarm_testkit::memory::requests::{CountedRequests, RememberedRequests};
use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::Value;

use crate::server::run;

/// The one key that there is.
pub(crate) const KEY: &str = "aw_0123456789abcdefABCDEF0123456789";

/// More than any refusal says: a tenth of what Lambda can answer (6 MB).
const LARGEST_REFUSAL: usize = 600 * 1024;

struct OneKey(KeyHash);

#[async_trait]
impl KeyLookup for OneKey {
    async fn owner(&self, hash: &KeyHash) -> Result<Option<KeyOwner>, StoreError> {
        let id = |bits| uuid::Uuid::from_u128(bits);
        Ok((*hash == self.0).then(|| KeyOwner {
            user: UserId::from_uuid(id(1)),
            plan: Plan::Pro,
            key: ApiKeyId::from_uuid(id(2)),
        }))
    }

    async fn touch(&self, _: UserId, _: ApiKeyId, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A route at `path` that reads a body and answers 204, or 200 if a use case would still refuse it.
pub(crate) fn takes<T: FromFields + Send + 'static>(
    path: &'static str,
    operation: &'static str,
    is_good: fn(T) -> bool,
) -> Route<()> {
    let read = move |_: Arc<()>, _: Caller, request: Request| async move {
        if is_good(request.json()?) {
            return Response::no_content();
        }
        Response::ok(&Value::Null)
    };
    Route::post(path, read)
        .named(operation, "Reads a body")
        .takes::<T>()
}

/// A route at `path` that reads a query string and answers 204.
pub(crate) fn filters<T: FromFields + Send + 'static>(
    path: &'static str,
    operation: &'static str,
) -> Route<()> {
    Route::get(
        path,
        async |_: Arc<()>, _: Caller, request: Request| -> Answer {
            request.query::<T>()?;
            Response::no_content()
        },
    )
    .named(operation, "Reads a query")
    .filters::<T>()
}

pub(crate) fn table(routes: impl IntoIterator<Item = Route<()>>) -> Routes<()> {
    routes.into_iter().fold(Routes::new("Fuzz"), Routes::with)
}

pub(crate) fn app(routes: Vec<BoundRoute>) -> HttpApp {
    let clock = VirtualClock::at("2026-03-13T09:00:00Z".parse().unwrap());
    let ports = HttpPorts {
        keys: Arc::new(OneKey(KeyHash::of(KEY))),
        rate_limit: RateLimit {
            counter: Arc::new(CountedRequests::default()),
            per_minute: u32::MAX,
        },
        idempotency: Some(Arc::new(RememberedRequests::default())),
        clock: Arc::new(clock),
        entropy: Arc::new(SeededEntropy::new(Seed::root(b"fuzz"))),
    };
    HttpApp::new(routes, ports).expect("routes that fit each other")
}

/// A request with the key.
pub(crate) fn request(method: Method, path: &str) -> Incoming {
    let key = HeaderValue::from_str(&format!("Bearer {KEY}")).unwrap();
    Incoming {
        id: RequestId::new(Timestamp::UNIX_EPOCH, 1),
        method,
        path: path.to_owned(),
        stage: None,
        query: Vec::new(),
        headers: HeaderMap::from_iter([(http::header::AUTHORIZATION, key)]),
        body: Vec::new(),
        deadline: tokio::time::Instant::now() + Duration::from_mins(1),
    }
}

/// The answer, which is no failure of ours.
pub(crate) fn serve(app: &HttpApp, incoming: Incoming) -> Response {
    let response = run(app.serve(incoming));
    let status = response.status();
    assert!(
        !status.is_server_error(),
        "{status}: {:?}",
        String::from_utf8_lossy(response.body())
    );
    if status.is_client_error() {
        assert!(
            response.body().len() <= LARGEST_REFUSAL,
            "{} bytes",
            response.body().len()
        );
        let told = json(&response);
        assert_eq!(told["statusCode"], status.as_u16());
        for name in ["error", "code", "action", "requestId"] {
            assert!(told[name].is_string(), "{told}");
        }
    }
    response
}

pub(crate) fn json(response: &Response) -> Value {
    serde_json::from_slice(response.body()).expect("an answer is JSON")
}

/// What is wrong with the input, as the answer 400 says it: where, and what.
pub(crate) fn problems(response: &Response) -> Vec<(String, String)> {
    let told = json(response);
    assert_eq!(told["code"], "VALIDATION_FAILED", "{told}");
    let errors = told["errors"].as_array().expect("a reason for 400");
    assert!(!errors.is_empty(), "{told}");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let each = errors
        .iter()
        .map(|error| (text(&error["path"]), text(&error["message"])));
    each.collect()
}
