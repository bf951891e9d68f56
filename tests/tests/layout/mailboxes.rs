//! A numbered mailbox of the mail servers belongs to one test file: all tests of a run share the servers, and mail that another test sent
//! is counted by whoever looks into a mailbox.

use std::collections::{BTreeMap, BTreeSet};

/// The numbered mailboxes that more than one of these files names; `files` are paths and what stands in them.
pub(crate) fn complaints(files: &[(String, String)]) -> Vec<String> {
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, text) in files {
        for number in numbers(text) {
            used.entry(number).or_default().insert(path);
        }
    }
    used.into_iter()
        .filter(|(_, files)| files.len() > 1)
        .map(|(number, files)| {
            let files: Vec<_> = files.into_iter().collect();
            format!(
                "{number}@… is used by {}: give one of them another number",
                files.join(" and ")
            )
        })
        .collect()
}

/// `w` and three digits between a quotation mark and an `@`.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("\"w").filter_map(|(at, _)| {
        let number = text.get(at + 1..at + 5)?;
        let digits = number.strip_prefix('w')?;
        let is_one = digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_one && text[at + 5..].starts_with('@')).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> (String, String) {
        (path.to_owned(), text.to_owned())
    }

    #[test]
    fn a_mailbox_of_two_files_is_named() {
        let files = [
            file("a.rs", r#"["w141@acorn.test", "w142@acorn.test"]"#),
            file("b.rs", r#"connect("w141@cedar.test")"#),
        ];
        let found = complaints(&files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.concat().contains("w141@… is used by a.rs and b.rs"));
    }

    #[test]
    fn other_addresses_and_one_file_alone_are_fine() {
        let files = [
            file("a.rs", r#""w141@acorn.test" "w141@birch.test" "wärm@x" "w"#),
            file(
                "b.rs",
                r#"`w141@` "late-bounce@birch.test" "w{n}@acorn.test""#,
            ),
        ];
        assert_eq!(complaints(&files), Vec::<String>::new());
    }
}
