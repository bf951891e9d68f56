//! Probes that answer what they are told to.

use std::sync::{Mutex, PoisonError};

use agentwarm_app::ports::health::{
    HealthProbes, LeaseCount, LeaseGauge, ProbeFailure, QueueDepth, SchedulerGauge,
};
use async_trait::async_trait;
use jiff::Timestamp;

/// What the probes answer.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// Whether the database is down.
    pub database_down: bool,
    /// Whether the queue service is down.
    pub queues_down: bool,
    /// The queues.
    pub queues: Vec<QueueDepth>,
    /// The leases.
    pub leases: LeaseCount,
    /// The scheduler's watermark.
    pub handed_out_to: Option<Timestamp>,
}

/// Probes of a made-up deployment.
#[derive(Debug, Default)]
pub struct MemoryProbes(Mutex<Condition>);

/// The source of a probe's failure.
#[derive(Debug, thiserror::Error)]
#[error("the test took it down")]
struct Down;

impl MemoryProbes {
    /// Sets what the probes answer.
    pub fn set(&self, condition: Condition) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = condition;
    }

    fn condition(&self) -> Condition {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn answer<T>(service: &'static str, is_down: bool, value: T) -> Result<T, ProbeFailure> {
    if is_down {
        return Err(ProbeFailure {
            service,
            source: Box::new(Down),
        });
    }
    Ok(value)
}

#[async_trait]
impl HealthProbes for MemoryProbes {
    async fn database(&self) -> Result<(), ProbeFailure> {
        answer("database", self.condition().database_down, ())
    }

    async fn queues(&self) -> Result<Vec<QueueDepth>, ProbeFailure> {
        let condition = self.condition();
        answer("queues", condition.queues_down, condition.queues)
    }
}

#[async_trait]
impl LeaseGauge for MemoryProbes {
    async fn leases(&self) -> Result<LeaseCount, ProbeFailure> {
        let condition = self.condition();
        answer("queues", condition.queues_down, condition.leases)
    }
}

#[async_trait]
impl SchedulerGauge for MemoryProbes {
    async fn handed_out_to(&self) -> Result<Option<Timestamp>, ProbeFailure> {
        let condition = self.condition();
        answer("database", condition.database_down, condition.handed_out_to)
    }
}
