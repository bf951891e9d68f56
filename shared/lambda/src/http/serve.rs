//! A request from its arrival to its answer, in the order of decision 4:
//!
//! request id → CORS preflight → authentication (unless public) → rate limit → route → size and JSON → idempotency → validation →
//! handler (which validates first).
//!
//! So an unknown path is 401 without a key and 404 with one, and nobody learns without a key which paths exist. Whatever goes wrong,
//! panics included, the client gets the documented error shape and the log one line that has the request's id and, where it was our
//! fault, the cause.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::ports::checkpoint::Unrepeated;
use agentwarm_app::ports::clock::{Clock, Entropy};
use agentwarm_app::ports::keys::KeyLookup;
use agentwarm_app::ports::requests::IdempotencyStore;
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::RequestId;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::auth::{Caller, Touches, authenticate};
use super::error::ApiError;
use super::idempotency::{self, Next, Once};
use super::rate::RateLimit;
use super::request::{Incoming, Request};
use super::response::{Answer, Response};
use super::route::{BoundHandler, BoundRoute, RouteSpec};
use super::router::{Found, RouteError, Router};
use super::{body, cors};

/// How long a handler may take (decision 15): the gateway gives up at 29 s.
const HANDLER_TIME: Duration = Duration::from_secs(25);

/// What is kept of the function's time for answering when a handler overruns.
const ANSWER_TIME: Duration = Duration::from_millis(500);

/// What the pipeline itself needs from the world.
#[derive(Clone)]
pub struct HttpPorts {
    /// Who a key belongs to.
    pub keys: Arc<dyn KeyLookup>,
    /// How often a key may be used.
    pub rate_limit: RateLimit,
    /// What was answered to requests with an `Idempotency-Key`; needed by functions that have routes with a body's methods.
    pub idempotency: Option<Arc<dyn IdempotencyStore>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh tokens.
    pub entropy: Arc<dyn Entropy>,
}

/// A function's routes and what the pipeline needs to serve them.
pub struct HttpApp {
    router: Router,
    ports: HttpPorts,
    touches: Touches,
}

/// What became of a handler.
enum Called {
    /// It answered or refused.
    Answered(Answer),
    /// It panicked or ran out of time: nobody knows how far it came.
    Broken(ApiError),
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the handler panicked")]
    Panicked,
    #[error("the handler ran out of time")]
    OutOfTime,
}

impl HttpApp {
    /// An app that serves `routes`.
    pub fn new(routes: Vec<BoundRoute>, ports: HttpPorts) -> Result<Self, RouteError> {
        let router = Router::new(routes)?;
        if ports.idempotency.is_none()
            && let Some(spec) = router.specs().find(|spec| spec.is_idempotent())
        {
            return Err(RouteError::NoIdempotencyStore {
                method: spec.method.clone(),
                path: spec.path,
            });
        }
        Ok(Self {
            router,
            ports,
            touches: Touches::default(),
        })
    }

    /// The routes.
    pub fn specs(&self) -> Vec<RouteSpec> {
        self.router.specs().cloned().collect()
    }

    /// Answers a request.
    pub async fn serve(&self, incoming: Incoming) -> Response {
        let started = Instant::now();
        let (id, method) = (incoming.id, incoming.method.clone());
        tracing::Span::current().record("request_id", tracing::field::display(id));
        let found = self
            .router
            .find(&method, &incoming.path, incoming.stage.as_deref());
        let route = match &found {
            Found::Route { route, .. } => route.spec.path,
            Found::OtherMethods(_) | Found::Nothing => "",
        };
        let mut response = if method == Method::OPTIONS {
            cors::preflight()
        } else {
            self.answer(found, incoming).await
        };
        complete(&mut response, id);
        if method == Method::HEAD {
            response.body.clear();
        }
        log(&method, route, &response, started);
        response
    }

    async fn answer(&self, found: Found<'_>, incoming: Incoming) -> Response {
        let id = incoming.id;
        if let Found::Route { route, params } = &found
            && let BoundHandler::Public(handler) = &route.handler
        {
            let answer = self.public(&route.spec, handler.as_ref(), params.clone(), incoming);
            return answer.await.unwrap_or_else(|error| error.into_response(id));
        }
        let now = self.ports.clock.wall();
        let keys = self.ports.keys.as_ref();
        let caller = match authenticate(keys, &incoming.headers).await {
            Ok(caller) => caller,
            Err(error) => return error.into_response(id),
        };
        tracing::Span::current().record("user", tracing::field::display(caller.user()));
        let (quota, ()) = futures::join!(
            self.ports.rate_limit.count(&caller, now),
            self.touches.note(keys, &caller, now)
        );
        let answer = match quota.check() {
            Ok(()) => self.private(found, caller, incoming, now).await,
            Err(error) => Err(error),
        };
        let mut response = answer.unwrap_or_else(|error| error.into_response(id));
        quota.show_on(&mut response);
        response
    }

    async fn public(
        &self,
        spec: &RouteSpec,
        handler: &(dyn Fn(Request) -> BoxFuture<'static, Answer> + Send + Sync),
        params: Vec<(String, String)>,
        incoming: Incoming,
    ) -> Answer {
        let headers = incoming.headers.clone();
        let request = read(spec, params, incoming, self.ports.clock.wall())?;
        let deadline = request.deadline;
        match call(|| handler(request), deadline).await {
            Called::Answered(answer) => {
                answer.map(|response| response.unless_client_has_it(&headers))
            }
            Called::Broken(error) => Err(error),
        }
    }

    async fn private(
        &self,
        found: Found<'_>,
        caller: Caller,
        incoming: Incoming,
        now: Timestamp,
    ) -> Answer {
        let (route, params) = match found {
            Found::Route { route, params } => (route, params),
            Found::OtherMethods(methods) => return Err(other_methods(&methods)),
            Found::Nothing => {
                return Err(ApiError::new(
                    ErrorCode::NotFound,
                    "There is nothing at this path",
                ));
            }
        };
        let BoundHandler::Key(handler) = &route.handler else {
            return Err(ApiError::internal(
                "a public route was taken for a private one",
            ));
        };
        let path = incoming.path.clone();
        let mut request = read(&route.spec, params, incoming, now)?;
        let (id, deadline) = (request.id, request.deadline);
        let once = match self.begin(&route.spec, &path, &caller, &request).await? {
            Some(Next::Answer(response)) => return Ok(response),
            Some(Next::CarryOut(once)) => {
                request.checkpoint = once.checkpoint();
                Some(once)
            }
            None => None,
        };
        let called = call(|| handler(caller, request), deadline).await;
        settle(once, called, id).await
    }

    /// The idempotency step; `None` if the request has no key or the route takes none.
    async fn begin(
        &self,
        spec: &RouteSpec,
        path: &str,
        caller: &Caller,
        request: &Request,
    ) -> Result<Option<Next>, ApiError> {
        let Some(store) = self
            .ports
            .idempotency
            .as_ref()
            .filter(|_| spec.is_idempotent())
        else {
            return Ok(None);
        };
        let Some(key) = idempotency::key_of(&request.headers)? else {
            return Ok(None);
        };
        let fingerprint = idempotency::fingerprint(
            spec.method.as_str(),
            path,
            &request.query,
            request.json.as_ref(),
        );
        let fresh = self.ports.entropy.bits();
        idempotency::begin(store, caller, key, &fingerprint, request, fresh)
            .await
            .map(Some)
    }
}

/// Size and JSON. A body where none is expected is still refused if it is too large or no JSON: it is a mistake that is better heard of.
fn read(
    spec: &RouteSpec,
    params: Vec<(String, String)>,
    incoming: Incoming,
    now: Timestamp,
) -> Result<Request, ApiError> {
    let json = if spec.may_have_body() {
        body::parse(&incoming.body, spec.max_body, spec.too_large)?
    } else {
        None
    };
    Ok(Request {
        id: incoming.id,
        params,
        query: incoming.query,
        headers: incoming.headers,
        json,
        now,
        deadline: handler_deadline(incoming.deadline),
        checkpoint: Arc::new(Unrepeated),
    })
}

fn handler_deadline(function: Instant) -> Instant {
    let latest = function
        .checked_sub(ANSWER_TIME)
        .unwrap_or_else(Instant::now);
    latest.min(Instant::now() + HANDLER_TIME)
}

/// Runs a handler to its end, its panic, or its deadline.
async fn call(handler: impl FnOnce() -> BoxFuture<'static, Answer>, deadline: Instant) -> Called {
    // The handler's synchronous part runs when it is called, so that is caught too.
    let run = AssertUnwindSafe(async { handler().await }).catch_unwind();
    match timeout_at(deadline, run).await {
        Ok(Ok(answer)) => Called::Answered(answer),
        Ok(Err(_panic)) => Called::Broken(ApiError::internal(Broken::Panicked)),
        Err(_elapsed) => Called::Broken(ApiError::internal(Broken::OutOfTime)),
    }
}

/// Ends the idempotency step. Errors are rendered first, because they are answers to remember like any other.
async fn settle(once: Option<Box<Once>>, called: Called, id: RequestId) -> Answer {
    let Some(once) = once else {
        return match called {
            Called::Answered(answer) => answer,
            Called::Broken(error) => Err(error),
        };
    };
    match called {
        Called::Answered(answer) => {
            let response = answer.unwrap_or_else(|error| error.into_response(id));
            once.settle(&response).await;
            Ok(response)
        }
        Called::Broken(error) => Err(error),
    }
}

fn other_methods(methods: &[&Method]) -> ApiError {
    let mut allowed: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    allowed.push("OPTIONS");
    ApiError::new(
        ErrorCode::MethodNotAllowed,
        "This path does not have that method",
    )
    .allow(&allowed.join(", "))
}

/// What every answer carries.
pub(super) fn complete(response: &mut Response, id: RequestId) {
    cors::open(response);
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.set(HeaderName::from_static("x-request-id"), id);
    }
    response.set(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !response.headers.contains_key(CACHE_CONTROL) {
        response.set(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The request's one line. Paths are logged as their templates: a real one may hold an address.
fn log(method: &Method, route: &str, response: &Response, started: Instant) {
    let (method, status) = (method.as_str(), response.status.as_u16());
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let code = response
        .failure
        .as_ref()
        .map(|failure| failure.code.as_str());
    let cause = response
        .failure
        .as_ref()
        .and_then(|failure| failure.cause.as_deref());
    if response.status.is_server_error() {
        tracing::error!(
            method,
            route,
            status,
            duration_ms,
            code,
            cause,
            "request failed"
        );
    } else {
        tracing::info!(method, route, status, duration_ms, code, cause, "request");
    }
}

#[cfg(test)]
mod tests;
