//! Email addresses: parsed once, valid and comparable from then on.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address that SMTP can carry: `local@domain` in ASCII, case-folded as a whole.
///
/// Stricter than RFC 5321 §4.1.2: dot-atoms only (no quoted local parts, no address literals), which no mailbox that people write to
/// needs, and which keeps spaces, line breaks and header syntax out by construction. Nor does the local part hold `=?`, with which an
/// encoded word begins (RFC 2047 §2): its characters are those of atoms, and programs that decode it read another address. Folding the
/// local part departs from RFC 5321 §2.4 on purpose: providers fold it, and one mailbox must not be registered twice (decisions 15, 33).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    text: String,
    at: usize,
}

/// Why a text is not an address we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// No `@`, or nothing before it.
    #[error("must look like name@domain")]
    Shape,
    /// Local part over 64 or whole over 254 characters (RFC 5321 §4.5.3.1, RFC 3696 erratum 1690).
    #[error("is too long: at most 64 characters before the @ and 254 in all")]
    TooLong,
    /// A character, dot or label that a dot-atom or host name may not have (RFC 5322 §3.2.3, RFC 1035 §2.3.1).
    #[error("has a character or dot where none may stand")]
    Character,
}

impl EmailAddress {
    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(InvalidEmail::Shape);
        }
        if local.len() > 64 || text.len() > 254 {
            return Err(InvalidEmail::TooLong);
        }
        if local.contains("=?") || !local.split('.').all(is_atom) || !is_host_name(domain) {
            return Err(InvalidEmail::Character);
        }
        Ok(Self {
            text: text.to_ascii_lowercase(),
            at: local.len(),
        })
    }
}

fn is_atom(atom: &str) -> bool {
    !atom.is_empty()
        && atom
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
}

/// Whether `name` is a host name with at least two labels (RFC 1123 §2.1).
pub fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.text
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_folded_and_split() {
        let address: EmailAddress = "Hello.World+x@Example.COM".parse().unwrap();
        assert_eq!(address.as_str(), "hello.world+x@example.com");
        assert_eq!(
            (address.local_part(), address.domain()),
            ("hello.world+x", "example.com")
        );
    }

    #[test]
    fn what_smtp_or_a_header_could_misread_is_refused() {
        for text in [
            "",
            "@",
            "a@",
            "@b.c",
            "a b@c.de",
            "a@b",
            "a..b@c.de",
            "a@-b.de",
            "a\r\n@b.de",
            "\"a\"@b.de",
            "ä@b.de",
            "a@[10.0.0.1]",
            "=?utf-8?q?a=40x.example=3e?=@b.de",
            "a=?@b.de",
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
        }
        assert_eq!(
            format!("{}@b.de", "a".repeat(65)).parse::<EmailAddress>(),
            Err(InvalidEmail::TooLong)
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in "\\PC{0,80}") {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert_eq!(address.as_str().parse::<EmailAddress>(), Ok(address.clone()));
                prop_assert!(!address.local_part().is_empty() && address.domain().contains('.'));
            }
        }
    }
}
