//! The event source mappings of the template: which queue or stream wakes which function, and how.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

use super::functions::list;
use super::{Physical, Resolver, Template, TemplateError};
use crate::policy::Need;
use crate::triggers::filter::Filter;

/// A queue that wakes a function.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueMapping {
    /// The function's logical id.
    pub function: String,
    /// The queue's logical id.
    pub queue: String,
    /// The queue's address.
    pub queue_url: String,
    /// The queue's ARN.
    pub queue_arn: String,
    /// How many messages are handed over at once, at most.
    pub batch_size: usize,
    /// How many invocations run at once, at most.
    pub max_concurrency: usize,
    /// How long a message that was not handled stays invisible.
    pub visibility: Duration,
    /// Whether the function names the messages that it could not handle.
    pub reports_failures: bool,
}

/// A stream that wakes a function.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamMapping {
    /// The function's logical id.
    pub function: String,
    /// The table's logical id.
    pub table: String,
    /// The stream's ARN.
    pub stream_arn: String,
    /// How many records are handed over at once, at most.
    pub batch_size: usize,
    /// Whether a batch that fails is halved.
    pub bisects: bool,
    /// How often a batch is tried again.
    pub max_retries: u32,
    /// The queue that is told of records which were given up.
    pub on_failure_arn: Option<String>,
    /// Which records are handed over: those that any of these matches, or all when there is none.
    pub filters: Vec<Filter>,
    /// Whether the function names the first record that it could not handle.
    pub reports_failures: bool,
}

/// The mappings of a template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mappings {
    /// From queues.
    pub queues: Vec<QueueMapping>,
    /// From streams.
    pub streams: Vec<StreamMapping>,
}

/// Reads the mappings, against what is deployed.
pub fn mappings(template: &Template, resolver: &Resolver<'_>) -> Result<Mappings, TemplateError> {
    let mut found = Mappings::default();
    for (id, resource) in template.of_kind("AWS::Lambda::EventSourceMapping") {
        let source = source_of(id, &resource.properties)?;
        let reader = Reader {
            id,
            function: ref_of(id, &resource.properties, "FunctionName")?,
            properties: resource_properties(resolver, id, &resource.properties)?,
        };
        match template
            .resources
            .get(&source)
            .map(|source| source.kind.as_str())
        {
            Some("AWS::SQS::Queue") => found.queues.push(reader.queue(template, resolver, source)?),
            Some("AWS::DynamoDB::Table") => found.streams.push(reader.stream(source)?),
            _ => {
                return Err(TemplateError::unexpected(
                    format!("{id}.EventSourceArn"),
                    "a queue or a table's stream",
                ));
            }
        }
    }
    Ok(found)
}

/// Everything but the function's name: functions are hosted, not deployed, so `!Ref` of one cannot be computed.
fn resource_properties(
    resolver: &Resolver<'_>,
    id: &str,
    properties: &Map<String, Value>,
) -> Result<Map<String, Value>, TemplateError> {
    let mut properties = properties.clone();
    properties.remove("FunctionName");
    match resolver.resolve(&Value::Object(properties))? {
        Value::Object(resolved) => Ok(resolved),
        _ => Err(TemplateError::unexpected(id, "properties")),
    }
}

fn source_of(id: &str, properties: &Map<String, Value>) -> Result<String, TemplateError> {
    properties
        .get("EventSourceArn")
        .and_then(|source| source.pointer("/Fn::GetAtt/0"))
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| {
            TemplateError::unexpected(
                format!("{id}.EventSourceArn"),
                "!GetAtt of a queue or table",
            )
        })
}

fn ref_of(id: &str, properties: &Map<String, Value>, key: &str) -> Result<String, TemplateError> {
    properties
        .get(key)
        .and_then(|value| value.get("Ref"))
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| TemplateError::unexpected(format!("{id}.{key}"), "!Ref of a function"))
}

impl QueueMapping {
    /// What Lambda's poller does with the function's permissions.
    pub fn needs(&self) -> BTreeSet<Need> {
        needs(
            &self.queue_arn,
            &[
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
            ],
        )
    }
}

impl StreamMapping {
    /// What Lambda's poller does with the function's permissions.
    pub fn needs(&self) -> BTreeSet<Need> {
        let reading = [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ];
        let mut found = needs(&self.stream_arn, &reading);
        if let Some(on_failure) = &self.on_failure_arn {
            found.extend(needs(on_failure, &["sqs:SendMessage"]));
        }
        found
    }
}

fn needs(resource: &str, actions: &[&str]) -> BTreeSet<Need> {
    actions
        .iter()
        .map(|action| Need {
            action: (*action).to_owned(),
            resource: Some(resource.to_owned()),
        })
        .collect()
}

struct Reader<'t> {
    id: &'t str,
    function: String,
    properties: Map<String, Value>,
}

impl Reader<'_> {
    fn queue(
        self,
        template: &Template,
        resolver: &Resolver<'_>,
        queue: String,
    ) -> Result<QueueMapping, TemplateError> {
        let visibility = template
            .resources
            .get(&queue)
            .and_then(|resource| resource.properties.get("VisibilityTimeout"))
            .and_then(Value::as_u64)
            .unwrap_or(30);
        Ok(QueueMapping {
            queue_url: resolver
                .resources()
                .get(&queue)
                .map(|Physical { reference, .. }| reference.clone())
                .ok_or_else(|| TemplateError::Unknown(format!("!Ref {queue}")))?,
            queue_arn: self.text("EventSourceArn")?,
            batch_size: self.number("BatchSize", 10),
            max_concurrency: self
                .properties
                .get("ScalingConfig")
                .and_then(|scaling| scaling.get("MaximumConcurrency"))
                .and_then(whole)
                .unwrap_or(2),
            visibility: Duration::from_secs(visibility),
            reports_failures: self.reports_failures(),
            function: self.function,
            queue,
        })
    }

    fn stream(self, table: String) -> Result<StreamMapping, TemplateError> {
        let patterns = self
            .properties
            .get("FilterCriteria")
            .and_then(|criteria| criteria.get("Filters"));
        Ok(StreamMapping {
            stream_arn: self.text("EventSourceArn")?,
            batch_size: self.number("BatchSize", 100),
            bisects: self.flag("BisectBatchOnFunctionError"),
            max_retries: u32::try_from(self.number("MaximumRetryAttempts", 10)).unwrap_or(u32::MAX),
            on_failure_arn: self
                .properties
                .get("DestinationConfig")
                .and_then(|config| config.pointer("/OnFailure/Destination"))
                .and_then(Value::as_str)
                .map(str::to_owned),
            filters: list(patterns)
                .iter()
                .map(|filter| self.filter(filter))
                .collect::<Result<_, _>>()?,
            reports_failures: self.reports_failures(),
            function: self.function,
            table,
        })
    }

    fn filter(&self, filter: &Value) -> Result<Filter, TemplateError> {
        filter
            .get("Pattern")
            .and_then(Value::as_str)
            .and_then(|pattern| Filter::parse(pattern).ok())
            .ok_or_else(|| {
                TemplateError::unexpected(
                    format!("{}.FilterCriteria", self.id),
                    "patterns of equality, prefix and exists",
                )
            })
    }

    fn text(&self, key: &str) -> Result<String, TemplateError> {
        self.properties
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| TemplateError::unexpected(format!("{}.{key}", self.id), "text"))
    }

    fn number(&self, key: &str, otherwise: usize) -> usize {
        self.properties
            .get(key)
            .and_then(whole)
            .unwrap_or(otherwise)
    }

    fn flag(&self, key: &str) -> bool {
        self.properties.get(key) == Some(&Value::Bool(true))
    }

    fn reports_failures(&self) -> bool {
        list(self.properties.get("FunctionResponseTypes"))
            .contains(&Value::from("ReportBatchItemFailures"))
    }
}

/// A number, or text that is one: parameters given from outside are text.
fn whole(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .and_then(|number| usize::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::template::tests::ours;

    #[test]
    fn our_mappings_are_understood() {
        let template = ours();
        let mut resolver = Resolver::new(&template, "aw", "r", "a", &BTreeMap::new()).unwrap();
        for name in ["SendQueue", "VisitQueue", "StreamFailures"] {
            resolver.deployed(
                name,
                Physical::with_arn(format!("url:{name}"), format!("arn:{name}")),
            );
        }
        for name in ["EntitiesTable", "ActivityTable"] {
            resolver.deployed(
                name,
                Physical::with_arn(name, name).and("StreamArn", format!("stream:{name}")),
            );
        }
        let found = mappings(&template, &resolver).unwrap();
        let sends = found
            .queues
            .iter()
            .find(|mapping| mapping.function == "JobSendSlot")
            .unwrap();
        assert_eq!(
            (
                sends.queue_url.as_str(),
                sends.batch_size,
                sends.max_concurrency,
                sends.visibility.as_secs()
            ),
            ("url:SendQueue", 10, 3, 720)
        );
        let activity = found
            .streams
            .iter()
            .find(|mapping| mapping.table == "ActivityTable")
            .unwrap();
        assert_eq!(activity.filters.len(), 1);
        assert!(activity.bisects && activity.reports_failures);
        assert_eq!(
            activity.on_failure_arn.as_deref(),
            Some("arn:StreamFailures")
        );
    }
}
