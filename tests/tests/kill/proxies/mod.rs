//! Between the runner and what it works with: the emulator's HTTP, and both mail protocols with their TLS taken off, so that a kill can be
//! aimed at one write or one line.
//!
//! They outlive the process. When it is killed, [`Proxies::cut`] drops its connections on both sides, as a machine's end would.

mod emulator;
mod imap;
mod published;
mod smtp;
mod tls;
mod writes;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use agentwarm_local::settings::RunSettings;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::gate::Gate;
use emulator::EmulatorProxy;
pub(crate) use published::{EventIds, Published};
pub(crate) use tls::Tls;

/// Running proxies.
pub(crate) struct Proxies {
    /// Where the emulator seems to be.
    pub(crate) emulator: String,
    /// What reached the bus.
    pub(crate) published: Published,
    /// Where IMAP with TLS seems to be.
    pub(crate) imaps_port: u16,
    /// Where SMTP with STARTTLS seems to be.
    pub(crate) smtp_port: u16,
    connections: Connections,
    listeners: Vec<JoinHandle<()>>,
}

/// Every connection that is open.
#[derive(Clone, Default)]
struct Connections(Arc<Mutex<JoinSet<()>>>);

impl Connections {
    fn with<T>(&self, work: impl FnOnce(&mut JoinSet<()>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The mail servers' real ports.
pub(crate) struct MailPorts {
    /// IMAP with TLS from the start.
    pub(crate) imaps: u16,
    /// SMTP with TLS from the start.
    pub(crate) smtps: u16,
}

impl Proxies {
    /// Starts them in front of the servers of `settings`.
    pub(crate) async fn start(settings: &RunSettings, mail: MailPorts, gate: &Gate) -> Self {
        let tls = Tls::load(&settings.ca_file, &settings.mail.host);
        let connections = Connections::default();
        let mut listeners = Vec::new();
        let published = Published::default();
        let emulator = EmulatorProxy::new(&settings.emulator.endpoint, gate, &published);
        let emulator = Arc::new(emulator);
        let emulator_port = listen(&connections, &mut listeners, move |stream| {
            let emulator = Arc::clone(&emulator);
            async move { emulator.serve(stream).await }
        });
        let emulator_port = emulator_port.await;
        let (imap_tls, imap_gate) = (tls.clone(), gate.clone());
        let imaps_port = listen(&connections, &mut listeners, move |stream| {
            imap::session(stream, imap_tls.clone(), mail.imaps, imap_gate.clone())
        });
        let imaps_port = imaps_port.await;
        let (smtp_tls, smtp_gate) = (tls, gate.clone());
        let smtp_port = listen(&connections, &mut listeners, move |stream| {
            smtp::session(stream, smtp_tls.clone(), mail.smtps, smtp_gate.clone())
        });
        let smtp_port = smtp_port.await;
        Self {
            emulator: format!("http://127.0.0.1:{emulator_port}"),
            published,
            imaps_port,
            smtp_port,
            connections,
            listeners,
        }
    }

    /// Drops every open connection.
    pub(crate) async fn cut(&self) {
        let mut open = self.connections.with(std::mem::take);
        open.shutdown().await;
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        self.listeners.iter().for_each(JoinHandle::abort);
    }
}

/// Serves a free port, each connection by `session`; the port.
async fn listen<S, F>(
    connections: &Connections,
    listeners: &mut Vec<JoinHandle<()>>,
    session: S,
) -> u16
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let listener = listener.await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = connections.clone();
    listeners.push(tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let session = session(stream);
            connections.with(|open| {
                while open.try_join_next().is_some() {}
                // A peer that hangs up is no news: one side or the other always does.
                open.spawn(async move { drop(session.await) })
            });
        }
    }));
    port
}
