//! Counts the events that functions put on the bus: EventBridge is paid by the event, not by the request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

/// Sees every request of every function.
#[derive(Debug, Clone, Default)]
pub(super) struct Published(Arc<AtomicU64>);

impl Published {
    /// How many events were put so far.
    pub(super) fn events(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for Published {
    fn name(&self) -> &'static str {
        "Published"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        if request.headers().get("x-amz-target") == Some("AWSEvents.PutEvents") {
            let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
            let entries = body["Entries"].as_array().map_or(0, Vec::len);
            self.0.fetch_add(u64::try_from(entries)?, Ordering::Relaxed);
        }
        Ok(())
    }
}
