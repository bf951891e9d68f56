//! A client of all functions' routes in one app, whose every call states the status it expects.

use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::analytics::account::AccountOverview;
use agentwarm_app::analytics::crm::CrmStatistics;
use agentwarm_app::analytics::deliverability::ReadDeliverability;
use agentwarm_app::analytics::progress::WarmupProgress;
use agentwarm_app::analytics::system::SystemStatistics;
use agentwarm_app::audit_log::ReadAuditLog;
use agentwarm_app::health::Health;
use agentwarm_app::ports::keys::ApiKeys;
use agentwarm_app::tenant::Tenant;
use agentwarm_app::users::Users;
use agentwarm_core::ids::RequestId;
use agentwarm_core::plan::Plan;
use agentwarm_lambda::http::{BoundRoute, HttpApp, HttpPorts, Incoming, RateLimit, Response};
use agentwarm_testkit::chaos::Chaos;
use agentwarm_testkit::memory::requests::{CountedRequests, RememberedRequests};
use agentwarm_tests::documented;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::Value;

use crate::world::World;

/// A user with a key, and everything that serves them.
pub(crate) struct Api {
    pub(crate) world: World,
    pub(crate) key: String,
    /// What happens to the store of requests with an `Idempotency-Key`.
    pub(crate) chaos: Arc<Chaos>,
    app: HttpApp,
}

impl Api {
    /// An API with one user on the Pro plan.
    pub(crate) async fn new() -> Self {
        Self::on_plan(Plan::Pro).await
    }

    /// An API with one user on `plan`.
    pub(crate) async fn on_plan(plan: Plan) -> Self {
        let mut world = World::new();
        let (tenant, key) = user(&world, plan).await;
        world.tenant = tenant;
        let chaos = Arc::<Chaos>::default();
        let requests = RememberedRequests::in_chaos(Arc::clone(&chaos));
        let app = HttpApp::new(routes(&world), ports(&world, requests)).unwrap();
        Self {
            world,
            key,
            chaos,
            app,
        }
    }

    /// Another user's key.
    pub(crate) async fn stranger(&self) -> String {
        user(&self.world, Plan::Pro).await.1
    }

    /// A `GET` that answers `status`; its JSON.
    pub(crate) async fn get(&self, path: &str, status: u16) -> Value {
        self.call(Method::GET, path, None, status).await
    }

    /// A `POST` that answers `status`; its JSON.
    pub(crate) async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        self.call(Method::POST, path, Some(body), status).await
    }

    /// A `PUT` that answers `status`; its JSON.
    pub(crate) async fn put(&self, path: &str, body: Value, status: u16) -> Value {
        self.call(Method::PUT, path, Some(body), status).await
    }

    /// A `PATCH` that answers `status`; its JSON.
    pub(crate) async fn patch(&self, path: &str, body: Value, status: u16) -> Value {
        self.call(Method::PATCH, path, Some(body), status).await
    }

    /// A `DELETE` that answers `status`; its JSON, null if it has no body.
    pub(crate) async fn delete(&self, path: &str, status: u16) -> Value {
        self.call(Method::DELETE, path, None, status).await
    }

    /// A request that is refused with `code`, whose status follows from the code; the whole body.
    pub(crate) async fn refused(
        &self,
        method: Method,
        path: &str,
        body: Value,
        code: &str,
    ) -> Value {
        let response = self
            .send(method, path, Some(&self.key), body.to_string())
            .await;
        let answer = json(&response);
        assert_eq!(answer["code"], code, "{path}: {answer}");
        assert_eq!(answer["statusCode"], response.status().as_u16());
        answer
    }

    /// A `POST` with an `Idempotency-Key`.
    pub(crate) async fn once(&self, once: &str, path: &str, body: &Value) -> Response {
        let once = HeaderValue::from_str(once).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), once)]);
        let body = body.to_string().into_bytes();
        self.serve(Method::POST, path, Some(&self.key), headers, body)
            .await
    }

    /// Any request with any key and any body.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> Response {
        self.serve(method, path, key, HeaderMap::new(), body.into())
            .await
    }

    /// The same with more headers.
    pub(crate) async fn send_with(
        &self,
        more: &[(&'static str, &str)],
        method: Method,
        path: &str,
        key: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in more {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        self.serve(method, path, key, headers, body.into()).await
    }

    async fn serve(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Response {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if let Some(key) = key {
            let value = HeaderValue::from_str(&format!("Bearer {key}")).unwrap();
            headers.insert("authorization", value);
        }
        let incoming = Incoming {
            id: RequestId::new(Timestamp::UNIX_EPOCH, 1),
            method,
            path: path.to_owned(),
            stage: None,
            query: pairs(query),
            headers,
            body,
            deadline: tokio::time::Instant::now() + Duration::from_secs(30),
        };
        let (id, method) = (incoming.id, incoming.method.clone());
        let response = self.app.serve(incoming).await;
        let (status, headers, body) = (response.status(), response.headers(), response.body());
        documented::check(&method, path, status, body);
        documented::carries_what_all_do(status, headers, body);
        assert_eq!(headers["x-request-id"], id.to_string().as_str());
        response
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>, status: u16) -> Value {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let response = self.send(method, path, Some(&self.key), body).await;
        let answer = json(&response);
        assert_eq!(response.status().as_u16(), status, "{path}: {answer}");
        answer
    }
}

/// All functions' routes with their use cases.
fn routes(world: &World) -> Vec<BoundRoute> {
    let accounts = api_accounts::Accounts {
        create: world.create(),
        read: world.read(),
        update: world.update(),
        credentials: world.credentials(),
        personas: world.personas(),
        delete: world.delete(),
        test: world.test_connection(),
        send: world.send_mail(),
        uploads: world.begin_upload(),
        messages: world.read_messages(),
        links: world.crm_links(),
        linked: world.linked(),
    };
    let warmup = api_warmup::Warmup {
        start: world.start(),
        pause: world.pause(),
        resume: world.resume(),
        diagnose: world.diagnose(),
        schedule: world.schedule(),
        test_mode: world.test_mode(),
    };
    let pools = api_pools::Pools {
        pools: world.pools(),
        membership: world.membership(),
    };
    let analytics = api_analytics::Analytics {
        system: SystemStatistics {
            accounts: world.store.clone(),
            days: world.days(),
            leases: world.probes.clone(),
        },
        overview: AccountOverview {
            accounts: world.read(),
            clock: world.clock.clone(),
        },
        progress: WarmupProgress {
            accounts: world.store.clone(),
            configs: world.configs(),
            plans: world.store.clone(),
            figures: world.figures(),
            clock: world.clock.clone(),
        },
        crm: CrmStatistics {
            linked: world.linked(),
        },
        deliverability: ReadDeliverability {
            accounts: world.store.clone(),
            slots: world.store.clone(),
            clock: world.clock.clone(),
        },
    };
    let log = ReadAuditLog {
        audit: world.store.clone(),
        clock: world.clock.clone(),
    };
    let health = Health {
        probes: world.probes.clone(),
        leases: world.probes.clone(),
        scheduler: world.probes.clone(),
        clock: world.clock.clone(),
    };
    let mut routes = api_keys::routes().bind(world.keys());
    routes.extend(api_accounts::routes().bind(accounts));
    routes.extend(api_warmup::routes().bind(warmup));
    routes.extend(api_pools::routes().bind(pools));
    routes.extend(api_suppression::routes().bind(world.suppressed()));
    routes.extend(api_analytics::routes().bind(analytics));
    routes.extend(api_agent::routes().bind(world.agent_status()));
    routes.extend(api_audit_log::routes().bind(log));
    routes.extend(api_discovery::routes().bind(health));
    routes
}

fn ports(world: &World, requests: RememberedRequests) -> HttpPorts {
    HttpPorts {
        keys: world.store.clone(),
        rate_limit: RateLimit {
            counter: Arc::new(CountedRequests::default()),
            per_minute: 1_000,
        },
        idempotency: Some(Arc::new(requests)),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
    }
}

async fn user(world: &World, plan: Plan) -> (Tenant, String) {
    let users = Users {
        keys: Arc::clone(&world.store) as Arc<dyn ApiKeys>,
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
    };
    let (user, issued) = users.create(plan).await.unwrap();
    (Tenant::from(&user), issued.secret.to_string())
}

/// The JSON of an answer; null if it has no body.
pub(crate) fn json(response: &Response) -> Value {
    if response.body().is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(response.body()).unwrap()
}

/// The paths of a refusal's problems.
pub(crate) fn paths(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["path"].as_str().unwrap())
        .collect()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
