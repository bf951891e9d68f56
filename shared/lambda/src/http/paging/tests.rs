//! Pages and their cursors.

use proptest::prelude::*;

use super::super::fields::{FromFields, read_query};
use super::*;

const ACCOUNTS: Paging = Paging {
    list: "accounts",
    default: 50,
    max: 200,
};
const AUDIT: Paging = Paging {
    list: "audit",
    ..ACCOUNTS
};

#[derive(Debug)]
struct Accounts(PageRequest);

impl FromFields for Accounts {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        ACCOUNTS.read(fields).map(Self)
    }
}

fn read(pairs: &[(&str, &str)]) -> Option<PageRequest> {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read_query::<Accounts>(&pairs)
        .ok()
        .map(|Accounts(page)| page)
}

fn page(next: Option<&str>) -> PageOf<u8> {
    PageOf {
        items: vec![1],
        next: next.map(str::to_owned),
        total: 27,
        total_is_lower_bound: false,
    }
}

#[test]
fn limits_and_offsets_are_taken_or_refused_as_they_are() {
    let first = read(&[]).unwrap();
    assert_eq!((first.limit, first.from), (50, PageStart::Offset(0)));
    let far = read(&[("limit", "200"), ("offset", "10000")]).unwrap();
    assert_eq!((far.limit, far.from), (200, PageStart::Offset(10_000)));
    for wrong in [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", ""),
        ("offset", "-1"),
        ("offset", "10001"),
        ("cursor", ""),
    ] {
        assert_eq!(read(&[wrong]), None, "{wrong:?}");
    }
}

#[test]
fn a_cursor_leads_to_the_next_page_of_its_own_list() {
    let request = read(&[("offset", "10")]).unwrap();
    let info = ACCOUNTS.info(&request, &page(Some("account#01")));
    assert_eq!((info.offset, info.total), (10, 27));
    let cursor = info.next_cursor.unwrap();

    let next = read(&[("cursor", &cursor)]).unwrap();
    assert_eq!(next.from, PageStart::After("account#01".to_owned()));
    let last = ACCOUNTS.info(&next, &page(None));
    insta::assert_json_snapshot!(last, @r#"
    {
      "total": 27,
      "limit": 50,
      "offset": 0,
      "nextCursor": null
    }
    "#);

    let foreign = AUDIT
        .info(&request, &page(Some("account#01")))
        .next_cursor
        .unwrap();
    assert_eq!(read(&[("cursor", &foreign)]), None);
    assert_eq!(read(&[("cursor", &cursor), ("offset", "1")]), None);
    assert!(read(&[("cursor", &cursor), ("offset", "0")]).is_some());
}

#[test]
fn a_total_that_is_only_a_bound_says_so() {
    let mut many = page(None);
    many.total_is_lower_bound = true;
    let info = serde_json::to_value(ACCOUNTS.info(&read(&[]).unwrap(), &many)).unwrap();
    assert_eq!(info["totalIsLowerBound"], true);
}

#[test]
fn made_up_cursors_are_refused() {
    let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
    for cursor in [
        "x".to_owned(),
        "=".to_owned(),
        encode("null"),
        encode(r#"["accounts"]"#),
        encode(r#"["accounts", 7]"#),
        encode(r#"["accounts", ""]"#),
        encode(r#"["accounts", "a\u0000"]"#),
        encode(r#"["accounts", "a", "b"]"#),
        encode(r#"{"pk": "u#other", "sk": "a"}"#),
        encode(&format!(r#"["accounts", "{}"]"#, "a".repeat(2_000))),
    ] {
        assert_eq!(read(&[("cursor", &cursor)]), None, "{cursor}");
    }
}

proptest! {
    #[test]
    fn cursors_round_trip_and_changed_ones_never_panic(key in "[ -~]{1,100}", at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_-]") {
        let cursor = ACCOUNTS.encode(&key);
        prop_assert_eq!(ACCOUNTS.decode(&cursor), Some(key));
        let mut changed = cursor.clone();
        let at = at.index(changed.len());
        changed.replace_range(at..=at, &letter);
        let _ = ACCOUNTS.decode(&changed);
        prop_assert_eq!(AUDIT.decode(&cursor), None);
    }
}
