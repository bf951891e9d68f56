//! A door before a server, which a test can shut and open: a server that goes away and comes back. And a server whose word is lost.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A port of this machine that leads to another one while the door is open.
pub(crate) struct Door {
    address: SocketAddr,
    server: SocketAddr,
    open: Option<JoinHandle<()>>,
    /// Bound, not listening: nobody else gets the port, and whoever knocks is refused.
    shut: Option<TcpSocket>,
}

impl Door {
    /// An open door to `port`.
    pub(crate) fn to(port: u16) -> Self {
        let mut door = Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            server: (Ipv4Addr::LOCALHOST, port).into(),
            open: None,
            shut: Some(bound((Ipv4Addr::LOCALHOST, 0).into())),
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
        let listener = self.shut.take().unwrap().listen(64).unwrap();
        self.address = listener.local_addr().unwrap();
        self.open = Some(tokio::spawn(pass(listener, self.server)));
    }

    /// Shuts it: who knocks is refused, who was inside is cut off.
    pub(crate) async fn shut(&mut self) {
        if let Some(open) = self.open.take() {
            open.abort();
            // Aborted: it was to end.
            let _ = open.await;
            self.shut = Some(bound(self.address));
        }
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    // The connections that were cut still occupy the port.
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn pass(listener: TcpListener, server: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        connections.spawn(async move {
            let mut server = TcpStream::connect(server).await.unwrap();
            // What one side writes in pieces would wait here for the other's acknowledgements, 40 ms each time.
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            // However a connection ends is the peers' affair.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

/// A port that leads to the server at `port` and cuts a connection where the server says something after `sent` bytes were sent to it: it has
/// got them all, and nobody hears that.
pub(crate) async fn forgetful(port: u16, sent: usize) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            tokio::spawn(pass_until(client, server.unwrap(), sent));
        }
    });
    address.port()
}

async fn pass_until(mut client: TcpStream, mut server: TcpStream, sent: usize) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let passed = AtomicUsize::new(0);
    let upwards = async {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = from_client.read(&mut chunk).await {
            passed.fetch_add(read, Ordering::SeqCst);
            if to_server.write_all(&chunk[..read]).await.is_err() {
                break;
            }
        }
    };
    let downwards = async {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = from_server.read(&mut chunk).await {
            let is_over = passed.load(Ordering::SeqCst) >= sent;
            if is_over || to_client.write_all(&chunk[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = upwards => {}
        () = downwards => {}
    }
}
