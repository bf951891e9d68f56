//! A scripted mail server: what it says and expects to hear, over TLS from a CA of the tests' own.
//!
//! [`Server`] serves one connection, whose script must come to its end; [`Service`] serves any number, each by a script of its own, and
//! does not mind how they end.

use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::ports::mail::{
    ConnectFailure, ImapSmtpCredentials, MailReader, MailSender, OutgoingMail, ReadSession,
    SendSession, TlsMode,
};
use agentwarm_mail::{ImapSmtp, MailConfig, TimeLimits};
use base64::Engine as _;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Base64, as SASL has it.
pub fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The names of this host.
const LOOPBACK: [&str; 2] = ["localhost", "127.0.0.1"];

/// What must never be logged.
pub const PASSWORD: &str = "canary-pässword";

/// A CA and a server certificate of it.
pub struct Pki {
    /// The CA's certificate.
    pub ca_pem: String,
    acceptor: TlsAcceptor,
}

impl Default for Pki {
    fn default() -> Self {
        Self::new()
    }
}

impl Pki {
    /// A CA that vouches for these names.
    pub fn for_names(names: &[&str]) -> Self {
        Self::with(names, |_leaf| {})
    }

    /// A CA that vouched for this host until 2021.
    pub fn expired() -> Self {
        Self::with(&LOOPBACK, |leaf| {
            leaf.not_before = date_time_ymd(2020, 1, 1);
            leaf.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// A certificate of a CA that is not the one to trust.
    pub fn unknown() -> Self {
        Self {
            ca_pem: Self::new().ca_pem,
            ..Self::new()
        }
    }

    /// A certificate that vouches for itself.
    pub fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        let leaf = params(&LOOPBACK).self_signed(&key).unwrap();
        Self::serving(&leaf, &key, Self::new().ca_pem)
    }

    fn with(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(vec![]).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
        let issuer = Issuer::from_params(&ca, &ca_key);
        let key = KeyPair::generate().unwrap();
        let mut leaf = params(names);
        change(&mut leaf);
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        Self::serving(&leaf, &key, ca_pem)
    }

    fn serving(leaf: &Certificate, key: &KeyPair, ca_pem: String) -> Self {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        Self {
            ca_pem,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// A CA that vouches for this host.
    pub fn new() -> Self {
        Self::for_names(&LOOPBACK)
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// The server's side of one connection.
pub struct Peer {
    stream: BufReader<Box<dyn Stream>>,
    acceptor: TlsAcceptor,
}

impl Peer {
    /// A connection that has just come in, under TLS if that comes first; `None` if there is no handshake.
    async fn welcome(tcp: TcpStream, acceptor: TlsAcceptor, security: TlsMode) -> Option<Self> {
        tcp.set_nodelay(true).unwrap();
        let peer = Self {
            stream: BufReader::new(Box::new(tcp)),
            acceptor,
        };
        match security {
            TlsMode::StartTls => Some(peer),
            TlsMode::Implicit => peer.start_tls().await,
        }
    }

    /// Says it as it is. False when nobody listens any more.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// The next line without its end, or `None` at the end.
    pub async fn hear(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line).await;
        if read.unwrap_or(0) == 0 {
            return None;
        }
        Some(String::from_utf8(line).unwrap().trim_end().to_owned())
    }

    /// Takes whatever comes and says nothing until the other side leaves.
    pub async fn pause(&mut self) {
        let mut bytes = [0; 1024];
        while matches!(self.stream.read(&mut bytes).await, Ok(1..)) {}
    }

    /// Says no more, but listens.
    pub async fn half_close(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Hears a line that begins so, and answers.
    pub async fn on(&mut self, expected: &str, answer: &str) -> String {
        let line = self.hear().await.unwrap_or_default();
        assert!(
            line.starts_with(expected),
            "expected {expected:?}, heard {line:?}"
        );
        self.say(answer).await;
        line
    }

    /// Hears the lines of a message to the final dot.
    pub async fn content(&mut self) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let line = self.hear().await?;
            if line == "." {
                return Some(lines);
            }
            lines.push(line);
        }
    }

    /// Secures the connection.
    pub async fn start_tls(self) -> Option<Self> {
        let acceptor = self.acceptor;
        let secure = acceptor.accept(self.stream).await.ok()?;
        Some(Self {
            stream: BufReader::new(Box::new(secure)),
            acceptor,
        })
    }

    /// Greets, and takes any password.
    pub async fn smtp_login(&mut self, features: &[&str]) {
        self.say("220 mx.one.test ESMTP\r\n").await;
        let offered: Vec<String> = features.iter().map(|f| format!("250-{f}\r\n")).collect();
        let offered = offered.concat();
        let offer = format!("250-mx.one.test\r\n{offered}250 AUTH PLAIN LOGIN XOAUTH2\r\n");
        self.on("EHLO [127.0.0.1]", &offer).await;
        self.on("AUTH PLAIN ", "235 2.7.0 in\r\n").await;
    }

    /// Hears exactly these commands, without their tags, and answers with the tag in place of `TAG`.
    pub async fn imap(&mut self, script: &[(&str, &str)]) {
        for (expected, answer) in script {
            let line = self.hear().await.unwrap_or_default();
            let (tag, command) = line.split_once(' ').unwrap_or(("", &line));
            assert_eq!(command, *expected);
            self.say(answer.replace("TAG", tag)).await;
        }
    }

    /// Greets, and takes any password; then the client knows these capabilities.
    pub async fn imap_login(&mut self, capabilities: &str) {
        self.say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\r\n")
            .await;
        let line = self.hear().await.unwrap();
        let (tag, command) = line.split_once(' ').unwrap();
        assert!(command.starts_with("AUTHENTICATE PLAIN "), "{command}");
        let answer = format!("{tag} OK [CAPABILITY IMAP4rev1 {capabilities}] in\r\n");
        self.say(answer).await;
    }
}

/// A successful SELECT.
pub fn selected(uid_validity: u32, uid_next: u32, exists: u32) -> String {
    format!(
        "* {exists} EXISTS\r\n* OK [UIDVALIDITY {uid_validity}] v\r\n* OK [UIDNEXT {uid_next}] n\r\nTAG OK [READ-WRITE] done\r\n"
    )
}

/// The headers of one message, as fetched.
pub fn fetched(uid: u32, header: &str) -> String {
    let header = header.replace('\n', "\r\n") + "\r\n";
    format!(
        "* 1 FETCH (UID {uid} BODY[HEADER.FIELDS (X)]<0> {{{}}}\r\n{header})\r\n",
        header.len()
    )
}

/// The command that fetches headers.
pub fn fetch_headers(uids: &str) -> String {
    format!(
        "UID FETCH {uids} (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID CONTENT-TYPE FROM RETURN-PATH X-FAILED-RECIPIENTS X-AW-Token)]<0.8192>)"
    )
}

/// The command that fetches Message-IDs alone.
pub fn fetch_message_ids(uids: &str) -> String {
    format!("UID FETCH {uids} (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]<0.2048>)")
}

/// What happens on one connection.
pub type Script = Box<dyn FnOnce(Peer) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What a connection's server does.
pub fn script<F, R>(run: F) -> Script
where
    F: FnOnce(Peer) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    Box::new(move |peer| Box::pin(run(peer)))
}

/// A server for one connection.
pub struct Server {
    /// Where it listens on loopback.
    pub port: u16,
    /// The CA to trust.
    pub ca_pem: String,
    security: TlsMode,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves one connection with TLS as said.
    pub async fn start(pki: Pki, security: TlsMode, script: Script) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let Pki { ca_pem, acceptor } = pki;
        let task = tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            if let Some(peer) = Peer::welcome(tcp, acceptor, security).await {
                script(peer).await;
            }
        });
        Self {
            port,
            ca_pem,
            security,
            task,
        }
    }

    /// Serves one connection under TLS from the first byte, with a certificate that is right.
    pub async fn secure<F, R>(run: F) -> Self
    where
        F: FnOnce(Peer) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::start(Pki::new(), TlsMode::Implicit, script(run)).await
    }

    /// Serves one connection that begins in plain text.
    pub async fn plain<F, R>(run: F) -> Self
    where
        F: FnOnce(Peer) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::start(Pki::new(), TlsMode::StartTls, script(run)).await
    }

    /// The server's script ran to its end and found what it expected.
    pub async fn ended(self) {
        let ended = tokio::time::timeout(Duration::from_mins(1), self.task).await;
        ended.expect("the server's script hangs").unwrap();
    }

    /// The product's own clients, trusting this server.
    pub fn mailboxes(&self, time: TimeLimits) -> ImapSmtp {
        ImapSmtp::new(MailConfig {
            allow_loopback: true,
            private_ca_pem: Some(self.ca_pem.clone()),
            time,
            ..MailConfig::default()
        })
        .unwrap()
    }

    /// How to log in here.
    pub fn credentials(&self) -> ImapSmtpCredentials {
        ImapSmtpCredentials {
            imap_host: "localhost".into(),
            imap_port: self.port,
            smtp_host: "localhost".into(),
            smtp_port: self.port,
            username: "ada@one.test".into(),
            password: PASSWORD.into(),
            imap_security: Some(self.security),
            smtp_security: Some(self.security),
            oauth: false,
        }
    }

    /// A session by SMTP.
    pub async fn sender(&self) -> Result<Box<dyn SendSession>, ConnectFailure> {
        MailSender::connect(&self.mailboxes(PATIENT), &self.credentials()).await
    }

    /// A session by IMAP.
    pub async fn reader(&self) -> Result<Box<dyn ReadSession>, ConnectFailure> {
        MailReader::connect(&self.mailboxes(PATIENT), &self.credentials()).await
    }
}

/// A server for any number of connections; gone when dropped.
pub struct Service {
    /// Where it listens on loopback.
    pub port: u16,
    task: JoinHandle<()>,
}

impl Service {
    /// Runs the script that `script` makes on each connection.
    pub async fn start(
        pki: &Pki,
        security: TlsMode,
        script: impl Fn() -> Script + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = pki.acceptor.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, script) = (acceptor.clone(), script());
                connections.spawn(async move {
                    if let Some(peer) = Peer::welcome(tcp, acceptor, security).await {
                        script(peer).await;
                    }
                });
            }
        });
        Self { port, task }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Longer than any test takes.
pub const PATIENT: TimeLimits = TimeLimits {
    connect: Duration::from_secs(20),
    answer: Duration::from_secs(20),
    acceptance: Duration::from_secs(20),
    session: Duration::from_mins(1),
};

/// Short enough to wait for a server that does not answer.
pub const HASTY: TimeLimits = TimeLimits {
    answer: Duration::from_secs(1),
    acceptance: Duration::from_secs(1),
    ..PATIENT
};

/// A mail like any other.
pub fn mail() -> OutgoingMail {
    OutgoingMail {
        from: ("Ada".into(), "ada@one.test".parse().unwrap()),
        to: ("Bob".into(), "bob@two.test".parse().unwrap()),
        subject: "Lunch".into(),
        text: "canary-body\n.\n.dot\n".into(),
        message_id: "slot-7@one.test".into(),
        date: "2026-03-04T05:06:07Z".parse().unwrap(),
        in_reply_to: None,
        references: vec![],
        headers: vec![],
    }
}
