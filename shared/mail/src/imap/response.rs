//! What a response says, as far as this client has asked. Total: what is not understood is [`Response::Other`].

use std::collections::BTreeSet;

use super::lex::{Lexer, Token};

/// How many capabilities are kept: servers have some fifty.
const MOST_CAPABILITIES: usize = 500;

/// One response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Response {
    /// `+`: go on.
    Continue,
    /// The end of a command.
    Done {
        /// Whose.
        tag: String,
        /// How it ended.
        end: Ending,
    },
    /// An untagged status: greeting, notice, warning, goodbye.
    Notice(Ending),
    /// What the server can do.
    Capability(Capabilities),
    /// A folder.
    List(Listed),
    /// How many messages the folder holds.
    Exists(u32),
    /// UIDs that were searched for.
    Search(Vec<u32>),
    /// What was fetched of one message.
    Fetch(Fetched),
    /// Anything else.
    Other,
}

/// A status and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) status: Status,
    pub(super) code: Option<Code>,
    pub(super) text: String,
}

/// RFC 3501 §7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// A response code (RFC 3501 §7.1, RFC 5530).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Code {
    Capability(Capabilities),
    UidValidity(u32),
    UidNext(u32),
    HighestModSeq(u64),
    /// Its name in upper case.
    Other(String),
}

/// Names in upper case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Capabilities(BTreeSet<String>);

/// A folder as LIST shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Attributes in lower case, with their backslash.
    pub(super) attributes: Vec<String>,
    /// What separates levels of the name.
    pub(super) delimiter: Option<char>,
    /// The name as it is on the wire.
    pub(super) name: String,
}

/// Parts of a message that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fetched {
    pub(super) uid: Option<u32>,
    pub(super) body: Option<Vec<u8>>,
    /// Flags in lower case, with their backslash.
    pub(super) flags: Vec<String>,
    /// INTERNALDATE as it is written.
    pub(super) received: Option<String>,
    /// RFC822.SIZE.
    pub(super) size: Option<u32>,
}

impl Ending {
    /// The capabilities it tells, if it does.
    pub(super) fn capabilities(&self) -> Option<Capabilities> {
        match &self.code {
            Some(Code::Capability(capabilities)) => Some(capabilities.clone()),
            _ => None,
        }
    }

    /// Whether it has this response code.
    pub(super) fn has_code(&self, name: &str) -> bool {
        matches!(&self.code, Some(Code::Other(code)) if code == name)
    }
}

impl Capabilities {
    /// Whether a capability is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    fn of<'a>(atoms: impl Iterator<Item = &'a [u8]>) -> Self {
        Self(atoms.take(MOST_CAPABILITIES).map(upper).collect())
    }
}

impl Response {
    /// Reads one response, framed by the guard.
    pub(super) fn of(unit: &[u8]) -> Self {
        if unit.starts_with(b"+") {
            return Self::Continue;
        }
        let Some(rest) = unit.strip_prefix(b"* ") else {
            return done(unit).unwrap_or(Self::Other);
        };
        match ending(rest) {
            Some(end) => Self::Notice(end),
            None => data(rest).unwrap_or(Self::Other),
        }
    }
}

fn done(unit: &[u8]) -> Option<Response> {
    let space = unit.iter().position(|b| *b == b' ')?;
    let (tag, rest) = unit.split_at_checked(space)?;
    Some(Response::Done {
        tag: text(tag),
        end: ending(rest.get(1..)?)?,
    })
}

/// A status with its code and text, if the line begins with one.
fn ending(line: &[u8]) -> Option<Ending> {
    let word_ends = line
        .iter()
        .position(|b| matches!(b, b' ' | b'\r' | b'\n'))
        .unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(word_ends)?;
    let status = match upper(word).as_str() {
        "OK" => Status::Ok,
        "NO" => Status::No,
        "BAD" => Status::Bad,
        "BYE" => Status::Bye,
        "PREAUTH" => Status::PreAuth,
        _ => return None,
    };
    let said = text(rest);
    let inside = said.strip_prefix('[').and_then(|s| s.split_once(']'));
    Some(match inside {
        Some((inside, after)) => Ending {
            status,
            code: code(inside),
            text: after.trim().to_owned(),
        },
        None => Ending {
            status,
            code: None,
            text: said,
        },
    })
}

fn code(inside: &str) -> Option<Code> {
    let mut words = inside.split_ascii_whitespace();
    let name = words.next()?.to_ascii_uppercase();
    let number = words.clone().next();
    let known = match name.as_str() {
        "CAPABILITY" => Some(Code::Capability(Capabilities::of(words.map(str::as_bytes)))),
        "UIDVALIDITY" => number.and_then(|n| n.parse().ok()).map(Code::UidValidity),
        "UIDNEXT" => number.and_then(|n| n.parse().ok()).map(Code::UidNext),
        "HIGHESTMODSEQ" => number.and_then(|n| n.parse().ok()).map(Code::HighestModSeq),
        _ => None,
    };
    Some(known.unwrap_or(Code::Other(name)))
}

fn data(rest: &[u8]) -> Option<Response> {
    let mut lexer = Lexer::new(rest);
    let Some(Token::Atom(first)) = lexer.next() else {
        return None;
    };
    if let Some(number) = number(first) {
        let Some(Token::Atom(kind)) = lexer.next() else {
            return None;
        };
        return match upper(kind).as_str() {
            "EXISTS" => Some(Response::Exists(number)),
            "FETCH" => Some(Response::Fetch(fetched(lexer))),
            _ => None,
        };
    }
    match upper(first).as_str() {
        "CAPABILITY" => Some(Response::Capability(Capabilities::of(atoms(lexer)))),
        "LIST" => listed(lexer).map(Response::List),
        "SEARCH" => Some(Response::Search(atoms(lexer).filter_map(number).collect())),
        _ => None,
    }
}

fn listed(mut lexer: Lexer<'_>) -> Option<Listed> {
    let attributes = lexer.list();
    let delimiter = match lexer.next()? {
        Token::String(text) => text.first().copied().map(char::from),
        _ => None,
    };
    let name = match lexer.next()? {
        Token::String(name) => name,
        Token::Atom(name) => name.to_vec(),
        Token::Open | Token::Close => return None,
    };
    Some(Listed {
        attributes: attributes
            .into_iter()
            .map(|a| text(a).to_ascii_lowercase())
            .collect(),
        delimiter,
        name: String::from_utf8(name).ok()?,
    })
}

fn fetched(mut lexer: Lexer<'_>) -> Fetched {
    let mut fetched = Fetched::default();
    lexer.next();
    while let Some(Token::Atom(item)) = lexer.next() {
        let item = upper(item);
        match item.as_str() {
            "UID" => {
                if let Some(Token::Atom(uid)) = lexer.next() {
                    fetched.uid = number(uid);
                }
            }
            "RFC822.SIZE" => {
                if let Some(Token::Atom(size)) = lexer.next() {
                    fetched.size = number(size);
                }
            }
            "INTERNALDATE" => {
                if let Some(Token::String(date)) = lexer.next() {
                    fetched.received = Some(text(&date));
                }
            }
            "FLAGS" => {
                let flags = lexer.list().into_iter();
                fetched.flags = flags.map(|flag| text(flag).to_ascii_lowercase()).collect();
            }
            _ if item.starts_with("BODY[") => {
                fetched.body = match lexer.next() {
                    Some(Token::String(body)) => Some(body),
                    Some(Token::Atom(_)) => Some(Vec::new()),
                    _ => None,
                };
            }
            _ => lexer.skip_value(),
        }
    }
    fetched
}

fn atoms(lexer: Lexer<'_>) -> impl Iterator<Item = &[u8]> {
    lexer.filter_map(|token| match token {
        Token::Atom(atom) => Some(atom),
        _ => None,
    })
}

fn number(atom: &[u8]) -> Option<u32> {
    std::str::from_utf8(atom).ok()?.parse().ok()
}

fn upper(atom: &[u8]) -> String {
    text(atom).to_ascii_uppercase()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn notice(status: Status, code: Option<Code>, text: &str) -> Response {
        Response::Notice(Ending {
            status,
            code,
            text: text.into(),
        })
    }

    #[test]
    fn the_first_capabilities_are_kept() {
        let all: Vec<String> = (0..10_000).map(|i| format!("X{i}")).collect();
        let line = format!("* CAPABILITY {}\r\n", all.join(" "));
        let Response::Capability(kept) = Response::of(line.as_bytes()) else {
            panic!("{line}");
        };
        assert_eq!(kept.0.len(), MOST_CAPABILITIES);
    }

    #[test]
    fn statuses_have_codes_and_texts() {
        let other = |name: &str| Some(Code::Other(name.into()));
        for (line, response) in [
            ("* OK hello\r\n", notice(Status::Ok, None, "hello")),
            ("* OK\r\n", notice(Status::Ok, None, "")),
            (
                "* ok [UIDVALIDITY 17] x\r\n",
                notice(Status::Ok, Some(Code::UidValidity(17)), "x"),
            ),
            (
                "* OK [uidnext 5]\r\n",
                notice(Status::Ok, Some(Code::UidNext(5)), ""),
            ),
            (
                "* OK [HIGHESTMODSEQ 99999999999] x\r\n",
                notice(Status::Ok, Some(Code::HighestModSeq(99_999_999_999)), "x"),
            ),
            ("* OK [ALERT]ü\r\n", notice(Status::Ok, other("ALERT"), "ü")),
            (
                "* OK [UIDNEXT x] y\r\n",
                notice(Status::Ok, other("UIDNEXT"), "y"),
            ),
            (
                "* BYE [UNAVAILABLE] later\r\n",
                notice(Status::Bye, other("UNAVAILABLE"), "later"),
            ),
            ("* OK [broken\r\n", notice(Status::Ok, None, "[broken")),
            ("* NO {5}\r\n", notice(Status::No, None, "{5}")),
        ] {
            assert_eq!(Response::of(line.as_bytes()), response, "{line}");
        }
        assert_eq!(
            Response::of(b"a7 NO [AUTHENTICATIONFAILED] no\r\n"),
            Response::Done {
                tag: "a7".into(),
                end: Ending {
                    status: Status::No,
                    code: other("AUTHENTICATIONFAILED"),
                    text: "no".into()
                }
            }
        );
        assert_eq!(Response::of(b"+ eyJ9\r\n"), Response::Continue);
        assert_eq!(Response::of(b"+\r\n"), Response::Continue);
    }

    #[test]
    fn data_is_read_as_far_as_it_is_used() {
        let capabilities = Response::of(b"* CAPABILITY IMAP4rev1 auth=plain Move\r\n");
        let Response::Capability(capabilities) = capabilities else {
            panic!("{capabilities:?}");
        };
        assert!(capabilities.has("AUTH=PLAIN") && capabilities.has("MOVE"));
        assert_eq!(
            Response::of(b"* LIST (\\HasNoChildren \\Junk) \"/\" \"a \\\"b\\\"\"\r\n"),
            Response::List(Listed {
                attributes: vec!["\\hasnochildren".into(), "\\junk".into()],
                delimiter: Some('/'),
                name: "a \"b\"".into()
            })
        );
        assert_eq!(
            Response::of(b"* LIST () NIL {4}\r\na(\r\n\r\n"),
            Response::List(Listed {
                attributes: vec![],
                delimiter: None,
                name: "a(\r\n".into()
            })
        );
        assert_eq!(Response::of(b"* 172 EXISTS\r\n"), Response::Exists(172));
        assert_eq!(
            Response::of(b"* SEARCH 2 84 882 \r\n"),
            Response::Search(vec![2, 84, 882])
        );
        assert_eq!(Response::of(b"* SEARCH\r\n"), Response::Search(vec![]));
        assert_eq!(
            Response::of(b"* 1 FETCH (FLAGS (\\Seen) X-GM-LABELS (\"(\" b) BODY[HEADER.FIELDS (A)]<0> {3}\r\nA:b UID 9 ENVELOPE ((NIL) NIL))\r\n"),
            Response::Fetch(Fetched {
                uid: Some(9),
                body: Some(b"A:b".to_vec()),
                flags: vec!["\\seen".into()],
                ..Fetched::default()
            })
        );
        assert_eq!(
            Response::of(b"* 1 FETCH (UID 9 BODY[] NIL)\r\n"),
            Response::Fetch(Fetched {
                uid: Some(9),
                body: Some(vec![]),
                ..Fetched::default()
            })
        );
        assert_eq!(
            Response::of(
                b"* 1 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 44 FLAGS () UID 9)\r\n"
            ),
            Response::Fetch(Fetched {
                uid: Some(9),
                received: Some("17-Jul-1996 02:44:25 -0700".into()),
                size: Some(44),
                ..Fetched::default()
            })
        );
    }

    #[test]
    fn what_was_not_asked_for_is_skipped() {
        for line in [
            "* 3 EXPUNGE\r\n",
            "* VANISHED 1:5\r\n",
            "* FLAGS (\\Seen)\r\n",
            "* LIST\r\n",
            "* LIST (\\Junk) \"/\" (x)\r\n",
            "* LIST () \"/\" {1}\r\n\u{e9}\r\n",
            "* \r\n",
            "*\r\n",
            "\r\n",
            "220 smtp.example.com ESMTP\r\n",
            "* 99999999999 EXISTS\r\n",
        ] {
            assert_eq!(Response::of(line.as_bytes()), Response::Other, "{line}");
        }
        assert_eq!(
            Response::of(b"* 1 FETCH (INTERNALDATE NIL)\r\n"),
            Response::Fetch(Fetched::default())
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(
            words in prop::collection::vec(prop::sample::select(vec![
                "* ", "+ ", "a1 ", "OK ", "NO", "[", "]", "UIDNEXT ", "1 ", "FETCH ", "(", ")", "UID ", "BODY[", "{2}\r\n", "\"", "\\", "LIST ", "é", "\r\n", "NIL ",
            ]), 0..30),
        ) {
            let _ = Response::of(words.concat().as_bytes());
        }
    }
}
