//! Whether the services answer, and how much is going on (decision 13).

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::try_join_all;
use jiff::Timestamp;

use agentwarm_app::ports::due::{DueIndex, Shards};
use agentwarm_app::ports::health::{
    HealthProbes, LeaseCount, LeaseGauge, ProbeFailure, QueueDepth, SchedulerGauge,
};

use crate::actions::{Action, GET, Resource};
use crate::dynamo::Table;
use crate::dynamo::table::Freshness;
use crate::keys;

const GET_ATTRIBUTES: &str = "sqs:GetQueueAttributes";

const DATABASE: &str = "database";
const QUEUES: &str = "queues";
const SCHEDULER: &str = "scheduler";

/// [`HealthProbes`] on the entities table and the queues.
#[derive(Debug, Clone)]
pub struct AwsProbes {
    entities: Table,
    sqs: Client,
    queues: Vec<(String, String)>,
}

impl AwsProbes {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[
        Resource::Entities.may(GET),
        Resource::SendQueue.may(GET_ATTRIBUTES),
        Resource::VisitQueue.may(GET_ATTRIBUTES),
    ];

    /// Probes the entities table and `queues`, each a role such as `send` and a URL.
    pub fn new(entities: Table, sqs: Client, queues: Vec<(String, String)>) -> Self {
        Self {
            entities,
            sqs,
            queues,
        }
    }
}

#[async_trait]
impl HealthProbes for AwsProbes {
    async fn database(&self) -> Result<(), ProbeFailure> {
        // The first data key: one item that belongs to no user, whether or not it was made yet.
        self.entities
            .get("probe the database", keys::data_key(1), Freshness::Eventual)
            .await
            .map(|_| ())
            .map_err(|error| failure(DATABASE, error))
    }

    async fn queues(&self) -> Result<Vec<QueueDepth>, ProbeFailure> {
        let depths = self
            .queues
            .iter()
            .map(|(role, url)| depth(&self.sqs, role, url));
        try_join_all(depths).await
    }
}

/// [`LeaseGauge`] by the visit queue: each message in flight is a mailbox that a visit holds or is about to.
#[derive(Debug, Clone)]
pub struct VisitLeases {
    sqs: Client,
    url: String,
    most: u32,
}

impl VisitLeases {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::VisitQueue.may(GET_ATTRIBUTES)];

    /// By the visit queue at `url`, of which `most` messages can be worked on at once.
    pub fn new(sqs: Client, url: impl Into<String>, most: u32) -> Self {
        Self {
            sqs,
            url: url.into(),
            most,
        }
    }
}

#[async_trait]
impl LeaseGauge for VisitLeases {
    async fn leases(&self) -> Result<LeaseCount, ProbeFailure> {
        let depth = depth(&self.sqs, "visit", &self.url).await?;
        let active = u32::try_from(depth.in_flight).unwrap_or(u32::MAX);
        Ok(LeaseCount {
            active: active.min(self.most),
            total: self.most,
        })
    }
}

/// [`SchedulerGauge`] by the due index's watermarks.
#[derive(Clone)]
pub struct Watermarks {
    index: Arc<dyn DueIndex>,
    shards: Shards,
}

impl Watermarks {
    /// What this adapter does.
    pub const ACTIONS: &[Action] = &[Resource::Ephemeral.may(GET)];

    /// Of an index with this many shards.
    pub fn new(index: Arc<dyn DueIndex>, shards: Shards) -> Self {
        Self { index, shards }
    }
}

#[async_trait]
impl SchedulerGauge for Watermarks {
    async fn handed_out_to(&self) -> Result<Option<Timestamp>, ProbeFailure> {
        let marks = (0..self.shards.0).map(|shard| self.index.watermark(shard));
        let marks = try_join_all(marks).await;
        // A shard without a watermark was never handed out: `None` sorts first.
        let marks = marks.map_err(|error| failure(SCHEDULER, error))?;
        Ok(marks.into_iter().min().flatten())
    }
}

async fn depth(sqs: &Client, role: &str, url: &str) -> Result<QueueDepth, ProbeFailure> {
    let [waiting, in_flight, delayed] = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let output = sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(waiting.clone())
        .attribute_names(in_flight.clone())
        .attribute_names(delayed.clone())
        .send()
        .await
        .map_err(|error| failure(QUEUES, error))?;
    let number = |name: &QueueAttributeName| {
        let text = output.attributes().and_then(|all| all.get(name));
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Ok(QueueDepth {
        queue: role.to_owned(),
        waiting: number(&waiting),
        in_flight: number(&in_flight),
        delayed: number(&delayed),
    })
}

fn failure(
    service: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> ProbeFailure {
    ProbeFailure {
        service,
        source: Box::new(error),
    }
}
