//! The bank: conversations by id, and the built-in one.
//!
//! A conversation is two to five turns between two people who write alternately; the first turn opens the thread. Its id
//! is a slug that people chose, not a position, because a thread outlives the release that started it: an id that is no
//! longer in the bank means "no further turn", never another conversation's text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::format::{self, BankError};
use super::vocabulary::{Placeholder, Text};

/// The stable name of a conversation, its slug in the bank's files.
///
/// Any string is an id; whether a bank has it is [`Bank::get`]'s answer. Ids that were stored by an earlier release
/// must stay readable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(String);

impl ConversationId {
    /// The id that was stored as `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What a turn leaves its reader with. It decides which closing sentences fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TurnKind {
    /// It ends with a question or a request.
    Asks,
    /// It gives news or an answer.
    Tells,
    /// It settles the matter; nothing is left open.
    Closes,
}

/// One mail of a conversation, without greeting and sign-off.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Line of its `---` header in the bank's file.
    pub line: usize,
    /// What it leaves its reader with.
    pub kind: TurnKind,
    /// Its text.
    pub body: Text,
}

/// A detail that is drawn once per thread, so that all turns agree on it: `Vary: day = Tuesday | Thursday`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Name of the placeholder.
    pub name: String,
    /// At least two values.
    pub values: Vec<String>,
}

/// A conversation of the bank.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// File it stands in.
    pub file: String,
    /// Line of its `===` header.
    pub line: usize,
    /// Lower-case words that a persona's topics and department are compared with.
    pub tags: Vec<String>,
    /// Details drawn per thread.
    pub facts: Vec<Fact>,
    /// Subjects of the first turn, one is drawn per thread. They hold facts, never people: both parties of a thread
    /// render the same subject.
    pub subjects: Vec<Text>,
    /// The mails, in order; even ones are written by the party that opened the thread.
    pub turns: Vec<Turn>,
}

/// Conversations by id.
#[derive(Clone, Debug, Default)]
pub struct Bank {
    conversations: BTreeMap<ConversationId, Conversation>,
}

impl Bank {
    /// Parses files of (name, text); the format is described in the bank's own README.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, BankError> {
        let mut conversations = BTreeMap::new();
        for (file, text) in files {
            format::parse_into(&mut conversations, file, text)?;
        }
        Ok(Self { conversations })
    }

    /// The built-in bank, parsed on first use. A test keeps it parseable, so the error is there for type's sake.
    pub fn builtin() -> Result<&'static Self, BankError> {
        static BUILTIN: LazyLock<Result<Bank, BankError>> = LazyLock::new(|| Bank::parse(FILES));
        BUILTIN.as_ref().map_err(Clone::clone)
    }

    /// The conversation of that id, if the bank (still) has it.
    pub fn get(&self, id: &ConversationId) -> Option<&Conversation> {
        self.conversations.get(id)
    }

    /// All conversations, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = (&ConversationId, &Conversation)> {
        self.conversations.iter()
    }

    /// Number of conversations.
    pub fn len(&self) -> usize {
        self.conversations.len()
    }

    /// Whether there is no conversation.
    pub fn is_empty(&self) -> bool {
        self.conversations.is_empty()
    }

    /// Number of turns of a conversation; 0 if the bank does not have it. A reply to turn `t` (counted from 0) is
    /// possible while `t + 1 < turns`.
    pub fn turns(&self, id: &ConversationId) -> usize {
        self.get(id)
            .map_or(0, |conversation| conversation.turns.len())
    }
}

impl Conversation {
    /// Whether `placeholder` is one that a subject may hold.
    pub(super) fn fits_subject(placeholder: &Placeholder) -> bool {
        matches!(placeholder, Placeholder::Fact(_))
    }
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("bank/", $name)))),*]
    };
}

/// The built-in files, one per group of topics.
const FILES: &[(&str, &str)] = files![
    "clubs.txt",
    "community.txt",
    "events.txt",
    "food.txt",
    "hiring.txt",
    "office.txt",
    "paperwork.txt",
    "product.txt",
    "projects.txt",
    "reports.txt",
    "scheduling.txt",
    "suppliers.txt",
    "technology.txt",
    "training.txt",
    "travel.txt",
    "writing.txt",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_bank_parses_and_is_large_enough() {
        let bank = Bank::builtin().unwrap();
        assert!(bank.len() >= 110, "{} conversations", bank.len());
        for turns in 2..=5 {
            let with_turns = bank.iter().filter(|(id, _)| bank.turns(id) == turns);
            assert!(
                with_turns.count() >= 5,
                "hardly any conversation has {turns} turns"
            );
        }
    }

    #[test]
    fn an_id_that_left_the_bank_has_no_turns() {
        let id = ConversationId::new("gone-since-last-year");
        assert_eq!(Bank::builtin().unwrap().turns(&id), 0);
    }
}
