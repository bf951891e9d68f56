//! Answers.
//!
//! A handler builds its answer with one of the constructors here; what every answer carries (request id, CORS, `Cache-Control`, rate limit)
//! is added by [`super::serve`]. Everything is private (`no-store`) unless it says otherwise, so forgetting to decide is safe.

use super::digest::sha256;
use super::error::ApiError;
use agentwarm_core::error::ErrorCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// What a handler returns.
pub type Answer = Result<Response, ApiError>;

/// How long browsers and a CDN may keep what is public and constant per release. Short, because a release must show soon; asking again costs a 304.
const PUBLIC_CACHE: &str = "public, max-age=300";

/// An answer to a request.
#[derive(Debug)]
pub struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Set where the answer is an error: what the log says about it.
    pub(super) failure: Option<Failure>,
}

/// What the log says about an error.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: ErrorCode,
    pub(super) cause: Option<String>,
}

impl Response {
    /// 200 with a JSON body.
    pub fn ok(body: &impl Serialize) -> Answer {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a JSON body.
    pub fn created(body: &impl Serialize) -> Answer {
        Self::json(StatusCode::CREATED, body)
    }

    /// 204.
    pub fn no_content() -> Answer {
        Ok(Self {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Vec::new(),
            failure: None,
        })
    }

    /// `status` with a JSON body.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).map_err(ApiError::internal)?;
        Ok(Self::raw(status, "application/json", body))
    }

    /// 200 with a text that changes from request to request, such as metrics.
    pub fn text(content_type: &'static str, body: impl Into<Vec<u8>>) -> Answer {
        Ok(Self::raw(StatusCode::OK, content_type, body.into()))
    }

    /// 200 with a document that is public and constant per release: it may be cached, and is not sent again to who has it.
    pub fn document(content_type: &'static str, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let tag = entity_tag(&body);
        let mut response = Self::raw(StatusCode::OK, content_type, body);
        response.set(CACHE_CONTROL, HeaderValue::from_static(PUBLIC_CACHE));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.set(ETAG, tag);
        }
        Ok(response)
    }

    /// An answer made of its parts.
    pub(super) fn raw(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status,
            headers,
            body,
            failure: None,
        }
    }

    /// Adds a header, replacing one of that name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.set(name, value);
        self
    }

    pub(super) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// 304 in place of a document that the client has (RFC 9110 §13.1.2).
    pub(super) fn unless_client_has_it(mut self, request: &HeaderMap) -> Self {
        let Some(tag) = self.headers.get(ETAG) else {
            return self;
        };
        let has = request.get_all(IF_NONE_MATCH).iter().any(|value| {
            value.to_str().is_ok_and(|known| {
                known
                    .split(',')
                    .map(|one| one.trim().trim_start_matches("W/"))
                    .any(|one| one == "*" || one.as_bytes() == tag.as_bytes())
            })
        });
        if has && self.status == StatusCode::OK {
            self.status = StatusCode::NOT_MODIFIED;
            self.body.clear();
            self.headers.remove(CONTENT_TYPE);
        }
        self
    }
}

/// A strong entity tag: what the bytes are, whoever serves them.
fn entity_tag(body: &[u8]) -> String {
    format!("\"{}\"", sha256(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking_with(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_document_is_sent_once() {
        let document = || Response::document("text/plain", "same").unwrap();
        let tag = document().headers()[ETAG].to_str().unwrap().to_owned();
        let known: &'static str = Box::leak(format!("\"other\", W/{tag}").into_boxed_str());

        let again = document().unless_client_has_it(&asking_with(known));
        assert_eq!((again.status().as_u16(), again.body().len()), (304, 0));
        assert_eq!(again.headers()[CACHE_CONTROL], PUBLIC_CACHE);

        let other = document().unless_client_has_it(&asking_with("\"other\""));
        assert_eq!((other.status().as_u16(), other.body()), (200, &b"same"[..]));
    }
}
