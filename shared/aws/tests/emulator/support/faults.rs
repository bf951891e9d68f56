//! An HTTP client that forwards to the emulator and, when told, loses an answer or makes one up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

/// What is to happen to a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It is carried out, but its answer is lost.
    LoseAnswer,
    /// It is not carried out; this is answered, made from the request.
    Answer(u16, fn(&Value) -> Value),
    /// It is carried out on what the first makes of the request; the second makes the answer of the request.
    Twist(fn(&Value) -> Value, fn(&Value) -> Value),
}

/// The client. Clones share what was planned.
#[derive(Debug, Clone)]
pub(crate) struct FaultyHttp {
    sound: SharedHttpClient,
    planned: Arc<Mutex<VecDeque<(&'static str, Fault)>>>,
}

impl FaultyHttp {
    pub(crate) fn new() -> Self {
        let sound = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        Self {
            sound,
            planned: Arc::default(),
        }
    }

    /// The next request of `operation` (such as `PutItem`) meets `fault`. Several wait for each other.
    pub(crate) fn plan(&self, operation: &'static str, fault: Fault) {
        self.planned.lock().unwrap().push_back((operation, fault));
    }

    /// Whether everything that was planned has happened.
    pub(crate) fn is_done(&self) -> bool {
        self.planned.lock().unwrap().is_empty()
    }

    fn next_fault(&self, request: &HttpRequest) -> Option<Fault> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let mut planned = self.planned.lock().unwrap();
        let (operation, _) = planned.front()?;
        if target.ends_with(&format!(".{operation}")) {
            planned.pop_front().map(|(_, fault)| fault)
        } else {
            None
        }
    }
}

impl HttpClient for FaultyHttp {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(FaultyConnector {
            client: self.clone(),
            sound: self.sound.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    client: FaultyHttp,
    sound: SharedHttpConnector,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        match self.client.next_fault(&request) {
            None => self.sound.call(request),
            Some(Fault::LoseAnswer) => {
                let sound = self.sound.call(request);
                HttpConnectorFuture::new(async move {
                    sound.await?;
                    Err(ConnectorError::io("the answer was lost".into()))
                })
            }
            Some(Fault::Answer(status, answer)) => {
                let answer = answer(&body_of(&request));
                HttpConnectorFuture::ready(Ok(response(status, &answer)))
            }
            Some(Fault::Twist(twist, answer)) => {
                let body = body_of(&request);
                let twisted = twist(&body).to_string();
                let length = twisted.len().to_string();
                request.headers_mut().insert("content-length", length);
                *request.body_mut() = SdkBody::from(twisted);
                let sound = self.sound.call(request);
                HttpConnectorFuture::new(async move {
                    sound.await?;
                    Ok(response(200, &answer(&body)))
                })
            }
        }
    }
}

/// Answers every request itself.
#[derive(Clone)]
pub(crate) struct Scripted(Arc<dyn Fn(&Value) -> Value + Send + Sync>);

impl Scripted {
    pub(crate) fn new(answer: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl HttpClient for Scripted {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = (self.0)(&body_of(&request));
        HttpConnectorFuture::ready(Ok(response(200, &answer)))
    }
}

fn body_of(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap()).unwrap()
}

fn response(status: u16, body: &Value) -> HttpResponse {
    let status = StatusCode::try_from(status).unwrap();
    HttpResponse::new(status, SdkBody::from(body.to_string()))
}
