//! The bank's file format: lines that people edit without knowing a programming language.
//!
//! ```text
//! # a comment
//! === team-day-date                          a conversation and its id: a-z, 0-9 and -
//! Tags: scheduling, team                     optional
//! Vary: day = Tuesday | Thursday             optional, repeatable: one value per thread
//! Subject: {Date|A date} for the team day    repeatable
//! --- asks                                   a turn that asks, tells or closes
//! Would {{day}} {suit|work for} you?         spintax, wrapped freely; a blank line is a paragraph
//! --- closes
//! …
//! ```
//!
//! The parser refuses what it cannot understand and names the line; whether a conversation is any good is
//! [`lint`](super::lint)'s question.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use thiserror::Error;

use super::bank::{Conversation, ConversationId, Fact, Turn, TurnKind};
use super::spintax::{SpintaxError, Template};
use super::vocabulary::{Placeholder, Text};

/// A mistake in a bank file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {mistake}")]
pub struct BankError {
    /// Name of the file.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub mistake: BankMistake,
}

/// What can be wrong with a line of a bank file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BankMistake {
    /// Text or a header before the first `===` line.
    #[error("this stands before the first conversation (=== its-name)")]
    OutsideConversation,
    /// An id with other characters than `a-z`, `0-9` and `-`, or empty.
    #[error("{0:?} is not a name: use a-z, 0-9 and -")]
    BadName(String),
    /// The id of an earlier conversation, in whatever file.
    #[error("there is a conversation {0:?} already")]
    DuplicateConversation(ConversationId),
    /// A line above the first turn that is neither `Tags:`, `Vary:` nor `Subject:`.
    #[error("expected Tags:, Vary:, Subject: or a turn, found {0:?}")]
    UnknownHeader(String),
    /// A turn that is not `asks`, `tells` or `closes`.
    #[error("a turn is --- asks, --- tells or --- closes, not {0:?}")]
    UnknownTurnKind(String),
    /// A `Vary:` line that is not `name = value | value …` with at least two values.
    #[error("expected Vary: name = value | value, found {0:?}")]
    BadVary(String),
    /// Two `Vary:` lines of one conversation with one name.
    #[error("{0:?} varies already")]
    DuplicateVary(String),
    /// A section of the phrases that nobody asks for.
    #[error("there is no section {0:?}")]
    UnknownSection(String),
    /// A section of the phrases that is not there or has no line.
    #[error("the section {0:?} is missing or empty")]
    MissingSection(&'static str),
    /// A subject or a turn without text.
    #[error("there is no text")]
    NoText,
    /// A subject that names a person: the parties of a thread would see different subjects.
    #[error("a subject cannot hold sender or recipient, only what Vary: names")]
    PersonInSubject,
    /// A text that is not spintax.
    #[error(transparent)]
    Spintax(#[from] SpintaxError),
}

/// A stretch of text and the line it begins on.
struct Located<T> {
    line: usize,
    value: T,
}

impl Located<BankMistake> {
    fn in_file(self, file: &str) -> BankError {
        BankError {
            file: file.to_owned(),
            line: self.line,
            mistake: self.value,
        }
    }
}

/// A conversation as its lines stand, before anything is understood: a `Vary:` line may follow the text that uses it.
struct Draft {
    line: usize,
    name: String,
    headers: Vec<Located<String>>,
    turns: Vec<(Located<String>, Located<String>)>,
}

/// Adds the conversations of one file to `bank`.
pub(super) fn parse_into(
    bank: &mut BTreeMap<ConversationId, Conversation>,
    file: &str,
    text: &str,
) -> Result<(), BankError> {
    let error = |error: Located<BankMistake>| error.in_file(file);
    for draft in drafts(text).map_err(error)? {
        let line = draft.line;
        let id = conversation_id(&draft).map_err(error)?;
        let conversation = draft.understand(file).map_err(error)?;
        match bank.entry(id) {
            Entry::Vacant(place) => {
                place.insert(conversation);
            }
            Entry::Occupied(taken) => {
                let value = BankMistake::DuplicateConversation(taken.key().clone());
                return Err(error(Located { line, value }));
            }
        }
    }
    Ok(())
}

type Parsed<T> = Result<T, Located<BankMistake>>;

fn mistake<T>(line: usize, value: BankMistake) -> Parsed<T> {
    Err(Located { line, value })
}

/// Splits a file at its `===` and `---` lines.
fn drafts(text: &str) -> Parsed<Vec<Draft>> {
    let mut drafts = Vec::<Draft>::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.starts_with('#') {
            continue;
        }
        if let Some(name) = content.strip_prefix("===") {
            let name = name.trim().to_owned();
            drafts.push(Draft {
                line,
                name,
                headers: Vec::new(),
                turns: Vec::new(),
            });
            continue;
        }
        match drafts.last_mut() {
            Some(draft) => draft.take(line, content),
            None if content.trim().is_empty() => {}
            None => return mistake(line, BankMistake::OutsideConversation),
        }
    }
    Ok(drafts)
}

fn conversation_id(draft: &Draft) -> Parsed<ConversationId> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if draft.name.is_empty() || !draft.name.chars().all(allowed) {
        return mistake(draft.line, BankMistake::BadName(draft.name.clone()));
    }
    Ok(ConversationId::new(draft.name.clone()))
}

impl Draft {
    fn take(&mut self, line: usize, content: &str) {
        if let Some(kind) = content.strip_prefix("---") {
            let kind = Located {
                line,
                value: kind.trim().to_owned(),
            };
            self.turns.push((
                kind,
                Located {
                    line: line + 1,
                    value: String::new(),
                },
            ));
        } else if let Some((_, body)) = self.turns.last_mut() {
            body.value.push_str(content);
            body.value.push('\n');
        } else if !content.trim().is_empty() {
            self.headers.push(Located {
                line,
                value: content.trim().to_owned(),
            });
        }
    }

    fn understand(self, file: &str) -> Parsed<Conversation> {
        let mut conversation = Conversation {
            file: file.to_owned(),
            line: self.line,
            tags: Vec::new(),
            facts: Vec::new(),
            subjects: Vec::new(),
            turns: Vec::new(),
        };
        let mut subjects = Vec::new();
        for Located { line, value } in self.headers {
            match value.split_once(':') {
                Some(("Tags", tags)) => conversation.tags.extend(list(tags, ',')),
                Some(("Vary", fact)) => add_fact(&mut conversation.facts, line, fact)?,
                Some(("Subject", text)) => subjects.push(Located {
                    line,
                    value: text.to_owned(),
                }),
                _ => return mistake(line, BankMistake::UnknownHeader(value)),
            }
        }
        for text in subjects {
            conversation
                .subjects
                .push(subject(&text, &conversation.facts)?);
        }
        for (kind, body) in self.turns {
            let (line, kind) = (kind.line, turn_kind(kind)?);
            let body = template(&body, &conversation.facts)?;
            conversation.turns.push(Turn { line, kind, body });
        }
        Ok(conversation)
    }
}

fn list(text: &str, separator: char) -> impl Iterator<Item = String> {
    text.split(separator).map(|item| item.trim().to_owned())
}

fn add_fact(facts: &mut Vec<Fact>, line: usize, text: &str) -> Parsed<()> {
    let bad = || mistake(line, BankMistake::BadVary(text.trim().to_owned()));
    let Some((name, values)) = text.split_once('=') else {
        return bad();
    };
    let (name, values) = (
        name.trim().to_owned(),
        list(values, '|').collect::<Vec<_>>(),
    );
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let are_values = values.len() >= 2
        && values
            .iter()
            .all(|v| !v.is_empty() && !v.contains(['{', '}']));
    if !is_name || !are_values {
        return bad();
    }
    if facts.iter().any(|fact| fact.name == name) {
        return mistake(line, BankMistake::DuplicateVary(name));
    }
    facts.push(Fact { name, values });
    Ok(())
}

fn turn_kind(Located { line, value }: Located<String>) -> Parsed<TurnKind> {
    match value.as_str() {
        "asks" => Ok(TurnKind::Asks),
        "tells" => Ok(TurnKind::Tells),
        "closes" => Ok(TurnKind::Closes),
        _ => mistake(line, BankMistake::UnknownTurnKind(value)),
    }
}

fn subject(text: &Located<String>, facts: &[Fact]) -> Parsed<Text> {
    let subject = template(text, facts)?;
    if subject
        .placeholders()
        .into_iter()
        .all(Conversation::fits_subject)
    {
        Ok(subject)
    } else {
        mistake(text.line, BankMistake::PersonInSubject)
    }
}

fn template(text: &Located<String>, facts: &[Fact]) -> Parsed<Text> {
    if text.value.trim().is_empty() {
        return mistake(text.line, BankMistake::NoText);
    }
    let resolve = |name: &str| {
        let fact = facts.iter().position(|fact| fact.name == name);
        fact.map(Placeholder::Fact)
            .or_else(|| Placeholder::person(name))
    };
    Template::parse(&text.value, &resolve).map_err(|error| {
        let before = text.value.get(..error.offset()).unwrap_or(&text.value);
        Located {
            line: text.line + before.matches('\n').count(),
            value: error.into(),
        }
    })
}

/// The phrases' file: `=== section` lines, and below each one phrase a line.
pub(super) struct Sections {
    file: String,
    drafts: Vec<Draft>,
}

/// Splits a file of phrases into its sections.
pub(super) fn sections(file: &str, text: &str) -> Result<Sections, BankError> {
    let drafts = drafts(text).map_err(|error| error.in_file(file))?;
    Ok(Sections {
        file: file.to_owned(),
        drafts,
    })
}

impl Sections {
    /// Removes the section of that name and parses its lines.
    pub(super) fn take(&mut self, name: &'static str) -> Result<Vec<Text>, BankError> {
        let at = self
            .drafts
            .iter()
            .position(|draft| draft.name == name && !draft.headers.is_empty());
        let Some(draft) = at.map(|at| self.drafts.remove(at)) else {
            let value = BankMistake::MissingSection(name);
            return Err(Located { line: 1, value }.in_file(&self.file));
        };
        let phrases = draft.headers.iter().map(|line| template(line, &[]));
        phrases
            .collect::<Parsed<_>>()
            .map_err(|error| error.in_file(&self.file))
    }

    /// Refuses sections that were not taken.
    pub(super) fn finish(self) -> Result<(), BankError> {
        match self.drafts.into_iter().next() {
            None => Ok(()),
            Some(Draft { line, name, .. }) => {
                let value = BankMistake::UnknownSection(name);
                Err(Located { line, value }.in_file(&self.file))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bank::Bank;
    use super::*;

    const GOOD: &str = "\
# a comment
=== team-day
Tags: scheduling, team
Subject: The {team|staff} day on {{day}}
Vary: day = Tuesday | Thursday

--- asks
Would {{day}} suit
{you|you and {{recipient.first_name}}}?

--- closes
Yes.
";

    fn mistake_of(text: &str) -> (usize, BankMistake) {
        let error = Bank::parse(&[("x.txt", text)]).unwrap_err();
        assert_eq!(error.file, "x.txt");
        (error.line, error.mistake)
    }

    /// `GOOD` with one line replaced, counted from 1.
    fn with_line(number: usize, line: &str) -> String {
        let mut lines: Vec<_> = GOOD.lines().collect();
        lines[number - 1] = line;
        lines.join("\n")
    }

    #[test]
    fn a_file_becomes_conversations() {
        let bank = Bank::parse(&[("x.txt", GOOD)]).unwrap();
        let conversation = bank.get(&ConversationId::new("team-day")).unwrap();
        assert_eq!(conversation.tags, ["scheduling", "team"]);
        assert_eq!(conversation.facts[0].values, ["Tuesday", "Thursday"]);
        assert_eq!(conversation.subjects.len(), 1);
        let kinds: Vec<_> = conversation
            .turns
            .iter()
            .map(|turn| (turn.line, turn.kind))
            .collect();
        assert_eq!(kinds, [(7, TurnKind::Asks), (11, TurnKind::Closes)]);
    }

    #[test]
    fn each_mistake_is_named_with_its_line() {
        use BankMistake as M;
        let cases = [
            (2, "Tags: x", 2, M::OutsideConversation),
            (2, "=== Team Day", 2, M::BadName("Team Day".into())),
            (3, "Tag: x", 3, M::UnknownHeader("Tag: x".into())),
            (
                5,
                "Vary: day = Tuesday",
                5,
                M::BadVary("day = Tuesday".into()),
            ),
            (3, "Vary: day = a | b", 5, M::DuplicateVary("day".into())),
            (7, "--- shouts", 7, M::UnknownTurnKind("shouts".into())),
            (4, "Subject:", 4, M::NoText),
            (4, "Subject: From {{sender.name}}", 4, M::PersonInSubject),
            (
                9,
                "{you",
                9,
                M::Spintax(SpintaxError::UnclosedBrace { at: 19 }),
            ),
            (
                5,
                "",
                4,
                M::Spintax(SpintaxError::UnknownPlaceholder {
                    at: 25,
                    name: "day".into(),
                }),
            ),
        ];
        for (number, line, expected_line, expected) in cases {
            assert_eq!(
                mistake_of(&with_line(number, line)),
                (expected_line, expected),
                "{line}"
            );
        }
    }

    #[test]
    fn an_id_is_given_once_over_all_files() {
        let error = Bank::parse(&[("a.txt", GOOD), ("b.txt", GOOD)]).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), ("b.txt", 2));
        let id = ConversationId::new("team-day");
        assert_eq!(error.mistake, BankMistake::DuplicateConversation(id));
    }

    #[test]
    fn errors_read_as_a_place_and_a_sentence() {
        let error = Bank::parse(&[("x.txt", &with_line(7, "--- shouts"))]).unwrap_err();
        let text = error.to_string();
        assert_eq!(
            text,
            "x.txt:7: a turn is --- asks, --- tells or --- closes, not \"shouts\""
        );
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_the_parser_panic(text in "((===|---|Vary:|#|\\{|\\}| |a|=|\\||\n){1,3}){0,30}") {
            let _ = Bank::parse(&[("x.txt", &text)]);
        }
    }
}
