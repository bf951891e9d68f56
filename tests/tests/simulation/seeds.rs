//! Which worlds are run.

use agentwarm_core::seed::Seed;

/// The numbers to run a test with: `AW_SEED` alone, else the first `AW_SEEDS`, else the first `default`.
pub(crate) fn numbers(default: u64) -> Vec<u64> {
    match (number("AW_SEED"), number("AW_SEEDS")) {
        (Some(only), _) => vec![only],
        (None, count) => (1..=count.unwrap_or(default)).collect(),
    }
}

/// The number to run a story with.
pub(crate) fn story() -> u64 {
    number("AW_SEED").unwrap_or(1)
}

/// The seed of world `number` of the test `name`.
pub(crate) fn seed(name: &str, number: u64) -> Seed {
    Seed::root(name.as_bytes()).child_bytes("world", &number.to_be_bytes())
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{variable} is no number")))
}
