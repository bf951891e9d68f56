//! A mail server that is away until its door is opened.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A port that refuses connections, held for later.
pub(crate) struct Door {
    /// Bound, not listening: nobody else gets the port, and whoever knocks is refused.
    socket: TcpSocket,
    /// The port.
    pub(crate) port: u16,
}

impl Door {
    /// A closed one.
    pub(crate) fn closed() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .unwrap();
        let port = socket.local_addr().unwrap().port();
        Self { socket, port }
    }

    /// From now on it leads to the server on `port`.
    pub(crate) fn open_to(self, port: u16) {
        let listener = self.socket.listen(16).unwrap();
        tokio::spawn(serve(listener, port));
    }
}

async fn serve(listener: TcpListener, port: u16) {
    while let Ok((mut client, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            copy_bidirectional(&mut client, &mut server).await
        });
    }
}
