//! Names to addresses, by the DNS alone.
//!
//! The hosts file and search domains are left out: a name that a user typed means what the public DNS says, or nothing. What is found
//! is not judged here; that is the connector's work, at the moment of connecting.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;

use crate::address::is_localhost;

/// How long one query may take. hickory's default is 5 s with two attempts, more than a whole mailbox has in a request (decision 15).
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

/// An answer is believed for at most this long, however long its TTL: a process may live for hours.
const LONGEST_TTL: Duration = Duration::from_mins(5);

/// How many answers are kept.
const CACHED_ANSWERS: u64 = 512;

/// Looks up addresses.
#[derive(Clone)]
pub struct Resolver {
    dns: TokioResolver,
    local_names: bool,
}

/// The resolver cannot be made: the system's configuration names no server, or cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the DNS resolver cannot be configured")]
pub struct ResolverUnavailable(#[source] NetError);

/// A name has no address, for all we could learn.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub struct NoAddress(#[source] Option<NetError>);

impl Resolver {
    /// A resolver that asks `name_server` or else those of the system. With `local_names`, `localhost` and the names below it mean this
    /// machine.
    pub fn new(
        name_server: Option<SocketAddr>,
        local_names: bool,
    ) -> Result<Self, ResolverUnavailable> {
        let mut builder = match name_server {
            Some(at) => TokioResolver::builder_with_config(
                ResolverConfig::from_name_servers(vec![server(at)]),
                TokioRuntimeProvider::default(),
            ),
            None => TokioResolver::builder_tokio().map_err(ResolverUnavailable)?,
        };
        configure(builder.options_mut());
        let dns = builder.build().map_err(ResolverUnavailable)?;
        Ok(Self { dns, local_names })
    }

    /// All addresses of a name, IPv6 and IPv4, in the DNS's order.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NoAddress> {
        if self.local_names && is_localhost(name) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let mut absolute = Name::from_ascii(name).map_err(|e| NoAddress(Some(e.into())))?;
        absolute.set_fqdn(true);
        let found = self.dns.lookup_ip(absolute).await;
        let found: Vec<IpAddr> = found.map_err(|e| NoAddress(Some(e)))?.iter().collect();
        if found.is_empty() {
            return Err(NoAddress(None));
        }
        Ok(found)
    }
}

fn server(at: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(at.ip());
    for connection in &mut server.connections {
        connection.port = at.port();
    }
    server
}

fn configure(options: &mut ResolverOpts) {
    options.timeout = QUERY_TIMEOUT;
    options.attempts = 1;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = CACHED_ANSWERS;
    options.positive_max_ttl = Some(LONGEST_TTL);
    options.negative_max_ttl = Some(LONGEST_TTL);
}
