//! How hosts are written by those who want us to connect where we must not, and by everybody else.

use std::net::Ipv4Addr;

/// Addresses that each stand for a kind of forbidden one. [`spellings_of`] writes them in every way.
pub const FORBIDDEN_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::LOCALHOST,
    // Clouds' instance metadata.
    Ipv4Addr::new(169, 254, 169, 254),
    // The runtime's own API in Lambda.
    Ipv4Addr::new(169, 254, 100, 1),
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(172, 16, 200, 9),
    Ipv4Addr::new(192, 168, 1, 1),
];

/// Every spelling that is to be refused as it stands, before the DNS is asked.
pub fn forbidden() -> Vec<String> {
    let of_addresses = FORBIDDEN_V4.into_iter().flat_map(spellings_of);
    let others = [LOCAL_NAMES, V4_RANGES, V6, NO_HOSTS].concat();
    of_addresses
        .chain(others.into_iter().map(str::to_owned))
        .collect()
}

/// One address as parsers, resolvers and translators of some kind or other read it.
pub fn spellings_of(ip: Ipv4Addr) -> Vec<String> {
    [in_ipv4(ip), in_ipv6(ip), in_urls(ip), in_disguise(ip)].concat()
}

/// As `inet_aton` takes it: decimal, octal, hex, short, mixed, overflowing.
fn in_ipv4(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let whole = ip.to_bits();
    let (last_two, last_three) = (whole & 0xffff, whole & 0x00ff_ffff);
    vec![
        format!("{ip}"),
        format!("{ip}."),
        format!("{ip}.."),
        format!("{whole}"),
        format!("{whole:#x}"),
        format!("0X{whole:X}"),
        format!("0{whole:o}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:04}.{b:04}.{c:04}.{d:04}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("{a:#x}.{b}.0{c:o}.{d}"),
        format!("{a}.{b}.{last_two}"),
        format!("{a}.{last_three}"),
        format!("{}", u64::from(whole) + (1 << 32)),
        format!("{}.{b}.{c}.{d}", u32::from(a) + 256),
    ]
}

/// As IPv6 wraps it: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP; each with and without brackets.
fn in_ipv6(ip: Ipv4Addr) -> Vec<String> {
    let (high, low) = (ip.to_bits() >> 16, ip.to_bits() & 0xffff);
    let (no_high, no_low) = (high ^ 0xffff, low ^ 0xffff);
    let bare = [
        format!("::ffff:{ip}"),
        format!("::ffff:{high:x}:{low:x}"),
        format!("0:0:0:0:0:ffff:{high:x}:{low:x}"),
        format!("0000:0000:0000:0000:0000:FFFF:{ip}"),
        format!("::{ip}"),
        format!("::{high:x}:{low:x}"),
        format!("::ffff:0:{ip}"),
        format!("64:ff9b::{ip}"),
        format!("64:ff9b:1::{ip}"),
        format!("2002:{high:x}:{low:x}::1"),
        format!("2001:0:{high:x}:{low:x}:0:0:{no_high:x}:{no_low:x}"),
        format!("fe80::5efe:{ip}"),
        format!("::ffff:{ip}%lo"),
    ];
    let bracketed = bare.clone().map(|text| format!("[{text}]"));
    bare.into_iter().chain(bracketed).collect()
}

/// With something of a URL.
fn in_urls(ip: Ipv4Addr) -> Vec<String> {
    let percent: Vec<String> = ip
        .to_string()
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    vec![
        format!("{ip}:993"),
        format!("[{ip}]:993"),
        format!("mail.example.com@{ip}"),
        format!("http://{ip}/"),
        format!("//{ip}"),
        format!("{ip}/.example.com"),
        format!("{ip}#.example.com"),
        format!("{ip}?.example.com"),
        format!("{ip}\\.example.com"),
        percent.concat(),
    ]
}

/// With what some parsers strip or end at, and in what compatibility mappings (UTS 46) turn into it.
fn in_disguise(ip: Ipv4Addr) -> Vec<String> {
    let dotted = ip.to_string();
    vec![
        format!(" {ip}"),
        format!("{ip}\t"),
        format!("{ip}\r\n"),
        format!("{ip}\0.example.com"),
        format!("{ip},mail.example.com"),
        format!("[{ip}"),
        dotted.chars().map(full_width).collect(),
        dotted.replace('.', "。"),
        dotted.replace('.', "\u{ad}."),
        format!("\u{200b}{ip}"),
    ]
}

fn full_width(c: char) -> char {
    let digit = c.to_digit(10);
    let wide = digit.and_then(|digit| char::from_u32(u32::from('０') + digit));
    wide.unwrap_or(c)
}

/// Names of this machine and of neighbours.
const LOCAL_NAMES: &[&str] = &[
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost..",
    "mail.localhost",
    "mail.LocalHost.",
    "ｌｏｃａｌｈｏｓｔ",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "local\u{ad}host",
    "loc\u{430}lhost",
    "ip6-localhost",
    "ip6-loopback",
    "metadata",
    "instance-data",
    "kubernetes",
    "mail",
    "*",
];

/// The ranges of IPv4 that are nobody's public host, and their ends.
const V4_RANGES: &[&str] = &[
    "0",
    "0x0",
    "0.0.0.0",
    "[0.0.0.0]",
    "0.255.255.255",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.0",
    "127.1",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.170.2",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.255",
    "203.0.113.0",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.0",
    "255.255.255.255",
];

/// IPv6 that is nobody's public host.
const V6: &[&str] = &[
    "::",
    "[::]",
    "0:0:0:0:0:0:0:0",
    "::1",
    "[::1]",
    "0:0:0:0:0:0:0:1",
    "0000:0000:0000:0000:0000:0000:0000:0001",
    "::0001",
    "::1%lo",
    "[::1%25lo]",
    "[::1]:993",
    "[::1",
    "::1]",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:1f::1",
    "2001:20::1",
    "2001:db8::1",
    "2001:DB8:ffff::1",
    "2002::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "fe80::1%25eth0",
    "[fe80::a9fe:a9fe]",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
];

/// What is no host at all, though a part of it may be one.
const NO_HOSTS: &[&str] = &[
    " ",
    ".",
    "..",
    "mail.example.com:993",
    "user@mail.example.com",
    "user:secret@mail.example.com",
    "https://mail.example.com",
    "mail.example.com/",
    "mail.example.com?x",
    "mail..example.com",
    ".mail.example.com",
    "-mail.example.com",
    "mail-.example.com",
    "mail example.com",
    "mail.example.com\r\nRCPT TO:<x@example.com>",
    "mail.example.com\0",
    "mail%2eexample.com",
    "mail.example.com.127",
    "mail.example.com.0x7f",
    "bücher.example",
    "ex\u{430}mple.com",
    "mail。example。com",
    "mail.example.com\u{2028}",
];

/// Names that look like any other, with the forbidden address that the public DNS has or could have for them.
pub const REBINDING: &[(&str, &str)] = &[
    ("metadata.google.internal", "169.254.169.254"),
    ("instance-data.ec2.internal", "169.254.169.254"),
    ("kubernetes.default.svc.cluster.local", "10.96.0.1"),
    ("host.docker.internal", "192.168.65.2"),
    ("localhost.localdomain", "127.0.0.1"),
    ("localhost.example.com", "127.0.0.1"),
    ("localtest.me", "127.0.0.1"),
    ("127.0.0.1.nip.io", "127.0.0.1"),
    ("7f000001.nip.io", "127.0.0.1"),
    ("spoofed.burpcollaborator.net", "127.0.0.1"),
    ("runtime.example.com", "169.254.100.1"),
    ("zero.example.com", "0.0.0.0"),
    ("shared.example.com", "100.64.0.1"),
    ("broadcast.example.com", "255.255.255.255"),
    ("multicast.example.com", "224.0.0.1"),
    ("ipv6.localtest.me", "::1"),
    ("any.example.com", "::"),
    ("mapped.example.com", "::ffff:127.0.0.1"),
    ("compatible.example.com", "::127.0.0.1"),
    ("nat64.example.com", "64:ff9b::127.0.0.1"),
    ("sixtofour.example.com", "2002:7f00:1::1"),
    ("teredo.example.com", "2001:0:7f00:1::1"),
    ("unique-local.example.com", "fd00:ec2::254"),
    ("link-local.example.com", "fe80::1"),
    ("documentation.example.com", "2001:db8::1"),
    ("xn--lcalhost-54a.example.com", "127.0.0.1"),
];

/// Hosts of honest people.
pub const GOOD: &[&str] = &[
    "imap.gmail.com",
    "smtp.gmail.com",
    "outlook.office365.com",
    "smtp-mail.outlook.com",
    "imap.mail.yahoo.com",
    "imap.fastmail.com",
    "smtp.zoho.eu",
    "mail.example.co.uk",
    "MAIL.Example.COM",
    "mail.example.com.",
    "imap.163.com",
    "smtp.1und1.de",
    "1.2.3.example.com",
    "127.0.0.1.example.com",
    "10.example.com",
    "0x7f.example.com",
    "localhost.example.com",
    "mylocalhost.com",
    "xn--bcher-kva.example",
    "imap.xn--80ak6aa92e.com",
    "mail.xn--p1ai",
    "_imaps.example.com",
    "mail_1.example.com",
    "a.io",
    "mx-1--a.example.org",
    "a23456789-123456789-123456789-123456789-123456789-123456789-123.example.com",
    "email-smtp.us-east-1.amazonaws.com",
    "8.8.8.8",
    "1.1.1.1",
    "[9.9.9.9]",
    "100.63.255.255",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "[2001:4860:4860::8888]",
    "2A00:1450:4001:80B::200E",
    "2620:fe::fe",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_as_many_as_the_documentation_says() {
        let forbidden = forbidden();
        let apart: BTreeSet<&String> = forbidden.iter().collect();
        assert!(apart.len() >= 460, "{}", apart.len());
        assert!(GOOD.len() >= 36);
        assert!(REBINDING.len() >= 26);
    }
}
