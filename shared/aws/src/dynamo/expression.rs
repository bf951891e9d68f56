//! Expressions: DynamoDB's conditions, filters and updates, with their placeholders kept in step.
//!
//! In the text, `#name` stands for the attribute `name` (so that no attribute can collide with one of DynamoDB's 573 reserved words) and
//! `:name` for a value given by [`Expression::value`]. Names are read off the text, so they cannot be forgotten or left over.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::codec::{self, Item};

/// An attribute's name by its placeholder.
#[expect(clippy::disallowed_types, reason = "the SDK's type; never iterated")]
pub(crate) type Names = std::collections::HashMap<String, String>;

/// An expression and its values.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    text: String,
    values: Item,
}

impl Expression {
    /// An expression; `#name` and `:name` as the module says.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            values: Item::new(),
        }
    }

    /// With what `:name` stands for.
    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{name}"), value);
        self
    }

    /// Both.
    pub(crate) fn and(self, other: Self) -> Self {
        let mut values = self.values;
        values.extend(other.values);
        Self {
            text: format!("({}) AND ({})", self.text, other.text),
            values,
        }
    }

    /// The item is there.
    pub(crate) fn exists() -> Self {
        Self::new("attribute_exists(#pk)")
    }

    /// The item is not there, or over.
    pub(crate) fn absent(now: Timestamp) -> Self {
        Self::new("attribute_not_exists(#pk) OR #expiresAt <= :now")
            .value("now", codec::number(now.as_second()))
    }

    /// The item is not over.
    pub(crate) fn live(now: Timestamp) -> Self {
        Self::new("attribute_not_exists(#expiresAt) OR #expiresAt > :now")
            .value("now", codec::number(now.as_second()))
    }

    /// The item's version is the one before `version`, the one that is to be written.
    pub(crate) fn precedes(version: u64) -> Self {
        Self::new("#version = :read").value("read", codec::number(version.saturating_sub(1)))
    }

    /// The text, the names in it and the values: as requests want them.
    pub(crate) fn parts(self) -> (String, Names, Item) {
        let names = names_in(&self.text);
        (self.text, names, self.values)
    }
}

/// The names that `#` stands for in a text.
pub(crate) fn names_in(text: &str) -> Names {
    text.split('#')
        .skip(1)
        .filter_map(|rest| {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            (!name.is_empty()).then(|| (format!("#{name}"), name))
        })
        .collect()
}

/// Two expressions of one request share their names and values.
pub(crate) fn merged(
    update: Expression,
    condition: Option<Expression>,
) -> (String, Option<String>, Names, Item) {
    let (update_text, mut names, mut values) = update.parts();
    let condition_text = condition.map(|condition| {
        let (text, more_names, more_values) = condition.parts();
        names.extend(more_names);
        values.extend(more_values);
        text
    });
    (update_text, condition_text, names, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_off_the_text() {
        let (text, names, values) = Expression::precedes(7)
            .and(Expression::new("contains(#data.#status, :s)").value("s", codec::text("x")))
            .parts();

        assert_eq!(text, "(#version = :read) AND (contains(#data.#status, :s))");
        let mut names: Vec<_> = names.into_values().collect();
        names.sort();
        assert_eq!(names, ["data", "status", "version"]);
        assert_eq!(values.len(), 2);
        assert_eq!(
            values.get(":read"),
            Some(&AttributeValue::N("6".to_owned()))
        );
    }
}
