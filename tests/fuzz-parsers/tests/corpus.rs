//! Everything that is kept in `corpus/`, through the targets, without libFuzzer; and that no target and no operation is forgotten.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use agentwarm_core::seed::{Seed, SeedRng};
use agentwarm_fuzz_parsers::{TARGETS, request_body, request_query};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files(folder).into_iter().map(stem).collect()
}

#[test]
fn what_is_kept_breaks_nothing() {
    for (name, check) in TARGETS {
        let mut kept = files(&folder("corpus").join(name));
        assert!(kept.len() >= 3, "{name} begins with next to nothing");
        if name.starts_with("mail_") {
            kept.extend(files(&folder("../../shared/mail/fixtures")));
        }
        for file in kept {
            eprintln!("{}", file.display());
            check(&std::fs::read(file).unwrap());
        }
    }
}

/// How many mutants each target is given, unless `AW_MUTANTS` says.
const MUTANTS: u64 = 400;

/// A little of what libFuzzer does, for machines and targets that it is too slow to build for: what is kept, changed at random in a few
/// places. It sees no coverage, so it finds what is near. The same mutants each time.
#[test]
fn what_is_near_breaks_nothing() {
    let count = std::env::var_os("AW_MUTANTS")
        .map_or(MUTANTS, |text| text.to_str().unwrap().parse().unwrap());
    for (name, check) in TARGETS {
        let kept = kept(name);
        let words = words(name);
        let seed = Seed::root(name.as_bytes());
        for number in 0..count {
            let input = mutant(
                &kept,
                &words,
                &mut seed.child_bytes("mutant", &number.to_be_bytes()).rng(),
            );
            let broken = std::panic::catch_unwind(|| check(&input)).is_err();
            assert!(
                !broken,
                "{name} is broken by {:?}",
                input.escape_ascii().to_string()
            );
        }
    }
}

/// The contents of what is kept for a target, in the order of their names.
fn kept(name: &str) -> Vec<Vec<u8>> {
    let mut paths = files(&folder("corpus").join(name));
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// The words that libFuzzer is given for a target, as they are: a name's beginning is its dictionary's.
fn words(name: &str) -> Vec<Vec<u8>> {
    let dictionary = folder("words").join(name.split('_').next().unwrap());
    let text = std::fs::read_to_string(dictionary).unwrap_or_default();
    let quoted = text
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted
        .map(|word| word.replace("\\x0d\\x0a", "\r\n").into_bytes())
        .collect()
}

fn mutant(kept: &[Vec<u8>], words: &[Vec<u8>], rng: &mut SeedRng) -> Vec<u8> {
    let mut below = |n: usize| usize::try_from(rng.below(n.max(1) as u64)).unwrap();
    let mut input = kept[below(kept.len())].clone();
    for _ in 0..=below(4) {
        let at = below(input.len() + 1);
        let end = (at + 1 + below(16)).min(input.len());
        match below(6) {
            0 if at < input.len() => input[at] ^= 1 << below(8),
            1 if at < input.len() => input[at] = u8::try_from(below(256)).unwrap(),
            2 if at < end => drop(input.drain(at..end)),
            3 if at < end => {
                let again = input[at..end].repeat(1 + below(20));
                input.splice(at..at, again);
            }
            4 if !words.is_empty() => drop(input.splice(at..at, words[below(words.len())].clone())),
            _ => {
                let other = &kept[below(kept.len())];
                let from = below(other.len());
                input.splice(at.., other[from..].iter().copied());
            }
        }
    }
    input
}

#[test]
fn every_target_can_be_run() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|it| it.0.to_owned()).collect();
    assert_eq!(names(&folder("targets")), targets);
    assert_eq!(names(&folder("corpus")), targets);
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in targets {
        let bin = format!("name = \"{name}\"\npath = \"targets/{name}.rs\"");
        assert!(manifest.contains(&bin), "{name} is no [[bin]]");
    }
}

#[test]
fn every_body_and_every_query_is_read() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let (mut bodies, mut queries) = (BTreeSet::new(), BTreeSet::new());
    let paths = document["paths"].as_object().unwrap().values();
    for operation in paths.flat_map(|methods| methods.as_object().unwrap().values()) {
        let name = operation["operationId"].as_str().unwrap();
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        if operation["requestBody"].is_object() {
            bodies.insert(name);
        }
        if parameters.any(|parameter| parameter["in"] == "query") {
            queries.insert(name);
        }
    }
    assert_eq!(
        request_body::OPERATIONS
            .map(|it| it.1)
            .into_iter()
            .collect::<BTreeSet<_>>(),
        bodies
    );
    assert_eq!(
        request_query::OPERATIONS
            .map(|it| it.1)
            .into_iter()
            .collect::<BTreeSet<_>>(),
        queries
    );
}
