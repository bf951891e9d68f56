//! Cross-origin requests (Fetch standard, "CORS protocol").
//!
//! Any page may call the API: what authorizes is the key in the header, which a browser never sends by itself, so `*` gives nothing away.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::response::Response;

/// The answer to a preflight. It is the same for every path, so it tells nobody which exist, and needs no key (decision 4).
pub(super) fn preflight() -> Response {
    let headers = HeaderMap::from_iter([
        (
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
        ),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("Authorization, Content-Type, Idempotency-Key, Last-Event-ID"),
        ),
        // The longest that Chromium honours: two hours.
        (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200")),
    ]);
    Response {
        status: StatusCode::NO_CONTENT,
        headers,
        body: Vec::new(),
        failure: None,
    }
}

/// Lets pages read the answer and those of its headers that the reference tells clients to use.
pub(super) fn open(response: &mut Response) {
    response.set(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.set(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "ETag, Idempotent-Replayed, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id",
        ),
    );
}
