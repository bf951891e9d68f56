//! The words of an IMAP response. Total: whatever the bytes, there are tokens, and no token is more than the bytes.

/// How many words are kept of a list: flags of a message, attributes of a folder. A word of two bytes in a line of a megabyte would cost
/// thirty times as much.
const MOST_IN_LIST: usize = 100;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An atom, with its section if it has one: `BODY[HEADER.FIELDS (MESSAGE-ID)]<0>`.
    Atom(&'a [u8]),
    /// A quoted string or a literal.
    String(Vec<u8>),
    /// `(`
    Open,
    /// `)`
    Close,
}

/// Reads tokens.
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Skips a value: a token, or a list with all that is in it.
    pub(super) fn skip_value(&mut self) {
        let mut depth = 0usize;
        for token in self {
            match token {
                Token::Open => depth += 1,
                Token::Close => depth = depth.saturating_sub(1),
                Token::Atom(_) | Token::String(_) => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// The first atoms of a list, or nothing if what follows is none.
    pub(super) fn list(&mut self) -> Vec<&'a [u8]> {
        let mut atoms = Vec::new();
        if self.next() == Some(Token::Open) {
            while let Some(Token::Atom(atom)) = self.next() {
                if atoms.len() < MOST_IN_LIST {
                    atoms.push(atom);
                }
            }
        }
        atoms
    }

    fn cut(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// A quoted string (RFC 3501 §9 `quoted`); it ends with the line if nothing else ends it.
    fn quoted(&mut self) -> Token<'a> {
        self.cut(1);
        let mut text = Vec::new();
        let mut escaped = false;
        while let Some(&byte) = self.rest.first() {
            if byte == b'\r' || byte == b'\n' {
                break;
            }
            self.cut(1);
            match byte {
                b'"' if !escaped => break,
                b'\\' if !escaped => escaped = true,
                _ => {
                    text.push(byte);
                    escaped = false;
                }
            }
        }
        Token::String(text)
    }

    /// A literal, if the bytes here are one's beginning. Looks no further than the first byte that cannot be of one: a server may send a brace
    /// wherever it likes, and looking for the end of the line at each would take minutes.
    fn literal(&mut self) -> Option<Token<'a>> {
        let head = self.rest.strip_prefix(b"{")?;
        let digits = count_while(head, |byte| byte.is_ascii_digit());
        let (size, rest) = head.split_at_checked(digits)?;
        let size: usize = std::str::from_utf8(size).ok()?.parse().ok()?;
        let rest = rest.strip_prefix(b"+").unwrap_or(rest).strip_prefix(b"}")?;
        let rest = rest.get(count_while(rest, |byte| byte == b'\r')..)?;
        self.rest = rest.strip_prefix(b"\n")?;
        Some(Token::String(self.cut(size).to_vec()))
    }

    fn atom(&mut self) -> Token<'a> {
        let mut in_section = false;
        let length = self.rest.iter().position(|&byte| {
            match byte {
                b'[' => in_section = true,
                b']' => in_section = false,
                _ => {}
            }
            matches!(byte, b'\r' | b'\n')
                || (!in_section && matches!(byte, b' ' | b'(' | b')' | b'"'))
        });
        Token::Atom(self.cut(length.unwrap_or(self.rest.len()).max(1)))
    }
}

fn count_while(bytes: &[u8], is_one: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is_one(**byte)).count()
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let blank = count_while(self.rest, |byte| matches!(byte, b' ' | b'\r' | b'\n'));
        self.cut(blank);
        let token = match self.rest.first()? {
            b'(' => {
                self.cut(1);
                Token::Open
            }
            b')' => {
                self.cut(1);
                Token::Close
            }
            b'"' => self.quoted(),
            b'{' => match self.literal() {
                Some(token) => token,
                None => self.atom(),
            },
            _ => self.atom(),
        };
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn atom(text: &str) -> Token<'_> {
        Token::Atom(text.as_bytes())
    }

    fn string(text: &str) -> Token<'static> {
        Token::String(text.as_bytes().to_vec())
    }

    #[test]
    fn responses_are_read_as_words() {
        let fetch = b"1 FETCH (UID 7 BODY[HEADER.FIELDS (\"X-A\" MESSAGE-ID)]<0> {5}\r\na)\r\nb FLAGS (\\Seen $x) X NIL)\r\n";
        let tokens: Vec<Token<'_>> = Lexer::new(fetch).collect();
        assert_eq!(
            tokens,
            [
                atom("1"),
                atom("FETCH"),
                Token::Open,
                atom("UID"),
                atom("7"),
                atom("BODY[HEADER.FIELDS (\"X-A\" MESSAGE-ID)]<0>"),
                string("a)\r\nb"),
                atom("FLAGS"),
                Token::Open,
                atom("\\Seen"),
                atom("$x"),
                Token::Close,
                atom("X"),
                atom("NIL"),
                Token::Close,
            ]
        );
        let list: Vec<Token<'_>> = Lexer::new(b"LIST () \"\\\\\" \"a \\\"b\\\"\"\r\n").collect();
        assert_eq!(
            list,
            [
                atom("LIST"),
                Token::Open,
                Token::Close,
                string("\\"),
                string("a \"b\"")
            ]
        );
    }

    #[test]
    fn broken_strings_and_literals_end_somewhere() {
        let read = |bytes: &'static [u8]| Lexer::new(bytes).collect::<Vec<_>>();
        assert_eq!(read(b"\"abc\r\nx"), [string("abc"), atom("x")]);
        assert_eq!(read(b"{9}\r\nabc"), [string("abc")]);
        assert_eq!(read(b"{3+}\r\nabcd"), [string("abc"), atom("d")]);
        assert_eq!(read(b"{03}\nabcd"), [string("abc"), atom("d")]);
        assert_eq!(read(b"{x}\r\nabc"), [atom("{x}"), atom("abc")]);
        assert_eq!(read(b"{3} \r\nabc"), [atom("{3}"), atom("abc")]);
        assert_eq!(
            read(b"{99999999999999999999999}\r\n"),
            [atom("{99999999999999999999999}")]
        );
        assert_eq!(read(b"a[b c"), [atom("a[b c")]);
    }

    #[test]
    fn of_a_list_the_first_words_are_kept() {
        let line = format!("({}) e", "a ".repeat(1_000));
        let mut lexer = Lexer::new(line.as_bytes());
        assert_eq!(lexer.list(), [b"a"; MOST_IN_LIST]);
        assert_eq!(lexer.next(), Some(atom("e")));
    }

    #[test]
    fn values_are_skipped_whole() {
        let mut lexer = Lexer::new(b"(a (b \"c)\") d) e f");
        lexer.skip_value();
        assert_eq!(lexer.next(), Some(atom("e")));
        lexer.skip_value();
        assert_eq!(lexer.next(), None);
    }

    proptest! {
        #[test]
        fn tokens_are_never_more_than_the_bytes(
            bytes in prop::collection::vec(prop::sample::select(b"ab1 (){}[]\"\\+\r\n\xff".to_vec()), 0..80),
        ) {
            let tokens: Vec<Token<'_>> = Lexer::new(&bytes).collect();
            let size: usize = tokens.iter().map(|token| match token {
                Token::Atom(atom) => atom.len(),
                Token::String(text) => text.len(),
                Token::Open | Token::Close => 1,
            }).sum();
            prop_assert!(size <= bytes.len());
        }
    }
}
