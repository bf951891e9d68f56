//! A client of the public API, as a user of it would write one.

use http::{Method, Request, StatusCode};
use serde_json::Value;

use crate::http_client::{HttpClient, NoAnswer};

/// The API with a key.
#[derive(Debug, Clone)]
pub struct ApiClient {
    http: HttpClient,
    base_url: String,
    key: String,
    idempotency_key: Option<String>,
}

/// An operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// There was no answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The request cannot be written.
    #[error("{0} is no path")]
    Path(String),
    /// The API refused.
    #[error("{method} {path}: {status} {code}: {message}")]
    Refused {
        /// The request's method.
        method: Method,
        /// The request's path.
        path: String,
        /// The answer's status.
        status: StatusCode,
        /// The answer's code.
        code: String,
        /// The answer's words.
        message: String,
    },
}

impl ApiClient {
    /// The API at `base_url`, used with `key`.
    pub fn new(base_url: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            http: HttpClient::default(),
            base_url: base_url.into(),
            key: key.into(),
            idempotency_key: None,
        }
    }

    /// The same API, asked with this `Idempotency-Key`: what it is asked twice is done once (decision 8).
    #[must_use]
    pub fn once(&self, idempotency_key: impl Into<String>) -> Self {
        Self {
            idempotency_key: Some(idempotency_key.into()),
            ..self.clone()
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.send(Method::GET, path, None).await
    }

    /// Creates or acts.
    pub async fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, ApiError> {
        self.send(Method::POST, path, body).await
    }

    /// Sends a request; the JSON of a successful answer, null where it has none.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base_url))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let request = request
            .body(
                body.map(|body| body.to_string().into_bytes())
                    .unwrap_or_default(),
            )
            .map_err(|_| ApiError::Path(path.to_owned()))?;
        let response = self.http.send(request).await?;
        let answer = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        if response.status().is_success() {
            return Ok(answer);
        }
        let text = |key: &str| {
            answer
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Err(ApiError::Refused {
            method,
            path: path.to_owned(),
            status: response.status(),
            code: text("code"),
            message: text("error"),
        })
    }
}
