//! Replies (RFC 5321 §4.2): three digits, and lines for people. Pure.

use agentwarm_core::mail::bounce::EnhancedStatus;

/// Longest text that is kept of a reply, in characters.
const LONGEST_TEXT: usize = 200;

/// A reply of one or more lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    lines: Vec<String>,
}

/// A line that is none of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// A reply being read.
#[derive(Debug, Default)]
pub(super) struct Lines {
    code: Option<u16>,
    lines: Vec<String>,
}

impl Lines {
    /// Takes the next line. The reply, if this was its last one.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<Option<Reply>, Malformed> {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches(['\r', '\n']);
        let (code, rest) = line.split_at_checked(3).ok_or(Malformed)?;
        if !code.bytes().all(|b| b.is_ascii_digit()) || !code.starts_with(['2', '3', '4', '5']) {
            return Err(Malformed);
        }
        let code: u16 = code.parse().map_err(|_not_a_number| Malformed)?;
        if *self.code.get_or_insert(code) != code {
            return Err(Malformed);
        }
        let mut rest = rest.chars();
        let last = match rest.next() {
            None | Some(' ') => true,
            Some('-') => false,
            Some(_) => return Err(Malformed),
        };
        self.lines.push(rest.collect());
        Ok(last.then(|| Reply {
            code,
            lines: std::mem::take(&mut self.lines),
        }))
    }
}

impl Reply {
    /// The three digits.
    pub(super) fn code(&self) -> u16 {
        self.code
    }

    /// The first digit: 2 done, 3 go on, 4 not now, 5 no.
    pub(super) fn class(&self) -> u16 {
        self.code / 100
    }

    /// The lines' texts.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The enhanced code, where it agrees with the reply's class: what the reply begins with (RFC 2034 §4), or `#5.7.1` there or `(#5.7.1)`
    /// at its end, as qmail and its descendants write it.
    pub(super) fn enhanced(&self) -> Option<String> {
        let first = self.lines.first()?.split_ascii_whitespace().next();
        let last = self.lines.last()?.split_ascii_whitespace().next_back();
        let code = first
            .and_then(|word| self.code_in(word))
            .or_else(|| self.code_in(last.filter(|word| word.starts_with("(#"))?))?;
        Some(code.to_owned())
    }

    /// The enhanced code that a word is.
    fn code_in<'w>(&self, word: &'w str) -> Option<&'w str> {
        let code = word.trim_start_matches(['(', '#']).trim_end_matches(')');
        let class = char::from_digit(u32::from(self.class()), 10)?;
        (code.parse::<EnhancedStatus>().is_ok() && code.starts_with(class)).then_some(code)
    }

    /// All lines as one printable one, shortened, without the enhanced codes and without addresses: it is kept and logged.
    pub(super) fn text(&self) -> String {
        let enhanced = self.enhanced();
        let words: Vec<&str> = self
            .lines()
            .flat_map(str::split_whitespace)
            .filter(|word| enhanced.is_none() || self.code_in(word) != enhanced.as_deref())
            .map(|word| {
                if word.contains('@') {
                    "(address)"
                } else {
                    word
                }
            })
            .collect();
        words
            .join(" ")
            .chars()
            .map(|c| if c.is_control() { '?' } else { c })
            .take(LONGEST_TEXT)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Result<Option<Reply>, Malformed> {
        let mut lines = Lines::default();
        for line in text.split_inclusive(|b| *b == b'\n') {
            if let Some(reply) = lines.take(line)? {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    #[test]
    fn replies_of_one_and_of_many_lines() {
        let reply = read(b"250 2.1.0 Ok\r\n").unwrap().unwrap();
        assert_eq!((reply.code(), reply.class()), (250, 2));
        assert_eq!(
            (reply.enhanced().as_deref(), reply.text().as_str()),
            (Some("2.1.0"), "Ok")
        );
        let reply = read(
            b"550-5.1.1 <nobody@two.test>: not found. Please\r\n550-5.1.1 check\r\n550 5.1.1 it.\r\n",
        );
        let reply = reply.unwrap().unwrap();
        assert_eq!(reply.enhanced().as_deref(), Some("5.1.1"));
        assert_eq!(reply.text(), "(address) not found. Please check it.");
        let reply = read(b"553 sorry, not here (#5.7.1)\r\n").unwrap().unwrap();
        assert_eq!(reply.text(), "sorry, not here");
        assert_eq!(read(b"250-a\r\n250-b\r\n"), Ok(None));
    }

    #[test]
    fn bare_codes_and_foreign_bytes_are_replies() {
        assert_eq!(read(b"354\r\n").unwrap().unwrap().code(), 354);
        assert_eq!(read(b"250\n").unwrap().unwrap().text(), "");
        let reply = read(b"550 Empf\xe4nger\tunbekannt\x07\r\n")
            .unwrap()
            .unwrap();
        assert_eq!(reply.text(), "Empf\u{fffd}nger unbekannt?");
        let long = format!("451 {}\r\n", "x".repeat(500));
        assert_eq!(read(long.as_bytes()).unwrap().unwrap().text().len(), 200);
    }

    #[test]
    fn an_enhanced_code_must_agree() {
        for (line, enhanced) in [
            ("250 5.1.1 x\r\n", None),
            ("550 5.1 x\r\n", None),
            ("550 5.1.1.1 x\r\n", None),
            ("450 4.2.0\r\n", Some("4.2.0")),
            ("354 3.0.0 go\r\n", None),
            ("553 no relaying here (#5.7.1)\r\n", Some("5.7.1")),
            ("553-no relaying\r\n553 here (#5.7.1)\r\n", Some("5.7.1")),
            ("553 #5.1.1 gone\r\n", Some("5.1.1")),
            ("550 (#4.7.1)\r\n", None),
            ("550 upgrade from 5.1.1\r\n", None),
            ("550 see (#5.7.1) below\r\n", None),
        ] {
            let reply = read(line.as_bytes()).unwrap().unwrap();
            assert_eq!(reply.enhanced().as_deref(), enhanced, "{line}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for line in [
            &b"\r\n"[..],
            b"25\r\n",
            b"250x\r\n",
            b"650 x\r\n",
            b"150 x\r\n",
            b"* OK imap\r\n",
            b"250-a\r\n251 b\r\n",
            b"HTTP/1.1 400\r\n",
            "2\u{e9}0 x\r\n".as_bytes(),
            "25\u{e9} x\r\n".as_bytes(),
        ] {
            assert_eq!(read(line), Err(Malformed), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(Some(reply)) = read(&bytes) {
                prop_assert!((200..600).contains(&reply.code()));
                prop_assert!(!reply.text().contains(char::is_control));
            }
        }
    }
}
