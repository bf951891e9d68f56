//! The connector on real sockets, with a name server of the tests' own: what a name resolves to decides nothing until it is judged.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use agentwarm_net::address::{Policy, Sink};
use agentwarm_net::connect::{ConnectError, Connector};
use agentwarm_net::resolve::Resolver;
use agentwarm_testkit::dns::NameServer;
use agentwarm_testkit::hosts;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::time::Instant;

const PUBLIC: Policy = Policy {
    allow_loopback: false,
};
const LOCAL: Policy = Policy {
    allow_loopback: true,
};

/// Every purpose that there is a connection for. The API's side of the list is in `tests/tests/api/http/ssrf.rs`.
const SINKS: [Sink; 2] = [Sink::Imap, Sink::Smtp];

fn connector(dns: &NameServer, policy: Policy) -> Connector {
    let resolver = Resolver::new(Some(dns.at), policy.allow_loopback).unwrap();
    Connector::new(resolver, policy)
}

async fn connect(connector: &Connector, host: &str, port: u16) -> Result<SocketAddr, ConnectError> {
    connect_for(Sink::Imap, connector, host, port).await
}

async fn connect_for(
    sink: Sink,
    connector: &Connector,
    host: &str,
    port: u16,
) -> Result<SocketAddr, ConnectError> {
    let endpoint = connector.policy().endpoint(sink, host, port).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let stream = connector.connect(&endpoint, deadline).await?;
    Ok(stream.peer_addr().unwrap())
}

#[test]
fn no_spelling_of_a_forbidden_host_passes_and_good_hosts_do() {
    for sink in SINKS {
        let port = sink.ports()[0];
        for host in hosts::forbidden() {
            assert!(
                PUBLIC.endpoint(sink, &host, port).is_err(),
                "{sink:?} {host:?}"
            );
        }
        for host in hosts::GOOD {
            let taken = PUBLIC.endpoint(sink, host, port);
            assert!(taken.is_ok(), "{sink:?} {host:?}: {taken:?}");
        }
    }
}

#[test]
fn no_port_but_those_of_the_sink_passes() {
    for sink in SINKS {
        let passing = (0..=u16::MAX).filter(|port| PUBLIC.port(sink, *port).is_ok());
        assert_eq!(passing.collect::<Vec<_>>(), sink.ports(), "{sink:?}");
    }
}

#[tokio::test]
async fn a_name_for_a_forbidden_address_is_not_connected_to() {
    for (name, ip) in hosts::REBINDING {
        for sink in SINKS {
            let dns = NameServer::with(&[ip]).await;
            let connector = connector(&dns, PUBLIC);
            let refused = connect_for(sink, &connector, name, sink.ports()[0]).await;
            assert!(
                matches!(refused, Err(ConnectError::Forbidden)),
                "{sink:?} {name} for {ip}: {refused:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_name_for_forbidden_addresses_only_is_not_connected_to_however_many_it_has() {
    let addresses = hosts::FORBIDDEN_V4.map(|ip| ip.to_string());
    let mut addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    addresses.extend(["::1", "fe80::1", "fd00::1"]);
    let dns = NameServer::with(&addresses).await;
    let refused = connect(&connector(&dns, PUBLIC), "many.example.com", 993).await;
    assert!(
        matches!(refused, Err(ConnectError::Forbidden)),
        "{refused:?}"
    );
}

/// DNS rebinding: whatever the name means later, the address that was judged is the one that is connected to.
#[tokio::test]
async fn a_name_whose_addresses_flip_is_judged_at_each_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    for (answers, outcomes) in [
        ([&["127.0.0.1"], &["10.0.0.1"]], [true, false]),
        ([&["10.0.0.1"], &["127.0.0.1"]], [false, true]),
    ] {
        let dns = NameServer::flipping(&[answers[0], answers[1]]).await;
        let connector = connector(&dns, LOCAL);
        for (turn, connects) in outcomes.into_iter().enumerate() {
            let connected = connect(&connector, "flipping.example.com", at.port()).await;
            match connected {
                Ok(to) => assert!(connects && to == at, "{answers:?}, turn {turn}: {to}"),
                Err(refused) => assert!(
                    !connects && matches!(refused, ConnectError::Forbidden),
                    "{answers:?}, turn {turn}: {refused}"
                ),
            }
            // One look-up of each family for each connection, and none between judging and connecting.
            assert_eq!(dns.asked(), 2 * (turn + 1), "{answers:?}");
        }
    }
}

#[tokio::test]
async fn ipv6_is_connected_to_by_name_and_by_address() {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let dns = NameServer::with(&["fe80::1", "::1"]).await;
    let connector = connector(&dns, LOCAL);
    for host in ["imap.example.com", "::1", "[::1]"] {
        let connected = connect(&connector, host, at.port()).await;
        assert_eq!(connected.unwrap(), at, "{host}");
    }
}

#[tokio::test]
async fn the_permitted_one_of_several_addresses_is_connected_to() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let dns = NameServer::with(&["10.0.0.1", "127.0.0.1", "fe80::1"]).await;
    let connector = connector(&dns, LOCAL);
    let connected = connect(&connector, "imap.example.com", at.port()).await;
    assert_eq!(connected.unwrap(), at);
    // One look-up of each family: nothing is looked up again between judging and connecting.
    assert_eq!(dns.asked(), 2);
}

#[tokio::test]
async fn local_names_and_literals_need_no_name_server() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let dns = NameServer::with(&["192.0.2.1"]).await;
    for host in ["localhost", "mail.localhost", "127.0.0.1"] {
        let connected = connect(&connector(&dns, LOCAL), host, at.port()).await;
        assert_eq!(connected.unwrap(), at, "{host}");
    }
    assert_eq!(dns.asked(), 0);
}

#[tokio::test]
async fn a_name_that_is_not_found_is_asked_for_once_and_as_it_is() {
    let dns = NameServer::with(&[]).await;
    let refused = connect(&connector(&dns, PUBLIC), "nowhere.example.com", 993).await;
    assert!(matches!(refused, Err(ConnectError::Name(_))), "{refused:?}");
    assert_eq!(dns.asked(), 2, "no search domains are tried");
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_unreachable() {
    // Bound and not listening, so that nobody else can take it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let free = socket.local_addr().unwrap().port();
    let dns = NameServer::with(&[]).await;
    let refused = connect(&connector(&dns, LOCAL), "127.0.0.1", free).await;
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
