//! Tables, with their streams and time to live.

use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    StreamSpecification, StreamViewType, TableDescription, TimeToLiveSpecification,
    TimeToLiveStatus,
};
use serde_json::{Map, Value};

use super::{DeployError, text};
use crate::emulator::Emulator;
use crate::template::functions::list;
use crate::template::{Physical, TemplateError};

/// Creates a table unless it is there.
pub(super) async fn create(
    emulator: &Emulator,
    id: &str,
    properties: &Map<String, Value>,
) -> Result<Physical, DeployError> {
    let name = text(id, properties, "TableName")?;
    let description = if let Some(known) = describe(emulator, id, name).await? {
        known
    } else {
        let request = emulator
            .dynamodb
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest);
        let request = with_stream(with_keys(request, id, properties)?, properties);
        let created = request.send().await;
        created
            .map_err(|error| DeployError::refused(id, error))?
            .table_description
            .ok_or_else(|| TemplateError::Unknown(format!("table {name}")))?
    };
    if let Some(attribute) = properties
        .get("TimeToLiveSpecification")
        .and_then(|ttl| ttl.get("AttributeName"))
        .and_then(Value::as_str)
    {
        expire(emulator, id, name, attribute).await?;
    }
    let mut physical = Physical::with_arn(name, description.table_arn.unwrap_or_default());
    if let Some(stream) = description.latest_stream_arn {
        physical = physical.and("StreamArn", stream);
    }
    Ok(physical)
}

async fn describe(
    emulator: &Emulator,
    id: &str,
    name: &str,
) -> Result<Option<TableDescription>, DeployError> {
    match emulator
        .dynamodb
        .describe_table()
        .table_name(name)
        .send()
        .await
    {
        Ok(known) => Ok(known.table),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DescribeTableError::is_resource_not_found_exception) =>
        {
            Ok(None)
        }
        Err(error) => Err(DeployError::refused(id, error)),
    }
}

fn with_keys(
    mut request: CreateTableFluentBuilder,
    id: &str,
    properties: &Map<String, Value>,
) -> Result<CreateTableFluentBuilder, DeployError> {
    let field = |entry: &Value, key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| TemplateError::unexpected(format!("{id}.{key}"), "text"))
    };
    for entry in list(properties.get("AttributeDefinitions")) {
        let definition = AttributeDefinition::builder()
            .attribute_name(field(&entry, "AttributeName")?)
            .attribute_type(ScalarAttributeType::from(
                field(&entry, "AttributeType")?.as_str(),
            ))
            .build();
        request = request
            .attribute_definitions(definition.map_err(|error| DeployError::refused(id, error))?);
    }
    for entry in list(properties.get("KeySchema")) {
        let element = KeySchemaElement::builder()
            .attribute_name(field(&entry, "AttributeName")?)
            .key_type(KeyType::from(field(&entry, "KeyType")?.as_str()))
            .build();
        request = request.key_schema(element.map_err(|error| DeployError::refused(id, error))?);
    }
    Ok(request)
}

fn with_stream(
    request: CreateTableFluentBuilder,
    properties: &Map<String, Value>,
) -> CreateTableFluentBuilder {
    let view = properties
        .get("StreamSpecification")
        .and_then(|stream| stream.get("StreamViewType"))
        .and_then(Value::as_str);
    let stream = view.and_then(|view| {
        StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::from(view))
            .build()
            .ok()
    });
    request.set_stream_specification(stream)
}

async fn expire(
    emulator: &Emulator,
    id: &str,
    name: &str,
    attribute: &str,
) -> Result<(), DeployError> {
    let known = emulator
        .dynamodb
        .describe_time_to_live()
        .table_name(name)
        .send()
        .await
        .map_err(|error| DeployError::refused(id, error))?;
    let status = known
        .time_to_live_description
        .and_then(|ttl| ttl.time_to_live_status);
    if status == Some(TimeToLiveStatus::Enabled) {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder()
        .attribute_name(attribute)
        .enabled(true)
        .build()
        .map_err(|error| DeployError::refused(id, error))?;
    emulator
        .dynamodb
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(specification)
        .send()
        .await
        .map_err(|error| DeployError::refused(id, error))?;
    Ok(())
}
