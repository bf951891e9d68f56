//! Pages and their cursors.

use agentwarm_core::ids::RequestId;
use proptest::prelude::*;
use serde_json::Value;

use super::super::ApiError;
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
struct Accounts(Wanted);

impl FromFields for Accounts {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        ACCOUNTS.read(fields).map(Self)
    }
}

fn asked(pairs: &[(&str, &str)]) -> Result<Wanted, ApiError> {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read_query::<Accounts>(&pairs).map(|Accounts(wanted)| wanted)
}

fn read(pairs: &[(&str, &str)]) -> Option<Wanted> {
    asked(pairs).ok()
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
    let first = read(&[]).unwrap().page;
    assert_eq!((first.limit, first.from), (50, PageStart::Offset(0)));
    let far = [("limit", "200"), ("offset", "10000")];
    let far = read(&far).unwrap().page;
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
fn who_goes_too_far_by_offset_is_shown_the_cursor() {
    let refused = asked(&[("offset", "10001")]).unwrap_err();
    let refused = refused.into_response(RequestId::from_uuid(uuid::Uuid::nil()));
    let refused: Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(
        refused["errors"][0]["message"],
        "must be at most 10000; follow nextCursor to go further"
    );
}

#[test]
fn a_cursor_leads_to_the_next_page_of_its_own_list() {
    let request = read(&[("offset", "10")]).unwrap();
    let info = ACCOUNTS.info(&request, &page(Some("account#01")));
    assert_eq!((info.offset, info.total), (10, 27));
    let cursor = info.next_cursor.unwrap();

    let next = read(&[("cursor", &cursor)]).unwrap();
    assert_eq!(next.page.from, PageStart::After("account#01".to_owned()));
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
fn a_cursor_leads_on_under_the_filters_that_it_was_given_under() {
    let of = |filters: &[(&str, &str)]| {
        let wanted = read(filters).unwrap();
        let info = ACCOUNTS.info(&wanted, &page(Some("account#01")));
        info.next_cursor.unwrap()
    };
    let warming = of(&[("status", "warming"), ("domain", "a.example")]);
    let goes_on = |cursor: &str, filters: &[(&str, &str)]| {
        read(&[&[("cursor", cursor)][..], filters].concat()).is_some()
    };
    // In any order, with any page size.
    let same = [
        ("domain", "a.example"),
        ("limit", "7"),
        ("status", "warming"),
    ];
    assert!(goes_on(&warming, &same));
    for others in [
        &[][..],
        &[("status", "warming")],
        &[("status", "paused"), ("domain", "a.example")],
        &[("status", "a.example"), ("domain", "warming")],
    ] {
        assert!(!goes_on(&warming, others), "{others:?}");
    }
    assert!(!goes_on(&of(&[]), &[("status", "warming")]));
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
        encode(r#"["accounts", ""]"#),
        encode(r#"["accounts", "", 7]"#),
        encode(r#"["accounts", "", ""]"#),
        encode(r#"["accounts", "", "a\u0000"]"#),
        encode(r#"["accounts", "", "a", "b"]"#),
        encode(r#"{"pk": "u#other", "sk": "a"}"#),
        encode(&format!(r#"["accounts", "", "{}"]"#, "a".repeat(2_000))),
    ] {
        assert_eq!(read(&[("cursor", &cursor)]), None, "{cursor}");
    }
}

proptest! {
    #[test]
    fn cursors_round_trip_and_changed_ones_never_panic(filters in "[0-9a-f]{0,16}", key in "[ -~]{1,100}", at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_-]") {
        let cursor = ACCOUNTS.encode(&filters, &key);
        prop_assert_eq!(ACCOUNTS.decode(&filters, &cursor), Some(key));
        let mut changed = cursor.clone();
        let at = at.index(changed.len());
        changed.replace_range(at..=at, &letter);
        let _ = ACCOUNTS.decode(&filters, &changed);
        prop_assert_eq!(AUDIT.decode(&filters, &cursor), None);
    }
}
