//! Every function, hosted in this program as if each were alone.
//!
//! Nothing is shared between them that AWS would not share: each gets its configuration from its own `Environment` in the template and
//! its own SDK clients, whose gate refuses what its own policy does not grant. Only the HTTP connections are pooled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agentwarm_app::ports::clock::{Clock, Entropy};
use agentwarm_aws::clients::{ClientSettings, Clients};
use agentwarm_aws::metering::Meter;
use agentwarm_lambda::settings::Settings;
use agentwarm_lambda::task::{Function, Invocation, Task};
use agentwarm_lambda::world::{World, WorldError};
use async_trait::async_trait;
use aws_config::Region;
use aws_sdk_dynamodb::config::{SharedHttpClient, SharedInterceptor};
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::emulator::{ACCOUNT, EmulatorConfig, credentials};
use crate::invoke::{Invoke, InvokeError};
use crate::policy::{Gate, Ledger, Need, Observer, Refusal, Scope};
use crate::template::functions::{FunctionConfig, FunctionShape, config};
use crate::template::{Resolver, Template, TemplateError};

/// An error of any kind.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes the meter of the function with this logical id: it is told what that function's calls to DynamoDB consume.
pub type MeterOf = Arc<dyn Fn(&str) -> Meter + Send + Sync>;

/// How often a function was invoked, and how long that took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Invocations {
    /// How often.
    pub count: u64,
    /// How long all of them took together, as they would be billed: each rounded up to a millisecond.
    pub billed: Duration,
    /// Its memory, in MB.
    pub memory_mb: u32,
}

/// Builds a function's task from its world.
pub type Build = fn(&World) -> Result<Arc<dyn Task>, WorldError>;

/// The functions that can be hosted, by folder.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Build>);

impl Registry {
    /// A registry of these functions.
    pub fn new(functions: impl IntoIterator<Item = (&'static str, Build)>) -> Self {
        Self(functions.into_iter().collect())
    }

    /// The folders of its functions.
    pub fn folders(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

/// A function cannot be hosted.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The template is not understood.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template has a function that the registry lacks.
    #[error(
        "{0} stands in the template and is not hosted: add it to functions() in infra/local/src/registry.rs"
    )]
    NotRegistered(String),
    /// The SDK's clients cannot be made.
    #[error("{function} has no clients")]
    Clients {
        /// The function's logical id.
        function: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// A function's policy lacks what its trigger needs: AWS would not create the mapping.
    #[error("a trigger cannot work: {0}")]
    NotGranted(Refusal),
    /// The function refuses its configuration.
    #[error("{function} does not start")]
    Build {
        /// The function's logical id.
        function: String,
        /// Why.
        #[source]
        source: WorldError,
    },
}

/// What all hosted functions are made with.
pub struct HostParts {
    /// Where the emulator is.
    pub emulator: EmulatorConfig,
    /// The one pool of HTTP connections.
    pub http: SharedHttpClient,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where random bits come from.
    pub entropy: Arc<dyn Entropy>,
    /// Who else watches every call, such as a meter.
    pub interceptors: Vec<SharedInterceptor>,
    /// Who is told what calls to DynamoDB consume.
    pub meter: Option<MeterOf>,
    /// Notes refusals and uses of permissions.
    pub ledger: Arc<Ledger>,
    /// Sees every granted request.
    pub observer: Observer,
}

/// The hosted functions by logical id.
pub struct Hosted {
    functions: BTreeMap<String, HostedFunction>,
    entropy: Arc<dyn Entropy>,
    failures: Mutex<Vec<InvokeError>>,
    invocations: Mutex<BTreeMap<String, Invocations>>,
}

struct HostedFunction {
    function: Function,
    config: FunctionConfig,
}

impl Hosted {
    /// Builds every function that the template declares.
    pub async fn build(
        template: &Template,
        resolver: &Resolver<'_>,
        shapes: &[FunctionShape],
        registry: &Registry,
        parts: &HostParts,
    ) -> Result<Self, HostError> {
        let mut functions = BTreeMap::new();
        for shape in shapes {
            let id = &shape.logical_id;
            let (name, build) = registry
                .0
                .get_key_value(shape.folder())
                .ok_or_else(|| HostError::NotRegistered(id.clone()))?;
            let config = config(template, resolver, id)?;
            let world = world(id, &config, parts).await?;
            let task = build(&world).map_err(|source| HostError::Build {
                function: id.clone(),
                source,
            })?;
            let function = Function::new(name, task);
            functions.insert(id.clone(), HostedFunction { function, config });
        }
        Ok(Self {
            functions,
            entropy: Arc::clone(&parts.entropy),
            failures: Mutex::default(),
            invocations: Mutex::default(),
        })
    }

    /// Checks that a function's policy grants what a trigger does in its name, and counts it as used.
    pub fn require(
        &self,
        id: &str,
        needs: BTreeSet<Need>,
        ledger: &Ledger,
    ) -> Result<(), HostError> {
        let hosted = self
            .functions
            .get(id)
            .ok_or_else(|| HostError::NotRegistered(id.to_owned()))?;
        for need in &needs {
            let statements = &hosted.config.statements;
            if !statements.iter().any(|statement| statement.grants(need)) {
                return Err(HostError::NotGranted(Refusal {
                    function: id.to_owned(),
                    need: need.clone(),
                }));
            }
        }
        ledger.used(id, needs);
        Ok(())
    }

    /// Grants of the template that no function used so far, as sentences.
    pub fn unused_grants(&self, ledger: &Ledger) -> Vec<String> {
        self.functions
            .iter()
            .flat_map(|(id, hosted)| {
                let unused = ledger.unused(id, &hosted.config.statements);
                unused
                    .into_iter()
                    .map(move |grant| format!("{id}: {grant}"))
            })
            .collect()
    }

    /// The invocations that failed since this was last asked.
    pub fn take_failures(&self) -> Vec<InvokeError> {
        std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often each function was invoked and how long that took, by logical id.
    pub fn invocations(&self) -> BTreeMap<String, Invocations> {
        let invocations = self.invocations.lock();
        invocations.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, id: &str, took: Duration) {
        let memory_mb = self
            .functions
            .get(id)
            .map_or(0, |hosted| hosted.config.memory_mb);
        let mut invocations = self
            .invocations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let noted = invocations.entry(id.to_owned()).or_default();
        noted.count += 1;
        noted.billed += Duration::from_millis(
            u64::try_from(took.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX),
        );
        noted.memory_mb = memory_mb;
    }

    async fn call(&self, id: &str, event: Value) -> Result<Value, InvokeError> {
        let hosted = self
            .functions
            .get(id)
            .ok_or_else(|| InvokeError::Unknown(id.to_owned()))?;
        let timeout: Duration = hosted.config.timeout;
        let request_id = Uuid::from_u128(self.entropy.bits()).to_string();
        let call = hosted
            .function
            .call(event, Invocation::within(request_id, timeout));
        match tokio::time::timeout(timeout, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(InvokeError::Failed {
                function: id.to_owned(),
                message: error.to_string(),
            }),
            Err(_) => Err(InvokeError::TimedOut {
                function: id.to_owned(),
                seconds: timeout.as_secs(),
            }),
        }
    }
}

#[async_trait]
impl Invoke for Hosted {
    async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        let started = Instant::now();
        let outcome = self.call(function, event).await;
        self.note(function, started.elapsed());
        if let Err(error) = &outcome {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.push(error.clone());
        }
        outcome
    }
}

async fn world(id: &str, config: &FunctionConfig, parts: &HostParts) -> Result<World, HostError> {
    let scope = Scope {
        region: parts.emulator.region.clone(),
        account: ACCOUNT.to_owned(),
    };
    let observer = Arc::clone(&parts.observer);
    let gate = Gate::new(id, &config.statements, &scope, &parts.ledger, observer);
    let mut interceptors = vec![SharedInterceptor::new(gate)];
    interceptors.extend(parts.interceptors.iter().cloned());
    let clients = Clients::load(ClientSettings {
        endpoint: Some(parts.emulator.endpoint.clone()),
        region: Some(Region::new(parts.emulator.region.clone())),
        credentials: Some(credentials()),
        interceptors,
        meter: parts.meter.as_ref().map(|meter_of| meter_of(id)),
        http: Some(parts.http.clone()),
    })
    .await
    .map_err(|source| HostError::Clients {
        function: id.to_owned(),
        source: Box::new(source),
    })?;
    let settings: Settings = config.environment.clone().into_iter().collect();
    Ok(World::new(
        settings,
        clients,
        Arc::clone(&parts.clock),
        Arc::clone(&parts.entropy),
    ))
}
