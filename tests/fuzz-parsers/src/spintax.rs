//! `agentwarm_core::content::spintax`: texts with alternatives.

use agentwarm_core::content::spintax::{MAX_COVERING, MAX_SOURCE_BYTES, Template};
use agentwarm_core::seed::Seed;

/// What placeholders are called here, and what stands for each.
const VOCABULARY: [(&str, &str); 2] = [("name", "Ada"), ("", "nobody")];

/// How many texts are made by chance.
const RENDERS: u8 = 4;

/// The bytes are a source.
pub fn check(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else {
        return;
    };
    let resolve = |name: &str| {
        VOCABULARY
            .iter()
            .find(|(known, _)| *known == name)
            .map(|it| it.1)
    };
    let template = match Template::parse(source, &resolve) {
        Ok(template) => template,
        Err(error) => {
            let at = error.offset();
            assert!(at <= source.len().min(MAX_SOURCE_BYTES), "{error:?}");
            assert!(source.is_char_boundary(at), "{error:?}");
            return;
        }
    };
    let fill = |text: &&str, out: &mut String| out.push_str(text);
    let bounds = template.length_bounds(&|text| (text.chars().count(), text.chars().count()));
    let covering = template.covering(&fill);
    assert!((1..=MAX_COVERING).contains(&covering.len()));
    let by_chance = (0..RENDERS).map(|n| {
        let text = template.render(Seed::root(&[n]), &fill);
        let again = template.render(Seed::root(&[n]), &fill);
        assert_eq!(text, again, "the same seed, the same text");
        text
    });
    for text in by_chance.chain(covering.iter().cloned()) {
        assert!(!text.contains(['{', '}', '|']), "{text:?}");
        let length = text.chars().count();
        assert!(
            (bounds.0..=bounds.1).contains(&length),
            "{length} of {bounds:?}"
        );
        // A text without alternatives is spintax, and the only one that it stands for.
        let plain = Template::parse(&text, &resolve).expect("a text is spintax");
        assert_eq!(plain.variants(), 1);
    }
    let different: std::collections::BTreeSet<_> = covering.iter().collect();
    assert!(template.variants() >= different.len() as u64);
}
