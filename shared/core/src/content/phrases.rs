//! What stands around a turn: greetings, opening and closing sentences, sign-offs.
//!
//! They are kept apart from the conversations so that each can be combined with all of them, which is what keeps two
//! mails of one turn apart. They are neutral to time of day, weekday and season, and do not touch the matter; a closing
//! sentence fits what its turn leaves the reader with ([`TurnKind`]).

use std::sync::LazyLock;

use super::bank::TurnKind;
use super::format::{self, BankError};
use super::vocabulary::Text;

/// How two people write to each other; one per thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Register {
    /// Colleagues who know each other.
    Warm,
    /// Polite, a little distant.
    Plain,
}

/// The phrases, by where they stand.
#[derive(Clone, Debug)]
pub(super) struct Phrases {
    /// Greeting lines.
    pub(super) warm_greetings: Vec<Text>,
    pub(super) plain_greetings: Vec<Text>,
    /// A first sentence for the first mail of a thread.
    pub(super) openers: Vec<Text>,
    /// Last sentences, by what the turn leaves its reader with.
    pub(super) after_asking: Vec<Text>,
    pub(super) after_telling: Vec<Text>,
    pub(super) after_closing: Vec<Text>,
    /// Sign-off lines, without the name.
    pub(super) warm_sign_offs: Vec<Text>,
    pub(super) plain_sign_offs: Vec<Text>,
}

/// Name and text of the built-in file.
const FILE: (&str, &str) = ("phrases.txt", include_str!("bank/phrases.txt"));

impl Phrases {
    /// Parses a file of sections, one phrase a line.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, BankError> {
        let mut sections = format::sections(file, text)?;
        let mut take = |name: &'static str| sections.take(name);
        let phrases = Self {
            warm_greetings: take("greetings, warm")?,
            plain_greetings: take("greetings, plain")?,
            openers: take("openers")?,
            after_asking: take("closers, asks")?,
            after_telling: take("closers, tells")?,
            after_closing: take("closers, closes")?,
            warm_sign_offs: take("sign-offs, warm")?,
            plain_sign_offs: take("sign-offs, plain")?,
        };
        sections.finish()?;
        Ok(phrases)
    }

    /// The built-in phrases, parsed on first use. A test keeps them parseable, so the error is there for type's sake.
    pub(super) fn builtin() -> Result<&'static Self, BankError> {
        static BUILTIN: LazyLock<Result<Phrases, BankError>> =
            LazyLock::new(|| Phrases::parse(FILE.0, FILE.1));
        BUILTIN.as_ref().map_err(Clone::clone)
    }

    pub(super) fn greetings(&self, register: Register) -> &[Text] {
        match register {
            Register::Warm => &self.warm_greetings,
            Register::Plain => &self.plain_greetings,
        }
    }

    pub(super) fn closers(&self, kind: TurnKind) -> &[Text] {
        match kind {
            TurnKind::Asks => &self.after_asking,
            TurnKind::Tells => &self.after_telling,
            TurnKind::Closes => &self.after_closing,
        }
    }

    pub(super) fn sign_offs(&self, register: Register) -> &[Text] {
        match register {
            Register::Warm => &self.warm_sign_offs,
            Register::Plain => &self.plain_sign_offs,
        }
    }

    /// All of them, for the linter.
    pub(super) fn all(&self) -> impl Iterator<Item = &Text> {
        let lists = [
            &self.warm_greetings,
            &self.plain_greetings,
            &self.openers,
            &self.after_asking,
            &self.after_telling,
            &self.after_closing,
            &self.warm_sign_offs,
            &self.plain_sign_offs,
        ];
        lists.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::BankMistake;
    use super::*;

    #[test]
    fn the_builtin_phrases_parse() {
        let phrases = Phrases::builtin().unwrap();
        assert!(phrases.all().count() > 80);
    }

    #[test]
    fn a_section_that_is_missing_or_unknown_is_named() {
        let without = FILE.1.replace("=== openers", "=== overtures");
        let error = Phrases::parse("p.txt", &without).unwrap_err();
        assert_eq!(error.mistake, BankMistake::MissingSection("openers"));
        let with_more = format!("{}\n=== jokes\nHa.\n", FILE.1);
        let error = Phrases::parse("p.txt", &with_more).unwrap_err();
        assert_eq!(error.mistake, BankMistake::UnknownSection("jokes".into()));
    }
}
