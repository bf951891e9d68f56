//! Tables and figures for people.

/// A table in Markdown: the first column is text, the others are figures.
pub(crate) fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut lines = vec![line(&head.map(str::to_owned))];
    let mut rule = ["---:"; N];
    if let Some(first) = rule.first_mut() {
        *first = "---";
    }
    lines.push(line(&rule.map(str::to_owned)));
    lines.extend(rows.into_iter().map(|row| line(&row)));
    lines.concat()
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// How long lines of text are.
const LINE: usize = 140;

/// A paragraph in lines.
pub(crate) fn wrapped(paragraph: &str) -> String {
    let mut text = String::new();
    let mut length = 0;
    for word in paragraph.split_whitespace() {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > LINE {
            text.push('\n');
            length = 0;
        } else if length > 0 {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += word_length;
    }
    text.push('\n');
    text
}

/// A figure with about three digits that say something.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        large if large >= 100.0 => grouped(&format!("{value:.0}")),
        middle if middle >= 10.0 => format!("{value:.1}"),
        small if small >= 0.1 => format!("{value:.2}"),
        tiny if tiny >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.6}"),
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The middle of some values; of two middles the lower. Nothing of nothing.
pub(crate) fn median<T: PartialOrd + Copy>(values: &[T]) -> Option<T> {
    percentile(values, 50)
}

/// The least of some values that so many percent of them do not exceed (nearest rank). Nothing of nothing.
pub(crate) fn percentile<T: PartialOrd + Copy>(values: &[T], percent: usize) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|left, right| left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal));
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let rows = [["x".to_owned(), "1".to_owned()]];
        assert_eq!(
            table(["a", "b"], rows),
            "| a | b |\n| --- | ---: |\n| x | 1 |\n"
        );
    }

    #[test]
    fn a_paragraph_is_in_lines() {
        let words = ["word"; 60].join(" ");
        let text = wrapped(&words);
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.len() <= LINE));
        assert_eq!(text.split_whitespace().count(), 60);
    }

    #[test]
    fn figures_keep_what_says_something() {
        for (value, expected) in [
            (0.0, "0"),
            (1_234_567.8, "1,234,568"),
            (999.4, "999"),
            (12.34, "12.3"),
            (5.678, "5.68"),
            (0.0123, "0.0123"),
            (0.000_02, "0.000020"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3, 1, 2]), Some(2));
        assert_eq!(
            median(&[4.0, 1.0, 3.0, 2.0]).map(figure).as_deref(),
            Some("2.00")
        );
        assert_eq!(median::<u8>(&[]), None);
        let hundred: Vec<_> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&hundred[..10], 99), Some(10));
    }
}
