//! Who writes and who is written to.
//!
//! Every mailbox has a persona, set by its owner or derived from what is known of it, always the same for the same seed.
//! A persona's texts go into mails, so they are cleaned where they enter: no markup of spintax, no control characters, no
//! encoded words (RFC 2047), no links (decision 28), bounded length. Whatever a display name holds, a rendered mail is plain text.

use super::people::{FAMILY_NAMES, GIVEN_NAMES, HONORIFICS, ROLE_WORDS, ROLES};
use super::text;
use crate::account::Account;
use crate::seed::Seed;

/// Longest name, title, department or topic in characters; what is longer is cut.
pub const MAX_FIELD_CHARS: usize = 60;

/// Most topics of a persona that are kept.
pub const MAX_TOPICS: usize = 20;

/// The person behind a mailbox. First name, title and department are never empty; the last name may be.
///
/// It cannot be deserialized, which would go round the cleaning: store what the owner set and derive it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    first_name: String,
    last_name: String,
    title: String,
    department: String,
    topics: Vec<String>,
}

impl Persona {
    /// The persona of a mailbox whose owner has set none.
    ///
    /// The name comes from the display name, else from the address's local part, else (`Sales Team`, `info`) from a pool;
    /// title, department and topics are one role drawn by `seed`, which should be the account's.
    pub fn derive(display_name: Option<&str>, local_part: &str, seed: Seed) -> Self {
        let name = display_name
            .and_then(from_display_name)
            .or_else(|| from_local_part(local_part, seed))
            .unwrap_or_else(|| invented(seed, None));
        let role = seed.child("role").pick(ROLES);
        let topics = role.map(|role| role.topics).unwrap_or_default();
        Self {
            first_name: name.first,
            last_name: name.last,
            title: role.map(|role| role.title.to_owned()).unwrap_or_default(),
            department: role
                .map(|role| role.department.to_owned())
                .unwrap_or_default(),
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
        }
    }

    /// Who writes from an account: what its owner set, the rest derived from its name and id, so that it is always the same.
    pub fn of(account: &Account) -> Self {
        let seed = Seed::root(b"agentwarm/persona")
            .child_bytes("account", account.id.as_uuid().as_bytes());
        let name = Some(account.display_name.as_str());
        let mut persona = Self::derive(name, account.email.local_part(), seed);
        let Some(own) = &account.persona else {
            return persona;
        };
        if let Some(title) = &own.title {
            persona = persona.with_title(title);
        }
        if let Some(department) = &own.department {
            persona = persona.with_department(department);
        }
        if let Some(topics) = &own.topics {
            persona = persona.with_topics(topics.iter().map(String::as_str));
        }
        persona
    }

    /// Whether `text` may stand in a persona as it is: cleaning it would change nothing.
    pub fn takes(text: &str) -> bool {
        clean(text).is_some_and(|cleaned| cleaned == text)
    }

    /// This persona with the title its owner gave; a title of which cleaning leaves nothing changes nothing.
    #[must_use]
    pub fn with_title(mut self, title: &str) -> Self {
        set(&mut self.title, title);
        self
    }

    /// This persona with the department its owner gave; one of which cleaning leaves nothing changes nothing.
    #[must_use]
    pub fn with_department(mut self, department: &str) -> Self {
        set(&mut self.department, department);
        self
    }

    /// This persona with the topics its owner gave, the first [`MAX_TOPICS`] that survive cleaning.
    #[must_use]
    pub fn with_topics<'t>(mut self, topics: impl IntoIterator<Item = &'t str>) -> Self {
        self.topics = topics
            .into_iter()
            .filter_map(clean)
            .take(MAX_TOPICS)
            .collect();
        self
    }

    /// The name for a greeting.
    pub fn first_name(&self) -> &str {
        &self.first_name
    }

    /// The family name, empty if unknown.
    pub fn last_name(&self) -> &str {
        &self.last_name
    }

    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
            .trim_end()
            .to_owned()
    }

    /// Such as "Office Manager".
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Such as "Operations".
    pub fn department(&self) -> &str {
        &self.department
    }

    /// What the person likes to write about.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// Whether a conversation with this tag suits the person: a topic or the department holds the word.
    pub(super) fn is_interested_in(&self, tag: &str) -> bool {
        let interests = self.topics.iter().chain([&self.department]);
        interests
            .into_iter()
            .any(|interest| text::words(interest).iter().any(|word| word == tag))
    }
}

fn set(field: &mut String, value: &str) {
    if let Some(value) = clean(value) {
        *field = value;
    }
}

/// Text that may go into a mail, or nothing if there is none left or it is a link.
fn clean(value: &str) -> Option<String> {
    let is_foreign = |c: char| c.is_control() || is_invisible(c) || "{}|<>[]\"\\`".contains(c);
    let spaced: String = value
        .replace("=?", " ")
        .chars()
        .map(|c| if is_foreign(c) { ' ' } else { c })
        .collect();
    let words: Vec<_> = spaced.split_whitespace().collect();
    let cut: String = words.join(" ").chars().take(MAX_FIELD_CHARS).collect();
    let cut = cut.trim();
    let usable = cut.chars().any(char::is_alphanumeric) && !text::has_link(cut);
    usable.then(|| cut.to_owned())
}

/// Format characters without a glyph: zero-width ones and those that turn the direction of writing.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

struct Name {
    first: String,
    last: String,
}

fn from_display_name(display_name: &str) -> Option<Name> {
    let without_remark = display_name.split(['(', '[', '<']).next()?;
    let cleaned = clean(without_remark)?;
    let ordered = match cleaned.split_once(',') {
        Some((last, first)) => format!("{first} {last}"),
        None => cleaned,
    };
    let words: Vec<_> = ordered
        .split_whitespace()
        .filter(|word| !is_one_of(HONORIFICS, word))
        .collect();
    let is_person = words.len() <= 4 && words.iter().all(|word| is_name_word(word));
    let (first, last) = words.split_first().filter(|_| is_person)?;
    // A name of mixed case ("José da Silva") is how its owner writes it.
    let as_written = ordered.contains(char::is_lowercase) && ordered.contains(char::is_uppercase);
    let tidy = |word: &str| {
        if as_written {
            word.to_owned()
        } else {
            capitalised(word)
        }
    };
    let last: Vec<_> = last.iter().map(|word| tidy(word)).collect();
    Some(Name {
        first: tidy(first),
        last: last.join(" "),
    })
}

/// `anna.weber23+lists` is Anna Weber; `a.weber` is some A. Weber whose first name is drawn; `info` is nobody.
fn from_local_part(local_part: &str, seed: Seed) -> Option<Name> {
    let local_part: String = local_part
        .split('+')
        .next()?
        .chars()
        .take(MAX_FIELD_CHARS)
        .collect();
    let parts = local_part.split(['.', '_', '-']);
    let words: Vec<_> = parts
        .map(|part| part.trim_matches(|c: char| c.is_ascii_digit()))
        .collect();
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if !words.iter().all(|word| is_name_word(word)) {
        return None;
    }
    match words.as_slice() {
        [only] if only.chars().count() >= 3 => Some(Name {
            first: capitalised(only),
            last: String::new(),
        }),
        [first, .., last] if first.chars().count() == 1 => {
            let first = invented(seed, first.chars().next()).first;
            Some(Name {
                first,
                last: capitalised(last),
            })
        }
        [first, .., last] => Some(Name {
            first: capitalised(first),
            last: capitalised(last),
        }),
        _ => None,
    }
}

/// A name from the pools, beginning with `initial` if the pool has such a name.
fn invented(seed: Seed, initial: Option<char>) -> Name {
    let initial = initial.map(|c| c.to_ascii_uppercase());
    let fits = |name: &&&str| initial.is_some_and(|initial| name.starts_with(initial));
    let fitting: Vec<_> = GIVEN_NAMES.iter().filter(fits).copied().collect();
    let pool = if fitting.is_empty() {
        GIVEN_NAMES
    } else {
        &fitting
    };
    let draw = |pool: &[&str], label| {
        seed.child(label)
            .pick(pool)
            .copied()
            .unwrap_or_default()
            .to_owned()
    };
    Name {
        first: draw(pool, "given name"),
        last: draw(FAMILY_NAMES, "family name"),
    }
}

fn is_one_of(list: &[&str], word: &str) -> bool {
    let word = word.trim_end_matches('.').to_lowercase();
    list.contains(&word.as_str())
}

/// Letters, with the marks that occur in names, and not the name of a function such as `sales`.
fn is_name_word(word: &str) -> bool {
    let is_name_char = |c: char| c.is_alphabetic() || "'\u{2019}.-".contains(c);
    word.starts_with(char::is_alphabetic)
        && word.chars().all(is_name_char)
        && !is_one_of(ROLE_WORDS, word)
}

/// `anna` and `ANNA-LENA` become `Anna` and `Anna-Lena`.
fn capitalised(word: &str) -> String {
    let mut at_start = true;
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if at_start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        at_start = c == '-';
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::account::OwnPersona;
    use proptest::prelude::*;

    use super::*;

    fn seed() -> Seed {
        Seed::root(b"persona")
    }

    fn name(display_name: Option<&str>, local_part: &str) -> String {
        Persona::derive(display_name, local_part, seed()).name()
    }

    #[test]
    fn what_its_owner_set_stands_and_the_rest_is_derived() {
        let mut account = crate::warmup::samples::account();
        let derived = Persona::of(&account);
        account.persona = Some(OwnPersona {
            title: Some("Sales Manager".into()),
            department: None,
            topics: Some(vec!["SaaS".into(), "B2B".into()]),
        });
        let own = Persona::of(&account);
        assert_eq!(own.title(), "Sales Manager");
        assert_eq!(own.topics(), ["SaaS", "B2B"]);
        assert_eq!(own.department(), derived.department());
        assert_eq!(own.name(), derived.name());
    }

    #[test]
    fn what_cleaning_would_change_is_not_taken() {
        for good in ["Sales Manager", "R&D", "Büro (Nord), 3. Stock"] {
            assert!(Persona::takes(good), "{good}");
        }
        let long = "x".repeat(MAX_FIELD_CHARS + 1);
        for bad in [
            "",
            " Sales",
            "{a|b}",
            "a\nb",
            "www.example.org",
            "--",
            &long,
        ] {
            assert!(!Persona::takes(bad), "{bad}");
        }
    }

    #[test]
    fn a_display_name_is_read_as_people_write_it() {
        let cases = [
            ("Anna Weber", "Anna Weber"),
            ("weber, anna", "Anna Weber"),
            ("ANNA-LENA WEBER", "Anna-Lena Weber"),
            ("Dr. Anna Weber (Sales)", "Anna Weber"),
            ("\"Anna\" McKay", "Anna McKay"),
            ("José da Silva", "José da Silva"),
            ("山田 太郎", "山田 太郎"),
            ("Anna", "Anna"),
        ];
        for (display, expected) in cases {
            assert_eq!(name(Some(display), "x"), expected, "{display}");
        }
    }

    #[test]
    fn a_local_part_serves_where_the_display_name_is_nobodys() {
        let cases = [
            (None, "anna.weber", "Anna Weber"),
            (Some("Sales Team"), "anna_weber23+news", "Anna Weber"),
            (Some("anna@example.org"), "anna", "Anna"),
            (Some(""), "anna.m.weber", "Anna Weber"),
        ];
        for (display, local_part, expected) in cases {
            assert_eq!(
                name(display, local_part),
                expected,
                "{display:?} {local_part}"
            );
        }
    }

    #[test]
    fn an_initial_draws_a_name_that_begins_with_it() {
        let persona = Persona::derive(None, "j.weber", seed());
        assert!(persona.first_name().starts_with('J') && persona.first_name().len() > 1);
        assert_eq!(persona.last_name(), "Weber");
    }

    #[test]
    fn a_role_mailbox_gets_a_whole_name_from_the_pools() {
        for local_part in ["info", "sales-team", "x1", "42", ""] {
            let persona = Persona::derive(None, local_part, seed());
            assert!(GIVEN_NAMES.contains(&persona.first_name()), "{local_part}");
            assert!(FAMILY_NAMES.contains(&persona.last_name()), "{local_part}");
        }
    }

    #[test]
    fn seeds_differ_in_roles_and_agree_with_themselves() {
        let role = |n: u8| {
            Persona::derive(None, "anna", Seed::root(&[n]))
                .title()
                .to_owned()
        };
        let mut titles: Vec<_> = (0..100).map(role).collect();
        assert_eq!(titles, (0..100).map(role).collect::<Vec<_>>());
        titles.sort();
        titles.dedup();
        assert!(titles.len() > ROLES.len() / 2);
    }

    #[test]
    fn what_the_owner_sets_is_cleaned_and_nothing_is_kept_over_rubbish() {
        let persona = Persona::derive(None, "anna", seed()).with_title(" Head\r\nof {Sales|X} ");
        assert_eq!(persona.title(), "Head of Sales X");
        assert_eq!(persona.clone().with_title("see www.example.org"), persona);
        assert_eq!(persona.clone().with_department("\u{0}{}"), persona);
        let topics = persona.with_topics(["SaaS", "", "B2B"]);
        assert_eq!(topics.topics(), ["SaaS", "B2B"]);
    }

    #[test]
    fn interests_are_words_of_topics_and_department() {
        let persona = Persona::derive(None, "anna", seed());
        let persona = persona
            .with_department("Customer Care")
            .with_topics(["Event Travel"]);
        assert!(persona.is_interested_in("travel") && persona.is_interested_in("care"));
        assert!(!persona.is_interested_in("food"));
    }

    proptest! {
        #[test]
        fn no_input_puts_markup_or_line_ends_into_a_persona(display: Option<String>, local: String, title: String) {
            let persona = Persona::derive(display.as_deref(), &local, seed()).with_title(&title);
            for text in [persona.name(), persona.title().to_owned()] {
                let forbidden = text.contains(['{', '}', '|', '\r', '\n', '\0', '@']);
                prop_assert!(!text.is_empty() && !forbidden, "{}", text);
                prop_assert!(text.chars().count() <= 2 * MAX_FIELD_CHARS + 1);
            }
        }
    }
}
