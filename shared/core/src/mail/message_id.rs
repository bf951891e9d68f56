//! Message-IDs: made for our mails, parsed from everybody's (RFC 5322 §3.6.4).
//!
//! Ours follow from the slot alone, so that a mail's fate can be looked up by them whatever was lost, and a second attempt can only ever
//! produce the same mail (decisions 28, 31). They show the slot's id in hexadecimal, so that a delivery report, of which often only the
//! Message-ID survives, leads back to the mail it is about. To a stranger that id says no more than when the mail was planned.
//!
//! Others' come from hostile headers. What is taken is the dot-atom subset that mail programs really write, bounded in length, so that
//! an id can be put back into a header, an IMAP search or a key without another thought.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::SlotId;

/// Longest id taken. RFC 5322 §2.1.1 allows a line of 998; ids in the wild stay under 200.
pub const MAX_LENGTH: usize = 250;

/// Hexadecimal digits of a UUID without hyphens.
const SIMPLE_UUID: usize = 32;

/// A Message-ID without its angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId(String);

/// Why a text is not a Message-ID that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessageId {
    /// Longer than [`MAX_LENGTH`].
    #[error("is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// Not `left@right`, with or without angle brackets around it.
    #[error("is not of the form <left@right>")]
    Shape,
    /// A character that a dot-atom may not have.
    #[error("has a character that a Message-ID may not have")]
    Character,
}

/// The Message-ID of the mail of `slot`. `sender_domain` is the part after the `@` of the sender's address: an id under another domain
/// looks forged to filters.
pub fn of_slot(slot: SlotId, sender_domain: &str) -> MessageId {
    MessageId(format!("{}@{sender_domain}", slot.as_uuid().simple()))
}

/// The Message-ID of a mail that a user wrote. `fresh` is never used twice. Its form is not that of a slot's.
pub fn of_letter(fresh: u128, sender_domain: &str) -> MessageId {
    MessageId(format!("{fresh:032x}.mail@{sender_domain}"))
}

/// The slot that a Message-ID claims to be of, if it has the form of ours. Anybody can write one: compare the whole id with the slot's.
pub fn slot_of(message_id: &str) -> Option<SlotId> {
    let (left, _) = message_id.split_once('@')?;
    let is_ours = left.len() == SIMPLE_UUID && left.bytes().all(|b| b.is_ascii_hexdigit());
    is_ours.then(|| left.parse().ok()).flatten()
}

/// The ids of a `References` or `In-Reply-To` header, in order; what is no id is left out, and so is what comes after `limit` ids.
pub fn parse_list(header: &str, limit: usize) -> Vec<MessageId> {
    header
        .split('<')
        .skip(1)
        .filter_map(|part| part.split_once('>'))
        .filter_map(|(id, _)| id.parse().ok())
        .take(limit)
        .collect()
}

impl MessageId {
    /// The id, without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as it stands in a header: with angle brackets.
    pub fn bracketed(&self) -> String {
        format!("<{}>", self.0)
    }
}

impl FromStr for MessageId {
    type Err = InvalidMessageId;

    /// Takes `left@right`, with or without angle brackets and white space around it. Comments and obsolete syntax are not taken.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        let id = match text.strip_prefix('<') {
            Some(rest) => rest.strip_suffix('>').ok_or(InvalidMessageId::Shape)?,
            None => text,
        };
        if id.len() > MAX_LENGTH {
            return Err(InvalidMessageId::TooLong);
        }
        let (left, right) = id.split_once('@').ok_or(InvalidMessageId::Shape)?;
        if left.is_empty() || right.is_empty() {
            return Err(InvalidMessageId::Shape);
        }
        if is_dot_atom(left) && (is_dot_atom(right) || is_no_fold_literal(right)) {
            Ok(Self(id.to_owned()))
        } else {
            Err(InvalidMessageId::Character)
        }
    }
}

/// `dot-atom-text` (RFC 5322 §3.2.3), but with dots anywhere: programs write `a..b` and `.a`, and for an opaque id it does no harm.
fn is_dot_atom(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&b))
}

/// `no-fold-literal` (RFC 5322 §3.6.4) without backslashes: `[10.0.0.1]`, `[IPv6:…]`.
fn is_no_fold_literal(text: &str) -> bool {
    text.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inner| {
            inner
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".:-".contains(&b))
        })
}

impl TryFrom<String> for MessageId {
    type Error = InvalidMessageId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn slot(entropy: u128) -> SlotId {
        SlotId::new("2026-03-13T09:15:00Z".parse().unwrap(), entropy)
    }

    #[test]
    fn a_slot_has_one_id_under_its_senders_domain_that_leads_back_to_it() {
        let id = of_slot(slot(7), "example.com");
        assert_eq!(id, of_slot(slot(7), "example.com"));
        assert_ne!(id, of_slot(slot(8), "example.com"));

        let (left, right) = id.as_str().split_once('@').unwrap();
        assert_eq!((left.len(), right), (32, "example.com"));
        assert!(left.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(slot_of(id.as_str()), Some(slot(7)));
        assert_eq!(slot_of("CAF+x=1@mail.gmail.com"), None);
        assert_eq!(
            slot_of("zz000000000000000000000000000000@example.com"),
            None
        );
        assert_eq!(id.bracketed(), format!("<{id}>"));
    }

    #[test]
    fn a_users_mail_is_no_slots() {
        let id = of_letter(u128::MAX, "example.com");
        assert_eq!(id.bracketed().parse::<MessageId>().as_ref(), Ok(&id));
        assert_eq!(slot_of(id.as_str()), None);
    }

    #[test]
    fn ids_as_programs_write_them_are_taken() {
        for (text, id) in [
            ("<a@b>", "a@b"),
            (" <CAF+x=1@mail.gmail.com>\r\n", "CAF+x=1@mail.gmail.com"),
            ("a.b$c@host", "a.b$c@host"),
            ("<x..y@h>", "x..y@h"),
            ("<1@[10.0.0.1]>", "1@[10.0.0.1]"),
            ("<1@[IPv6:2001:db8::1]>", "1@[IPv6:2001:db8::1]"),
        ] {
            assert_eq!(text.parse::<MessageId>().unwrap().as_str(), id);
        }
    }

    #[test]
    fn what_could_break_out_of_a_header_or_a_search_is_refused() {
        for (text, error) in [
            ("", InvalidMessageId::Shape),
            ("<>", InvalidMessageId::Shape),
            ("<a@b", InvalidMessageId::Shape),
            ("<@b>", InvalidMessageId::Shape),
            ("<a@>", InvalidMessageId::Shape),
            ("no-at-sign", InvalidMessageId::Shape),
            ("<a b@c>", InvalidMessageId::Character),
            ("<a@b\r\nBcc: x@y>", InvalidMessageId::Character),
            ("<a\"@b>", InvalidMessageId::Character),
            ("<a@b@c>", InvalidMessageId::Character),
            ("<ä@b>", InvalidMessageId::Character),
            ("<a@[b]c>", InvalidMessageId::Character),
            ("<<a@b>>", InvalidMessageId::Character),
        ] {
            assert_eq!(text.parse::<MessageId>(), Err(error), "{text:?}");
        }
        let long = format!("{}@b", "a".repeat(MAX_LENGTH));
        assert_eq!(long.parse::<MessageId>(), Err(InvalidMessageId::TooLong));
    }

    #[test]
    fn lists_keep_their_order_and_their_limit_and_drop_what_is_no_id() {
        let header = "<1@a>\r\n\t<2@a> (comment) <broken <3@a> <4@a>";
        let ids = |limit| {
            parse_list(header, limit)
                .into_iter()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(10), ["1@a", "2@a", "3@a", "4@a"]);
        assert_eq!(ids(2), ["1@a", "2@a"]);
        assert!(parse_list("", 10).is_empty());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_round_trips_and_lets_only_plain_ascii_through(text in "\\PC{0,60}|<?[a-z.@<>\\[\\]]{0,20}>?") {
            if let Ok(id) = text.parse::<MessageId>() {
                prop_assert_eq!(id.bracketed().parse::<MessageId>(), Ok(id.clone()));
                prop_assert!(id.as_str().bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\ ,;()".contains(&b)));
            }
        }

        #[test]
        fn ours_parse(entropy: u128, second in 0_i64..4_000_000_000) {
            let slot = SlotId::new(Timestamp::from_second(second).unwrap(), entropy);
            let id = of_slot(slot, "example.com");
            prop_assert_eq!(id.bracketed().parse::<MessageId>(), Ok(id));
        }
    }
}
