//! Between API Gateway's events and our requests and answers.
//!
//! [`HttpTask`] makes an [`HttpApp`] a [`Task`] like any other: the JSON of an API Gateway event in, the JSON of a proxy response out. So
//! Lambda, the local runner and the tests go through the same lines. `lambda_http` does the translation; what it does by panicking is
//! caught here (it unwraps while it builds a URI from the `Host` header and while it decodes base64), and two things are taken from the
//! event itself: the path, because the URI that it builds begins with the stage (`/Prod/api/…`) and loses what follows a decoded `#`, and the
//! headers, because of one that is given twice it keeps the last value.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use agentwarm_core::ids::RequestId;
use async_trait::async_trait;
use http::HeaderMap;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Adapter, Body, IntoResponse, LambdaEvent, RequestExt, Service, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::error::ApiError;
use super::request::Incoming;
use super::response::Response;
use super::serve::{HttpApp, complete};
use crate::task::{Invocation, Task, TaskError};

/// An HTTP function as a task.
pub struct HttpTask {
    app: Arc<HttpApp>,
}

impl HttpTask {
    /// `app` as a task.
    pub fn new(app: HttpApp) -> Self {
        Self { app: Arc::new(app) }
    }
}

#[async_trait]
impl Task for HttpTask {
    async fn handle(&self, event: Value, call: Invocation) -> Result<Value, TaskError> {
        let payload = LambdaRequest::deserialize(event)
            .map_err(|error| TaskError::malformed("an API Gateway event", &error))?;
        let request_id = id_of(&call.request_id);
        let (app, headers) = (Arc::clone(&self.app), headers_of(&payload));
        let mut adapter = Adapter::from(service_fn(move |request: lambda_http::Request| {
            let (app, call, headers) = (Arc::clone(&app), call.clone(), headers.clone());
            async move {
                let response = app.serve(incoming(request, headers, &call)).await;
                Ok::<_, Infallible>(outgoing(response))
            }
        }));
        let event = LambdaEvent::new(payload, lambda_http::Context::default());
        let Ok(translated) = catch_unwind(AssertUnwindSafe(|| adapter.call(event))) else {
            return Ok(unreadable(request_id));
        };
        let Ok(response) = translated.await;
        serde_json::to_value(response)
            .map_err(|error| TaskError::malformed("a proxy response", &error))
    }
}

/// The headers of a REST API's event with all their values. `headers` has the last of each; where a tool sends it alone, it counts.
fn headers_of(event: &LambdaRequest) -> Option<HeaderMap> {
    let LambdaRequest::ApiGatewayV1(event) = event else {
        return None;
    };
    let mut headers = event.multi_value_headers.clone();
    for (name, value) in &event.headers {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    Some(headers)
}

/// The request behind an event. `headers` are the event's, where it tells more of them than the request does.
fn incoming(
    request: lambda_http::Request,
    headers: Option<HeaderMap>,
    call: &Invocation,
) -> Incoming {
    let path = request.raw_http_path().to_owned();
    let (gateway_id, stage) = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => {
            (context.request_id.clone(), context.stage.clone())
        }
        Some(RequestContext::ApiGatewayV2(context)) => {
            (context.request_id.clone(), context.stage.clone())
        }
        _ => (None, None),
    };
    let mut query: Vec<(String, String)> = request
        .query_string_parameters_ref()
        .map(|pairs| {
            pairs
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        })
        .unwrap_or_default();
    query.sort();
    let (parts, body) = request.into_parts();
    Incoming {
        id: id_of(gateway_id.as_deref().unwrap_or(&call.request_id)),
        method: parts.method,
        path,
        stage,
        query,
        headers: headers.unwrap_or(parts.headers),
        body: body.to_vec(),
        deadline: call.deadline,
    }
}

/// The gateway's id for the request, so that our logs, its logs and the client name it alike. They are UUIDs; anything else
/// (the console's test button) is hashed into one.
fn id_of(text: &str) -> RequestId {
    text.parse().unwrap_or_else(|_| {
        let mut bytes = [0; 16];
        for (byte, hashed) in bytes.iter_mut().zip(Sha256::digest(text.as_bytes())) {
            *byte = hashed;
        }
        RequestId::from_uuid(Uuid::from_bytes(bytes))
    })
}

/// An answer that is ready for its event. `lambda_http` would decode other bodies by their charset, for which it brings the tables of all
/// charsets there are: half a megabyte of each zip.
struct Ready(http::Response<Body>);

impl IntoResponse for Ready {
    fn into_response(self) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        Box::pin(future::ready(self.0))
    }
}

/// Text goes as it is, anything else as base64.
fn encoded(bytes: Vec<u8>) -> Body {
    match String::from_utf8(bytes) {
        Ok(text) => Body::Text(text),
        Err(other) => Body::Binary(other.into_bytes()),
    }
}

fn outgoing(response: Response) -> Ready {
    let Response {
        status,
        headers,
        body,
        ..
    } = response;
    let mut outgoing = http::Response::new(encoded(body));
    *outgoing.status_mut() = status;
    *outgoing.headers_mut() = headers;
    Ready(outgoing)
}

/// The answer to an event that cannot be translated.
fn unreadable(id: RequestId) -> Value {
    let error = ApiError::invalid_at("request", "cannot be understood");
    let mut response = error.into_response(id);
    complete(&mut response, id);
    let headers: BTreeMap<_, Vec<_>> = response
        .headers
        .keys()
        .map(|name| {
            let values = response.headers.get_all(name).iter();
            let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
            (name.as_str(), values.collect())
        })
        .collect();
    json!({
        "statusCode": response.status.as_u16(),
        "multiValueHeaders": headers,
        "body": String::from_utf8_lossy(&response.body),
        "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests;
