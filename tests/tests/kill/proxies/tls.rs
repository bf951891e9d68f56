//! TLS on both sides of a mail proxy: it shows the real server's certificate and checks it as the product does.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// The runner's side of a connection.
pub(super) type Client = server::TlsStream<TcpStream>;
/// The mail server's side of a connection.
pub(super) type Server = client::TlsStream<TcpStream>;

/// Both sides.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    host: ServerName<'static>,
}

impl Tls {
    /// Reads the CA, and the server's certificate and key that lie beside it.
    pub(crate) fn load(ca_file: &Path, host: &str) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca_file).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let chain = CertificateDer::pem_file_iter(ca_file.with_file_name("server.pem"));
        let chain: Result<Vec<_>, _> = chain.unwrap().collect();
        let key = PrivateKeyDer::from_pem_file(ca_file.with_file_name("server.key"));
        let accepting = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.unwrap(), key.unwrap())
            .unwrap();
        let connecting = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            acceptor: TlsAcceptor::from(Arc::new(accepting)),
            connector: TlsConnector::from(Arc::new(connecting)),
            host: ServerName::try_from(host.to_owned()).unwrap(),
        }
    }

    /// Secures the runner's connection.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<Client> {
        self.acceptor.accept(stream).await
    }

    /// Connects to the real server.
    pub(super) async fn connect(&self, port: u16) -> io::Result<Server> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        self.connector.connect(self.host.clone(), stream).await
    }
}
