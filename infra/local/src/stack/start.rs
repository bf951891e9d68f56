//! From a configuration to a running stack.

use std::collections::BTreeMap;
use std::sync::Arc;

use agentwarm_app::ports::clock::{Clock, Entropy};
use aws_smithy_http_client::Builder;
use uuid::Uuid;

use super::{ApiListener, Functions, Stack, StackConfig, StackError, Wake};
use crate::clock::LocalClock;
use crate::deploy::deploy;
use crate::dirty::Dirty;
use crate::emulator::Emulator;
use crate::hosted::{HostError, HostParts, Hosted, Registry};
use crate::invoke::Invoke;
use crate::policy::Ledger;
use crate::remote::Remote;
use crate::state::{RunnerState, StateStore};
use crate::template::functions::{self, FunctionShape, shapes};
use crate::template::mappings::{Mappings, mappings};
use crate::template::{Deployed, Resolver, Template, TemplateError};
use crate::triggers::gateway::answers::Answers;
use crate::triggers::gateway::paths::PathTable;
use crate::triggers::gateway::server::Gateway;
use crate::triggers::queue::{QueuePoller, Redelivery};
use crate::triggers::schedule;
use crate::triggers::stream::{Shards, StreamPoller};

/// Under which name the stack's state is saved.
pub(super) const STATE: &str = "stack";

impl Stack {
    /// Deploys the template's resources, hosts its functions and begins to listen. Nothing is woken until it is stepped.
    pub async fn start(config: StackConfig) -> Result<Self, StackError> {
        let template = Arc::new(read_template(&config)?);
        let emulator = Emulator::new(&config.emulator).await;
        let resolver = deploy(&emulator, &template, &config.stack).await?;
        let shapes = shapes(&template)?;
        let state = if config.remember {
            Some(StateStore::open(&emulator, &config.stack.name).await?)
        } else {
            None
        };
        let remembered = recall(state.as_ref()).await?;
        let clock = Arc::new(clock(&config, remembered.as_ref()));
        let (ledger, dirty) = (Arc::new(Ledger::default()), Arc::new(Dirty::default()));
        let (invoke, hosted): (Arc<dyn Invoke>, _) = match &config.functions {
            Functions::At(address) => (Arc::new(Remote::new(*address, &shapes)), None),
            Functions::Here(registry) => {
                let parts = host_parts(&config, &clock, &ledger, &dirty);
                let hosted = host(&template, &resolver, &shapes, registry, &parts).await?;
                (hosted.clone(), Some(hosted))
            }
        };
        let mappings = mappings(&template, &resolver)?;
        if let Some(hosted) = &hosted {
            require_triggers(hosted, &mappings, &ledger)?;
        }
        let triggers = Triggers {
            emulator: &emulator,
            deployed: resolver.resources(),
            invoke: &invoke,
            redelivery: match config.begin {
                None => Redelivery::Queue,
                Some(_) => Redelivery::Schedule {
                    after_crash: config.after_crash,
                    rest: config.rest,
                },
            },
        };
        let deployed = resolver.resources().clone();
        let gateway = gateway(
            &template,
            &resolver,
            &shapes,
            &invoke,
            &clock,
            &config.entropy,
        )?
        .marking(&deployed, &dirty);
        mark_all(&deployed, &dirty);
        Ok(Self {
            queues: triggers.queues(&mappings),
            streams: triggers.streams(&mappings, remembered.as_ref()),
            wakes: wakes(&shapes)?,
            listener: ApiListener::start(config.api, gateway).await?,
            name: config.stack.name,
            environment: union_environment(&template, &resolver, &shapes)?,
            deployed,
            template: Arc::clone(&template),
            emulator,
            clock,
            entropy: config.entropy,
            invoke,
            hosted,
            ledger,
            dirty,
            state,
        })
    }
}

fn read_template(config: &StackConfig) -> Result<Template, StackError> {
    let text =
        std::fs::read_to_string(&config.template).map_err(|source| StackError::NoTemplate {
            path: config.template.display().to_string(),
            source,
        })?;
    Ok(Template::parse(&text)?)
}

async fn recall(state: Option<&StateStore>) -> Result<Option<RunnerState>, StackError> {
    match state {
        Some(state) => Ok(state.load(STATE).await?),
        None => Ok(None),
    }
}

fn clock(config: &StackConfig, remembered: Option<&RunnerState>) -> LocalClock {
    match (config.begin, remembered) {
        (None, _) => LocalClock::real(),
        (Some(begin), None) => LocalClock::standing_at(begin),
        (Some(begin), Some(remembered)) => LocalClock::standing_at(begin.max(remembered.now)),
    }
}

fn host_parts(
    config: &StackConfig,
    clock: &Arc<LocalClock>,
    ledger: &Arc<Ledger>,
    dirty: &Arc<Dirty>,
) -> HostParts {
    let dirty = Arc::clone(dirty);
    HostParts {
        emulator: config.emulator.clone(),
        http: Builder::new().build_http(),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        entropy: Arc::clone(&config.entropy),
        interceptors: config.interceptors.clone(),
        meter: config.meter.clone(),
        ledger: Arc::clone(ledger),
        observer: Arc::new(move |need| dirty.note(need)),
    }
}

async fn host(
    template: &Template,
    resolver: &Resolver<'_>,
    shapes: &[FunctionShape],
    registry: &Registry,
    parts: &HostParts,
) -> Result<Arc<Hosted>, StackError> {
    let hosted = Hosted::build(template, resolver, shapes, registry, parts).await?;
    Ok(Arc::new(hosted))
}

fn require_triggers(
    hosted: &Hosted,
    mappings: &Mappings,
    ledger: &Ledger,
) -> Result<(), HostError> {
    for mapping in &mappings.queues {
        hosted.require(&mapping.function, mapping.needs(), ledger)?;
    }
    for mapping in &mappings.streams {
        hosted.require(&mapping.function, mapping.needs(), ledger)?;
    }
    Ok(())
}

struct Triggers<'a> {
    emulator: &'a Emulator,
    deployed: &'a Deployed,
    invoke: &'a Arc<dyn Invoke>,
    redelivery: Redelivery,
}

impl Triggers<'_> {
    fn queues(&self, mappings: &Mappings) -> Vec<QueuePoller> {
        mappings
            .queues
            .iter()
            .map(|mapping| {
                QueuePoller::new(
                    self.emulator.sqs.clone(),
                    mapping.clone(),
                    Arc::clone(self.invoke),
                    self.redelivery,
                    &self.emulator.region,
                )
            })
            .collect()
    }

    fn streams(&self, mappings: &Mappings, remembered: Option<&RunnerState>) -> Vec<StreamPoller> {
        mappings
            .streams
            .iter()
            .map(|mapping| {
                let checkpoints = remembered.and_then(|state| state.streams.get(&mapping.table));
                StreamPoller::new(
                    Shards::new(
                        self.emulator.streams.clone(),
                        &mapping.stream_arn,
                        checkpoints.cloned().unwrap_or_default(),
                    ),
                    mapping.clone(),
                    Arc::clone(self.invoke),
                    self.emulator.sqs.clone(),
                    mapping
                        .on_failure_arn
                        .as_deref()
                        .and_then(|arn| self.url_of(arn)),
                )
            })
            .collect()
    }

    fn url_of(&self, arn: &str) -> Option<String> {
        self.deployed
            .values()
            .find(|physical| {
                physical
                    .attributes
                    .get("Arn")
                    .is_some_and(|known| known == arn)
            })
            .map(|physical| physical.reference.clone())
    }
}

fn gateway(
    template: &Template,
    resolver: &Resolver<'_>,
    shapes: &[FunctionShape],
    invoke: &Arc<dyn Invoke>,
    clock: &Arc<LocalClock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Gateway, StackError> {
    let stage = template
        .of_kind("AWS::Serverless::Api")
        .find_map(|(_, api)| api.properties.get("StageName"))
        .ok_or_else(|| TemplateError::Unknown("StageName of the API".to_owned()))?;
    let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
    Ok(Gateway {
        paths: PathTable::new(shapes),
        answers: Answers::read(template)?,
        stage: resolver.text(stage)?,
        invoke: Arc::clone(invoke),
        now: Arc::new(move || clock.wall()),
        request_id: Arc::new(move || fresh_id(&entropy)),
        after: Arc::new(|| ()),
    })
}

impl Gateway {
    /// A request's writes are known to be over only when it was answered: then everything is looked into again.
    fn marking(mut self, deployed: &Deployed, dirty: &Arc<Dirty>) -> Self {
        let (deployed, dirty) = (deployed.clone(), Arc::clone(dirty));
        self.after = Arc::new(move || mark_all(&deployed, &dirty));
        self
    }
}

fn union_environment(
    template: &Template,
    resolver: &Resolver<'_>,
    shapes: &[FunctionShape],
) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut union = BTreeMap::new();
    for shape in shapes {
        union.extend(functions::config(template, resolver, &shape.logical_id)?.environment);
    }
    Ok(union)
}

fn wakes(shapes: &[FunctionShape]) -> Result<Vec<Wake>, TemplateError> {
    shapes
        .iter()
        .flat_map(|shape| {
            shape.schedules.iter().map(move |expression| {
                let every_minutes = schedule::period_minutes(expression)
                    .ok_or_else(|| TemplateError::Unknown(format!("schedule {expression}")))?;
                Ok(Wake {
                    function: shape.logical_id.clone(),
                    every_minutes,
                })
            })
        })
        .collect()
}

pub(super) fn mark_all(deployed: &BTreeMap<String, crate::template::Physical>, dirty: &Dirty) {
    for arn in deployed
        .values()
        .filter_map(|physical| physical.attributes.get("Arn"))
    {
        dirty.mark(arn);
    }
}

pub(super) fn fresh_id(entropy: &Arc<dyn Entropy>) -> String {
    Uuid::from_u128(entropy.bits()).to_string()
}
