//! A store that is away while a test says so.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents, SharedInterceptor};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;

/// Fails the requests of all functions whose body holds a text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outage(Arc<Mutex<Option<&'static str>>>);

impl Outage {
    /// As the stack wants it.
    pub(crate) fn interceptor(&self) -> SharedInterceptor {
        SharedInterceptor::new(self.clone())
    }

    /// From now on requests that hold `text` fail; none with `None`.
    pub(crate) fn of(&self, text: Option<&'static str>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

impl Intercept for Outage {
    fn name(&self) -> &'static str {
        "Outage"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let away = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let body = context.request().body().bytes().unwrap_or_default();
        match away {
            Some(text) if String::from_utf8_lossy(body).contains(text) => {
                Err("the store is away".into())
            }
            _ => Ok(()),
        }
    }
}
