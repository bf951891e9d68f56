//! The same gateway before a function that answers at once: what the local stack itself takes.

use std::net::Ipv4Addr;
use std::sync::Arc;

use agentwarm_app::ports::clock::Clock as _;
use agentwarm_lambda::bootstrap::SystemClock;
use agentwarm_local::http_client::HttpClient;
use agentwarm_local::invoke::{Invoke, InvokeError};
use agentwarm_local::settings::RunSettings;
use agentwarm_local::template::Template;
use agentwarm_local::template::functions::{FunctionShape, HttpEvent};
use agentwarm_local::triggers::gateway::answers::Answers;
use agentwarm_local::triggers::gateway::paths::PathTable;
use agentwarm_local::triggers::gateway::server::{Gateway, serve};
use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{RUNS, Ready, Taken, WARM_UP, request};

/// A function with nothing in it.
struct Hello;

#[async_trait]
impl Invoke for Hello {
    async fn invoke(&self, _: &str, _: Value) -> Result<Value, InvokeError> {
        Ok(json!({ "statusCode": 200, "body": "hello", "isBase64Encoded": false }))
    }
}

/// What requests to it take.
pub(super) async fn measured(client: &HttpClient) -> Taken {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(serve(listener, Arc::new(gateway()), stopped));
    let ready = Ready {
        method: Method::GET,
        path: "/hello".to_owned(),
        key: "aw_nobody".to_owned(),
        body: Vec::new(),
    };
    let mut taken = Taken::default();
    for run in 0..WARM_UP + RUNS {
        let request = request(&url, &ready);
        let started = Instant::now();
        let answer = client.send(request).await.unwrap();
        if run >= WARM_UP {
            let millis = started.elapsed().as_secs_f64() * 1_000.0;
            taken.millis.push(millis);
        }
        taken.status = answer.status().as_u16();
    }
    taken
}

fn gateway() -> Gateway {
    let root = RunSettings::from_environment().unwrap().root;
    let template = std::fs::read_to_string(root.join("template.yaml")).unwrap();
    let everything = HttpEvent {
        path: "/{proxy+}".to_owned(),
        method: "ANY".to_owned(),
    };
    let hello = FunctionShape {
        logical_id: "Hello".to_owned(),
        code_uri: String::new(),
        http: vec![everything],
        schedules: Vec::new(),
    };
    Gateway {
        paths: PathTable::new(&[hello]),
        answers: Answers::read(&Template::parse(&template).unwrap()).unwrap(),
        stage: "v1".to_owned(),
        invoke: Arc::new(Hello),
        now: Arc::new(|| SystemClock.wall()),
        request_id: Arc::new(|| "00000000-0000-4000-8000-000000000000".to_owned()),
        after: Arc::new(|| ()),
    }
}
