//! What the first TLS handshake of a process costs it: a child process with the product's clients asks a server that speaks as DynamoDB does.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use http::{Response, header};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::table::{figure, median};

/// The process: `tests/examples/handshake.rs`.
const CHILD: &str = "handshake";

/// How often it is started; the middle one counts.
const RUNS: usize = 15;

/// What it took, in milliseconds of processor time: the first request, and the same on the connection that stands.
pub(crate) struct Handshake {
    first: f64,
    again: f64,
}

impl Handshake {
    /// Measures it, with the example in this folder of binaries.
    pub(crate) async fn measured(examples: &Path) -> Self {
        let (chain, root, key) = chain();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
        let ca_file = std::env::temp_dir().join(format!("handshake-{port}.pem"));
        std::fs::write(&ca_file, root).unwrap();
        let (child, file) = (examples.join(CHILD), ca_file.clone());
        let runs = tokio::task::spawn_blocking(move || {
            let runs = (0..RUNS).map(|_| run(&child, port, &file));
            runs.collect::<Vec<_>>()
        });
        let runs = runs.await.unwrap();
        server.abort();
        std::fs::remove_file(ca_file).unwrap();
        let middle = |n: usize| {
            let values: Vec<f64> = runs.iter().map(|run| run[n]).collect();
            median(&values).unwrap()
        };
        Self {
            first: middle(0),
            again: middle(1),
        }
    }

    /// It as a sentence.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "The first request of a fresh process by TLS takes {} ms of CPU, the same on the connection that stands {} ms, so the handshake {} ms \
             (medians of {RUNS} processes with the product's clients, against a local server whose P-256 certificate is signed by way of an \
             intermediate one). Goal: ≤ 3 ms.",
            figure(self.first),
            figure(self.again),
            figure(self.first - self.again)
        )
    }
}

/// One process; milliseconds of its first and its second request.
fn run(child: &PathBuf, port: u16, root: &Path) -> [f64; 2] {
    assert!(
        child.exists(),
        "{} is not built: run `make bench`",
        child.display()
    );
    let output = Command::new(child)
        .arg(format!("https://localhost:{port}"))
        .arg(root)
        .env_clear()
        .envs([
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ])
        .output()
        .unwrap();
    let failure = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{failure}");
    let said = String::from_utf8(output.stdout).unwrap();
    let mut micros = said.lines().map(|line| line.parse::<f64>().unwrap());
    [(); 2].map(|()| micros.next().unwrap() / 1_000.0)
}

/// A server's certificate, an intermediate one, the PEM of their root, and the server's key.
fn chain() -> (Vec<CertificateDer<'static>>, String, PrivateKeyDer<'static>) {
    let authority = |names: &str| {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = rcgen::DnType::CommonName;
        params.distinguished_name.push(name, names);
        (params, KeyPair::generate().unwrap())
    };
    let ((root, root_key), (between, between_key)) = (authority("root"), authority("between"));
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let issuer = Issuer::from_params(&root, &root_key);
    let intermediate = between.signed_by(&between_key, &issuer).unwrap();
    let issuer = Issuer::from_params(&between, &between_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![leaf.der().clone(), intermediate.der().clone()];
    (chain, root_pem, key)
}

/// Answers every request as `ListTables` without tables.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    let answer = service_fn(async |_| {
        let answer = Response::builder()
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .body(Full::new(Bytes::from_static(b"{\"TableNames\":[]}")));
        Ok::<_, Infallible>(answer.unwrap())
    });
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer),
        );
    }
}
