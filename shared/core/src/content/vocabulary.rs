//! The placeholders of the bank and of the phrases around it.

use super::persona::Persona;
use super::spintax::Template;

/// One of the two people of a mail. In every turn the sender is the one who writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Who writes.
    Sender,
    /// Who is written to.
    Recipient,
}

/// What can be said about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `first_name`, the name used in a greeting.
    FirstName,
    /// `last_name`; empty where the person has none.
    LastName,
    /// `name`, the whole name.
    Name,
    /// `title`, such as "Office Manager".
    Title,
    /// `department`, such as "Operations".
    Department,
}

/// A resolved placeholder of a [`Template`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{{sender.first_name}}` and its kin.
    Person(Party, Field),
    /// `{{name}}` of a `Vary:` line: the position of that line in its conversation.
    Fact(usize),
}

/// A template over this vocabulary.
pub type Text = Template<Placeholder>;

impl Placeholder {
    /// Resolves `sender.…` and `recipient.…`.
    pub(super) fn person(name: &str) -> Option<Self> {
        let (party, field) = name.split_once('.')?;
        let party = match party {
            "sender" => Party::Sender,
            "recipient" => Party::Recipient,
            _ => return None,
        };
        let field = match field {
            "first_name" => Field::FirstName,
            "last_name" => Field::LastName,
            "name" => Field::Name,
            "title" => Field::Title,
            "department" => Field::Department,
            _ => return None,
        };
        Some(Self::Person(party, field))
    }
}

/// What the placeholders of one mail stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'v> {
    pub(super) sender: &'v Persona,
    pub(super) recipient: &'v Persona,
    /// The chosen value of each `Vary:` line, in order.
    pub(super) facts: &'v [&'v str],
}

impl Values<'_> {
    /// Appends the value of `placeholder`; the shape that [`Template::render`] asks for.
    pub(super) fn fill(&self, placeholder: &Placeholder, out: &mut String) {
        match *placeholder {
            Placeholder::Person(Party::Sender, field) => fill_person(self.sender, field, out),
            Placeholder::Person(Party::Recipient, field) => fill_person(self.recipient, field, out),
            // The parser gave out only positions that exist.
            Placeholder::Fact(at) => out.push_str(self.facts.get(at).copied().unwrap_or_default()),
        }
    }
}

fn fill_person(person: &Persona, field: Field, out: &mut String) {
    match field {
        Field::FirstName => out.push_str(person.first_name()),
        Field::LastName => out.push_str(person.last_name()),
        Field::Name => out.push_str(&person.name()),
        Field::Title => out.push_str(person.title()),
        Field::Department => out.push_str(person.department()),
    }
}
