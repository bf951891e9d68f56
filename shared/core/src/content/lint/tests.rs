use super::*;

/// A conversation without faults, to be spoilt. Its alternatives are enough for a thousand texts.
const GOOD: &str = "\
=== team-day
Vary: day = Tuesday | Thursday
Subject: {A|The|One} {walk|hike|stroll} on {{day}}
--- asks
{Shall we|Could we|Might we} {walk|hike|stroll} {together|as a team|with everybody} {on|this coming} {{day}}? {I know a path|There is a path|I found a way}
{by the lake|through the woods|over the hill} {which is lovely|that I like|for all of us}.
--- closes
{Yes, gladly|With pleasure|Count me in}. {My boots|Our shoes|Those socks} {are ready|are waiting|stand by} {at the door|in the hall|under my desk},
{and so is|next to|along with} {my umbrella|some tea|a map|the dog|a coat|an apple}. {See you|Until then|Thanks}.
";

/// Findings about `GOOD` with `from` replaced, without their places.
fn problems(from: &str, to: &str) -> Vec<Problem> {
    let text = GOOD.replacen(from, to, 1);
    assert!(
        from.is_empty() || text != GOOD,
        "{from:?} is not in the text"
    );
    let bank = Bank::parse(&[("x.txt", &text)]).unwrap();
    lint(&bank)
        .into_iter()
        .map(|finding| finding.problem)
        .collect()
}

/// The objections to wording among the findings.
fn wordings(from: &str, to: &str) -> Vec<Wording> {
    let wording = |problem| match problem {
        Problem::Wording { wording, .. } => Some(wording),
        _ => None,
    };
    problems(from, to).into_iter().filter_map(wording).collect()
}

#[test]
fn the_builtin_bank_is_clean() {
    let findings = lint_builtin().unwrap();
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(
        findings.is_empty(),
        "{} findings\n{}",
        findings.len(),
        lines.join("\n")
    );
}

#[test]
fn a_good_conversation_has_no_findings() {
    assert_eq!(problems("", ""), []);
}

#[test]
fn a_conversation_needs_a_subject_and_variety_in_it() {
    let subject = "Subject: {A|The|One} {walk|hike|stroll} on {{day}}\n";
    let without = problems(subject, "");
    assert_eq!(without, [Problem::MissingSubject]);
    assert_eq!(
        problems(subject, "Subject: Our walk {{day}}\n"),
        [Problem::FewSubjects(2)]
    );
    let short = problems("Subject: ", "Subject: {Us|We|All|You}\nSubject: ");
    assert!(short.contains(&Problem::SubjectLength(2)), "{short:?}");
}

#[test]
fn a_conversation_has_two_to_five_turns() {
    let (head, last) = GOOD.split_once("--- closes\n").unwrap();
    let lone = Bank::parse(&[("x.txt", head)]).unwrap();
    assert_eq!(lint(&lone).remove(0).problem, Problem::TurnCount(1));
    let turns = "--- closes\n".to_owned() + last;
    let long = Bank::parse(&[("x.txt", &format!("{head}{}", turns.repeat(5)))]).unwrap();
    assert_eq!(lint(&long).remove(0).problem, Problem::TurnCount(6));
}

#[test]
fn a_turn_is_neither_a_word_nor_an_essay() {
    let terse = problems("{Yes, gladly", "{Yes");
    assert_eq!(terse, []);
    let (head, _) = GOOD.split_once("--- closes\n").unwrap();
    let short = Bank::parse(&[("x.txt", &format!("{head}--- closes\n{{Yes|No}}.\n"))]).unwrap();
    let found: Vec<_> = lint(&short)
        .into_iter()
        .map(|finding| finding.problem)
        .collect();
    assert!(found.contains(&Problem::TooShort(3)), "{found:?}");
    assert!(found.contains(&Problem::FewVariants(2)), "{found:?}");
    assert!(
        found
            .iter()
            .any(|problem| matches!(problem, Problem::OwnOverlap(_))),
        "{found:?}"
    );
    let long = problems("by the lake", &"on and ".repeat(150));
    assert!(
        long.iter()
            .any(|problem| matches!(problem, Problem::TooLong(_))),
        "{long:?}"
    );
}

#[test]
fn a_mistake_in_one_alternative_is_found_once() {
    assert_eq!(wordings("a map", "a [map]"), [Wording::LeftoverMarkup('[')]);
    assert_eq!(
        wordings("a map", "a map from maps.example.org"),
        [Wording::Link]
    );
    assert_eq!(
        wordings("a map", "a WONDERFUL map"),
        [Wording::Shouting("WONDERFUL".into())]
    );
    assert_eq!(wordings("a map", "a free map"), [Wording::Spammy("free")]);
    let double = Wording::RepeatedPunctuation(".,".into());
    assert_eq!(wordings("my desk},", "my desk}.,"), [double]);
}

#[test]
fn mistakes_where_alternatives_meet_are_found() {
    let repeated = Wording::RepeatedWord("the".into());
    assert_eq!(wordings("under my desk}", "under the} the"), [repeated]);
}

#[test]
fn two_turns_that_say_the_same_are_near_duplicates() {
    let twice = format!("{GOOD}{}", GOOD.replace("=== team-day", "=== copy"));
    let bank = Bank::parse(&[("x.txt", &twice)]).unwrap();
    let findings = lint(&bank);
    let places: Vec<_> = findings.iter().map(|finding| finding.line).collect();
    assert_eq!(places, [4, 7], "{findings:?}");
    let line = 13;
    let problem = Problem::NearDuplicate {
        file: "x.txt".into(),
        line,
        percent: 100,
    };
    assert_eq!(findings[0].problem, problem);
}

#[test]
fn a_detail_that_varies_must_be_used() {
    let unused = problems("Vary:", "Vary: hour = ten | two\nVary:");
    assert_eq!(unused, [Problem::UnusedFact("hour".into())]);
}

#[test]
fn a_finding_reads_as_a_place_and_a_sentence() {
    let text = GOOD.replacen("a map", "a free map", 1);
    let bank = Bank::parse(&[("x.txt", &text)]).unwrap();
    let line = lint(&bank).remove(0).to_string();
    assert!(
        line.starts_with("x.txt:7 team-day: spammy \"free\" in \""),
        "{line}"
    );
}
