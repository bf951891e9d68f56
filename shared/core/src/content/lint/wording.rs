//! Objections to a finished text. They need no bank, so that texts of users can be checked with the same rules.

use super::super::text;

/// Exclamation marks that one mail bears.
const MAX_EXCLAMATIONS: usize = 1;

/// Letters from which on a word in capitals is a shout and not an abbreviation.
const SHOUT_LETTERS: usize = 4;

/// Words and phrases of sales, money or pressure, which no warmup mail needs and content filters dislike: our own list, after
/// what public lists of such words agree on. In lower case, of at most two words, matched over whole words; sorted, because
/// it is searched.
const SPAMMY: &[&str] = &[
    "100",
    "act now",
    "amazing",
    "asap",
    "bank",
    "bargain",
    "billion",
    "bitcoin",
    "bonus",
    "buy now",
    "call now",
    "cash",
    "casino",
    "cheap",
    "cheapest",
    "claim",
    "click",
    "congratulations",
    "coupon",
    "credit",
    "crypto",
    "deal",
    "deals",
    "dear friend",
    "debt",
    "discount",
    "discounts",
    "dollars",
    "earn",
    "euros",
    "exclusive",
    "free",
    "gift card",
    "guarantee",
    "guaranteed",
    "hurry",
    "income",
    "incredible",
    "instant",
    "instantly",
    "invest",
    "investment",
    "limited time",
    "loan",
    "lottery",
    "lowest price",
    "million",
    "miracle",
    "money",
    "no obligation",
    "offer",
    "offers",
    "opportunity",
    "order now",
    "overdue",
    "paid",
    "password",
    "passwords",
    "pay",
    "payment",
    "payments",
    "pharmacy",
    "prize",
    "profit",
    "promotion",
    "refund",
    "rich",
    "risk",
    "sale",
    "satisfaction",
    "special price",
    "subscribe",
    "subscription",
    "trial",
    "unbelievable",
    "unsubscribe",
    "urgent",
    "urgently",
    "verify",
    "voucher",
    "weight loss",
    "win",
    "winner",
    "wire",
];

/// Words that begin a greeting.
const GREETINGS: &[&str] = &["dear", "hello", "hey", "hi"];

/// Beginnings of subjects that claim to be a reply or forwarded.
const REPLY_PREFIXES: &[&str] = &["re:", "aw:", "fw:", "fwd:"];

/// What is wrong with the wording of a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wording {
    /// A character that belongs to a placeholder or to markup.
    #[error("leftover {0:?}")]
    LeftoverMarkup(char),
    /// A link, a host name or a mail address.
    #[error("a link or an address")]
    Link,
    /// A telephone number or another long row of digits.
    #[error("a long number")]
    LongNumber,
    /// A word in capitals.
    #[error("shouted {0:?}")]
    Shouting(String),
    /// More than one exclamation mark.
    #[error("{0} exclamation marks")]
    Exclamations(usize),
    /// `!!`, `..`, `?!` and the like.
    #[error("repeated punctuation {0:?}")]
    RepeatedPunctuation(String),
    /// Vocabulary of sales, money or pressure.
    #[error("spammy {0:?}")]
    Spammy(&'static str),
    /// A sign of currency or a per cent sign.
    #[error("the sign {0:?}")]
    MoneySign(char),
    /// The same word twice in a row.
    #[error("repeated word {0:?}")]
    RepeatedWord(String),
    /// Two spaces, or a space before punctuation.
    #[error("misplaced space")]
    MisplacedSpace,
    /// A sentence that begins with a small letter.
    #[error("sentence begins small at {0:?}")]
    SmallBeginning(String),
    /// A paragraph without an end.
    #[error("a paragraph without its full stop")]
    OpenSentence,
    /// A greeting: it is composed separately.
    #[error("a greeting")]
    Greeting,
    /// `Re:` in a text; the composer adds it where it is true.
    #[error("the prefix of a reply")]
    ReplyPrefix,
}

/// All objections to `text`, a body or a subject.
pub fn check_text(text: &str) -> Vec<Wording> {
    let mut found = Vec::new();
    found.extend(
        text.chars()
            .find(|c| "{}|<>[]_*#".contains(*c))
            .map(Wording::LeftoverMarkup),
    );
    found.extend(
        text.chars()
            .find(|c| "$€£¥%".contains(*c))
            .map(Wording::MoneySign),
    );
    if text::has_link(text) {
        found.push(Wording::Link);
    }
    if text::has_long_number(text) {
        found.push(Wording::LongNumber);
    }
    found.extend(
        text.split_whitespace()
            .find(|word| is_shouted(word))
            .map(|word| Wording::Shouting(word.to_owned())),
    );
    let exclamations = text.matches('!').count();
    if exclamations > MAX_EXCLAMATIONS {
        found.push(Wording::Exclamations(exclamations));
    }
    found.extend(spammy(text).map(Wording::Spammy));
    found.extend(punctuation(text));
    found.extend(beginning(text));
    found.extend(text.split("\n\n").flat_map(sentences));
    found
}

fn is_shouted(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic());
    letters.clone().count() >= SHOUT_LETTERS && letters.clone().all(char::is_uppercase)
}

fn spammy(text: &str) -> Option<&'static str> {
    let words = text::words(text);
    let listed = |phrase: &str| {
        let at = SPAMMY.binary_search(&phrase).ok()?;
        SPAMMY.get(at).copied()
    };
    let single = words.iter().find_map(|word| listed(word));
    single.or_else(|| words.windows(2).find_map(|pair| listed(&pair.join(" "))))
}

fn punctuation(text: &str) -> Option<Wording> {
    let is_mark = |c: char| ".,;:!?".contains(c);
    let characters = || text.chars().zip(text.chars().skip(1));
    if let Some((a, b)) = characters().find(|&(a, b)| is_mark(a) && is_mark(b)) {
        return Some(Wording::RepeatedPunctuation(String::from_iter([a, b])));
    }
    let is_misplaced = |(a, b): (char, char)| a == ' ' && (is_mark(b) || b.is_whitespace());
    characters()
        .any(is_misplaced)
        .then_some(Wording::MisplacedSpace)
}

fn beginning(text: &str) -> Option<Wording> {
    let first = text.split_whitespace().next()?.to_lowercase();
    if REPLY_PREFIXES.contains(&first.as_str()) {
        return Some(Wording::ReplyPrefix);
    }
    let word = first.trim_end_matches(|c: char| !c.is_alphanumeric());
    GREETINGS.contains(&word).then_some(Wording::Greeting)
}

/// Objections to the sentences of one paragraph.
fn sentences(paragraph: &str) -> Vec<Wording> {
    let mut found = Vec::new();
    let is_end = |c: char| ".?!:".contains(c);
    if !paragraph.trim_end_matches([')', '"']).ends_with(is_end) {
        found.push(Wording::OpenSentence);
    }
    let mut previous: Option<&str> = None;
    for word in paragraph.split_whitespace() {
        let after_end = previous.is_none_or(|word| word.ends_with(['.', '?', '!']));
        if after_end && word.starts_with(char::is_lowercase) {
            found.push(Wording::SmallBeginning(word.to_owned()));
        }
        let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        if previous.is_some_and(|previous| !bare.is_empty() && previous.eq_ignore_ascii_case(bare))
        {
            found.push(Wording::RepeatedWord(bare.to_owned()));
        }
        previous = Some(word);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The objections to a text, without that to a missing full stop.
    fn objections(text: &str) -> Vec<Wording> {
        check_text(text)
            .into_iter()
            .filter(|wording| *wording != Wording::OpenSentence)
            .collect()
    }

    #[test]
    fn a_good_text_passes() {
        let text = "Room 4 is booked for Thursday (the large one).\n\nShall I bring the PDF? \"Yes\" will do!";
        assert_eq!(check_text(text), []);
    }

    #[test]
    fn each_objection_is_raised() {
        let cases = [
            ("See {name}.", Wording::LeftoverMarkup('{')),
            ("See example.org now.", Wording::Link),
            ("Call 5550123456.", Wording::LongNumber),
            ("This is GREAT news.", Wording::Shouting("GREAT".into())),
            ("Yes! Yes, really!", Wording::Exclamations(2)),
            ("Well.. Yes.", Wording::RepeatedPunctuation("..".into())),
            ("Really?!", Wording::RepeatedPunctuation("?!".into())),
            ("It is Free, of course.", Wording::Spammy("free")),
            ("A gift card for you.", Wording::Spammy("gift card")),
            ("About 5 %.", Wording::MoneySign('%')),
            ("It is on on Monday.", Wording::RepeatedWord("on".into())),
            ("Well , yes.", Wording::MisplacedSpace),
            ("Yes. that is it.", Wording::SmallBeginning("that".into())),
            ("Hi Anna, welcome.", Wording::Greeting),
            ("Re: The plan", Wording::ReplyPrefix),
        ];
        for (text, wording) in cases {
            assert_eq!(objections(text), [wording], "{text}");
        }
        assert_eq!(check_text("No end here"), [Wording::OpenSentence]);
    }

    #[test]
    fn the_vocabulary_is_sorted_and_of_phrases_that_are_searched_for() {
        assert!(SPAMMY.is_sorted());
        assert!(SPAMMY.iter().all(|phrase| phrase.split(' ').count() <= 2));
    }

    #[test]
    fn words_inside_words_and_across_sentences_are_no_objection() {
        assert_eq!(
            check_text("Freedom is fine. The payroll too. Too? Yes."),
            []
        );
        assert_eq!(check_text("I knew that, that was easy."), []);
    }
}
