//! Whether the services we stand on answer, and how much is going on. Aggregates of the deployment: no user, no address.

use async_trait::async_trait;
use jiff::Timestamp;

/// A service did not answer a probe.
#[derive(Debug, thiserror::Error)]
#[error("{service} does not answer")]
pub struct ProbeFailure {
    /// Which.
    pub service: &'static str,
    /// The adapter's error.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Mailboxes that are held for a visit. Each visit in flight holds one lease, so the adapter may count those instead of reading
/// every mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeaseCount {
    /// Held right now, about.
    pub active: u32,
    /// As many as may be held at once: what visits may run in parallel.
    pub total: u32,
}

/// How full a queue is, about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    /// Its role: `send`, `visit`, `send-dead-letters`, ….
    pub queue: String,
    /// Messages that can be received.
    pub waiting: u64,
    /// Messages that are being worked on.
    pub in_flight: u64,
    /// Messages that wait for their delay to end.
    pub delayed: u64,
}

/// Cheap probes: one read of one item, one question about one queue. They time out by themselves.
#[async_trait]
pub trait HealthProbes: Send + Sync {
    /// Reads an item that need not exist.
    async fn database(&self) -> Result<(), ProbeFailure>;

    /// Asks the queue service something.
    async fn queues(&self) -> Result<Vec<QueueDepth>, ProbeFailure>;
}

/// How many mailboxes are held.
#[async_trait]
pub trait LeaseGauge: Send + Sync {
    /// Right now, about.
    async fn leases(&self) -> Result<LeaseCount, ProbeFailure>;
}

/// How far the scheduler is.
#[async_trait]
pub trait SchedulerGauge: Send + Sync {
    /// Up to where everything due was handed out, in the shard that is furthest behind; `None` before the first tick.
    async fn handed_out_to(&self) -> Result<Option<Timestamp>, ProbeFailure>;
}

impl LeaseCount {
    /// How many more could be held.
    pub fn idle(&self) -> u32 {
        self.total.saturating_sub(self.active)
    }
}
