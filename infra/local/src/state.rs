//! What the runner itself remembers over a restart: where the schedule clock stood, how far the streams were handled.
//!
//! It is kept in the emulator, in a table of the runner's own, so that it is lost exactly when the tables are lost.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::emulator::Emulator;
use crate::triggers::stream::Checkpoints;
use crate::triggers::{TriggerError, asked};

/// What is remembered of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerState {
    /// Where the schedule clock stood.
    pub now: Timestamp,
    /// How far each table's stream was handled.
    pub streams: BTreeMap<String, Checkpoints>,
}

/// The runner's table: JSON texts by name.
#[derive(Debug, Clone)]
pub struct StateStore {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

const KEY: &str = "name";
const TEXT: &str = "json";

impl StateStore {
    /// Opens the table of the stack `stack`, creating it if it is absent.
    pub async fn open(emulator: &Emulator, stack: &str) -> Result<Self, TriggerError> {
        let store = Self {
            client: emulator.dynamodb.clone(),
            table: format!("{stack}-runner"),
        };
        let known = store
            .client
            .describe_table()
            .table_name(&store.table)
            .send()
            .await;
        if known.is_err() {
            store.create().await?;
        }
        Ok(store)
    }

    async fn create(&self) -> Result<(), TriggerError> {
        let attribute = AttributeDefinition::builder()
            .attribute_name(KEY)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(unwritable)?;
        let key = KeySchemaElement::builder()
            .attribute_name(KEY)
            .key_type(KeyType::Hash)
            .build()
            .map_err(unwritable)?;
        let request = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute)
            .key_schema(key);
        asked("create the runner's table", request.send().await)?;
        Ok(())
    }

    /// What was saved under `name`, if anything that can still be read.
    pub async fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, TriggerError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(name.to_owned()))
            .consistent_read(true);
        let found = asked("read the runner's state", request.send().await)?;
        Ok(found
            .item
            .as_ref()
            .and_then(|item| item.get(TEXT)?.as_s().ok())
            .and_then(|text| serde_json::from_str(text).ok()))
    }

    /// Saves something under `name`.
    pub async fn save<T: Serialize>(&self, name: &str, value: &T) -> Result<(), TriggerError> {
        let text = serde_json::to_string(value).map_err(unwritable)?;
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(KEY, AttributeValue::S(name.to_owned()))
            .item(TEXT, AttributeValue::S(text));
        asked("write the runner's state", request.send().await)?;
        Ok(())
    }

    /// Deletes the table.
    pub async fn remove(&self) -> Result<(), TriggerError> {
        let request = self.client.delete_table().table_name(&self.table);
        asked("delete the runner's table", request.send().await)?;
        Ok(())
    }
}

fn unwritable(source: impl std::error::Error + Send + Sync + 'static) -> TriggerError {
    TriggerError {
        what: "write the runner's state",
        source: Box::new(source),
    }
}
