//! The template's resources, made in the emulator.
//!
//! They are created by the same requests that CloudFormation would send, each if it is absent, so that deploying again over a kept state
//! changes nothing and takes milliseconds: the tests deploy a stack of their own each. What a resource is called and how it is set up is
//! read off the template; what kinds there are is a closed list ([`Kind`]), so a resource that would silently be missing locally is an
//! error instead.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::delete_table::DeleteTableError;
use aws_sdk_sqs::operation::delete_queue::DeleteQueueError;
use serde_json::{Map, Value};

use crate::emulator::{ACCOUNT, Emulator};
use crate::template::{Deployed, Physical, Resolver, Template, TemplateError};

mod buckets;
mod keys;
mod queues;
mod tables;

/// A stack to deploy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackName {
    /// Begins the names of its resources.
    pub name: String,
    /// Parameters with other values than the template's defaults.
    pub parameters: BTreeMap<String, String>,
}

/// A resource could not be deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The template is not understood.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The runner does not know a kind of resource.
    #[error(
        "{resource} is a {kind}: teach infra/local/src/deploy to make one, or list it among those that only AWS needs"
    )]
    UnknownKind {
        /// Its logical id.
        resource: String,
        /// Its type.
        kind: String,
    },
    /// The emulator refused.
    #[error("the emulator did not make {resource}")]
    Refused {
        /// Its logical id.
        resource: String,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl DeployError {
    fn refused(resource: &str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Refused {
            resource: resource.to_owned(),
            source: Box::new(source),
        }
    }
}

/// What the runner does with a kind of resource.
enum Kind {
    Table,
    Queue,
    Bus,
    Key,
    Bucket,
    /// Made together with the key that it names.
    Alias,
    /// Hosted or played by the runner itself.
    Runner,
    /// Watches a deployment or guards it; nothing works differently without it.
    OnlyOnAws,
}

impl Kind {
    fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "AWS::DynamoDB::Table" => Self::Table,
            "AWS::SQS::Queue" => Self::Queue,
            "AWS::Events::EventBus" => Self::Bus,
            "AWS::KMS::Key" => Self::Key,
            "AWS::S3::Bucket" => Self::Bucket,
            "AWS::KMS::Alias" => Self::Alias,
            "AWS::Serverless::Api"
            | "AWS::Serverless::Function"
            | "AWS::Lambda::EventSourceMapping" => Self::Runner,
            "AWS::CloudWatch::Alarm"
            | "AWS::Logs::LogGroup"
            | "AWS::Logs::MetricFilter"
            | "AWS::S3::BucketPolicy" => Self::OnlyOnAws,
            _ => return None,
        })
    }
}

/// Creates what is absent of the template's resources and gives back what can resolve references to them.
pub async fn deploy<'t>(
    emulator: &Emulator,
    template: &'t Template,
    stack: &StackName,
) -> Result<Resolver<'t>, DeployError> {
    let mut resolver = Resolver::new(
        template,
        &stack.name,
        &emulator.region,
        ACCOUNT,
        &stack.parameters,
    )?;
    let mut waiting: Vec<&str> = template.resources.keys().map(String::as_str).collect();
    // A resource may refer to another that comes later: those wait for the next pass, which gets shorter or fails.
    while !waiting.is_empty() {
        let mut left = Vec::new();
        for id in &waiting {
            match create(emulator, template, &resolver, id).await {
                Ok(Some(physical)) => resolver.deployed(id, physical),
                Ok(None) => {}
                Err(DeployError::Template(TemplateError::Unknown(_))) => left.push(*id),
                Err(error) => return Err(error),
            }
        }
        if left.len() == waiting.len() {
            // Nothing moved: say what is missing.
            for id in left {
                create(emulator, template, &resolver, id).await?;
            }
            break;
        }
        waiting = left;
    }
    Ok(resolver)
}

async fn create(
    emulator: &Emulator,
    template: &Template,
    resolver: &Resolver<'_>,
    id: &str,
) -> Result<Option<Physical>, DeployError> {
    let Some(resource) = template.resources.get(id) else {
        return Ok(None);
    };
    let kind = Kind::of(&resource.kind).ok_or_else(|| DeployError::UnknownKind {
        resource: id.to_owned(),
        kind: resource.kind.clone(),
    })?;
    let properties = || match resolver.resolve(&Value::Object(resource.properties.clone()))? {
        Value::Object(properties) => Ok(properties),
        _ => Err(TemplateError::unexpected(id, "properties")),
    };
    Ok(match kind {
        Kind::Table => Some(tables::create(emulator, id, &properties()?).await?),
        Kind::Queue => Some(queues::create(emulator, id, &properties()?).await?),
        Kind::Bus => Some(bus(emulator, id, &properties()?).await?),
        Kind::Key => {
            let aliases = keys::aliases(template, resolver, id)?;
            Some(keys::create(emulator, id, &aliases).await?)
        }
        Kind::Bucket => Some(buckets::create(emulator, id, resolver).await?),
        Kind::Alias | Kind::Runner | Kind::OnlyOnAws => None,
    })
}

async fn bus(
    emulator: &Emulator,
    id: &str,
    properties: &Map<String, Value>,
) -> Result<Physical, DeployError> {
    let name = text(id, properties, "Name")?;
    let known = emulator.events.describe_event_bus().name(name).send().await;
    let arn = if let Ok(known) = known {
        known.arn
    } else {
        let created = emulator.events.create_event_bus().name(name).send().await;
        created
            .map_err(|error| DeployError::refused(id, error))?
            .event_bus_arn
    };
    Ok(Physical::with_arn(name, arn.unwrap_or_default()).and("Name", name))
}

/// Deletes what [`deploy`] made, except keys, which AWS deletes only after days. What is gone already is fine.
pub async fn remove(
    emulator: &Emulator,
    template: &Template,
    deployed: &Deployed,
) -> Result<(), DeployError> {
    for (id, physical) in deployed {
        let Some(kind) = template
            .resources
            .get(id)
            .and_then(|resource| Kind::of(&resource.kind))
        else {
            continue;
        };
        let name = &physical.reference;
        match kind {
            Kind::Table => {
                let request = emulator.dynamodb.delete_table().table_name(name).send();
                ignore_missing(
                    id,
                    request.await,
                    DeleteTableError::is_resource_not_found_exception,
                )?;
            }
            Kind::Queue => {
                let request = emulator.sqs.delete_queue().queue_url(name).send();
                ignore_missing(id, request.await, DeleteQueueError::is_queue_does_not_exist)?;
            }
            Kind::Bus => {
                let request = emulator.events.delete_event_bus().name(name).send();
                ignore_missing(id, request.await, |_| false)?;
            }
            Kind::Bucket => buckets::remove(emulator, id, name).await?,
            Kind::Key | Kind::Alias | Kind::Runner | Kind::OnlyOnAws => {}
        }
    }
    Ok(())
}

fn ignore_missing<T, E, R>(
    id: &str,
    result: Result<T, aws_smithy_runtime_api::client::result::SdkError<E, R>>,
    is_missing: impl FnOnce(&E) -> bool,
) -> Result<(), DeployError>
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(is_missing) => Ok(()),
        Err(error) => Err(DeployError::refused(id, error)),
    }
}

/// A property that must be text.
fn text<'p>(
    id: &str,
    properties: &'p Map<String, Value>,
    key: &str,
) -> Result<&'p str, TemplateError> {
    properties
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| TemplateError::unexpected(format!("{id}.{key}"), "text"))
}
