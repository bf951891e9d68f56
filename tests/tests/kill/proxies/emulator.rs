//! The emulator's proxy: passes requests on one by one and knows which of them write what.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use agentwarm_local::http_client::HttpClient;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::published::Published;
use super::writes;
use crate::gate::Gate;
use crate::points::{Moment, WriteKind};

/// In front of the emulator.
pub(super) struct EmulatorProxy {
    endpoint: String,
    client: HttpClient,
    gate: Gate,
    published: Published,
}

impl EmulatorProxy {
    pub(super) fn new(endpoint: &str, gate: &Gate, published: &Published) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            client: HttpClient::default(),
            gate: gate.clone(),
            published: published.clone(),
        }
    }

    /// Serves one connection.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let service = service_fn(move |request| {
            let proxy = Arc::clone(&self);
            async move { Ok::<_, Infallible>(proxy.answer(request).await) }
        });
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        serving.await.map_err(io::Error::other)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return status(StatusCode::BAD_REQUEST);
        };
        let body = body.to_bytes().to_vec();
        self.gate.pass().await;
        let target = head
            .headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut forwarded = Request::builder()
            .method(head.method)
            .uri(format!("{}{path}", self.endpoint))
            .body(body)
            .unwrap();
        *forwarded.headers_mut() = head.headers;
        forwarded.headers_mut().remove(HOST);
        forwarded.headers_mut().remove(CONNECTION);
        self.forward(&target, &json, forwarded).await
    }

    /// Tells the moments around a write, and what it changed.
    async fn forward(
        &self,
        target: &str,
        json: &Value,
        request: Request<Vec<u8>>,
    ) -> Response<Full<Bytes>> {
        let write = writes::read(target, json);
        if let Some(read) = &write {
            let moment = Moment::Writing(read.write.clone());
            self.gate.let_pass(&moment, read.write.slot).await;
        }
        let Ok(response) = self.client.send(request).await else {
            return status(StatusCode::BAD_GATEWAY);
        };
        if response.status().is_success() {
            self.published.note(target, json);
        }
        if let Some(read) = write.filter(|_| response.status().is_success()) {
            if let (WriteKind::Claim, Some(account), Some(slot)) =
                (read.write.kind, &read.account, read.write.slot)
            {
                self.gate.claimed(account, slot);
            }
            let slot = read.write.slot;
            self.gate.let_pass(&Moment::Written(read.write), slot).await;
        }
        if let Some(now) = writes::clock(target, json) {
            self.gate.tick(now);
        }
        self.gate.pass().await;
        let (mut head, body) = response.into_parts();
        head.headers.remove(TRANSFER_ENCODING);
        head.headers.remove(CONNECTION);
        Response::from_parts(head, Full::new(Bytes::from(body)))
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
