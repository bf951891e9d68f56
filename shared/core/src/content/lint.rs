//! The linter over a bank: what a careful editor would strike out.
//!
//! It reads what a recipient could read. Each turn is rendered so that every alternative shows at least once, and some
//! more times by seed, because some mistakes appear only where two alternatives meet. The rules come from three sides:
//! mail that people like to read (sentences, length), mail that filters let pass (no shouting, links or sales talk;
//! decision 28), and mail of which two never look alike (variants, overlap).

use super::bank::{Bank, Conversation, ConversationId, Fact, Turn};
use super::format::BankError;
use super::persona::Persona;
use super::phrases::Phrases;
use super::shingle::{self, Shingles};
use super::vocabulary::{Placeholder, Text, Values};
use crate::seed::Seed;

mod wording;

pub use wording::{Wording, check_text};

/// Turns of a conversation.
pub const TURNS: std::ops::RangeInclusive<usize> = 2..=5;

/// Characters of a turn, without greeting, closing sentence and sign-off: what people write.
pub const TURN_CHARS: std::ops::RangeInclusive<usize> = 40..=900;

/// Characters of a subject; what is longer is cut in a list of mails.
pub const SUBJECT_CHARS: std::ops::RangeInclusive<usize> = 6..=70;

/// Fewest different subjects of a conversation.
pub const MIN_SUBJECTS: u64 = 4;

/// Fewest different texts of a turn. A turn is used by many pairs of mailboxes; together with greeting, closing sentence
/// and sign-off this makes a repeated body a matter of millions.
pub const MIN_VARIANTS: u64 = 2_000;

/// Highest mean similarity of two renderings of one turn, in percent.
pub const MAX_OWN_OVERLAP_PERCENT: u32 = 27;

/// Highest similarity of two different turns over everything they can say, in percent.
pub const MAX_SHARED_PERCENT: u32 = 3;

/// Renderings by seed that are read besides those that show every alternative.
const SAMPLES: u32 = 12;

/// One thing to mend and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// File of the bank.
    pub file: String,
    /// Line of the conversation or of the turn.
    pub line: usize,
    /// The conversation; none for the phrases around the turns.
    pub conversation: Option<ConversationId>,
    /// What is wrong.
    pub problem: Problem,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self
            .conversation
            .as_ref()
            .map_or("phrases", ConversationId::as_str);
        write!(out, "{}:{} {name}: {}", self.file, self.line, self.problem)
    }
}

/// What the linter objects to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A text reads badly or smells of bulk mail.
    #[error("{wording} in {text:?}")]
    Wording {
        /// The objection.
        wording: Wording,
        /// The rendered text that shows it.
        text: String,
    },
    /// No `Subject:` line.
    #[error("there is no subject")]
    MissingSubject,
    /// Fewer than [`MIN_SUBJECTS`] different subjects.
    #[error("{0} different subjects, fewer than {MIN_SUBJECTS}")]
    FewSubjects(u64),
    /// A number of turns outside [`TURNS`].
    #[error("{0} turns")]
    TurnCount(usize),
    /// A subject that can be shorter or longer than [`SUBJECT_CHARS`].
    #[error("the subject can have {0} characters")]
    SubjectLength(usize),
    /// A turn that can be shorter than [`TURN_CHARS`].
    #[error("the turn can be as short as {0} characters")]
    TooShort(usize),
    /// A turn that can be longer than [`TURN_CHARS`].
    #[error("the turn can be as long as {0} characters")]
    TooLong(usize),
    /// Fewer than [`MIN_VARIANTS`] different texts.
    #[error("{0} different texts, fewer than {MIN_VARIANTS}")]
    FewVariants(u64),
    /// Two renderings of the turn share more than [`MAX_OWN_OVERLAP_PERCENT`] on average.
    #[error("two renderings share {0} % on average, more than {MAX_OWN_OVERLAP_PERCENT} %")]
    OwnOverlap(u32),
    /// Another turn shares more than [`MAX_SHARED_PERCENT`] with this one.
    #[error("{percent} % is shared with {file}:{line}, more than {MAX_SHARED_PERCENT} %")]
    NearDuplicate {
        /// File of the other turn.
        file: String,
        /// Line of the other turn.
        line: usize,
        /// How much is shared.
        percent: u32,
    },
    /// A `Vary:` line that no text uses.
    #[error("{0:?} varies, but is not used")]
    UnusedFact(String),
}

/// Lints the built-in bank and the phrases around its turns.
pub fn lint_builtin() -> Result<Vec<Finding>, BankError> {
    let mut findings = lint_phrases()?;
    findings.extend(lint(Bank::builtin()?));
    Ok(findings)
}

/// Lints a bank.
pub fn lint(bank: &Bank) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, conversation) in bank.iter() {
        let lint = Lint {
            id: Some(id),
            file: &conversation.file,
            facts: &conversation.facts,
        };
        lint.conversation(conversation, &mut findings);
    }
    findings.extend(near_duplicates(bank));
    findings
}

fn lint_phrases() -> Result<Vec<Finding>, BankError> {
    let lint = Lint {
        id: None,
        file: "phrases.txt",
        facts: &[],
    };
    let mut findings = Vec::new();
    for phrase in Phrases::builtin()?.all() {
        // A greeting and a sign-off end with a comma; only openers and closers are sentences.
        let is_address =
            |wording: &Wording| matches!(wording, Wording::OpenSentence | Wording::Greeting);
        let texts = lint.every_text(phrase);
        let wordings = texts
            .iter()
            .flat_map(|text| check_text(text).into_iter().map(move |w| (w, text)));
        for (wording, text) in wordings.filter(|(wording, _)| !is_address(wording)) {
            findings.push(lint.finding(
                1,
                Problem::Wording {
                    wording,
                    text: text.clone(),
                },
            ));
        }
    }
    Ok(findings)
}

/// What the findings about one conversation have in common.
struct Lint<'b> {
    id: Option<&'b ConversationId>,
    file: &'b str,
    facts: &'b [Fact],
}

impl Lint<'_> {
    fn finding(&self, line: usize, problem: Problem) -> Finding {
        Finding {
            file: self.file.to_owned(),
            line,
            conversation: self.id.cloned(),
            problem,
        }
    }

    fn conversation(&self, conversation: &Conversation, findings: &mut Vec<Finding>) {
        let mut problems = Vec::new();
        if !TURNS.contains(&conversation.turns.len()) {
            problems.push(Problem::TurnCount(conversation.turns.len()));
        }
        self.subjects(&conversation.subjects, &mut problems);
        problems.extend(self.unused_facts(conversation));
        findings.extend(
            problems
                .into_iter()
                .map(|problem| self.finding(conversation.line, problem)),
        );
        for turn in &conversation.turns {
            let mut problems = Vec::new();
            self.turn(turn, &mut problems);
            findings.extend(
                problems
                    .into_iter()
                    .map(|problem| self.finding(turn.line, problem)),
            );
        }
    }

    fn subjects(&self, subjects: &[Text], problems: &mut Vec<Problem>) {
        let different = subjects
            .iter()
            .map(|text| self.variants(text))
            .fold(0, u64::saturating_add);
        match different {
            0 => problems.push(Problem::MissingSubject),
            n if n < MIN_SUBJECTS => problems.push(Problem::FewSubjects(n)),
            _ => {}
        }
        for subject in subjects {
            let (shortest, longest) = self.length_bounds(subject);
            let outside = [shortest, longest]
                .into_iter()
                .find(|chars| !SUBJECT_CHARS.contains(chars));
            problems.extend(outside.map(Problem::SubjectLength));
            // A subject is no sentence and needs no end; one that is read as a reply would lie.
            let is_subject = |wording: &Wording| *wording == Wording::OpenSentence;
            self.wording(subject, &is_subject, problems);
        }
    }

    fn turn(&self, turn: &Turn, problems: &mut Vec<Problem>) {
        let (shortest, longest) = self.length_bounds(&turn.body);
        if shortest < *TURN_CHARS.start() {
            problems.push(Problem::TooShort(shortest));
        }
        if longest > *TURN_CHARS.end() {
            problems.push(Problem::TooLong(longest));
        }
        let variants = self.variants(&turn.body);
        if variants < MIN_VARIANTS {
            problems.push(Problem::FewVariants(variants));
        }
        let overlap = self.own_overlap(&turn.body);
        if overlap > MAX_OWN_OVERLAP_PERCENT {
            problems.push(Problem::OwnOverlap(overlap));
        }
        self.wording(&turn.body, &|_| false, problems);
    }

    /// Each objection once, with the first text that shows it.
    fn wording(
        &self,
        text: &Text,
        is_allowed: &dyn Fn(&Wording) -> bool,
        problems: &mut Vec<Problem>,
    ) {
        let mut seen = Vec::new();
        for rendered in self.every_text(text) {
            for wording in check_text(&rendered) {
                if is_allowed(&wording) || seen.contains(&wording) {
                    continue;
                }
                seen.push(wording.clone());
                problems.push(Problem::Wording {
                    wording,
                    text: rendered.clone(),
                });
            }
        }
    }

    fn unused_facts(&self, conversation: &Conversation) -> Vec<Problem> {
        let turns = conversation.turns.iter().map(|turn| &turn.body);
        let texts: Vec<_> = conversation.subjects.iter().chain(turns).collect();
        let is_used = |at: usize| {
            texts
                .iter()
                .any(|text| text.placeholders().contains(&&Placeholder::Fact(at)))
        };
        let unused = self
            .facts
            .iter()
            .enumerate()
            .filter(|&(at, _)| !is_used(at));
        unused
            .map(|(_, fact)| Problem::UnusedFact(fact.name.clone()))
            .collect()
    }

    /// Different choices of the text and of the facts in it.
    fn variants(&self, text: &Text) -> u64 {
        let placeholders = text.placeholders();
        let used = |at: usize| placeholders.contains(&&Placeholder::Fact(at));
        let facts = self.facts.iter().enumerate().filter(|&(at, _)| used(at));
        let counts = facts.map(|(_, fact)| u64::try_from(fact.values.len()).unwrap_or(u64::MAX));
        counts.fold(text.variants(), u64::saturating_mul)
    }

    /// The placeholder of a person counts as a short or a usual name; the bounds are for texts, not for names.
    fn length_bounds(&self, text: &Text) -> (usize, usize) {
        text.length_bounds(&|placeholder| match placeholder {
            Placeholder::Person(..) => (3, 20),
            Placeholder::Fact(at) => {
                let values = self
                    .facts
                    .get(*at)
                    .map(|fact| fact.values.as_slice())
                    .unwrap_or_default();
                let lengths = values.iter().map(|value| value.chars().count());
                (
                    lengths.clone().min().unwrap_or(0),
                    lengths.max().unwrap_or(0),
                )
            }
        })
    }

    /// Mean similarity of the samples, in percent.
    fn own_overlap(&self, text: &Text) -> u32 {
        let samples: Vec<_> = self
            .samples(text)
            .iter()
            .map(|text| Shingles::of([text.as_str()]))
            .collect();
        let shared: f64 = shingle::similar_pairs(&samples).values().sum();
        let pairs = SAMPLES * (SAMPLES - 1) / 2;
        percent(shared / f64::from(pairs))
    }

    /// Renderings that show every alternative and every fact, and the samples.
    fn every_text(&self, text: &Text) -> Vec<String> {
        let most_values = self
            .facts
            .iter()
            .map(|fact| fact.values.len())
            .max()
            .unwrap_or(1);
        let mut texts = Vec::new();
        for round in 0..most_values {
            let facts: Vec<_> = self.facts.iter().map(|fact| nth(fact, round)).collect();
            texts.extend(with_people(&facts, |fill| text.covering(fill)));
        }
        texts.extend(self.samples(text));
        texts
    }

    /// The same texts at each run, each of another thread.
    fn samples(&self, text: &Text) -> Vec<String> {
        let sample = |number: u32| {
            let seed = Seed::root(&number.to_be_bytes());
            let value = |fact| {
                nth(
                    fact,
                    usize::try_from(seed.child("fact").below(1_000)).unwrap_or(0),
                )
            };
            let facts: Vec<_> = self.facts.iter().map(value).collect();
            with_people(&facts, |fill| text.render(seed, fill))
        };
        (0..SAMPLES).map(sample).collect()
    }
}

fn nth(fact: &Fact, n: usize) -> &str {
    let at = n.checked_rem(fact.values.len());
    at.and_then(|at| fact.values.get(at))
        .map(String::as_str)
        .unwrap_or_default()
}

/// Renders with two people who do not matter here.
fn with_people<T>(
    facts: &[&str],
    render: impl FnOnce(&dyn Fn(&Placeholder, &mut String)) -> T,
) -> T {
    let person = |name| Persona::derive(Some(name), name, Seed::root(b"lint"));
    let (sender, recipient) = (person("Vera Stone"), person("Hugo Lang"));
    let values = Values {
        sender: &sender,
        recipient: &recipient,
        facts,
    };
    render(&|placeholder, out| values.fill(placeholder, out))
}

fn near_duplicates(bank: &Bank) -> Vec<Finding> {
    let mut turns = Vec::new();
    let mut shingles = Vec::new();
    for (id, conversation) in bank.iter() {
        let lint = Lint {
            id: Some(id),
            file: &conversation.file,
            facts: &conversation.facts,
        };
        for turn in &conversation.turns {
            let samples = lint.samples(&turn.body);
            shingles.push(Shingles::of(samples.iter().map(String::as_str)));
            turns.push((id, conversation, turn));
        }
    }
    let pairs = shingle::similar_pairs(&shingles).into_iter();
    let alike = pairs.filter(|&(_, similarity)| percent(similarity) > MAX_SHARED_PERCENT);
    let finding = |((a, b), similarity): ((usize, usize), f64)| {
        let (&(_, other, first), &(id, conversation, turn)) = (turns.get(a)?, turns.get(b)?);
        let percent = percent(similarity);
        let problem = Problem::NearDuplicate {
            file: other.file.clone(),
            line: first.line,
            percent,
        };
        let file = conversation.file.clone();
        Some(Finding {
            file,
            line: turn.line,
            conversation: Some(id.clone()),
            problem,
        })
    };
    alike.filter_map(finding).collect()
}

/// A share as a whole percentage.
fn percent(share: f64) -> u32 {
    (0..100)
        .find(|&percent| share * 100.0 <= f64::from(percent))
        .unwrap_or(100)
}

#[cfg(test)]
mod tests;
