//! What is read, what is refused, and that both are described.

use agentwarm_core::account::Provider;
use agentwarm_core::email::EmailAddress;
use agentwarm_core::ids::{AccountId, RequestId};
use jiff::Timestamp;
use jiff::civil::Date;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::super::rules::{
    anything, boolean, date, email, id, instant, integer, line, list, number, object, one_of,
    secret, text, zone,
};
use super::*;

#[derive(Debug, PartialEq)]
struct Server {
    host: String,
    port: u16,
    password: Zeroizing<String>,
}

impl FromFields for Server {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let host = fields.required("host", text(1..=253));
        let port = fields.required("port", integer(1..=65_535_u16));
        let password = fields.required("password", secret(1_000));
        Ok(Self {
            host: host?,
            port: port?,
            password: password?,
        })
    }
}

#[derive(Debug, PartialEq)]
struct NewAccount {
    email: EmailAddress,
    name: Option<String>,
    provider: Provider,
    server: Server,
    tags: Option<Vec<String>>,
    zone: Patch<String>,
}

impl FromFields for NewAccount {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let email = fields.required("email", email());
        let name = fields.nullable("name", line(20));
        let provider = fields.required("provider", one_of(Provider::ALL, Provider::as_str));
        let server = fields.required("server", object::<Server>());
        let tags = fields.optional("tags", list(1..=2, text(1..=3)));
        let zone = fields.patch("zone", zone().map(|zone| zone.name().to_owned()));
        Ok(Self {
            email: email?,
            name: name?,
            provider: provider?,
            server: server?,
            tags: tags?,
            zone: zone?,
        })
    }
}

#[derive(Debug, PartialEq)]
struct Search {
    limit: u32,
    since: Option<Timestamp>,
    day: Option<Date>,
    all: Option<bool>,
    share: Option<f64>,
    provider: Option<Provider>,
}

impl FromFields for Search {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
        let limit = fields.or("limit", 50, integer(1..=200));
        let since = fields.optional("since", instant());
        let day = fields.optional("day", date());
        let all = fields.optional("all", boolean());
        let share = fields.optional("share", number(0.0..=1.0));
        let provider = fields.optional("provider", one_of(Provider::ALL, Provider::as_str));
        Ok(Self {
            limit: limit?,
            since: since?,
            day: day?,
            all: all?,
            share: share?,
            provider: provider?,
        })
    }
}

/// The problems as `path message`, one a line.
fn problems<T: std::fmt::Debug>(read: Result<T, ApiError>) -> String {
    let response = read
        .unwrap_err()
        .into_response(RequestId::from_uuid(uuid::Uuid::nil()));
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let errors = body["errors"].as_array().unwrap().iter();
    errors.fold(String::new(), |text, error| {
        let [path, message] = ["path", "message"].map(|name| error[name].as_str().unwrap());
        text + path + " " + message + "\n"
    })
}

fn query(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn account() -> Value {
    json!({
        "email": "Hello@Example.com", "name": "Hello", "provider": "imap_smtp",
        "server": { "host": "mail.example.com", "port": 993, "password": "s3cret" },
        "unknown": [1],
    })
}

#[test]
fn what_is_right_is_read_and_what_is_unknown_ignored() {
    let read: NewAccount = read_body(Some(&account())).unwrap();
    assert_eq!(read.email.as_str(), "hello@example.com");
    assert_eq!((read.server.port, read.provider), (993, Provider::ImapSmtp));
    assert_eq!((read.tags, read.zone), (None, Patch::Absent));
}

#[test]
fn absent_null_and_a_value_are_three_things() {
    let zone = |value: Value| {
        let account = with_keyword(account(), "zone", value);
        read_body::<NewAccount>(Some(&account)).unwrap().zone
    };
    assert_eq!(zone(Value::Null), Patch::Null);
    assert_eq!(
        zone("Europe/London".into()),
        Patch::Value("Europe/London".to_owned())
    );

    let account = with_keyword(account(), "tags", Value::Null);
    insta::assert_snapshot!(problems(read_body::<NewAccount>(Some(&account))), @"tags must be a list");
}

#[test]
fn everything_wrong_is_named_at_once_and_nothing_is_repeated() {
    let wrong = json!({
        "email": "canary", "name": "a\r\nBcc: x", "provider": "Gmail",
        "server": { "host": 7, "port": "993", "password": "canary\u{0}" },
        "tags": ["ok", "canary", 3], "zone": "Mars/Olympus",
    });
    let wrong = problems(read_body::<NewAccount>(Some(&wrong)));
    assert!(!wrong.contains("canary"));
    insta::assert_snapshot!(wrong, @"
    email must look like name@domain
    name must not contain control characters or line breaks
    provider must be one of gmail, outlook, imap_smtp
    server.host must be a string
    server.port must be a whole number from 1 to 65535
    server.password must not contain control characters
    tags must have 1 to 2 items
    zone is not an IANA time zone such as Europe/London
    ");
    let empty = problems(read_body::<NewAccount>(Some(
        &json!({ "server": {}, "tags": ["long", 3] }),
    )));
    insta::assert_snapshot!(empty, @"
    email is required
    provider is required
    server.host is required
    server.port is required
    server.password is required
    tags[0] must have 1 to 3 characters
    tags[1] must be a string
    ");
}

#[test]
fn a_body_is_an_object() {
    for body in [
        None,
        Some(json!(null)),
        Some(json!([account()])),
        Some(json!("x")),
    ] {
        let refused = problems(read_body::<NewAccount>(body.as_ref()));
        assert_eq!(refused, "body must be a JSON object\n");
    }
}

#[test]
fn query_strings_are_typed_and_never_clamped() {
    let read: Search = read_query(&query(
        "limit=200&day=2028-02-29&all=true&share=0.5&provider=gmail&unknown=1",
    ))
    .unwrap();
    assert_eq!(
        (read.limit, read.all, read.share),
        (200, Some(true), Some(0.5))
    );
    assert_eq!(read_query::<Search>(&[]).unwrap().limit, 50);

    let wrong = problems(read_query::<Search>(&query(
        "limit=201&since=2026-03-10&day=2026-02-30&all=yes&share=NaN&provider=",
    )));
    insta::assert_snapshot!(wrong, @"
    limit must be a whole number from 1 to 200
    since must be a time with its offset, such as 2026-03-13T10:00:00Z
    day must be a date that exists, as YYYY-MM-DD
    all must be true or false
    share must be a number from 0 to 1
    provider must be one of gmail, outlook, imap_smtp
    ");
    insta::assert_snapshot!(problems(read_query::<Search>(&query("limit=1&limit=2"))), @"limit is given more than once");
}

#[test]
fn numbers_dates_and_times_have_one_spelling() {
    let limit = |text: &str| read_query::<Search>(&query(&format!("limit={text}"))).is_ok();
    for (text, good) in [
        ("7", true),
        ("007", true),
        ("+7", false),
        ("7.0", false),
        ("0x7", false),
        (" 7", false),
        ("", false),
        ("7e0", false),
        ("-7", false),
        ("99999999999999999999", false),
    ] {
        assert_eq!(limit(text), good, "{text:?}");
    }
    let day = |text: &str| read_query::<Search>(&query(&format!("day={text}"))).is_ok();
    for (text, good) in [
        ("2026-03-13", true),
        ("20260313", false),
        ("2026-3-13", false),
        ("2026-03-13T00:00:00Z", false),
        ("+26-03-130", false),
        ("2025-02-29", false),
    ] {
        assert_eq!(day(text), good, "{text:?}");
    }
    let since = |text: &str| read_query::<Search>(&query(&format!("since={text}"))).is_ok();
    for (text, good) in [
        ("2026-03-10T00:00:00Z", true),
        ("2026-03-10T00:00:00.123+02:00", true),
        ("2026-03-10T00:00:00", false),
        ("2026-03-10 00:00:00Z", false),
        ("2026-03-10T00:00:00 02:00", false),
        ("2026-03-10T00:00:00Z[UTC]", false),
        ("1773100800", false),
        ("2026-02-30T00:00:00Z", false),
    ] {
        assert_eq!(since(text), good, "{text:?}");
    }
}

#[test]
fn whole_floats_are_integers_as_json_schema_has_it() {
    let port = |port: Value| {
        let server = json!({ "host": "h", "password": "p", "port": port });
        read_body::<Server>(Some(&server)).map(|server| server.port)
    };
    assert_eq!(port(json!(993.0)).unwrap(), 993);
    for wrong in [
        json!(993.5),
        json!(1e300),
        json!(-1),
        json!(0),
        json!(65_536),
        json!("993"),
        json!(true),
        json!(u64::MAX),
    ] {
        assert!(port(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_read_is_described() {
    insta::assert_json_snapshot!(schema_of::<NewAccount>().into_value());
}

#[test]
fn defaults_and_ranges_of_a_query_are_described() {
    let schema = schema_of::<Search>();
    assert!(schema.required.is_empty());
    insta::assert_json_snapshot!(schema.properties["limit"], @r#"
    {
      "type": "integer",
      "minimum": 1,
      "maximum": 200,
      "default": 50
    }
    "#);
}

#[test]
fn problems_between_fields_join_the_others() {
    #[derive(Debug)]
    struct Hours;
    impl FromFields for Hours {
        fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
            let start = fields.required("start", integer(0..=23));
            let end = fields.required("end", integer(0..=23));
            if start? >= end? {
                return Err(fields.problem("start", "must be before end"));
            }
            Ok(Self)
        }
    }
    let hours = problems(read_body::<Hours>(Some(&json!({ "start": 9, "end": 8 }))));
    assert_eq!(hours, "start must be before end\n");
}

#[test]
fn ids_and_anything() {
    #[derive(Debug)]
    struct Batch(Vec<AccountId>, Value);
    impl FromFields for Batch {
        fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
            let ids = fields.required("accountIds", list(1..=100, id()));
            let plan = fields.required("plan", anything());
            Ok(Self(ids?, plan?))
        }
    }
    let id = "0195f2d4-7c00-7000-8000-000000000000";
    let batch: Batch = read_body(Some(&json!({ "accountIds": [id], "plan": { "a": 1 } }))).unwrap();
    assert_eq!((batch.0.len(), batch.1), (1, json!({ "a": 1 })));
    let wrong = json!({ "accountIds": [id, "x", null], "plan": null });
    insta::assert_snapshot!(problems(read_body::<Batch>(Some(&wrong))), @"
    accountIds[1] must be a UUID
    accountIds[2] must be a string
    ");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let name = prop_oneof![
            Just("email".to_owned()),
            Just("server".to_owned()),
            Just("tags".to_owned()),
            Just("port".to_owned())
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused_with_a_reason(body in any_json()) {
        if let Err(error) = read_body::<NewAccount>(Some(&body)) {
            prop_assert!(!problems::<NewAccount>(Err(error)).is_empty());
        }
    }
}

#[test]
fn a_path_and_a_query_are_refused_together() {
    let (path, wrong) = (query("day=never"), query("limit=0&all=perhaps"));
    let read = read_path_and_query::<Search, Search>(&path, &wrong);
    let wrong = problems(read.map(|_| ()));
    insta::assert_snapshot!(wrong, @"
    day must be a date that exists, as YYYY-MM-DD
    limit must be a whole number from 1 to 200
    all must be true or false
    ");
    let (path, right) = (query("limit=1"), query("limit=2"));
    let (path, query): (Search, Search) = read_path_and_query(&path, &right).unwrap();
    assert_eq!((path.limit, query.limit), (1, 2), "neither is the other's");
}
