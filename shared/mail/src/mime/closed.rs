//! Messages within messages stay closed.
//!
//! The parser would open them, one in the other as deep as a stranger likes, and copy and drop them by recursion: a few thousand of them, in
//! base64 even in 64 KB, end the process. So before a message is parsed the types of those within it are made unknown ones, and they are
//! parts like any other. For that one letter of the type gives way to a control character, which [`reopened`] turns back in what is shown: a
//! text may speak of such types, too.
//!
//! Multiparts stay closed beyond a number: for each, the parser looks for its first boundary through all that follows, so that a few thousand
//! without one would take minutes.
//!
//! What is a field for the parser must be one here. It takes a name for `Content-Type` that has white space in it, and lets a part begin in
//! the middle of a line, even one that continues another field.

/// A field's name, in lower case.
const FIELD: &[u8] = b"content-type";

const MESSAGE: &[u8] = b"message";
/// Parts of a digest are messages without saying so (RFC 2046 §5.1.5).
const DIGEST: &[u8] = b"digest";
const MULTIPART: &[u8] = b"multipart";

/// The first letters of these, and what stands in their place: characters that no charset gives a meaning and nobody can see.
const LETTERS: [(u8, u8); 4] = [(b'm', 0x1c), (b'M', 0x1d), (b'd', 0x1e), (b'D', 0x1f)];

/// What stands in the place of a character that would be taken for one of those.
const NOTHING: u8 = 0x7f;

/// How many multiparts are opened: programs nest them three deep.
const MOST_MULTIPARTS: usize = 50;

/// A text as it was before.
pub(super) fn reopened(text: &str) -> String {
    let letter = |c: char| LETTERS.iter().find(|(_, mark)| char::from(*mark) == c);
    let as_it_was = |c: char| letter(c).map_or(c, |(letter, _)| char::from(*letter));
    text.chars().map(as_it_was).collect()
}

/// Whether a type is that of a closed message.
pub(super) fn is_closed(kind: &str) -> bool {
    reopened(kind).as_bytes().eq_ignore_ascii_case(MESSAGE)
}

/// Closes the messages in `source`, and the multiparts beyond [`MOST_MULTIPARTS`].
pub(super) fn close_messages(source: &mut [u8]) {
    let marks = LETTERS.map(|(_, mark)| mark);
    for byte in source.iter_mut().filter(|byte| marks.contains(byte)) {
        *byte = NOTHING;
    }
    let mut field = Field::default();
    let mut multiparts = 0;
    for colon in 0..source.len() {
        if source.get(colon) != Some(&b':') || !is_name(source.get(..colon).unwrap_or_default()) {
            continue;
        }
        let kind = field.kind(source, colon + 1);
        let kind = source.get_mut(kind).unwrap_or_default();
        multiparts += usize::from(find(kind, MULTIPART).is_some());
        if multiparts > MOST_MULTIPARTS {
            close(kind, MULTIPART);
        }
        close(kind, MESSAGE);
        close(kind, DIGEST);
    }
}

/// A field, which can hold others.
#[derive(Default)]
struct Field {
    /// Where it ends.
    end: usize,
    /// Where the type ends that was looked at last.
    kind_end: usize,
    has_comment: bool,
}

impl Field {
    /// Where in `source` the type stands whose field begins here, as far as it was not looked at before. It stands in front of its
    /// parameters, unless there are comments, which may hold anything.
    fn kind(&mut self, source: &[u8], begin: usize) -> std::ops::Range<usize> {
        if begin >= self.end {
            let rest = source.get(begin..).unwrap_or_default();
            let value = rest.get(..field_end(rest)).unwrap_or_default();
            *self = Self {
                end: begin + value.len(),
                kind_end: begin,
                has_comment: value.contains(&b'('),
            };
        }
        let begin = begin.max(self.kind_end);
        let rest = source.get(begin..self.end).unwrap_or_default();
        let parameters = rest.iter().position(|b| *b == b';' && !self.has_comment);
        self.kind_end = parameters.map_or(self.end, |at| begin + at);
        begin..self.kind_end
    }
}

/// Whether what ends here is the name of the field, white space left out.
fn is_name(text: &[u8]) -> bool {
    let is_read = |byte: &&u8| **byte == b'\n' || !byte.is_ascii_whitespace();
    let mut read = text.iter().rev().filter(is_read);
    let mut name = FIELD.iter().rev();
    name.all(|letter| {
        read.next()
            .is_some_and(|byte| byte.eq_ignore_ascii_case(letter))
    })
}

/// Where a header field ends: at a line end that no white space follows.
fn field_end(text: &[u8]) -> usize {
    let ends = text
        .windows(2)
        .position(|pair| matches!(pair, [b'\n', next] if !matches!(next, b' ' | b'\t')));
    ends.unwrap_or(text.len())
}

/// Puts a mark in the place of the first letter of a word, wherever it stands.
fn close(text: &mut [u8], word: &[u8]) {
    let mut from = 0;
    while let Some(at) = find(text.get(from..).unwrap_or_default(), word) {
        from += at;
        if let Some(first) = text.get_mut(from) {
            let mark = LETTERS.iter().find(|(letter, _)| letter == first);
            *first = mark.map_or(NOTHING, |(_, mark)| *mark);
        }
        from += word.len();
    }
}

/// Where `word`, which is in lower case, stands in a text of any case.
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len())
        .position(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(text: &str) -> String {
        let mut source = text.as_bytes().to_vec();
        close_messages(&mut source);
        let shown = String::from_utf8(source).unwrap();
        assert_eq!(reopened(&shown), text);
        LETTERS.iter().fold(shown, |shown, (_, mark)| {
            shown.replace(char::from(*mark), "_")
        })
    }

    #[test]
    fn a_field_is_one_however_its_name_is_written() {
        for name in [
            "Content-Type",
            "content-TYPE ",
            "Content -\rType",
            ":\t C ontent-Type",
        ] {
            let field = format!("{name}: message/rfc822; name=message\n");
            assert_eq!(
                closed(&field),
                format!("{name}: _essage/rfc822; name=message\n")
            );
        }
        let others = "Content-Types: message\nX-Type: message\nContent-\nType: message\n";
        assert_eq!(closed(others), others);
    }

    #[test]
    fn a_field_may_begin_within_another() {
        assert_eq!(
            closed("Content-Type: x; a\n --b Content-Type: Message/rfc822; message\n"),
            "Content-Type: x; a\n --b Content-Type: _essage/rfc822; message\n"
        );
        assert_eq!(
            closed("Subject: --b Content-Type:\n\tmultipart/digest\nmessage"),
            "Subject: --b Content-Type:\n\tmultipart/_igest\nmessage"
        );
        assert_eq!(
            closed("Content-Type: (;) message/rfc822; (Content-Type: digest) message"),
            "Content-Type: (;) _essage/rfc822; (Content-Type: _igest) _essage"
        );
    }

    #[test]
    fn a_mark_that_was_there_before_is_no_letter() {
        let mut source = b"a\x1cb".to_vec();
        close_messages(&mut source);
        assert_eq!(source, b"a\x7fb");
    }
}
