//! Queues.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Map, Value};

use super::{DeployError, text};
use crate::emulator::Emulator;
use crate::template::{Physical, TemplateError};

/// Creates a queue unless it is there, and sets its attributes to what the template says.
pub(super) async fn create(
    emulator: &Emulator,
    id: &str,
    properties: &Map<String, Value>,
) -> Result<Physical, DeployError> {
    let name = text(id, properties, "QueueName")?;
    let known = emulator.sqs.get_queue_url().queue_name(name).send().await;
    let url = if let Ok(known) = known {
        known.queue_url
    } else {
        let created = emulator.sqs.create_queue().queue_name(name).send().await;
        created
            .map_err(|error| DeployError::refused(id, error))?
            .queue_url
    };
    let url = url.ok_or_else(|| TemplateError::Unknown(format!("queue {name}")))?;
    let mut request = emulator.sqs.set_queue_attributes().queue_url(&url);
    for (attribute, value) in properties {
        if let Some(value) = attribute_value(attribute, value) {
            request = request.attributes(QueueAttributeName::from(attribute.as_str()), value);
        }
    }
    request
        .send()
        .await
        .map_err(|error| DeployError::refused(id, error))?;
    let attributes = emulator
        .sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .map_err(|error| DeployError::refused(id, error))?
        .attributes
        .unwrap_or_default();
    let arn = attributes
        .get(&QueueAttributeName::QueueArn)
        .ok_or_else(|| TemplateError::Unknown(format!("the ARN of queue {name}")))?;
    Ok(Physical::with_arn(&url, arn).and("QueueName", name))
}

/// CloudFormation's properties of a queue are its attributes, structured ones as JSON.
fn attribute_value(attribute: &str, value: &Value) -> Option<String> {
    match (attribute, value) {
        ("QueueName" | "Tags", _) => None,
        (_, Value::String(text)) => Some(text.clone()),
        (_, other) => Some(other.to_string()),
    }
}
