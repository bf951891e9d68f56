//! Rules for the short texts that people give things.

use crate::error::Problem;

/// The longest name of anything, in characters.
pub const NAME_MAX_CHARS: usize = 100;

/// The longest description, in characters.
pub const DESCRIPTION_MAX_CHARS: usize = 500;

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
