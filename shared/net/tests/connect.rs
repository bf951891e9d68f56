//! The connector on real sockets, with a name server of the tests' own: what a name resolves to decides nothing until it is judged.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agentwarm_net::address::{Policy, Sink};
use agentwarm_net::connect::{ConnectError, Connector};
use agentwarm_net::resolve::Resolver;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::time::Instant;

const PUBLIC: Policy = Policy {
    allow_loopback: false,
};
const LOCAL: Policy = Policy {
    allow_loopback: true,
};

/// A name server that has these addresses for each name, or knows none at all.
struct NameServer {
    at: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    async fn with(addresses: &[&str]) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = socket.local_addr().unwrap();
        let addresses: Vec<IpAddr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answer(&query[..length], &addresses);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self { at, asked }
    }

    fn connector(&self, policy: Policy) -> Connector {
        let resolver = Resolver::new(Some(self.at), policy.allow_loopback).unwrap();
        Connector::new(resolver, policy)
    }
}

/// An answer with the addresses of the type that was asked for (RFC 1035 §4); NXDOMAIN if there are none of any.
fn answer(query: &[u8], addresses: &[IpAddr]) -> Vec<u8> {
    let name_ends = 12 + query[12..].iter().position(|b| *b == 0).unwrap() + 1;
    let question = &query[12..name_ends + 4];
    let wants_v6 = question[question.len() - 3] == 28;
    let fitting: Vec<&IpAddr> = addresses
        .iter()
        .filter(|ip| ip.is_ipv6() == wants_v6)
        .collect();
    let code = if addresses.is_empty() { 3 } else { 0 };
    let count = u8::try_from(fitting.len()).unwrap();
    let mut answer = query[..2].to_vec();
    answer.extend([0x84, code, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend(question);
    for ip in fitting {
        let bytes = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let (kind, length) = (
            if wants_v6 { 28 } else { 1 },
            u8::try_from(bytes.len()).unwrap(),
        );
        answer.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, length]);
        answer.extend(bytes);
    }
    answer
}

async fn connect(connector: &Connector, host: &str, port: u16) -> Result<SocketAddr, ConnectError> {
    let endpoint = connector.policy().endpoint(Sink::Imap, host, port).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let stream = connector.connect(&endpoint, deadline).await?;
    Ok(stream.peer_addr().unwrap())
}

#[tokio::test]
async fn a_name_for_a_forbidden_address_is_not_connected_to() {
    for ip in [
        "169.254.169.254",
        "127.0.0.1",
        "10.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "fd00::1",
        "64:ff9b::a00:1",
    ] {
        let dns = NameServer::with(&[ip]).await;
        let refused = connect(&dns.connector(PUBLIC), "rebound.example.com", 993).await;
        assert!(
            matches!(refused, Err(ConnectError::Forbidden)),
            "{ip}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn the_permitted_one_of_several_addresses_is_connected_to() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let dns = NameServer::with(&["10.0.0.1", "127.0.0.1", "fe80::1"]).await;
    let connector = dns.connector(LOCAL);
    let connected = connect(&connector, "imap.example.com", at.port()).await;
    assert_eq!(connected.unwrap(), at);
    // One look-up of each family: nothing is looked up again between judging and connecting.
    assert_eq!(dns.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn local_names_and_literals_need_no_name_server() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let dns = NameServer::with(&["192.0.2.1"]).await;
    for host in ["localhost", "mail.localhost", "127.0.0.1"] {
        let connected = connect(&dns.connector(LOCAL), host, at.port()).await;
        assert_eq!(connected.unwrap(), at, "{host}");
    }
    assert_eq!(dns.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_is_not_found_is_asked_for_once_and_as_it_is() {
    let dns = NameServer::with(&[]).await;
    let refused = connect(&dns.connector(PUBLIC), "nowhere.example.com", 993).await;
    assert!(matches!(refused, Err(ConnectError::Name(_))), "{refused:?}");
    assert_eq!(
        dns.asked.load(Ordering::SeqCst),
        2,
        "no search domains are tried"
    );
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_unreachable() {
    // Bound and not listening, so that nobody else can take it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let free = socket.local_addr().unwrap().port();
    let dns = NameServer::with(&[]).await;
    let refused = connect(&dns.connector(LOCAL), "127.0.0.1", free).await;
    assert!(
        matches!(refused, Err(ConnectError::Unreachable(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_silent_name_server_costs_no_more_than_the_deadline() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let resolver = Resolver::new(Some(silent.local_addr().unwrap()), false).unwrap();
    let connector = Connector::new(resolver, PUBLIC);
    let endpoint = PUBLIC
        .endpoint(Sink::Imap, "imap.example.com", 993)
        .unwrap();
    let begin = Instant::now();
    let refused = connector
        .connect(&endpoint, begin + Duration::from_millis(200))
        .await;
    assert!(matches!(refused, Err(ConnectError::Timeout)), "{refused:?}");
}
