//! Functions in processes of their own, behind `cargo lambda watch`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use async_trait::async_trait;
use http::Request;
use serde_json::Value;

use crate::http_client::HttpClient;
use crate::invoke::{Invoke, InvokeError};
use crate::template::functions::FunctionShape;

/// Calls functions by Lambda's own API, which `cargo lambda watch` offers.
#[derive(Debug, Clone)]
pub struct Remote {
    address: SocketAddr,
    folders: BTreeMap<String, String>,
    client: HttpClient,
}

impl Remote {
    /// Calls these functions at `address`.
    pub fn new(address: SocketAddr, shapes: &[FunctionShape]) -> Self {
        Self {
            address,
            folders: shapes
                .iter()
                .map(|shape| (shape.logical_id.clone(), shape.folder().to_owned()))
                .collect(),
            client: HttpClient::default(),
        }
    }
}

#[async_trait]
impl Invoke for Remote {
    async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        let folder = self
            .folders
            .get(function)
            .ok_or_else(|| InvokeError::Unknown(function.to_owned()))?;
        let unreachable = |message: String| InvokeError::Unreachable {
            function: function.to_owned(),
            message,
        };
        let url = format!(
            "http://{}/2015-03-31/functions/{folder}/invocations",
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
        if !response.status().is_success() {
            return Err(failed());
        }
        serde_json::from_slice(response.body()).map_err(|_| failed())
    }
}
