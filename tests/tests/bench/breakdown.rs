//! What is used most, by function and item.

use crate::table::{figure, table};
use crate::usage::{Usage, What};

/// Lines of a breakdown; what is below a hundredth of a unit for each mail is summed up.
const SMALL: f64 = 0.01;

/// A table of one kind, the largest first.
pub(crate) fn breakdown(day: &Usage, what: What, mails: f64) -> String {
    let mut lines: Vec<(String, f64)> = day
        .of(what)
        .map(|(key, amount)| (name(&key.function, &key.detail), amount / mails))
        .collect();
    lines.sort_by(|left, right| right.1.total_cmp(&left.1));
    let rest: f64 = lines
        .extract_if(.., |(_, amount)| *amount < SMALL)
        .map(|(_, amount)| amount)
        .sum();
    lines.push(("all others".to_owned(), rest));
    let rows = lines
        .into_iter()
        .map(|(name, amount)| [name, figure(amount)]);
    table(["function: item (operation)", "per mail"], rows)
}

fn name(function: &str, detail: &str) -> String {
    if detail.is_empty() {
        return function.to_owned();
    }
    format!("{function}: {detail}")
}
