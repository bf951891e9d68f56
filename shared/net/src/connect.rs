//! Connects to an endpoint that users chose, and to nothing else.
//!
//! The address that was judged is the address that is connected to: there is no second look-up in between, so a name that changes
//! its answer (DNS rebinding) gains nothing. Addresses are tried one after the other, IPv6 and IPv4 in turn (RFC 8305 §4), each for
//! a short time: a Lambda without a VPC has no IPv6 route and learns that at once, and a black hole costs seconds, not the deadline.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::address::{Endpoint, Host, Policy};
use crate::resolve::{NoAddress, Resolver};

/// How long one address may take to answer.
const ATTEMPT: Duration = Duration::from_secs(2);

/// How many addresses are tried.
const ATTEMPTS: usize = 6;

/// Connects under a policy.
#[derive(Clone)]
pub struct Connector {
    resolver: Resolver,
    policy: Policy,
}

/// Why there is no connection. For logs; clients are told one thing for all.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name cannot be resolved.
    #[error(transparent)]
    Name(#[from] NoAddress),
    /// None of its addresses may be connected to.
    #[error("no address of the host may be connected to")]
    Forbidden,
    /// No address took the connection.
    #[error("no address of the host answers")]
    Unreachable(#[source] io::Error),
    /// The deadline passed.
    #[error("connecting took too long")]
    Timeout,
}

impl Connector {
    /// A connector that resolves with `resolver` and connects where `policy` permits.
    pub fn new(resolver: Resolver, policy: Policy) -> Self {
        Self { resolver, policy }
    }

    /// The policy it connects under.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Connects by TCP.
    pub async fn connect(
        &self,
        to: &Endpoint,
        deadline: Instant,
    ) -> Result<TcpStream, ConnectError> {
        let found = match &to.host {
            Host::Address(ip) => vec![*ip],
            Host::Name(name) => timeout_at(deadline, self.resolver.addresses(name))
                .await
                .map_err(|_elapsed| ConnectError::Timeout)??,
        };
        let permitted: Vec<SocketAddr> = alternate(&found)
            .into_iter()
            .map(|ip| SocketAddr::new(ip, to.port))
            .filter(|address| self.policy.permits(to.sink, *address))
            .take(ATTEMPTS)
            .collect();
        first_to_answer(&permitted, deadline).await
    }
}

async fn first_to_answer(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<TcpStream, ConnectError> {
    let mut failure = ConnectError::Forbidden;
    for address in addresses {
        let until = deadline.min(Instant::now() + ATTEMPT);
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Commands are single small writes that wait for an answer; a failure only costs time.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => failure = ConnectError::Unreachable(error),
            Err(_elapsed) => failure = ConnectError::Timeout,
        }
        if Instant::now() >= deadline {
            return Err(ConnectError::Timeout);
        }
    }
    Err(failure)
}

/// Both families in turn, IPv6 first, each in its given order.
fn alternate(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(|ip| ip.is_ipv6());
    let longest = v6.len().max(v4.len());
    (0..longest)
        .flat_map(|i| [v6.get(i), v4.get(i)])
        .flatten()
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let ips = |list: &[&str]| -> Vec<IpAddr> {
            list.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert_eq!(
            alternate(&ips(&[
                "1.1.1.1", "2.2.2.2", "2a00::1", "3.3.3.3", "2a00::2"
            ])),
            ips(&["2a00::1", "1.1.1.1", "2a00::2", "2.2.2.2", "3.3.3.3"])
        );
        assert_eq!(alternate(&[]), ips(&[]));
    }
}
