//! Adapters of the ports to DynamoDB, SQS, EventBridge and KMS.

pub mod actions;
mod backoff;
mod batches;
pub mod clients;
pub mod codec;
pub mod dynamo;
pub mod error;
pub mod eventbridge;
pub mod health;
pub mod keys;
pub mod metering;
pub mod sqs;
pub mod stream;
pub mod vault;
