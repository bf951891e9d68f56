//! The API's socket and the task that serves it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::StackError;
use crate::triggers::gateway::server::{Gateway, serve};

/// A running gateway.
pub struct ApiListener {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: Option<JoinHandle<()>>,
}

impl ApiListener {
    /// Listens on `address` and serves `gateway`.
    pub(super) async fn start(address: SocketAddr, gateway: Gateway) -> Result<Self, StackError> {
        let refused = |source| StackError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, Arc::new(gateway), stopped));
        Ok(Self {
            address,
            stop,
            serving: Some(serving),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Finishes the requests at hand and closes the socket.
    pub(super) async fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(serving) = self.serving.take()
            && let Err(error) = serving.await
        {
            tracing::error!(target: "agentwarm_local::gateway", %error, "the gateway ended badly");
        }
    }
}

impl Drop for ApiListener {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}
