//! A whole deployment on this machine: resources in the emulator, functions and triggers here, and a clock that moves on request.
//!
//! [`Stack::start`] makes one; [`Stack::step`] lets a virtual minute pass, with all its work done before it returns. `make run` steps at a
//! pace, tests step to where they want to look; both are the same world.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::ports::clock::{Clock, Entropy};
use aws_sdk_dynamodb::config::SharedInterceptor;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{LocalClock, next_minute};
use crate::deploy::{DeployError, StackName, remove};
use crate::dirty::Dirty;
use crate::emulator::{Emulator, EmulatorConfig};
use crate::hosted::{HostError, Hosted, Invocations, MeterOf, Registry};
use crate::invoke::{Invoke, InvokeError};
use crate::policy::Ledger;
use crate::state::{RunnerState, StateStore};
use crate::template::{Deployed, Template, TemplateError};
use crate::triggers::TriggerError;
use crate::triggers::queue::{QueuePoller, QueueTraffic};
use crate::triggers::schedule;
use crate::triggers::stream::StreamPoller;

mod listener;
mod start;

pub use listener::ApiListener;

/// How often work may make new work within one virtual minute before it is taken for an endless loop.
const MAX_ROUNDS: usize = 1_000;

/// What a stack is started with.
pub struct StackConfig {
    /// Its name, which begins the names of its resources, and the template's parameters.
    pub stack: StackName,
    /// Where `template.yaml` is.
    pub template: PathBuf,
    /// Where the emulator is.
    pub emulator: EmulatorConfig,
    /// Where the API listens; port 0 takes a free one.
    pub api: SocketAddr,
    /// Where functions run.
    pub functions: Functions,
    /// Where the schedule clock begins, unless the stack remembers; `None` is real time.
    pub begin: Option<Timestamp>,
    /// Whether the clock and the streams' places are remembered over a restart.
    pub remember: bool,
    /// After how much real time a queue's message comes back whose function was killed with the whole program.
    pub after_crash: Duration,
    /// How much real time a message rests at least that failed, where time is not real: leases are real time, and a message that meets
    /// one must not use up its deliveries before it ends.
    pub rest: Duration,
    /// Where random bits come from.
    pub entropy: Arc<dyn Entropy>,
    /// Who watches every call that functions make, such as a meter.
    pub interceptors: Vec<SharedInterceptor>,
    /// Who is told what each function's calls to DynamoDB consume.
    pub meter: Option<MeterOf>,
}

/// Where functions run.
pub enum Functions {
    /// In this program.
    Here(Registry),
    /// In processes of their own, behind the address of `cargo lambda watch`.
    At(SocketAddr),
}

/// A stack could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The template cannot be read.
    #[error("{path} cannot be read")]
    NoTemplate {
        /// Where it was looked for.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The template is not understood.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A resource could not be deployed.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// A function cannot be hosted.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The emulator fails, or is gone.
    #[error(transparent)]
    Trigger(#[from] TriggerError),
    /// The API's port cannot be had.
    #[error(
        "the API cannot listen on {address}: end the program that does, or choose another port"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Work makes work without end.
    #[error(
        "after {MAX_ROUNDS} rounds there is still work in {0:?} at one instant: does a function wake itself?"
    )]
    Restless(Vec<String>),
}

/// A schedule that wakes a function.
#[derive(Debug, Clone)]
struct Wake {
    function: String,
    every_minutes: u32,
}

/// A running stack.
pub struct Stack {
    name: String,
    template: Arc<Template>,
    deployed: Deployed,
    environment: BTreeMap<String, String>,
    emulator: Emulator,
    clock: Arc<LocalClock>,
    entropy: Arc<dyn Entropy>,
    invoke: Arc<dyn Invoke>,
    hosted: Option<Arc<Hosted>>,
    ledger: Arc<Ledger>,
    dirty: Arc<Dirty>,
    queues: Vec<QueuePoller>,
    streams: Vec<StreamPoller>,
    wakes: Vec<Wake>,
    state: Option<StateStore>,
    listener: ApiListener,
}

impl Stack {
    /// The address of the API, without a slash at its end.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// Its clocks.
    pub fn clock(&self) -> Arc<LocalClock> {
        Arc::clone(&self.clock)
    }

    /// Its name, after which the template names its tables and its data key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is deployed, by logical id.
    pub fn deployed(&self) -> &Deployed {
        &self.deployed
    }

    /// Clients of the emulator, to look at what is stored.
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// How functions are called, to wake one out of turn.
    pub fn functions(&self) -> Arc<dyn Invoke> {
        Arc::clone(&self.invoke)
    }

    /// The environment of all functions together, for processes that share one: a name means the same to each.
    pub fn union_environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// What the runner remembers, if it does.
    pub fn state(&self) -> Option<&StateStore> {
        self.state.as_ref()
    }

    /// What functions tried and may not, as sentences.
    pub fn refusals(&self) -> Vec<String> {
        self.ledger.refusals()
    }

    /// How often each function was invoked and how long that took, by logical id.
    pub fn invocations(&self) -> BTreeMap<String, Invocations> {
        self.hosted
            .as_ref()
            .map_or_else(BTreeMap::new, |hosted| hosted.invocations())
    }

    /// How many requests each function sent that needed an action, by logical id and action; retries count.
    pub fn requests(&self) -> BTreeMap<(String, String), u64> {
        self.ledger.requests()
    }

    /// What the pollers of each queue asked of SQS, by the queue's logical id.
    pub fn queue_traffic(&self) -> BTreeMap<String, QueueTraffic> {
        self.queues
            .iter()
            .map(|queue| (queue.queue().to_owned(), queue.traffic()))
            .collect()
    }

    /// Grants that no function used so far, as sentences.
    pub fn unused_grants(&self) -> Vec<String> {
        self.hosted
            .as_ref()
            .map_or_else(Vec::new, |hosted| hosted.unused_grants(&self.ledger))
    }

    /// The invocations that failed since this was last asked.
    pub fn take_failures(&self) -> Vec<InvokeError> {
        self.hosted
            .as_ref()
            .map_or_else(Vec::new, |hosted| hosted.take_failures())
    }

    /// What tests want to be empty, as sentences: [`refusals`](Self::refusals) and [failures](Self::take_failures).
    pub fn take_flaws(&self) -> Vec<String> {
        let failures = self.take_failures().into_iter();
        let mut flaws = self.refusals();
        flaws.extend(failures.map(|failure| failure.to_string()));
        flaws
    }

    /// Lets one virtual minute pass: wakes what its schedule wakes and does all work that follows from it.
    pub async fn step(&mut self) -> Result<(), StackError> {
        let now = next_minute(self.clock.schedule());
        self.clock.advance_to(now);
        self.wake(now).await;
        self.quiesce().await?;
        self.remember().await
    }

    /// Steps until the schedule clock is at `until` or behind it.
    pub async fn run_until(&mut self, until: Timestamp) -> Result<(), StackError> {
        while self.clock.schedule() < until {
            self.step().await?;
        }
        Ok(())
    }

    /// Steps for so many virtual minutes.
    pub async fn advance(&mut self, minutes: u32) -> Result<(), StackError> {
        for _ in 0..minutes {
            self.step().await?;
        }
        Ok(())
    }

    /// Moves the schedule clock without waking anybody: an outage.
    pub fn skip(&self, duration: SignedDuration) {
        let now = self.clock.schedule();
        let then = now.checked_add(duration).unwrap_or(Timestamp::MAX);
        self.clock.advance_to(then);
    }

    /// Wakes what is scheduled for this minute. A failure is noted; the next minute makes up for it, as on AWS.
    pub async fn wake(&self, now: Timestamp) {
        let minute = now.as_second().div_euclid(60);
        for wake in &self.wakes {
            if minute.rem_euclid(i64::from(wake.every_minutes)) != 0 {
                continue;
            }
            let id = start::fresh_id(&self.entropy);
            let region = &self.emulator.region;
            let rule = format!("{}-{}", self.name, wake.function);
            let event = schedule::event(&id, now, region, crate::emulator::ACCOUNT, &rule);
            if let Err(error) = self.invoke.invoke(&wake.function, event).await {
                tracing::error!(target: "agentwarm_local::schedule", %error, "a scheduled function failed");
            }
        }
    }

    /// Does all work that waits in queues and streams, and all that follows from it, at this instant.
    pub async fn quiesce(&mut self) -> Result<(), StackError> {
        let mut busy = Vec::new();
        for _ in 0..MAX_ROUNDS {
            busy = self.round().await?;
            if busy.is_empty() {
                return Ok(());
            }
        }
        Err(StackError::Restless(busy))
    }

    /// Looks into whatever may hold something; the names of those that were looked into. Nothing is running when it begins, so that what
    /// is written while it runs counts for the next round.
    async fn round(&mut self) -> Result<Vec<String>, StackError> {
        let now = self.clock.schedule();
        let dirty = &self.dirty;
        let arn = |id: &str| {
            let physical = self.deployed.get(id);
            physical.and_then(|physical| physical.attributes.get("Arn"))
        };
        let is_dirty = |id: &str| arn(id).is_some_and(|arn| dirty.take(arn));
        let mut busy = Vec::new();
        let mut queues = Vec::new();
        for queue in &self.queues {
            if is_dirty(queue.queue()) || queue.due(now) {
                busy.push(queue.queue().to_owned());
                queues.push(queue.round(now));
            }
        }
        let mut streams = Vec::new();
        for stream in &mut self.streams {
            if is_dirty(stream.table()) {
                busy.push(stream.table().to_owned());
                streams.push(stream.round());
            }
        }
        tokio::try_join!(try_join_all(queues), try_join_all(streams))?;
        Ok(busy)
    }

    /// Takes everything for written: what other processes write is not seen here.
    pub fn look_everywhere(&self) {
        start::mark_all(&self.deployed, &self.dirty);
    }

    async fn remember(&self) -> Result<(), StackError> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let streams: BTreeMap<_, _> = self
            .streams
            .iter()
            .map(|stream| (stream.table().to_owned(), stream.checkpoints().clone()))
            .collect();
        let now = self.clock.schedule();
        state
            .save(start::STATE, &RunnerState { now, streams })
            .await?;
        Ok(())
    }

    /// Finishes what is at hand, so that nothing is left in streams, which the emulator forgets, and stops listening. What is stored stays.
    pub async fn stop(mut self) -> Result<(), StackError> {
        self.listener.stop().await;
        self.look_everywhere();
        self.quiesce().await?;
        self.remember().await
    }

    /// Stops and deletes what was deployed.
    pub async fn remove(self) -> Result<(), StackError> {
        let (emulator, template) = (self.emulator.clone(), Arc::clone(&self.template));
        let (deployed, state) = (self.deployed.clone(), self.state.clone());
        self.stop().await?;
        if let Some(state) = state {
            state.remove().await?;
        }
        remove(&emulator, &template, &deployed).await?;
        Ok(())
    }
}
