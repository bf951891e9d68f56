//! Adapters of the ports to DynamoDB, SQS, EventBridge, KMS and S3.
//!
//! No business rule lives here. An adapter is a small struct that holds a client and the name of the one thing it works on, so that a
//! function builds only what it needs, and its `ACTIONS` say what that may do ([`actions`]). Behind the ports' object-safe traits the
//! SDK's state machines are compiled once, here, and not into every function.
//!
//! - [`clients`] builds the SDK's clients, [`metering`] tells what their calls consume.
//! - [`keys`] holds every key, [`codec`] the form of items, [`dynamo`] the storage ports, [`stream`] what the tables' streams tell.
//! - [`sqs`] and [`eventbridge`] hand work and events on, [`vault`] seals secrets, [`s3`] holds files, [`health`] probes.

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
pub mod s3;
pub mod sqs;
pub mod stream;
pub mod vault;
