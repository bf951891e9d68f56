//! A small HTTP client for loopback: the public API, and `cargo lambda watch`.

use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A request could not be answered.
#[derive(Debug, thiserror::Error)]
#[error("{method} {url} was not answered")]
pub struct NoAnswer {
    /// The request's method.
    pub method: Method,
    /// The request's address.
    pub url: String,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// The client.
#[derive(Debug, Clone)]
pub struct HttpClient(Client<HttpConnector, Full<Bytes>>);

impl Default for HttpClient {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl HttpClient {
    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, NoAnswer> {
        let (method, url) = (request.method().clone(), request.uri().to_string());
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| NoAnswer {
            method: method.clone(),
            url: url.clone(),
            source,
        };
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let response = self
            .0
            .request(request)
            .await
            .map_err(|error| failed(error.into()))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| failed(error.into()))?;
        Ok(Response::from_parts(head, body.to_bytes().to_vec()))
    }
}
