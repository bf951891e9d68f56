//! Rules for the short texts that people give things.

use std::fmt::Write as _;

use crate::error::Problem;

/// The longest name of anything, in characters.
pub const NAME_MAX_CHARS: usize = 100;

/// The longest description, in characters.
pub const DESCRIPTION_MAX_CHARS: usize = 500;

/// The longest word of a mail's header, in characters: a line has at most 998 bytes (RFC 5322 §2.1.1), and folding needs a space.
pub const WORD_MAX_CHARS: usize = 900;

/// The largest text of a mail, in bytes.
pub const MAIL_TEXT_MAX_BYTES: usize = 1024 * 1024;

/// Whether a header's text can be folded into lines. In other scripts words are encoded, and encoded ones are cut.
pub fn can_be_folded(text: &str) -> bool {
    text.split(' ')
        .all(|word| word.len() <= WORD_MAX_CHARS || !word.is_ascii())
}

/// Hexadecimal digits, two for each byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What is wrong with `text` as one line of at most `max` characters that may come to stand in a mail's header, a log or a terminal;
/// `None` when nothing is.
///
/// Refused are control characters, the line and paragraph separators, the invisible marks that turn text around (they make one
/// address look like another), and ready-made encoded words (RFC 2047), whose decoded form would escape every check.
pub fn line_problem(text: &str, max: usize) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("must not be empty");
    }
    if text.chars().count() > max {
        return Some(match max {
            NAME_MAX_CHARS => "must have at most 100 characters",
            DESCRIPTION_MAX_CHARS => "must have at most 500 characters",
            _ => "is too long",
        });
    }
    if text.chars().any(is_forbidden) {
        return Some("must not contain control characters or line breaks");
    }
    if text.contains("=?") {
        return Some("must not contain encoded words (=?…?=)");
    }
    None
}

/// The characters that [`line_problem`] takes, as a regular expression for the API's document.
pub const LINE_PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]*$";

/// The problem of [`line_problem`] as a list of at most one, for the field at `path`.
pub fn check_line(path: &str, text: &str, max: usize) -> Option<Problem> {
    line_problem(text, max).map(|message| Problem::new(path, message))
}

fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' // line and paragraph separator
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // direction marks
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_any_script_pass_and_tricks_do_not() {
        for good in [
            "Hello",
            "Zoë Ångström",
            "山田 太郎",
            "O'Neil, Jr. <3",
            "a=b?",
        ] {
            assert_eq!(line_problem(good, NAME_MAX_CHARS), None, "{good}");
        }
        for bad in [
            "",
            "  ",
            "a\r\nBcc: x@y.de",
            "a\0b",
            "a\u{2028}b",
            "abc\u{202e}cba",
            "abc\u{61c}cba",
            "=?utf-8?q?a=0D=0Ab?=",
            "\u{7f}",
            "\u{85}",
        ] {
            assert!(line_problem(bad, NAME_MAX_CHARS).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(line_problem(&"é".repeat(100), NAME_MAX_CHARS), None);
        assert!(line_problem(&"é".repeat(101), NAME_MAX_CHARS).is_some());
    }

    #[test]
    fn a_long_word_cannot_be_folded_unless_it_is_encoded() {
        let long = "a".repeat(WORD_MAX_CHARS);
        assert!(can_be_folded(&format!("{long} {long}")));
        assert!(!can_be_folded(&format!("a {long}b")));
        assert!(can_be_folded(&"é".repeat(WORD_MAX_CHARS)));
    }

    #[test]
    fn bytes_have_two_digits_each() {
        assert_eq!(hex(&[0, 0x0f, 0xab]), "000fab");
    }

    proptest! {
        #[test]
        fn what_passes_is_one_printable_line(text in any::<String>()) {
            if line_problem(&text, NAME_MAX_CHARS).is_none() {
                prop_assert_eq!(text.lines().count(), 1);
                prop_assert!(!text.contains(char::is_control));
            }
        }
    }
}
