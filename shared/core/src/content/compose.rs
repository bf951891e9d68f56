//! From a turn and two people to a mail.
//!
//! Two seeds, two scopes: what all mails of a thread must agree on (the subject, the facts of the conversation, how the
//! two address each other) is drawn from the thread's seed; everything else from the message's. Composing again with the
//! same arguments gives the same mail, so a retry never words a mail anew (decision 29).

use thiserror::Error;

use super::bank::{Bank, Conversation, ConversationId, Turn};
use super::format::BankError;
use super::persona::Persona;
use super::phrases::{Phrases, Register};
use super::vocabulary::{Text, Values};
use crate::seed::Seed;

/// Share of first mails that begin with a sentence of courtesy.
const OPENER_SHARE: f64 = 0.5;

/// Share of mails that end with a sentence that does not touch the matter.
const CLOSER_SHARE: f64 = 0.6;

/// Of those, the share in which it is a paragraph of its own.
const CLOSER_APART_SHARE: f64 = 0.5;

/// Share of replies that go without a greeting, as people do who write back and forth.
const BARE_REPLY_SHARE: f64 = 0.15;

/// Share of threads whose parties write as colleagues.
const WARM_SHARE: f64 = 0.6;

/// Share of mails signed with more than the first name: of first mails, of replies.
const FULL_NAME_SHARE: (f64, f64) = (0.45, 0.15);

/// Of those, the share with title and department below the name.
const TITLE_SHARE: f64 = 0.5;

/// Share of choices that prefer a conversation on the persona's own topics.
const OWN_TOPIC_SHARE: f64 = 0.5;

/// One turn of one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnRef<'c> {
    /// The conversation.
    pub conversation: &'c ConversationId,
    /// The turn, counted from 0; even ones are written by the party that opened the thread.
    pub turn: usize,
}

/// A mail's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// One line, without line ends; `Re: …` for every turn but the first.
    pub subject: String,
    /// Plain text with `\n` line ends, no trailing one. A paragraph is one line (at most about 1,000 characters): the
    /// MIME builder folds or encodes it.
    pub body_text: String,
}

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ContentError {
    /// The built-in bank is broken; a test of this crate keeps that from happening.
    #[error("the built-in bank is broken: {0}")]
    Bank(#[from] BankError),
    /// The bank has no conversation.
    #[error("the bank is empty")]
    EmptyBank,
    /// A conversation that the bank does not have, perhaps one of an earlier release.
    #[error("there is no conversation {0}")]
    UnknownConversation(ConversationId),
    /// A turn behind the conversation's last.
    #[error("conversation {conversation} has {turns} turns, not {}", turn + 1)]
    NoSuchTurn {
        /// The conversation.
        conversation: ConversationId,
        /// The turn asked for, counted from 0.
        turn: usize,
        /// How many it has.
        turns: usize,
    },
    /// A conversation without a subject; the linter reports those.
    #[error("conversation {0} has no subject")]
    NoSubject(ConversationId),
}

impl ContentError {
    /// Whether a thread just ends here: its conversation, or its turn, is none of the bank's any more.
    pub fn is_the_end(&self) -> bool {
        matches!(self, Self::UnknownConversation(_) | Self::NoSuchTurn { .. })
    }
}

/// Composes `turn` from the built-in bank; `sender` is who writes this turn.
///
/// `thread` must be the same for all mails of a thread, `message` differs for each.
pub fn compose(
    turn: TurnRef<'_>,
    sender: &Persona,
    recipient: &Persona,
    thread: Seed,
    message: Seed,
) -> Result<Composed, ContentError> {
    compose_from(Bank::builtin()?, turn, sender, recipient, thread, message)
}

/// As [`compose`], from any bank.
pub fn compose_from(
    bank: &Bank,
    turn: TurnRef<'_>,
    sender: &Persona,
    recipient: &Persona,
    thread: Seed,
    message: Seed,
) -> Result<Composed, ContentError> {
    let id = turn.conversation;
    let conversation = bank
        .get(id)
        .ok_or_else(|| ContentError::UnknownConversation(id.clone()))?;
    let turns = conversation.turns.len();
    let Some(text) = conversation.turns.get(turn.turn) else {
        return Err(ContentError::NoSuchTurn {
            conversation: id.clone(),
            turn: turn.turn,
            turns,
        });
    };
    let facts = facts(conversation, thread);
    let values = Values {
        sender,
        recipient,
        facts: &facts,
    };
    let subject = draw(&conversation.subjects, thread.child("subject"), &values)
        .ok_or_else(|| ContentError::NoSubject(id.clone()))?;
    let is_first = turn.turn == 0;
    let letter = Letter {
        phrases: Phrases::builtin()?,
        values,
        register: register(thread),
        is_first,
        message,
    };
    Ok(Composed {
        subject: if is_first {
            subject
        } else {
            format!("Re: {subject}")
        },
        body_text: letter.write(text),
    })
}

/// A conversation of the built-in bank for a new thread. Half of the choices prefer what the writer likes to write about: a tag of the
/// conversation that is a word of the persona's topics or department.
///
/// Store the id with the thread; the same seed may choose another one when the bank has grown.
pub fn choose_conversation(writer: &Persona, seed: Seed) -> Result<ConversationId, ContentError> {
    let bank = Bank::builtin()?;
    if seed.child("own topic").chance(OWN_TOPIC_SHARE) {
        let is_own = |conversation: &Conversation| {
            conversation
                .tags
                .iter()
                .any(|tag| writer.is_interested_in(tag))
        };
        let own = bank.iter().filter(|(_, conversation)| is_own(conversation));
        let own: Vec<_> = own.map(|(id, _)| id).collect();
        if let Some(&id) = seed.child("conversation").pick(&own) {
            return Ok(id.clone());
        }
    }
    any_conversation(bank, seed)
}

/// Number of turns of a conversation of the built-in bank; 0 if it does not have it (any more).
///
/// A reply to turn `t` is possible while `t + 1 < turns(id)`.
pub fn turns(id: &ConversationId) -> usize {
    Bank::builtin().map_or(0, |bank| bank.turns(id))
}

/// Any of `bank`.
pub(super) fn any_conversation(bank: &Bank, seed: Seed) -> Result<ConversationId, ContentError> {
    let all: Vec<_> = bank.iter().map(|(id, _)| id).collect();
    seed.child_bytes("any", &0_u64.to_be_bytes())
        .pick(&all)
        .map(|&id| id.clone())
        .ok_or(ContentError::EmptyBank)
}

fn register(thread: Seed) -> Register {
    if thread.child("register").chance(WARM_SHARE) {
        Register::Warm
    } else {
        Register::Plain
    }
}

/// The value of each `Vary:` line in this thread.
fn facts(conversation: &Conversation, thread: Seed) -> Vec<&str> {
    let node = thread.child("facts");
    let draw = |fact: &'_ super::bank::Fact| -> Option<usize> {
        let n = u64::try_from(fact.values.len()).ok()?;
        usize::try_from(node.child(&fact.name).below(n)).ok()
    };
    let values = conversation
        .facts
        .iter()
        .map(|fact| draw(fact).and_then(|at| fact.values.get(at)));
    values
        .map(|value| value.map(String::as_str).unwrap_or_default())
        .collect()
}

/// One of `pool`, rendered; nothing if the pool is empty.
fn draw(pool: &[Text], seed: Seed, values: &Values<'_>) -> Option<String> {
    let text = seed.child("which").pick(pool)?;
    Some(text.render(seed, &|placeholder, out| values.fill(placeholder, out)))
}

/// What is known while a body is put together.
struct Letter<'l> {
    phrases: &'l Phrases,
    values: Values<'l>,
    register: Register,
    is_first: bool,
    message: Seed,
}

impl Letter<'_> {
    fn write(&self, turn: &Turn) -> String {
        let mut text = turn
            .body
            .render(self.message.child("body"), &|placeholder, out| {
                self.values.fill(placeholder, out);
            });
        if let Some(opener) = self.opener() {
            text = format!("{opener} {text}");
        }
        if let Some(closer) = self.closer(turn) {
            let gap = if self
                .message
                .child("closer apart")
                .chance(CLOSER_APART_SHARE)
            {
                "\n\n"
            } else {
                " "
            };
            text = format!("{text}{gap}{closer}");
        }
        let greeting = self
            .greeting()
            .map(|greeting| greeting + "\n\n")
            .unwrap_or_default();
        format!("{greeting}{text}\n\n{}", self.sign_off())
    }

    fn greeting(&self) -> Option<String> {
        if !self.is_first && self.message.child("bare").chance(BARE_REPLY_SHARE) {
            return None;
        }
        self.phrase(self.phrases.greetings(self.register), "greeting")
    }

    fn opener(&self) -> Option<String> {
        let wanted = self.is_first && self.message.child("has opener").chance(OPENER_SHARE);
        if wanted {
            self.phrase(&self.phrases.openers, "opener")
        } else {
            None
        }
    }

    fn closer(&self, turn: &Turn) -> Option<String> {
        let wanted = self.message.child("has closer").chance(CLOSER_SHARE);
        if wanted {
            self.phrase(self.phrases.closers(turn.kind), "closer")
        } else {
            None
        }
    }

    fn sign_off(&self) -> String {
        let line = self
            .phrase(self.phrases.sign_offs(self.register), "sign-off")
            .unwrap_or_default();
        let share = if self.is_first {
            FULL_NAME_SHARE.0
        } else {
            FULL_NAME_SHARE.1
        };
        let sender = self.values.sender;
        if !self.message.child("full name").chance(share) {
            return format!("{line}\n{}", sender.first_name());
        }
        if !self.message.child("title").chance(TITLE_SHARE) {
            return format!("{line}\n{}", sender.name());
        }
        format!("{line}\n{}\n{}", sender.name(), position(sender))
    }

    fn phrase(&self, pool: &[Text], label: &str) -> Option<String> {
        draw(pool, self.message.child(label), &self.values)
    }
}

/// "Office Manager, Operations", but "Sales Manager" alone in Sales.
fn position(person: &Persona) -> String {
    if person.title().contains(person.department()) {
        person.title().to_owned()
    } else {
        format!("{}, {}", person.title(), person.department())
    }
}

#[cfg(test)]
mod tests;
