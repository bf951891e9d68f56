//! Where a protocol unit ends, and whether it stays within its limits. Pure: bytes in, a verdict out.
//!
//! An IMAP response ends with its line, unless the line ends in a literal's size: then so many bytes follow, and another line (RFC
//! 3501 §4.3). That holds for data (`* LIST …`, `* 1 FETCH …`) only. What status responses, tagged or not, and continuations say is
//! text for people (RFC 3501 §9 `resp-text`), where quotes, parentheses and braces mean nothing.

/// How a protocol's units end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// At each line feed (SMTP).
    Lines,
    /// At the line feed that ends a response, literals included (IMAP).
    Imap,
}

/// What a unit may hold.
#[derive(Debug, Clone, Copy)]
pub struct ScanLimits {
    /// Bytes of one line, its end included.
    pub line: usize,
    /// Bytes of one literal.
    pub literal: usize,
    /// Bytes of one unit, literals included.
    pub unit: usize,
    /// How deep parentheses may nest, outside literals and quoted strings.
    pub depth: usize,
}

/// The limit that a peer passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub enum Violation {
    /// [`ScanLimits::line`].
    Line,
    /// [`ScanLimits::literal`].
    Literal,
    /// [`ScanLimits::unit`].
    Unit,
    /// [`ScanLimits::depth`].
    Depth,
    /// [`super::Limits::exchange_bytes`].
    Exchange,
    /// [`super::Limits::session_bytes`].
    Session,
    /// Plain text was sent ahead of TLS.
    Injected,
}

impl Violation {
    /// What the peer did, as the end of a sentence about it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Line => "a line is too long",
            Self::Literal => "a literal is too large",
            Self::Unit => "a response is too large",
            Self::Depth => "parentheses nest too deep",
            Self::Exchange => "it sends too much unasked",
            Self::Session => "it sends too much",
            Self::Injected => "it sent plain text ahead of TLS",
        }
    }
}

/// Finds the ends of units in a stream of bytes, however it is cut.
#[derive(Debug, Clone)]
pub struct Scanner {
    framing: Framing,
    limits: ScanLimits,
    unit: usize,
    line: usize,
    state: State,
}

/// Where in a unit the scanner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the first bytes, which tell text from data.
    Head { word: [u8; 7], seen: usize },
    /// In text for people.
    Text,
    /// In data, outside strings.
    Data { depth: usize, brace: Brace },
    /// In a quoted string.
    Quoted { depth: usize, escaped: bool },
    /// In a literal.
    Literal { depth: usize, left: usize },
}

/// How much of a literal's `{n}` or `{n+}` the end of a line shows (RFC 3501 §4.3, RFC 7888).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brace {
    /// Nothing.
    None,
    /// `{` and the digits so far.
    Digits(usize),
    /// `{n+`.
    Plus(usize),
    /// `{n}`, and perhaps a carriage return.
    Closed(usize),
}

/// The words that make an untagged response a status (RFC 3501 §7.1).
const STATUS: [&[u8]; 5] = [b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"];

const START: State = State::Head {
    word: [0; 7],
    seen: 0,
};

const OUTSIDE: State = State::Data {
    depth: 0,
    brace: Brace::None,
};

impl Scanner {
    /// A scanner at the beginning of a unit.
    pub fn new(framing: Framing, limits: ScanLimits) -> Self {
        Self {
            framing,
            limits,
            unit: 0,
            line: 0,
            state: start(framing),
        }
    }

    /// Scans to the end of the unit at hand. `Some(n)` if it ends after `n` of these bytes, `None` if they all belong to it.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Option<usize>, Violation> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let State::Literal { depth, left } = self.state {
                let taken = left.min(bytes.len() - at);
                self.count(taken)?;
                at += taken;
                self.state = match left - taken {
                    0 => data(depth),
                    left => State::Literal { depth, left },
                };
                continue;
            }
            at += 1;
            self.line += 1;
            if self.line > self.limits.line {
                return Err(Violation::Line);
            }
            self.count(1)?;
            if self.step(byte)? {
                self.unit = 0;
                self.line = 0;
                self.state = start(self.framing);
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn count(&mut self, bytes: usize) -> Result<(), Violation> {
        self.unit = self.unit.saturating_add(bytes);
        if self.unit > self.limits.unit {
            return Err(Violation::Unit);
        }
        Ok(())
    }

    /// Takes one byte that is not a literal's. True at the end of the unit.
    fn step(&mut self, byte: u8) -> Result<bool, Violation> {
        if byte == b'\n' {
            return self.end_of_line();
        }
        self.state = match self.state {
            State::Head { word, seen } => match head(word, seen, byte) {
                OUTSIDE => self.in_data(0, Brace::None, byte)?,
                other => other,
            },
            State::Data { depth, brace } => self.in_data(depth, brace, byte)?,
            State::Quoted { depth, escaped } => match byte {
                b'"' if !escaped => data(depth),
                _ => State::Quoted {
                    depth,
                    escaped: byte == b'\\' && !escaped,
                },
            },
            state @ (State::Text | State::Literal { .. }) => state,
        };
        Ok(false)
    }

    fn in_data(&self, depth: usize, brace: Brace, byte: u8) -> Result<State, Violation> {
        match byte {
            b'"' => Ok(State::Quoted {
                depth,
                escaped: false,
            }),
            b'(' if depth >= self.limits.depth => Err(Violation::Depth),
            b'(' => Ok(data(depth + 1)),
            b')' => Ok(data(depth.saturating_sub(1))),
            _ => Ok(State::Data {
                depth,
                brace: brace.then(byte),
            }),
        }
    }

    fn end_of_line(&mut self) -> Result<bool, Violation> {
        let State::Data {
            depth,
            brace: Brace::Closed(size),
        } = self.state
        else {
            return Ok(true);
        };
        if size > self.limits.literal {
            return Err(Violation::Literal);
        }
        self.line = 0;
        self.state = match size {
            0 => data(depth),
            left => State::Literal { depth, left },
        };
        Ok(false)
    }
}

impl Brace {
    fn then(self, byte: u8) -> Self {
        match (self, byte) {
            (_, b'{') => Self::Digits(0),
            (Self::Digits(n), b'0'..=b'9') => Self::Digits(
                n.saturating_mul(10)
                    .saturating_add(usize::from(byte - b'0')),
            ),
            (Self::Digits(n), b'+') => Self::Plus(n),
            (Self::Digits(n) | Self::Plus(n), b'}') | (Self::Closed(n), b'\r') => Self::Closed(n),
            _ => Self::None,
        }
    }
}

fn start(framing: Framing) -> State {
    match framing {
        Framing::Lines => State::Text,
        Framing::Imap => START,
    }
}

fn data(depth: usize) -> State {
    State::Data {
        depth,
        brace: Brace::None,
    }
}

/// Tells text from data by `*`, a space and the first word. [`OUTSIDE`] if this byte already belongs to data.
fn head(mut word: [u8; 7], seen: usize, byte: u8) -> State {
    match (seen, byte) {
        (0, b'*') | (1, b' ') => State::Head {
            word,
            seen: seen + 1,
        },
        (0, _) => State::Text,
        (1, _) => OUTSIDE,
        (_, b' ' | b'\r') => {
            let said = word.get(..seen - 2).unwrap_or_default();
            if STATUS.contains(&said) {
                State::Text
            } else {
                OUTSIDE
            }
        }
        _ => match word.get_mut(seen - 2) {
            Some(slot) if byte.is_ascii_alphabetic() => {
                *slot = byte.to_ascii_uppercase();
                State::Head {
                    word,
                    seen: seen + 1,
                }
            }
            _ => OUTSIDE,
        },
    }
}
