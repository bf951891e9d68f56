//! What the mails say.
//!
//! Warmup mail has to read as colleagues write, say nothing that could trouble a stranger who finds it (decision 28: no
//! links, no tracking), and hardly ever repeat itself. Three sources of variety multiply:
//!
//! - the **bank**: conversations of two to five turns on everyday business, text files that anybody can edit
//!   (`bank/README.md` describes them). Turn *n + 1* answers turn *n* whichever alternatives were drawn; details that
//!   several turns mention are drawn once per thread (`Vary:`);
//! - **spintax** inside each turn, at least a thousand texts per turn;
//! - **phrases** around it: greeting, opening and closing sentence, sign-off, composed separately.
//!
//! ```text
//! bank/*.txt ─ format ─▶ Bank ─┐
//! bank/phrases.txt ─▶ Phrases ─┼─▶ compose(turn, sender, recipient, thread seed, message seed) ─▶ subject, body
//! Persona::derive / owner ─────┘
//! ```
//!
//! Everything is drawn from seeds, so composing again gives the same mail (decision 29). [`lint`] holds the bank to its
//! rules, and a test bounds how alike 1,000 generated mails are.

mod bank;
mod compose;
mod format;
pub mod lint;
mod people;
mod persona;
mod phrases;
mod shingle;
pub mod spintax;
mod text;
mod vocabulary;

#[cfg(test)]
mod overlap_tests;

pub use bank::{Bank, Conversation, ConversationId, Fact, Turn, TurnKind};
pub use compose::{
    Composed, ContentError, TurnRef, choose_conversation, compose, compose_from, turns,
};
pub use format::{BankError, BankMistake};
pub use persona::{MAX_FIELD_CHARS, MAX_TOPICS, Persona};
pub use vocabulary::{Field, Party, Placeholder, Text};
