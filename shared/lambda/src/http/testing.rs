//! A small API and a world for it, for the tests of this kit.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentwarm_app::error::AppError;
use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::clock::{Clock, Entropy};
use agentwarm_app::ports::keys::{KeyHash, KeyLookup, KeyOwner};
use agentwarm_app::ports::requests::{Begun, IdempotencyStore, RateCounter, RequestScope};
use agentwarm_core::error::ErrorCode;
use agentwarm_core::ids::{ApiKeyId, PoolId, RequestId, UserId};
use agentwarm_core::plan::Plan;
use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::rules::{integer, line};
use super::{
    Answer, ApiError, Caller, Fields, FromFields, HttpApp, HttpPorts, Incoming, Invalid, Paging,
    RateLimit, Request, Response, Route, RouteSpec, Routes,
};

pub(super) const KEY: &str = "aw_0123456789abcdefABCDEF0123456789";
pub(super) const REVOKED: &str = "aw_9999999999999999999999999999ffff";

fn down(operation: &'static str) -> StoreError {
    StoreError::Unavailable {
        operation,
        source: "table at 10.0.0.7".into(),
    }
}

/// All ports of the pipeline, in memory, with switches.
#[derive(Default)]
pub(super) struct World {
    pub(super) now: Mutex<Timestamp>,
    pub(super) touched: AtomicUsize,
    pub(super) keys_down: AtomicBool,
    pub(super) counter_down: AtomicBool,
    pub(super) store_down: AtomicBool,
    counts: Mutex<BTreeMap<Timestamp, u64>>,
    records: Mutex<BTreeMap<String, Record>>,
    fresh: AtomicU64,
}

struct Record {
    fingerprint: String,
    owner: String,
    lease_until: Timestamp,
    note: Option<String>,
    answer: Option<Vec<u8>>,
}

impl Clock for World {
    fn wall(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn schedule(&self) -> Timestamp {
        self.wall()
    }
}

impl Entropy for World {
    fn bits(&self) -> u128 {
        u128::from(self.fresh.fetch_add(1, Ordering::Relaxed)) << 64
    }
}

#[async_trait]
impl KeyLookup for World {
    async fn owner(&self, hash: &KeyHash) -> Result<Option<KeyOwner>, StoreError> {
        if self.keys_down.load(Ordering::Relaxed) {
            return Err(down("look up a key"));
        }
        Ok((*hash == KeyHash::of(KEY)).then(|| KeyOwner {
            user: UserId::from_uuid(uuid::Uuid::from_u128(1)),
            plan: Plan::Pro,
            key: ApiKeyId::from_uuid(uuid::Uuid::from_u128(2)),
        }))
    }

    async fn touch(&self, _: UserId, _: ApiKeyId, _: Timestamp) -> Result<(), StoreError> {
        self.touched.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl RateCounter for World {
    async fn increment(
        &self,
        _: UserId,
        _: ApiKeyId,
        window: Timestamp,
    ) -> Result<u64, StoreError> {
        if self.counter_down.load(Ordering::Relaxed) {
            return Err(down("count a request"));
        }
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry(window).or_default();
        *count += 1;
        Ok(*count)
    }
}

#[async_trait]
impl IdempotencyStore for World {
    async fn begin(
        &self,
        scope: RequestScope<'_>,
        fingerprint: &str,
        owner: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Begun, StoreError> {
        if self.store_down.load(Ordering::Relaxed) {
            return Err(down("begin a request"));
        }
        let mut records = self.records.lock().unwrap();
        let key = scope.idempotency_key.to_owned();
        let mut note = None;
        if let Some(record) = records.get(&key) {
            if record.fingerprint != fingerprint {
                return Ok(Begun::OtherRequest);
            }
            if let Some(answer) = record.answer.clone() {
                return Ok(Begun::Finished { answer });
            }
            if record.lease_until > now {
                let until = record.lease_until;
                return Ok(Begun::InProgress { until });
            }
            note.clone_from(&record.note);
        }
        let record = Record {
            fingerprint: fingerprint.to_owned(),
            owner: owner.to_owned(),
            lease_until: now + lease,
            note: note.clone(),
            answer: None,
        };
        records.insert(key, record);
        Ok(Begun::Started { note })
    }

    async fn finish(
        &self,
        scope: RequestScope<'_>,
        owner: &str,
        answer: &[u8],
    ) -> Result<bool, StoreError> {
        let mut records = self.records.lock().unwrap();
        let record = records.get_mut(scope.idempotency_key);
        let ours = record.filter(|record| record.owner == owner);
        Ok(ours.is_some_and(|record| record.answer.replace(answer.to_vec()).is_none()))
    }

    async fn note(
        &self,
        scope: RequestScope<'_>,
        owner: &str,
        note: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut records = self.records.lock().unwrap();
        let record = records.get_mut(scope.idempotency_key);
        let ours = record.filter(|record| record.owner == owner);
        Ok(ours
            .map(|record| record.note = note.map(str::to_owned))
            .is_some())
    }

    async fn abandon(&self, scope: RequestScope<'_>, owner: &str) -> Result<(), StoreError> {
        let mut records = self.records.lock().unwrap();
        records.retain(|key, record| {
            key != scope.idempotency_key || record.owner != owner || record.note.is_some()
        });
        if let Some(record) = records.get_mut(scope.idempotency_key) {
            record.lease_until = Timestamp::MIN;
        }
        Ok(())
    }
}

impl World {
    pub(super) fn stored(&self) -> Vec<Vec<u8>> {
        let records = self.records.lock().unwrap();
        records
            .values()
            .filter_map(|it| it.answer.clone())
            .collect()
    }
}

/// What the handlers of the small API see.
#[derive(Default)]
pub(super) struct Pools {
    pub(super) made: AtomicUsize,
    /// Where a slow handler waits, and says that it does.
    pub(super) entered: Notify,
    pub(super) proceed: Notify,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Pool {
    /// Its id.
    #[schemars(schema_with = "super::openapi::schema::id")]
    id: PoolId,
    name: String,
    size: u32,
}

struct CreatePool {
    name: String,
    size: u32,
}

impl FromFields for CreatePool {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let name = fields.required("name", line(100).about("What people call it."));
        let size = fields.or("size", 2, integer(1..=9));
        Ok(Self {
            name: name?,
            size: size?,
        })
    }
}

pub(super) const PAGING: Paging = Paging {
    list: "pools",
    default: 50,
    max: 200,
};

struct ListPools;

impl FromFields for ListPools {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        PAGING.read(fields).map(|_| Self)
    }
}

fn pool(name: &str, size: u32) -> Pool {
    Pool {
        id: PoolId::from_uuid(uuid::Uuid::from_u128(3)),
        name: name.to_owned(),
        size,
    }
}

async fn list(_: Arc<Pools>, caller: Caller, request: Request) -> Answer {
    request.query::<ListPools>()?;
    Response::ok(&json!({ "pools": [], "user": caller.user() }))
}

async fn create(pools: Arc<Pools>, _: Caller, request: Request) -> Answer {
    let wanted: CreatePool = request.json()?;
    let number = pools.made.fetch_add(1, Ordering::Relaxed);
    Response::created(&json!({ "number": number, "pool": pool(&wanted.name, wanted.size) }))
}

async fn show(_: Arc<Pools>, _: Caller, request: Request) -> Answer {
    let id: PoolId = request.path_id("poolId", AppError::PoolNotFound)?;
    Response::ok(&json!({ "id": id }))
}

async fn check(_: Arc<Pools>, _: Caller, request: Request) -> Answer {
    Response::ok(&json!({ "echo": request.path_text("word") }))
}

async fn fail(pools: Arc<Pools>, _: Caller, request: Request) -> Answer {
    pools.made.fetch_add(1, Ordering::Relaxed);
    match request.path_text("how") {
        "panic" => panic!("canary"),
        "hang" => std::future::pending().await,
        "wait" => {
            pools.entered.notify_one();
            pools.proceed.notified().await;
            Response::no_content()
        }
        "store" => Err(down("read a pool").into()),
        _ => Err(ApiError::new(ErrorCode::AccountAlreadyExists, "Taken")),
    }
}

async fn health(_: Arc<Pools>, _: Request) -> Answer {
    Response::ok(&json!({ "status": "ok" }))
}

async fn manual(_: Arc<Pools>, _: Request) -> Answer {
    Response::document("text/plain; charset=utf-8", "read me")
}

fn routes() -> Routes<Pools> {
    Routes::new("Pools")
        .with(
            Route::get("/api/pools", list)
                .named("listPools", "List pools")
                .filters::<ListPools>()
                .answers::<Vec<Pool>>(200, "The pools."),
        )
        .with(
            Route::post("/api/pools", create)
                .named("createPool", "Create a pool")
                .takes::<CreatePool>()
                .for_example(|| json!({ "name": "Sales" }))
                .answers::<Pool>(201, "The new pool.")
                .such_as(|| json!({ "id": "00000000-0000-0000-0000-000000000003", "name": "Sales", "size": 2 })),
        )
        .with(
            Route::get("/api/pools/{poolId}", show)
                .named("getPool", "Show a pool")
                .answers::<Pool>(200, "The pool.")
                .fails_with(&[ErrorCode::WarmupPoolNotFound]),
        )
        .with(Route::get("/api/pools/check/{word}", check).named("checkPool", "Check a word"))
        .with(Route::post("/api/fail/{how}", fail).named("fail", "Fail"))
        .with(
            Route::public(Method::GET, "/api/healthz", health)
                .named("healthz", "Say that all is well")
                .answers::<BTreeMap<String, String>>(200, "It is."),
        )
        .with(
            Route::public(Method::GET, "/llms.txt", manual)
                .named("manual", "Explain")
                .answers_text(200, "text/plain", "The manual."),
        )
}

pub(super) fn specs() -> Vec<RouteSpec> {
    routes().specs()
}

/// The small API in its world.
pub(super) struct Api {
    pub(super) app: Arc<HttpApp>,
    pub(super) world: Arc<World>,
    pub(super) pools: Arc<Pools>,
}

/// An answer, readable.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(super) fn ports(world: &Arc<World>) -> HttpPorts {
    HttpPorts {
        keys: world.clone(),
        rate_limit: RateLimit {
            counter: world.clone(),
            per_minute: 5,
        },
        idempotency: Some(world.clone()),
        clock: world.clone(),
        entropy: world.clone(),
    }
}

pub(super) fn api() -> Api {
    let world = Arc::new(World {
        now: Mutex::new("2026-03-13T09:00:42Z".parse().unwrap()),
        ..World::default()
    });
    let pools = Arc::new(Pools::default());
    let routes = routes().bind_shared(&pools);
    let app = HttpApp::new(routes, ports(&world)).unwrap();
    Api {
        app: Arc::new(app),
        world,
        pools,
    }
}

/// `GET /path?query`, with headers as `Name: value`.
pub(super) fn request(line: &str, headers: &[&str], body: &str) -> Incoming {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Incoming {
        id: RequestId::from_uuid(uuid::Uuid::from_u128(9)),
        method: Method::from_str(method).unwrap(),
        path: path.to_owned(),
        stage: Some("prod".to_owned()),
        query: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        headers: headers
            .iter()
            .filter_map(|header| header.split_once(": "))
            .map(|(name, value)| {
                (
                    HeaderName::from_str(name).unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect(),
        body: body.as_bytes().to_vec(),
        deadline: Instant::now() + Duration::from_secs(30),
    }
}

impl Api {
    pub(super) async fn send(&self, incoming: Incoming) -> Got {
        let response = self.app.serve(incoming).await;
        Got {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.body().to_vec(),
        }
    }

    /// Without a key.
    pub(super) async fn anonymous(&self, line: &str) -> Got {
        self.send(request(line, &[], "")).await
    }

    /// With the good key.
    pub(super) async fn call(&self, line: &str, body: &str) -> Got {
        self.with(line, &[], body).await
    }

    /// With the good key and more headers.
    pub(super) async fn with(&self, line: &str, headers: &[&str], body: &str) -> Got {
        let bearer = format!("Authorization: Bearer {KEY}");
        let mut all = vec![bearer.as_str()];
        all.extend(headers);
        self.send(request(line, &all, body)).await
    }
}
