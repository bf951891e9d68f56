//! Names of hosts, of people and of messages: `agentwarm_net::address`, `agentwarm_core::{email, mail::message_id}`.

use std::net::{IpAddr, Ipv4Addr};

use agentwarm_core::email::EmailAddress;
use agentwarm_core::mail::message_id::{MAX_LENGTH, MessageId, parse_list, slot_of};
use agentwarm_net::address::{Host, Policy, Sink, is_localhost, is_public};

/// Most ids taken of a list.
const MOST_IDS: usize = 5;

/// The bytes are a name, whatever it may be the name of.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    host(text);
    email(text);
    message_id(text);
}

fn host(text: &str) {
    let policy = Policy {
        allow_loopback: false,
    };
    let endpoint = policy.endpoint(Sink::Smtp, text, 587).map(|it| it.host);
    let host = policy.host(text);
    assert_eq!(endpoint, host);
    match host {
        Err(refused) => assert!(!refused.to_string().is_empty()),
        Ok(Host::Address(ip)) => {
            assert!(is_public(ip), "{ip}");
            assert_eq!(policy.host(&ip.to_string()), Ok(Host::Address(ip)));
            assert!(policy.permits(Sink::Smtp, (ip, 587).into()));
            assert!(!policy.permits(Sink::Smtp, (ip, 25).into()));
        }
        Ok(Host::Name(name)) => {
            assert!(
                name.len() <= 253 && name.is_ascii() && !is_localhost(&name),
                "{name:?}"
            );
            assert_eq!(name.to_ascii_lowercase(), name);
            assert!(name.parse::<IpAddr>().is_err(), "{name:?}");
            assert_eq!(lax_address(&name), None, "{name:?} is an address to some");
            assert_eq!(policy.host(&name), Ok(Host::Name(name.clone())));
            assert_eq!(policy.host(&format!("{name}.")), Ok(Host::Name(name)));
        }
    }
}

/// What `inet_aton` makes of a text (POSIX): one to four numbers, each decimal, octal or hexadecimal, the last one for all bytes left.
fn lax_address(text: &str) -> Option<Ipv4Addr> {
    let parts: Option<Vec<u64>> = text.split('.').map(lax_number).collect();
    let parts = parts.filter(|parts| parts.len() <= 4)?;
    let (last, firsts) = parts.split_last()?;
    let mut address = 0_u64;
    for (part, shift) in firsts.iter().zip([24, 16, 8]) {
        address |= Some(*part).filter(|part| *part < 256)? << shift;
    }
    let room = 1_u64 << (8 * (4 - firsts.len()));
    let last = Some(*last).filter(|last| *last < room)?;
    u32::try_from(address | last).ok().map(Ipv4Addr::from_bits)
}

fn lax_number(text: &str) -> Option<u64> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match (hexadecimal, text.strip_prefix('0')) {
        (Some(""), _) => Some(0),
        (Some(digits), _) => u64::from_str_radix(digits, 16).ok(),
        (None, Some(digits)) if !digits.is_empty() => u64::from_str_radix(digits, 8).ok(),
        (None, _) => text.parse().ok(),
    }
}

fn email(text: &str) {
    let Ok(address) = text.parse::<EmailAddress>() else {
        return;
    };
    let folded = address.as_str();
    assert!(folded.is_ascii() && folded.len() <= 254);
    assert_eq!(folded, text.to_ascii_lowercase());
    assert_eq!(folded.parse::<EmailAddress>(), Ok(address.clone()));
    assert_eq!(
        format!("{}@{}", address.local_part(), address.domain()),
        folded
    );
    // Nothing in it can end an SMTP command, a header or a word of either (RFC 5321 §4.1.1, RFC 5322 §3.2.3).
    let syntax = |c: char| c.is_ascii_whitespace() || c.is_control() || "<>\"(),:;\\[]".contains(c);
    assert!(!folded.contains(syntax), "{folded:?}");
}

fn message_id(text: &str) {
    if let Ok(id) = text.parse::<MessageId>() {
        let known = id.as_str();
        assert!(known.len() <= MAX_LENGTH && known.bytes().all(|b| b.is_ascii_graphic()));
        assert!(!known.contains(['<', '>', '"', '\\']), "{known:?}");
        assert_eq!(known.parse::<MessageId>(), Ok(id.clone()));
        assert_eq!(format!("<{known}>").parse::<MessageId>(), Ok(id.clone()));
        if let Some(slot) = slot_of(known) {
            let simple = slot.as_uuid().simple().to_string();
            assert!(known.to_ascii_lowercase().starts_with(&simple));
        }
    }
    let ids = parse_list(text, MOST_IDS);
    assert!(ids.len() <= MOST_IDS);
    let again: Vec<String> = ids.iter().map(|id| format!("<{}>", id.as_str())).collect();
    assert_eq!(parse_list(&again.join("\r\n "), MOST_IDS), ids);
}
