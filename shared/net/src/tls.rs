//! TLS for every protocol: rustls over ring, certificates always verified.
//!
//! The roots are Mozilla's, compiled in (`webpki-roots`: 0.1 ms, where parsing a system's store costs 4–7 ms at each cold start), and
//! those of a private CA where configured. There is no switch to skip verification. One configuration is shared by all connections of
//! a process, so that sessions resume.

use std::io;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
pub use tokio_rustls::client::TlsStream;

use crate::address::Host;

/// Makes TLS connections.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
}

/// A private CA's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// Not PEM.
    #[error("the private CA file is not PEM")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// PEM without a certificate: a mistake that would otherwise be noticed only at the first handshake.
    #[error("the private CA file holds no certificate")]
    Empty,
    /// A certificate that cannot be a root, or a TLS library without its protocol versions.
    #[error("a certificate of the private CA cannot be used")]
    Certificate(#[source] rustls::Error),
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate is not one for this host from a CA that is trusted.
    #[error("the certificate does not verify")]
    Certificate(#[source] io::Error),
    /// The peer does not speak TLS, none that is safe, or hung up.
    #[error("the handshake failed")]
    Handshake(#[source] io::Error),
    /// The host is no name that a certificate can have.
    #[error("the host cannot be verified")]
    Name,
    /// It took too long.
    #[error("the handshake took too long")]
    Timeout,
}

impl Tls {
    /// TLS that trusts the public CAs and those in `private_ca_pem`.
    pub fn new(private_ca_pem: Option<&str>) -> Result<Self, CaError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(pem) = private_ca_pem {
            add_private(&mut roots, pem)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(CaError::Certificate)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Secures a connection to `host`.
    pub async fn handshake<S>(
        &self,
        stream: S,
        host: &Host,
        deadline: Instant,
    ) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match host {
            Host::Name(name) => {
                ServerName::try_from(name.clone()).map_err(|_invalid| TlsError::Name)?
            }
            Host::Address(ip) => ServerName::from(*ip),
        };
        timeout_at(deadline, self.connector.connect(name, stream))
            .await
            .map_err(|_elapsed| TlsError::Timeout)?
            .map_err(classify)
    }
}

fn add_private(roots: &mut RootCertStore, pem: &str) -> Result<(), CaError> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(CaError::Pem)?;
        roots.add(certificate).map_err(CaError::Certificate)?;
    }
    if roots.len() == before {
        return Err(CaError::Empty);
    }
    Ok(())
}

fn classify(error: io::Error) -> TlsError {
    let cause = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            TlsError::Certificate(error)
        }
        _ => TlsError::Handshake(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_ca_must_hold_a_certificate() {
        assert!(Tls::new(None).is_ok());
        assert!(matches!(Tls::new(Some("")), Err(CaError::Empty)));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            Tls::new(Some(broken)),
            Err(CaError::Certificate(_))
        ));
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(matches!(Tls::new(Some(cut)), Err(CaError::Pem(_))));
    }
}
