//! Whether the deployment works, and how much is going on in it (API reference §20, decision 13).
//!
//! Both are public, so they probe with the cheapest request each service has, and hold aggregates only.

use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;

use crate::ports::clock::Clock;
use crate::ports::health::{
    HealthProbes, LeaseCount, LeaseGauge, ProbeFailure, QueueDepth, SchedulerGauge,
};

/// What is probed.
#[derive(Clone)]
pub struct Health {
    /// The services we stand on.
    pub probes: Arc<dyn HealthProbes>,
    /// Mailboxes that are held.
    pub leases: Arc<dyn LeaseGauge>,
    /// How far the scheduler is.
    pub scheduler: Arc<dyn SchedulerGauge>,
    /// How long a probe took.
    pub clock: Arc<dyn Clock>,
}

/// How a probe went: the milliseconds it took, or nothing if it failed.
pub type Probe = Option<u64>;

/// What the probes said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// The database.
    pub database: Probe,
    /// The queue service.
    pub queues: Probe,
    /// Mailboxes that are held; nothing if they cannot be counted.
    pub leases: Option<LeaseCount>,
}

impl Readiness {
    /// Whether everything answered.
    pub fn is_ready(&self) -> bool {
        self.database.is_some() && self.queues.is_some() && self.leases.is_some()
    }
}

impl Health {
    /// Probes everything, side by side.
    pub async fn readiness(&self) -> Readiness {
        let database = self.timed(async { self.probes.database().await });
        let queues = self.timed(async { self.probes.queues().await.map(|_| ()) });
        let (database, queues, leases) = futures::join!(database, queues, self.leases.leases());
        Readiness {
            database,
            queues,
            leases: leases.map_err(log).ok(),
        }
    }

    /// The metrics in Prometheus' text format (version 0.0.4). What cannot be read is left out, and `agentwarm_up` says so.
    pub async fn metrics(&self, version: &str) -> String {
        let (queues, leases, handed_out_to) = futures::join!(
            self.probes.queues(),
            self.leases.leases(),
            self.scheduler.handed_out_to()
        );
        let up = queues.is_ok() && leases.is_ok() && handed_out_to.is_ok();
        let mut text = Exposition::default();
        text.gauge(
            "agentwarm_up",
            "Whether everything that is measured could be read.",
        );
        text.sample("agentwarm_up", "", u8::from(up));
        text.gauge("agentwarm_build_info", "The version that runs.");
        text.sample("agentwarm_build_info", &format!("version=\"{version}\""), 1);
        if let Ok(queues) = queues.map_err(log) {
            text.queues(&queues);
        }
        if let Ok(leases) = leases.map_err(log) {
            text.leases(leases);
        }
        if let Ok(Some(handed_out_to)) = handed_out_to.map_err(log) {
            text.scheduler(handed_out_to, self.clock.schedule());
        }
        text.0
    }

    async fn timed(&self, probe: impl Future<Output = Result<(), ProbeFailure>>) -> Probe {
        let begun = self.clock.wall();
        probe.await.map_err(log).ok()?;
        let took = self.clock.wall().duration_since(begun).as_millis();
        Some(u64::try_from(took).unwrap_or(0))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "takes what map_err gives")]
fn log(failure: ProbeFailure) {
    let source = std::error::Error::source(&failure).map(ToString::to_string);
    tracing::warn!(service = failure.service, source, "a probe failed");
}

/// Prometheus' text format. Labels hold our own constant names only, so nothing needs escaping.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn gauge(&mut self, name: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{labels}}}")
        };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn queues(&mut self, queues: &[QueueDepth]) {
        const NAME: &str = "agentwarm_queue_messages";
        self.gauge(NAME, "Messages in a queue, about.");
        for depth in queues {
            let states = [
                ("waiting", depth.waiting),
                ("in_flight", depth.in_flight),
                ("delayed", depth.delayed),
            ];
            for (state, messages) in states {
                let labels = format!("queue=\"{}\",state=\"{state}\"", depth.queue);
                self.sample(NAME, &labels, messages);
            }
        }
    }

    fn leases(&mut self, leases: LeaseCount) {
        const NAME: &str = "agentwarm_mailbox_leases";
        self.gauge(NAME, "Mailboxes that are held for a visit, about.");
        self.sample(NAME, "state=\"active\"", leases.active);
        self.sample(NAME, "state=\"idle\"", leases.idle());
    }

    fn scheduler(&mut self, handed_out_to: Timestamp, now: Timestamp) {
        const NAME: &str = "agentwarm_scheduler_lag_seconds";
        self.gauge(
            NAME,
            "How long ago that lies up to which the slowest shard's due work was handed out.",
        );
        let lag = now.duration_since(handed_out_to).as_secs().max(0);
        self.sample(NAME, "", lag);
    }
}
