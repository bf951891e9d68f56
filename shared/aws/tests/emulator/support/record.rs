//! An interceptor that notes what clients do, as IAM actions by table.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use agentwarm_aws::actions::{Action, Resource};
use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemInput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemInput;
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_smithy_runtime_api::client::interceptors::context::Input;

/// What was done. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<BTreeSet<(Resource, String)>>>);

impl Recorder {
    /// The actions since this was last asked.
    pub(crate) fn actions(&self) -> BTreeSet<(Resource, String)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn note(&self, table: Option<&str>, action: &str) {
        let table = table.unwrap();
        let resource = match table.rsplit('-').next().unwrap() {
            "entities" => Resource::Entities,
            "activity" => Resource::Activity,
            "ephemeral" => Resource::Ephemeral,
            other => panic!("no table of ours: {other}"),
        };
        let action = format!("dynamodb:{action}");
        self.0.lock().unwrap().insert((resource, action));
    }

    fn note_input(&self, input: &Input) {
        if let Some(input) = input.downcast_ref::<GetItemInput>() {
            self.note(input.table_name(), "GetItem");
        } else if let Some(input) = input.downcast_ref::<QueryInput>() {
            self.note(input.table_name(), "Query");
        } else if let Some(input) = input.downcast_ref::<PutItemInput>() {
            self.note(input.table_name(), "PutItem");
        } else if let Some(input) = input.downcast_ref::<UpdateItemInput>() {
            self.note(input.table_name(), "UpdateItem");
        } else if let Some(input) = input.downcast_ref::<DeleteItemInput>() {
            self.note(input.table_name(), "DeleteItem");
        } else if let Some(input) = input.downcast_ref::<BatchGetItemInput>() {
            for table in input.request_items().unwrap().keys() {
                self.note(Some(table), "BatchGetItem");
            }
        } else if let Some(input) = input.downcast_ref::<BatchWriteItemInput>() {
            for table in input.request_items().unwrap().keys() {
                self.note(Some(table), "BatchWriteItem");
            }
        } else if let Some(input) = input.downcast_ref::<TransactWriteItemsInput>() {
            for item in input.transact_items() {
                if let Some(put) = item.put() {
                    self.note(Some(put.table_name()), "PutItem");
                }
                if let Some(update) = item.update() {
                    self.note(Some(update.table_name()), "UpdateItem");
                }
                if let Some(delete) = item.delete() {
                    self.note(Some(delete.table_name()), "DeleteItem");
                }
            }
        } else {
            panic!("an operation that no adapter should use: {input:?}");
        }
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.note_input(context.input());
        Ok(())
    }
}

/// An adapter's `ACTIONS` as the recorder notes them.
pub(crate) fn declared(actions: &[Action]) -> BTreeSet<(Resource, String)> {
    actions
        .iter()
        .map(|action| (action.resource, action.name.to_owned()))
        .collect()
}
