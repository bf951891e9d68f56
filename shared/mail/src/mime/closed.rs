//! Messages within messages stay closed.
//!
//! The parser would open them, one in the other as deep as a stranger likes, and copy and drop them by recursion: a few thousand of them, in
//! base64 even in 64 KB, end the process. So before a message is parsed the types of those within it are renamed, and they are parts
//! like any other.
//!
//! Multiparts stay closed beyond a number: for each, the parser looks for its first boundary through all that follows, so that a few thousand
//! without one would take minutes.

/// What is renamed, in lower case, and to what; of the same length.
const MESSAGE: (&[u8], &[u8]) = (b"message", CLOSED.as_bytes());
/// Parts of a digest are messages without saying so (RFC 2046 §5.1.5).
const DIGEST: (&[u8], &[u8]) = (b"digest", b"xigest");

const MULTIPART: (&[u8], &[u8]) = (b"multipart", CLOSED_PARTS.as_bytes());

/// The type of a closed message, in place of `message`, and of a closed multipart.
const CLOSED: &str = "xessage";
const CLOSED_PARTS: &str = "xultipart";

/// How many multiparts are opened: programs nest them three deep.
const MOST_MULTIPARTS: usize = 50;

/// A type, in lower case, as it was before.
pub(super) fn opened(kind: &str) -> String {
    kind.replace(CLOSED, "message")
        .replace(CLOSED_PARTS, "multipart")
}

/// Whether a type is that of a closed message.
pub(super) fn is_closed(kind: &str) -> bool {
    kind.eq_ignore_ascii_case(CLOSED)
}

/// Closes the messages in `source`, and the multiparts beyond [`MOST_MULTIPARTS`]. A type stands in front of its parameters, unless there are comments, which may hold anything.
pub(super) fn close_messages(source: &mut [u8]) {
    const FIELD: &[u8] = b"content-type";
    let mut from = 0;
    let mut multiparts = 0;
    while let Some(at) = find(source.get(from..).unwrap_or_default(), FIELD) {
        let begin = from + at + FIELD.len();
        let rest = source.get(begin..).unwrap_or_default();
        let field = field_end(rest);
        let value = rest.get(..field).unwrap_or_default();
        let has_comment = value.contains(&b'(');
        let name = value.iter().position(|b| *b == b';' && !has_comment);
        let end = begin + name.unwrap_or(field);
        let kind = source.get_mut(begin..end).unwrap_or_default();
        multiparts += usize::from(find(kind, MULTIPART.0).is_some());
        if multiparts > MOST_MULTIPARTS {
            rename(kind, MULTIPART.0, MULTIPART.1);
        }
        for (open, closed) in [MESSAGE, DIGEST] {
            rename(kind, open, closed);
        }
        from = begin + field;
    }
}

/// Where a header field ends: at a line end that no white space follows.
fn field_end(text: &[u8]) -> usize {
    let ends = text
        .windows(2)
        .position(|pair| matches!(pair, [b'\n', next] if !matches!(next, b' ' | b'\t')));
    ends.unwrap_or(text.len())
}

fn rename(text: &mut [u8], name: &[u8], other: &[u8]) {
    let mut from = 0;
    while let Some(at) = find(text.get(from..).unwrap_or_default(), name) {
        from += at;
        if let Some(found) = text.get_mut(from..from + other.len()) {
            found.copy_from_slice(other);
        }
        from += other.len();
    }
}

/// Where `word`, which is in lower case, stands in a text of any case.
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len())
        .position(|window| window.eq_ignore_ascii_case(word))
}
