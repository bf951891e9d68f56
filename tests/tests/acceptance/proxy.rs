//! A door before a mail server, which a test can shut and open: a server that goes away and comes back.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A port of this machine that leads to another one while the door is open.
pub(crate) struct Door {
    address: SocketAddr,
    server: SocketAddr,
    open: Option<JoinHandle<()>>,
}

impl Door {
    /// An open door to `port`.
    pub(crate) fn to(port: u16) -> Self {
        let mut door = Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            server: (Ipv4Addr::LOCALHOST, port).into(),
            open: None,
        };
        door.open();
        door
    }

    /// The port that leads to it.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Opens it, on the port it had.
    pub(crate) fn open(&mut self) {
        let socket = TcpSocket::new_v4().unwrap();
        // The connections that were cut still occupy the port.
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.address).unwrap();
        let listener = socket.listen(64).unwrap();
        self.address = listener.local_addr().unwrap();
        self.open = Some(tokio::spawn(pass(listener, self.server)));
    }

    /// Shuts it: who knocks is refused, who was inside is cut off.
    pub(crate) async fn shut(&mut self) {
        if let Some(open) = self.open.take() {
            open.abort();
            // Aborted: it was to end.
            let _ = open.await;
        }
    }
}

async fn pass(listener: TcpListener, server: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        connections.spawn(async move {
            let mut server = TcpStream::connect(server).await.unwrap();
            // However a connection ends is the peers' affair.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}
