//! A name server on loopback that says what a test wants every name to mean.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;

/// RFC 3596 §2.1.
const AAAA: u8 = 28;

/// What is believed for a minute, as most answers are.
const STEADY: u8 = 60;

/// The name server. It serves until its runtime ends.
pub struct NameServer {
    /// Where it listens, UDP.
    pub at: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    /// One that has these addresses for each name; without any it knows no name.
    pub async fn with(addresses: &[&str]) -> Self {
        Self::serving(vec![parsed(addresses)], STEADY).await
    }

    /// One whose answers flip, with a TTL of zero: the first look-up of a family is told the first answer, the next one the next, and the
    /// last is repeated.
    pub async fn flipping(answers: &[&[&str]]) -> Self {
        Self::serving(answers.iter().map(|one| parsed(one)).collect(), 0).await
    }

    /// How many queries came, of either family.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn serving(answers: Vec<Vec<IpAddr>>, ttl: u8) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            let mut query = [0; 512];
            let mut turns = [0, 0];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                count.fetch_add(1, Ordering::SeqCst);
                let question = question(&query[..length]);
                let turn = &mut turns[usize::from(wants_v6(question))];
                let addresses = answers.get(*turn).or(answers.last()).unwrap();
                *turn += 1;
                let answer = answer(&query[..2], question, addresses, ttl);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self { at, asked }
    }
}

fn parsed(addresses: &[&str]) -> Vec<IpAddr> {
    addresses.iter().map(|ip| ip.parse().unwrap()).collect()
}

/// The question of a query: name, type and class (RFC 1035 §4.1.2).
fn question(query: &[u8]) -> &[u8] {
    let name_ends = 12 + query[12..].iter().position(|b| *b == 0).unwrap() + 1;
    &query[12..name_ends + 4]
}

fn wants_v6(question: &[u8]) -> bool {
    question[question.len() - 3] == AAAA
}

/// The addresses of the type that was asked for (RFC 1035 §4.1.3); NXDOMAIN if there are none of any.
fn answer(id: &[u8], question: &[u8], addresses: &[IpAddr], ttl: u8) -> Vec<u8> {
    let wants_v6 = wants_v6(question);
    let fitting: Vec<&IpAddr> = addresses
        .iter()
        .filter(|ip| ip.is_ipv6() == wants_v6)
        .collect();
    let code = if addresses.is_empty() { 3 } else { 0 };
    let count = u8::try_from(fitting.len()).unwrap();
    let mut answer = id.to_vec();
    answer.extend([0x84, code, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend(question);
    for ip in fitting {
        let bytes = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let kind = if wants_v6 { AAAA } else { 1 };
        let length = u8::try_from(bytes.len()).unwrap();
        answer.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, ttl, 0, length]);
        answer.extend(bytes);
    }
    answer
}
