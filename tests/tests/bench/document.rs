//! `docs/benchmarks.md`: one section for each benchmark, so that one can be run again without the others.

use std::path::PathBuf;

use crate::machine;

/// What stands before the sections.
const HEAD: &str = "\
# Benchmarks

Measured by `make bench`, which writes this file. Nothing fails on a figure here; goals stand beside what was measured. Each section says what
was run, of which commit and on which machine. `make bench ARGS=\"cost\"` runs one of them (`api`, `cost`, `planner`,
`cold_start`, `memory`).
";

/// Writes a section, over an earlier one of the same title.
pub(crate) fn write(title: &str, body: &str) {
    let path = path();
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let body = format!(
        "Commit {}, on {}.\n\n{body}",
        machine::commit(),
        machine::sentence()
    );
    println!("\n## {title}\n\n{body}");
    std::fs::write(&path, with_section(&before, title, &body)).unwrap();
}

fn path() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/benchmarks.md"
    ))
}

/// The document with this section; sections stand in the order of their titles, so that the order of runs changes nothing.
fn with_section(document: &str, title: &str, body: &str) -> String {
    let mut sections: Vec<(String, String)> = document
        .split("\n## ")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .map(|(title, body)| (title.to_owned(), body.trim().to_owned()))
        .filter(|(known, _)| known != title)
        .collect();
    sections.push((title.to_owned(), body.trim().to_owned()));
    sections.sort();
    let sections = sections
        .iter()
        .map(|(title, body)| format!("\n## {title}\n\n{body}\n"));
    HEAD.to_owned() + &sections.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_earlier_self_and_no_other() {
        let first = with_section("", "Planner", "one\n\n| a |\n");
        let second = with_section(&first, "Cold start", "two");
        let third = with_section(&second, "Planner", "three");
        assert_eq!(
            third,
            format!("{HEAD}\n## Cold start\n\ntwo\n\n## Planner\n\nthree\n")
        );
        assert_eq!(with_section(&third, "Planner", "three"), third);
    }
}
