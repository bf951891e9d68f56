//! The local port of the REST API.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answers::{Answers, Kind};
use super::event::{Arrival, to_event, to_response};
use super::paths::PathTable;
use crate::invoke::{Invoke, InvokeError};

/// API Gateway's limit of a request's body.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// Lambda's limit of a synchronous event.
const MAX_EVENT: usize = 6 * 1024 * 1024;
/// API Gateway's patience with an integration.
const PATIENCE: Duration = Duration::from_secs(29);

/// The REST API.
pub struct Gateway {
    /// Who answers which path.
    pub paths: PathTable,
    /// What the gateway says itself.
    pub answers: Answers,
    /// The stage's name.
    pub stage: String,
    /// How functions are called.
    pub invoke: Arc<dyn Invoke>,
    /// Real time.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Fresh request ids.
    pub request_id: Arc<dyn Fn() -> String + Send + Sync>,
    /// Told after each invocation.
    pub after: Arc<dyn Fn() + Send + Sync>,
}

impl Gateway {
    async fn answer<B>(&self, request: Request<B>, from: SocketAddr) -> Response<Vec<u8>>
    where
        B: hyper::body::Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let id = (self.request_id)();
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(error) if error.is::<LengthLimitError>() => {
                return self.answers.render(Kind::RequestTooLarge, &id, "");
            }
            // The client went away in the middle of its request: whatever is answered, nobody reads it.
            Err(_) => return self.answers.render(Kind::Default5xx, &id, ""),
        };
        let request = Request::from_parts(head, body);
        let Some(found) = self
            .paths
            .find(request.method().as_str(), request.uri().path())
        else {
            return self.answers.render(
                Kind::MissingAuthenticationToken,
                &id,
                "Missing Authentication Token",
            );
        };
        let arrival = Arrival {
            stage: &self.stage,
            request_id: &id,
            at: (self.now)(),
            source_ip: &from.ip().to_string(),
        };
        let event = to_event(&request, &found, &arrival);
        if event.to_string().len() > MAX_EVENT {
            return self.answers.render(Kind::RequestTooLarge, &id, "");
        }
        let outcome =
            tokio::time::timeout(PATIENCE, self.invoke.invoke(found.function, event)).await;
        (self.after)();
        match outcome {
            Err(_) | Ok(Err(InvokeError::TimedOut { .. })) => self.answers.render(Kind::IntegrationTimeout, &id, ""),
            Ok(Err(error)) => {
                tracing::error!(target: "agentwarm_local::gateway", %error, "integration failure");
                self.answers.render(Kind::IntegrationFailure, &id, "")
            }
            Ok(Ok(answer)) => to_response(&answer).unwrap_or_else(|error| {
                tracing::error!(target: "agentwarm_local::gateway", function = found.function, %error);
                self.answers.render(Kind::Default5xx, &id, "")
            }),
        }
    }
}

/// Serves until `stop` turns true, then finishes the requests at hand.
pub async fn serve(listener: TcpListener, gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            () = stopped(&mut stop) => break,
        };
        if let Ok((stream, from)) = accepted {
            connections.spawn(connection(stream, from, Arc::clone(&gateway), stop.clone()));
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    stream: tokio::net::TcpStream,
    from: SocketAddr,
    gateway: Arc<Gateway>,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let gateway = Arc::clone(&gateway);
        async move {
            let response = gateway.answer(request, from).await;
            Ok::<_, Infallible>(response.map(|body| Full::new(Bytes::from(body))))
        }
    });
    let serving =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => log_end(ended),
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            log_end(serving.await);
        }
    }
}

/// Returns when `stop` is true, or nobody is left to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _guard = stop.wait_for(|stopped| *stopped).await;
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(target: "agentwarm_local::gateway", %error, "connection ended");
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use serde_json::Value;

    use super::*;
    use crate::template::functions::shapes;
    use crate::template::tests::ours;

    struct Nobody;

    #[async_trait]
    impl Invoke for Nobody {
        async fn invoke(&self, function: &str, _event: Value) -> Result<Value, InvokeError> {
            Err(InvokeError::Unknown(function.to_owned()))
        }
    }

    #[tokio::test]
    async fn a_request_that_is_too_large_is_told_both_limits_and_the_way_out() {
        let template = ours();
        let gateway = Gateway {
            paths: PathTable::new(&shapes(&template).unwrap()),
            answers: Answers::read(&template).unwrap(),
            stage: "v1".to_owned(),
            invoke: Arc::new(Nobody),
            now: Arc::new(|| Timestamp::UNIX_EPOCH),
            request_id: Arc::new(|| "r".to_owned()),
            after: Arc::new(|| {}),
        };
        // Over what a function takes, and over what the gateway does.
        for megabytes in [7, 11] {
            let body = Full::new(Bytes::from(vec![b'a'; megabytes << 20]));
            let request = Request::post("/api/accounts/1/send").body(body).unwrap();
            let from = SocketAddr::from(([127, 0, 0, 1], 1));
            let response = gateway.answer(request, from).await;
            assert_eq!(response.status(), 413, "{megabytes} MB");
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            let error = body["error"].as_str().unwrap();
            for named in [
                "6 MB",
                "10 MB",
                "25 MB",
                "POST /api/accounts/:id/attachments",
            ] {
                assert!(error.contains(named), "{error}");
            }
        }
    }
}
