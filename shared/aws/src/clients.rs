//! The SDK's clients: built once per process, all over one HTTP client.
//!
//! - One TLS backend, ring, and only Amazon's own roots: parsing the system's store would cost a cold start 4–7 ms of CPU, and
//!   no service that we call is certified by anybody else.
//! - A dated [`BehaviorVersion`], so that an update of the SDK changes no default by itself.
//! - Time-outs on every operation: the SDK has none by default. DynamoDB answers in milliseconds, so a second is lost already.
//! - Retries in the SDK's standard mode; every write can be repeated.
//!
//! Endpoints come in as arguments, and so do interceptors: the local stack watches what each function does through one of its own.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{SharedCredentialsProvider, SharedHttpClient, SharedInterceptor};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::Builder;
pub use aws_smithy_http_client::HttpClientError;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::metering::Meter;

/// How long establishing a connection may take. The same for all services, so that they share one connector.
const CONNECT: Duration = Duration::from_secs(1);

/// Time-outs of one service's calls.
struct Patience {
    attempt: Duration,
    operation: Duration,
}

/// DynamoDB answers in milliseconds.
const STORE: Patience = Patience {
    attempt: Duration::from_secs(1),
    operation: Duration::from_secs(3),
};

/// SQS, EventBridge, KMS and S3: slower, and called once per batch or hour.
const SERVICES: Patience = Patience {
    attempt: Duration::from_secs(3),
    operation: Duration::from_secs(8),
};

/// Amazon Trust Services' roots (<https://www.amazontrust.com/repository/>): Amazon Root CA 1 to 4 and Starfield Services Root
/// Certificate Authority - G2. They end in 2037 at the earliest.
pub const AMAZON_ROOTS: &[u8] = include_bytes!("../certificates/amazon-trust-services.pem");

/// What the clients depend on besides the environment that AWS's own configuration reads (region, credentials).
#[derive(Debug, Clone, Default)]
pub struct ClientSettings {
    /// One endpoint for all services instead of AWS's own: an emulator.
    pub endpoint: Option<String>,
    /// The region, where the environment is not to say it.
    pub region: Option<Region>,
    /// Credentials, where the environment is not to say them.
    pub credentials: Option<SharedCredentialsProvider>,
    /// Who watches every call.
    pub interceptors: Vec<SharedInterceptor>,
    /// Who is told what each call to DynamoDB consumed (`ReturnConsumedCapacity: TOTAL`).
    pub meter: Option<Meter>,
    /// An HTTP client of the caller's, for one that misbehaves on purpose.
    pub http: Option<SharedHttpClient>,
}

/// Builds clients that share what is expensive: HTTP connections, credentials.
#[derive(Debug, Clone)]
pub struct Clients {
    config: SdkConfig,
    interceptors: Vec<SharedInterceptor>,
}

impl Clients {
    /// Reads AWS's configuration. Makes no call. The only error is a root certificate that does not load.
    pub async fn load(settings: ClientSettings) -> Result<Self, HttpClientError> {
        let http = match settings.http {
            Some(http) => http,
            None => http_client(AMAZON_ROOTS)?,
        };
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .retry_config(RetryConfig::standard())
            // Requests and answers are small and whole; the operations' time-outs guard them. Protection against stalled streams would
            // only misread a long poll.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(endpoint) = settings.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(region) = settings.region {
            loader = loader.region(region);
        }
        if let Some(credentials) = settings.credentials {
            loader = loader.credentials_provider(credentials);
        }
        let mut interceptors = settings.interceptors;
        interceptors.extend(settings.meter.map(SharedInterceptor::new));
        Ok(Self {
            config: loader.load().await,
            interceptors,
        })
    }

    /// DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut builder =
            aws_sdk_dynamodb::config::Builder::from(&self.config).timeout_config(STORE.timeouts());
        for interceptor in &self.interceptors {
            builder.push_interceptor(interceptor.clone());
        }
        aws_sdk_dynamodb::Client::from_conf(builder.build())
    }

    /// SQS.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let mut builder =
            aws_sdk_sqs::config::Builder::from(&self.config).timeout_config(SERVICES.timeouts());
        for interceptor in &self.interceptors {
            builder.push_interceptor(interceptor.clone());
        }
        aws_sdk_sqs::Client::from_conf(builder.build())
    }

    /// EventBridge.
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        let mut builder = aws_sdk_eventbridge::config::Builder::from(&self.config)
            .timeout_config(SERVICES.timeouts());
        for interceptor in &self.interceptors {
            builder.push_interceptor(interceptor.clone());
        }
        aws_sdk_eventbridge::Client::from_conf(builder.build())
    }

    /// KMS.
    pub fn kms(&self) -> aws_sdk_kms::Client {
        let mut builder =
            aws_sdk_kms::config::Builder::from(&self.config).timeout_config(SERVICES.timeouts());
        for interceptor in &self.interceptors {
            builder.push_interceptor(interceptor.clone());
        }
        aws_sdk_kms::Client::from_conf(builder.build())
    }

    /// S3. An emulator is asked by path, since it has no name for each bucket. TLS guards what we read, and the checksums that the SDK
    /// would add could not be known of a file whose upload is signed before it is there.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let mut builder = aws_sdk_s3::config::Builder::from(&self.config)
            .timeout_config(SERVICES.timeouts())
            .force_path_style(self.config.endpoint_url().is_some())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        for interceptor in &self.interceptors {
            builder.push_interceptor(interceptor.clone());
        }
        aws_sdk_s3::Client::from_conf(builder.build())
    }
}

impl Patience {
    fn timeouts(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

/// The HTTP client of all services, which trusts these roots (PEM).
pub fn http_client(roots: &[u8]) -> Result<SharedHttpClient, HttpClientError> {
    let roots = TrustStore::empty().with_pem_certificate(roots);
    let context = TlsContext::builder().with_trust_store(roots).build()?;
    Ok(Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_http_client_builds_and_holds_all_five_roots() {
        let pem = std::str::from_utf8(AMAZON_ROOTS).unwrap();
        assert_eq!(pem.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        assert!(http_client(AMAZON_ROOTS).is_ok());
    }
}
