//! Questions about finished text that both the linter and personas ask.

/// Whether `text` holds something that a mail client makes clickable: a link, a host name or a mail address
/// (decision 28: no links).
pub(super) fn has_link(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("://")
        || lower.contains("www.")
        || lower.contains('@')
        || lower.split_whitespace().any(is_host_name)
}

/// `example.org`, also at the end of a sentence; not `e.g.`, `9.30` or `a.m.`.
fn is_host_name(token: &str) -> bool {
    let token = token.trim_matches(|c: char| !c.is_alphanumeric());
    let Some((before, last)) = token.rsplit_once('.') else {
        return false;
    };
    let ends_in_letters = before.chars().last().is_some_and(char::is_alphanumeric);
    let is_label = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic);
    ends_in_letters && is_label
}

/// Whether `text` holds a telephone number or another long row of digits.
pub(super) fn has_long_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() >= 7)
}

/// The words of `text`, lower-cased, without punctuation around them.
pub(super) fn words(text: &str) -> Vec<String> {
    let stripped = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    stripped
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_hosts_and_addresses_are_found() {
        for text in [
            "see http://x",
            "Www.x",
            "ask me@home",
            "on example.org.",
            "(at a.b.io)",
            "done.Then",
        ] {
            assert!(has_link(text), "{text}");
        }
        for text in [
            "at 9.30",
            "by 11 a.m. sharp",
            "e.g. this",
            "The end.",
            "A. Weber",
            "so... well",
        ] {
            assert!(!has_link(text), "{text}");
        }
    }

    #[test]
    fn telephone_numbers_are_found() {
        assert!(has_long_number("call 5551234567"));
        assert!(!has_long_number("in 2026, room 410"));
    }

    #[test]
    fn words_are_bare() {
        assert_eq!(
            words("\"Well,\" she said - it's 9.30!"),
            ["well", "she", "said", "it's", "9.30"]
        );
    }
}
