//! Functions in processes of their own, behind `cargo lambda watch` or deployed to the emulator.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use async_trait::async_trait;
use http::Request;
use serde_json::Value;

use crate::http_client::HttpClient;
use crate::invoke::{Invoke, InvokeError};
use crate::template::functions::FunctionShape;

/// Says that the function failed, in an answer whose status is 200 all the same (Lambda's API reference, `Invoke`).
const FUNCTION_ERROR: &str = "x-amz-function-error";

/// Calls functions by Lambda's own API, which `cargo lambda watch` and the emulator offer.
#[derive(Debug, Clone)]
pub struct Remote {
    address: SocketAddr,
    names: BTreeMap<String, String>,
    client: HttpClient,
}

impl Remote {
    /// Calls these functions at `address`, where each has the name of its folder, as under `cargo lambda watch`.
    pub fn new(address: SocketAddr, shapes: &[FunctionShape]) -> Self {
        Self::named(address, shapes, "")
    }

    /// Calls these functions at `address`, where each has the name of its folder after `prefix`, as in a deployment.
    pub fn named(address: SocketAddr, shapes: &[FunctionShape], prefix: &str) -> Self {
        let name = |shape: &FunctionShape| format!("{prefix}{}", shape.folder());
        Self {
            address,
            names: shapes
                .iter()
                .map(|shape| (shape.logical_id.clone(), name(shape)))
                .collect(),
            client: HttpClient::default(),
        }
    }
}

#[async_trait]
impl Invoke for Remote {
    async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        let name = self
            .names
            .get(function)
            .ok_or_else(|| InvokeError::Unknown(function.to_owned()))?;
        let unreachable = |message: String| InvokeError::Unreachable {
            function: function.to_owned(),
            message,
        };
        let url = format!(
            "http://{}/2015-03-31/functions/{name}/invocations",
            self.address
        );
        let request = Request::post(url)
            .header("content-type", "application/json")
            .body(event.to_string().into_bytes())
            .map_err(|error| unreachable(error.to_string()))?;
        let response = self
            .client
            .send(request)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let failed = || InvokeError::Failed {
            function: function.to_owned(),
            message: String::from_utf8_lossy(response.body()).into_owned(),
        };
        if !response.status().is_success() || response.headers().contains_key(FUNCTION_ERROR) {
            return Err(failed());
        }
        serde_json::from_slice(response.body()).map_err(|_| failed())
    }
}
