//! Which endpoints may be connected to.
//!
//! Two checks with one policy. [`Policy::endpoint`] judges what a user typed, so that a mistake is reported where it was made.
//! [`Policy::permits`] judges an address at the moment of connecting, because a name may resolve to anything, and to something else
//! than a minute ago. Only the second one protects; the first one is courtesy.
//!
//! IPv4 is a list of what is forbidden (IANA IPv4 Special-Purpose Address Registry, RFC 6890); IPv6 is a list of what is allowed,
//! because all of it that is routed lies in `2000::/3` (IANA IPv6 Address Space) and the rest holds the many ways to wrap an IPv4
//! address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a connection is for. Each has its own ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// Reading mail: 143 (STARTTLS) and 993 (RFC 8314 §3.2).
    Imap,
    /// Submitting mail: 465, 587 (RFC 8314 §3.3) and 2525, which providers offer where 587 is filtered.
    Smtp,
}

impl Sink {
    /// The ports that may be connected to.
    pub const fn ports(self) -> &'static [u16] {
        match self {
            Self::Imap => &[143, 993],
            Self::Smtp => &[465, 587, 2525],
        }
    }
}

/// Where connections may go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy {
    /// The explicit switch of local development: loopback addresses may be connected to, on any port. In Lambda loopback is the
    /// runtime's own API, so it is off there.
    pub allow_loopback: bool,
}

/// A host as a user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name for the DNS, lower case, without trailing dot.
    Name(String),
    /// An address literal.
    Address(IpAddr),
}

/// An endpoint that looks like one we may connect to. Its addresses are judged when it is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What for.
    pub sink: Sink,
    /// Which host.
    pub host: Host,
    /// Which port.
    pub port: u16,
}

/// Why an endpoint is not taken. The texts are for the user who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointRefused {
    /// Not a host name of the public DNS, and not an address.
    #[error("must be a full host name such as mail.example.com, or an IP address")]
    Host,
    /// An address literal that is not public.
    #[error("must be a public address")]
    Address,
    /// Port 25 for submission.
    #[error("must be 465, 587 or 2525: AWS Lambda blocks outbound port 25")]
    Port25,
    /// Another port than those of the sink.
    #[error("must be {}", Ports(.0.ports()))]
    Port(Sink),
}

struct Ports(&'static [u16]);

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, port) in self.0.iter().enumerate() {
            let glue = match i {
                0 => "",
                _ if i + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{glue}{port}")?;
        }
        Ok(())
    }
}

impl Policy {
    /// Judges what a user typed, host and port.
    pub fn endpoint(self, sink: Sink, host: &str, port: u16) -> Result<Endpoint, EndpointRefused> {
        let host = self.host(host)?;
        self.port(sink, port)?;
        Ok(Endpoint { sink, host, port })
    }

    /// Judges an address at the moment of connecting to it.
    pub fn permits(self, sink: Sink, to: SocketAddr) -> bool {
        if to.ip().is_loopback() {
            return self.allow_loopback;
        }
        sink.ports().contains(&to.port()) && is_public(to.ip())
    }

    /// Judges a port. With loopback allowed any may be meant for it.
    pub fn port(self, sink: Sink, port: u16) -> Result<(), EndpointRefused> {
        match port {
            0 => Err(EndpointRefused::Port(sink)),
            _ if self.allow_loopback || sink.ports().contains(&port) => Ok(()),
            25 if sink == Sink::Smtp => Err(EndpointRefused::Port25),
            _ => Err(EndpointRefused::Port(sink)),
        }
    }

    /// Judges a host's form, and its address if it is one.
    pub fn host(self, text: &str) -> Result<Host, EndpointRefused> {
        let bare = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            let permitted = is_public(ip) || (self.allow_loopback && ip.is_loopback());
            return permitted
                .then_some(Host::Address(ip))
                .ok_or(EndpointRefused::Address);
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let local = self.allow_loopback && is_localhost(&name);
        (local || is_public_name(&name))
            .then_some(Host::Name(name))
            .ok_or(EndpointRefused::Host)
    }
}

/// Whether a name means this machine (RFC 6761 §6.3).
pub fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// A host name of at least two labels (RFC 1123 §2.1) whose last one is not a number: `127.1`, `0x7f.1` and `2130706433` are
/// addresses to some resolvers (WHATWG URL §3.5 "ends in a number").
fn is_public_name(name: &str) -> bool {
    let labels_fit = name.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    let last = name.rsplit('.').next().unwrap_or_default();
    let ends_in_number = last.starts_with("0x") || last.bytes().all(|b| b.is_ascii_digit());
    name.len() <= 253 && name.contains('.') && labels_fit && !ends_in_number && !is_localhost(name)
}

/// Whether an address belongs to the public Internet and to one host of it.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !V4_SPECIAL.iter().any(|net| net.contains(ip)),
        IpAddr::V6(ip) => V6_ROUTED.contains(ip) && !V6_SPECIAL.iter().any(|net| net.contains(ip)),
    }
}

struct Net4(Ipv4Addr, u32);

impl Net4 {
    fn contains(&self, ip: Ipv4Addr) -> bool {
        (ip.to_bits() ^ self.0.to_bits()) >> (32 - self.1) == 0
    }
}

struct Net6(Ipv6Addr, u32);

impl Net6 {
    fn contains(&self, ip: Ipv6Addr) -> bool {
        (ip.to_bits() ^ self.0.to_bits()) >> (128 - self.1) == 0
    }
}

/// IPv4 that is not somebody's public host (IANA IPv4 Special-Purpose Address Registry; multicast RFC 5771).
const V4_SPECIAL: [Net4; 16] = [
    Net4(Ipv4Addr::UNSPECIFIED, 8),           // this network
    Net4(Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    Net4(Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT
    Net4(Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback: in Lambda the runtime's API
    Net4(Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local: instance metadata, Lambda's runtime API
    Net4(Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    Net4(Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    Net4(Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    Net4(Ipv4Addr::new(192, 52, 193, 0), 24), // AMT relays
    Net4(Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays
    Net4(Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    Net4(Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarking
    Net4(Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    Net4(Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    Net4(Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    Net4(Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast
];

/// All of IPv6 that is routed. Outside lie loopback, unspecified, v4-mapped, NAT64, unique local, link-local, multicast.
const V6_ROUTED: Net6 = Net6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Inside it, what is not somebody's public host (IANA IPv6 Special-Purpose Address Registry).
const V6_SPECIAL: [Net6; 4] = [
    Net6(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarking, ORCHID
    Net6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    Net6(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: any IPv4 address in other clothes
    Net6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Policy = Policy {
        allow_loopback: false,
    };
    const LOCAL: Policy = Policy {
        allow_loopback: true,
    };

    #[test]
    fn only_public_addresses_are_public() {
        for (ip, public) in [
            ("8.8.8.8", true),
            ("1.0.0.1", true),
            ("100.63.255.255", true),
            ("100.128.0.1", true),
            ("172.15.255.255", true),
            ("172.32.0.1", true),
            ("192.0.1.1", true),
            ("198.17.255.255", true),
            ("198.20.0.1", true),
            ("223.255.255.255", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.255.255", false),
            ("169.254.100.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.170", false),
            ("192.0.2.1", false),
            ("192.52.193.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.7", false),
            ("203.0.113.7", false),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2001:4860:4860::8888", true),
            ("2606:4700:4700::1111", true),
            ("2a00:1450:4001:80b::200e", true),
            ("2001:200::1", true),
            ("::", false),
            ("::1", false),
            ("::ffff:8.8.8.8", false),
            ("::ffff:127.0.0.1", false),
            ("::8.8.8.8", false),
            ("64:ff9b::8.8.8.8", false),
            ("64:ff9b:1::1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:2::1", false),
            ("2001:10::1", false),
            ("2001:20::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::1", false),
            ("3fff::1", false),
            ("3fff:fff::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
        }
    }

    #[test]
    fn ports_are_those_of_the_sink() {
        let public: IpAddr = "8.8.8.8".parse().unwrap();
        for (sink, port, permitted) in [
            (Sink::Imap, 143, true),
            (Sink::Imap, 993, true),
            (Sink::Imap, 587, false),
            (Sink::Imap, 9001, false),
            (Sink::Smtp, 465, true),
            (Sink::Smtp, 587, true),
            (Sink::Smtp, 2525, true),
            (Sink::Smtp, 25, false),
            (Sink::Smtp, 0, false),
        ] {
            for policy in [PUBLIC, LOCAL] {
                assert_eq!(
                    policy.permits(sink, (public, port).into()),
                    permitted,
                    "{sink:?} {port}"
                );
            }
            let named = PUBLIC.endpoint(sink, "mail.example.com", port);
            assert_eq!(named.is_ok(), permitted, "{sink:?} {port}");
        }
    }

    #[test]
    fn the_local_switch_opens_loopback_on_any_port_and_nothing_else() {
        for ip in ["127.0.0.1", "127.9.9.9", "::1"] {
            let to = SocketAddr::new(ip.parse().unwrap(), 1587);
            assert!(LOCAL.permits(Sink::Smtp, to), "{ip}");
            assert!(!PUBLIC.permits(Sink::Smtp, to), "{ip}");
        }
        for ip in [
            "10.0.0.1",
            "169.254.169.254",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "fd00::1",
        ] {
            let to = SocketAddr::new(ip.parse().unwrap(), 587);
            assert!(!LOCAL.permits(Sink::Smtp, to), "{ip}");
        }
        assert!(LOCAL.endpoint(Sink::Imap, "localhost", 1993).is_ok());
        assert!(LOCAL.endpoint(Sink::Imap, "mail.localhost", 1993).is_ok());
        assert!(PUBLIC.endpoint(Sink::Imap, "localhost", 993).is_err());
        assert!(PUBLIC.endpoint(Sink::Imap, "mail.localhost", 993).is_err());
        assert!(LOCAL.endpoint(Sink::Imap, "mail.localhost", 0).is_err());
    }

    #[test]
    fn hosts_are_names_of_the_dns_or_public_addresses() {
        let parsed = |host| PUBLIC.endpoint(Sink::Imap, host, 993).map(|e| e.host);
        assert_eq!(
            parsed("IMAP.Example.com."),
            Ok(Host::Name("imap.example.com".into()))
        );
        assert_eq!(
            parsed("[2606:4700::1]"),
            Ok(Host::Address("2606:4700::1".parse().unwrap()))
        );
        assert_eq!(parsed("10.1.2.3"), Err(EndpointRefused::Address));
        assert_eq!(parsed("[::1]"), Err(EndpointRefused::Address));
        for host in [
            "",
            ".",
            "mail",
            "127.1",
            "0x7f.1",
            "2130706433",
            "017700000001.0x1",
            "mail.example.com:993",
            "mail example.com",
            "mail.example.com\r\n",
            "user@mail.example.com",
            "mail..example.com",
            "-a.example.com",
            "bücher.example",
            "http://mail.example.com",
            "::1%lo",
        ] {
            assert_eq!(parsed(host), Err(EndpointRefused::Host), "{host:?}");
        }
    }

    #[test]
    fn refusals_say_what_would_do() {
        let refused = |sink, port| {
            PUBLIC
                .endpoint(sink, "mail.example.com", port)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refused(Sink::Smtp, 25),
            "must be 465, 587 or 2525: AWS Lambda blocks outbound port 25"
        );
        assert_eq!(refused(Sink::Smtp, 26), "must be 465, 587 or 2525");
        assert_eq!(refused(Sink::Imap, 110), "must be 143 or 993");
    }
}
