//! Clients of the emulator for the runner's own use: deploying resources and playing the triggers' part.
//!
//! They are not the functions' clients: those are built by the functions' own kit, each behind a gate of its own.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// How long the emulator, which is one process, may need when everything comes at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// The account that the emulator serves without being told another.
pub const ACCOUNT: &str = "000000000000";

/// Where the emulator is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorConfig {
    /// Its address, such as `http://127.0.0.1:4566`.
    pub endpoint: String,
    /// The region that resources are made in.
    pub region: String,
}

/// The runner's clients.
#[derive(Debug, Clone)]
pub struct Emulator {
    /// The region that resources are in.
    pub region: String,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// DynamoDB's streams.
    pub streams: aws_sdk_dynamodbstreams::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// EventBridge.
    pub events: aws_sdk_eventbridge::Client,
    /// KMS.
    pub kms: aws_sdk_kms::Client,
    /// S3, by path.
    pub s3: aws_sdk_s3::Client,
}

impl Emulator {
    /// Clients of the emulator; makes no call.
    pub async fn new(config: &EmulatorConfig) -> Self {
        let sdk = sdk_config(config).await;
        Self {
            region: config.region.clone(),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            streams: aws_sdk_dynamodbstreams::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            events: aws_sdk_eventbridge::Client::new(&sdk),
            kms: aws_sdk_kms::Client::new(&sdk),
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(&sdk)
                    .force_path_style(true)
                    .build(),
            ),
        }
    }
}

/// What the emulator takes for credentials: it reads the account off them, if they are one, and checks nothing.
pub fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "local"))
}

async fn sdk_config(config: &EmulatorConfig) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(config.region.clone()))
        .endpoint_url(&config.endpoint)
        .credentials_provider(credentials())
        .http_client(Builder::new().build_http())
        .retry_config(RetryConfig::standard())
        .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}
