use proptest::prelude::*;

use super::*;

/// A vocabulary of one placeholder, `name`.
fn parse(source: &str) -> Result<Template<&'static str>, SpintaxError> {
    Template::parse(source, &|name| (name == "name").then_some("Ada"))
}

fn fill(name: &&str, out: &mut String) {
    out.push_str(name);
}

fn seed(number: u64) -> Seed {
    Seed::root(&number.to_be_bytes())
}

fn texts(source: &str) -> Vec<String> {
    let template = parse(source).unwrap();
    let mut texts: Vec<_> = (0..200).map(|n| template.render(seed(n), &fill)).collect();
    texts.sort();
    texts.dedup();
    texts
}

#[test]
fn alternatives_nest_and_all_of_them_come_up() {
    assert_eq!(
        texts("{a|b {c|d}} {{name}}"),
        ["a Ada", "b c Ada", "b d Ada"]
    );
}

#[test]
fn white_space_around_alternatives_does_not_count_and_a_blank_line_is_a_paragraph() {
    assert_eq!(
        texts("  one\n two {  x\n| x  },\n \n\n three  "),
        ["one two x,\n\nthree"]
    );
}

#[test]
fn two_braces_are_a_placeholder_only_when_they_close_as_one() {
    assert_eq!(texts("{{a|b} c|{{ name }}}"), ["Ada", "a c", "b c"]);
}

#[test]
fn each_mistake_has_its_own_error_and_its_place() {
    let errors = [
        ("ab {c|d", SpintaxError::UnclosedBrace { at: 3 }),
        ("{", SpintaxError::UnclosedBrace { at: 0 }),
        ("{{name", SpintaxError::UnclosedBrace { at: 1 }),
        ("ab } c", SpintaxError::StrayBrace { at: 3 }),
        ("a | b", SpintaxError::StrayBar { at: 2 }),
        ("{a||b}", SpintaxError::EmptyAlternative { at: 3 }),
        ("{ }", SpintaxError::EmptyAlternative { at: 1 }),
        ("x {name}", SpintaxError::SingleAlternative { at: 2 }),
        (
            "{{nam}}",
            SpintaxError::UnknownPlaceholder {
                at: 0,
                name: "nam".into(),
            },
        ),
    ];
    for (source, error) in errors {
        assert_eq!(parse(source), Err(error), "{source}");
    }
}

#[test]
fn nesting_is_allowed_up_to_the_bound_and_no_deeper() {
    let nested = |depth: usize| format!("{}b{}", "{a|".repeat(depth), "}".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    let at = 3 * MAX_DEPTH;
    assert_eq!(
        parse(&nested(MAX_DEPTH + 1)),
        Err(SpintaxError::TooDeep { at })
    );
    assert_eq!(
        parse(&"{".repeat(10_000)),
        Err(SpintaxError::TooDeep { at: MAX_DEPTH })
    );
}

#[test]
fn a_source_that_is_too_long_is_refused_unread() {
    let bytes = MAX_SOURCE_BYTES + 1;
    assert_eq!(
        parse(&"a".repeat(bytes)),
        Err(SpintaxError::TooLong { bytes })
    );
}

#[test]
fn covering_shows_every_alternative() {
    let texts = parse("{a|b {c|d|{e|f}}} {g|h}")
        .unwrap()
        .covering(&fill)
        .concat();
    for letter in 'a'..='h' {
        assert!(texts.contains(letter), "{letter} is missing in {texts}");
    }
}

#[test]
fn variants_and_length_bounds_are_counted_over_the_tree() {
    let template = parse("{a|bcd {e|f}}, {g|h} {{name}}").unwrap();
    assert_eq!(template.variants(), 6);
    assert_eq!(template.length_bounds(&|_| (0, 10)), (5, 19));
    assert_eq!(template.placeholders().len(), 1);
}

/// Sources that are valid by construction.
fn valid_source() -> impl Strategy<Value = String> {
    let leaf = prop_oneof!["[a-z ,.?]{0,8}[a-z]", Just("{{name}}".to_owned())];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|all| format!("{{{}}}", all.join("|"))),
            prop::collection::vec(inner, 1..3).prop_map(|all| all.join(" ")),
        ]
    })
}

proptest! {
    #[test]
    fn a_rendered_text_holds_no_markup_and_the_seed_decides_it(source in valid_source(), n: u64) {
        let template = parse(&source).unwrap();
        let text = template.render(seed(n), &fill);
        prop_assert!(!text.contains(['{', '}', '|']), "{text}");
        prop_assert_eq!(&text, &template.render(seed(n), &fill));
    }

    #[test]
    fn lengths_stay_inside_their_bounds(source in valid_source(), n: u64) {
        let template = parse(&source).unwrap();
        let (shortest, longest) = template.length_bounds(&|_| (3, 3));
        let length = template.render(seed(n), &fill).chars().count();
        prop_assert!((shortest..=longest).contains(&length));
    }

    #[test]
    fn no_input_makes_the_parser_panic(source in any::<String>()) {
        let _ = parse(&source);
    }

    #[test]
    fn no_heap_of_markup_makes_the_parser_panic(source in "[{}| a\n]{0,80}") {
        if let Ok(template) = parse(&source) {
            let text = template.render(seed(1), &fill);
            prop_assert!(!text.contains(['{', '}', '|']), "{}", text);
        }
    }

    #[test]
    fn errors_point_into_the_source(source in "[{}| aé]{0,40}") {
        if let Err(error) = parse(&source) {
            prop_assert!(source.is_char_boundary(error.offset()));
        }
    }
}
