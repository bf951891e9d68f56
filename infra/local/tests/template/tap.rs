//! What functions send to AWS, while a test listens.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents, SharedInterceptor};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;

/// The bodies of all requests: what is written to tables, put into queues and onto the bus, and asked of KMS.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tap(Arc<Mutex<Option<String>>>);

impl Tap {
    /// As the stack wants it.
    pub(crate) fn interceptor(&self) -> SharedInterceptor {
        SharedInterceptor::new(self.clone())
    }

    /// From now on everything is kept.
    pub(crate) fn open(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(String::new());
    }

    /// All of it so far.
    pub(crate) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone().unwrap_or_default()
    }
}

impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "Tap"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_mut() {
            let body = context.request().body().bytes().unwrap_or_default();
            kept.push_str(&String::from_utf8_lossy(body));
            kept.push('\n');
        }
        Ok(())
    }
}
