//! What a single value must be: a rule reads it, and describes itself as JSON Schema.
//!
//! Messages are read after the field's path (`limit must be a whole number from 1 to 200`) and never repeat the value, which may be a
//! password and may be long.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use agentwarm_app::error::Problem;
use agentwarm_app::text::{LINE_PATTERN, line_problem};
use agentwarm_core::crm::{CrmId, CrmSource};
use agentwarm_core::email::EmailAddress;
use agentwarm_core::time::{Zone, whole_millis};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::fields::{FromFields, Invalid, Raw, Report, read_alone, schema_of, with_keyword};

type Read<T> = Box<dyn Fn(Raw<'_>, &mut Report) -> Result<T, Invalid>>;

/// Reads one value, or says what is wrong with it.
pub struct Rule<T> {
    read: Read<T>,
    schema: Box<dyn Fn() -> Value>,
}

/// What is wrong with a value.
pub type Message = Cow<'static, str>;

impl<T: 'static> Rule<T> {
    /// A rule of its own.
    pub fn new(
        schema: impl Fn() -> Value + 'static,
        read: impl Fn(Raw<'_>) -> Result<T, Message> + 'static,
    ) -> Self {
        Self {
            read: Box::new(move |raw, report| read(raw).map_err(|message| report.problem(message))),
            schema: Box::new(schema),
        }
    }

    /// The same, turned into something else unless `check` objects.
    #[must_use]
    pub fn check<U: 'static, M: Into<Message>>(
        self,
        check: impl Fn(T) -> Result<U, M> + 'static,
    ) -> Rule<U> {
        Rule {
            read: Box::new(move |raw, report| {
                let value = (self.read)(raw, report)?;
                check(value).map_err(|message| report.problem(message))
            }),
            schema: self.schema,
        }
    }

    /// The same, turned into something else.
    #[must_use]
    pub fn map<U: 'static>(self, map: impl Fn(T) -> U + 'static) -> Rule<U> {
        self.check(move |value| Ok::<_, Message>(map(value)))
    }

    /// The same, explained in the OpenAPI document.
    #[must_use]
    pub fn about(self, description: &'static str) -> Self {
        self.schema_with("description", move || description.into())
    }

    /// The same, with further words of JSON Schema, such as `pattern`: for what [`Rule::check`] adds.
    #[must_use]
    pub fn schema_with(
        mut self,
        keyword: &'static str,
        value: impl Fn() -> Value + 'static,
    ) -> Self {
        let inner = self.schema;
        self.schema = Box::new(move || with_keyword(inner(), keyword, value()));
        self
    }
}

impl<T> Rule<T> {
    pub(super) fn read(&self, raw: Raw<'_>, report: &mut Report) -> Result<T, Invalid> {
        (self.read)(raw, report)
    }

    pub(super) fn schema(&self) -> Value {
        (self.schema)()
    }
}

fn string(raw: Raw<'_>) -> Result<&str, Message> {
    match raw {
        Raw::Text(text) => Ok(text),
        Raw::Json(Value::String(text)) => Ok(text),
        Raw::Json(_) => Err("must be a string".into()),
    }
}

/// One line of text that people read: 1 to `max` characters, no control characters, nothing that could turn a header or a terminal
/// around ([`line_problem`]).
pub fn line(max: usize) -> Rule<String> {
    Rule::new(
        move || json!({ "type": "string", "minLength": 1, "maxLength": max, "pattern": LINE_PATTERN }),
        move |raw| {
            let text = string(raw)?;
            match line_problem(text, max) {
                Some(problem) => Err(problem.into()),
                None => Ok(text.to_owned()),
            }
        },
    )
}

/// A text of `length` characters that is only compared, never shown or sent: filters.
pub fn text(length: RangeInclusive<usize>) -> Rule<String> {
    let (min, max) = (*length.start(), *length.end());
    Rule::new(
        move || json!({ "type": "string", "minLength": min, "maxLength": max }),
        move |raw| {
            let text = string(raw)?;
            if length.contains(&text.chars().count()) {
                Ok(text.to_owned())
            } else {
                Err(format!("must have {min} to {max} characters").into())
            }
        },
    )
}

/// A secret of at most `max` bytes without control characters, wiped when it is dropped.
pub fn secret(max: usize) -> Rule<Zeroizing<String>> {
    Rule::new(
        move || {
            json!({
                "type": "string", "format": "password", "writeOnly": true,
                "minLength": 1, "maxLength": max, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
            })
        },
        move |raw| {
            let text = string(raw)?;
            if text.is_empty() || text.len() > max {
                return Err(format!("must have 1 to {max} characters").into());
            }
            if text.chars().any(char::is_control) {
                return Err("must not contain control characters".into());
            }
            Ok(Zeroizing::new(text.to_owned()))
        },
    )
}

/// A text that `T` understands; its error says what it must be.
pub fn parsed<T>(format: &'static str) -> Rule<T>
where
    T: FromStr + 'static,
    T::Err: Display,
{
    Rule::new(
        move || json!({ "type": "string", "format": format }),
        |raw| {
            string(raw)?
                .parse()
                .map_err(|error: T::Err| error.to_string().into())
        },
    )
}

/// An email address (decision 33: folded).
pub fn email() -> Rule<EmailAddress> {
    parsed("email").schema_with("maxLength", || 254.into())
}

/// The id of a record in a CRM.
pub fn crm_id() -> Rule<CrmId> {
    parsed("crm-id")
        .schema_with("pattern", || "^[A-Za-z0-9_.:@+=~-]+$".into())
        .schema_with("maxLength", || CrmId::MAX_CHARS.into())
}

/// The name of a CRM.
pub fn crm_source() -> Rule<CrmSource> {
    parsed("crm-source")
        .schema_with("pattern", || "^[A-Za-z0-9][A-Za-z0-9_-]*$".into())
        .schema_with("maxLength", || CrmSource::MAX_CHARS.into())
}

/// An IANA time zone.
pub fn zone() -> Rule<Zone> {
    parsed("iana-time-zone").about("An IANA time zone, such as Europe/London.")
}

/// The id of something. In a body a malformed id is a problem like any other; in a path it is the resource's 404
/// ([`super::Request::path_id`]).
pub fn id<T: FromStr + 'static>() -> Rule<T> {
    Rule::new(
        || json!({ "type": "string", "format": "uuid" }),
        |raw| string(raw)?.parse().map_err(|_| "must be a UUID".into()),
    )
}

/// A whole number in a range.
pub fn integer<T>(range: RangeInclusive<T>) -> Rule<T>
where
    T: Copy + Into<i64> + TryFrom<i64> + 'static,
{
    let (min, max): (i64, i64) = ((*range.start()).into(), (*range.end()).into());
    Rule::new(
        move || json!({ "type": "integer", "minimum": min, "maximum": max }),
        move |raw| {
            whole(raw)
                .filter(|number| (min..=max).contains(number))
                .and_then(|number| T::try_from(number).ok())
                .ok_or_else(|| format!("must be a whole number from {min} to {max}").into())
        },
    )
}

/// The whole number that `raw` is. `5.0` is one (JSON Schema 2020-12 §6.1.1); in a query string it is digits.
fn whole(raw: Raw<'_>) -> Option<i64> {
    match raw {
        Raw::Text(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten()
        }
        Raw::Json(Value::Number(number)) => number.as_i64().or_else(|| {
            number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() < 1e15)
                // Within ±10^15 every whole float is exact, and its decimal form is the integer's.
                .and_then(|float| format!("{float:.0}").parse().ok())
        }),
        Raw::Json(_) => None,
    }
}

/// A number in a range.
pub fn number(range: RangeInclusive<f64>) -> Rule<f64> {
    let (min, max) = (*range.start(), *range.end());
    Rule::new(
        move || json!({ "type": "number", "minimum": min, "maximum": max }),
        move |raw| {
            let number = match raw {
                Raw::Text(text) => text.parse().ok(),
                Raw::Json(value) => value.as_f64(),
            };
            number
                .filter(|number| range.contains(number))
                .ok_or_else(|| format!("must be a number from {min} to {max}").into())
        },
    )
}

/// `true` or `false`.
pub fn boolean() -> Rule<bool> {
    Rule::new(
        || json!({ "type": "boolean" }),
        |raw| match raw {
            Raw::Json(Value::Bool(value)) => Ok(*value),
            Raw::Text("true") => Ok(true),
            Raw::Text("false") => Ok(false),
            _ => Err("must be true or false".into()),
        },
    )
}

/// One of some values, each known by its name on the wire.
pub fn one_of<T: Copy + 'static>(values: &'static [T], name: fn(T) -> &'static str) -> Rule<T> {
    let names = move || values.iter().map(|value| name(*value)).collect::<Vec<_>>();
    Rule::new(
        move || json!({ "type": "string", "enum": names() }),
        move |raw| {
            let text = string(raw)?;
            values
                .iter()
                .copied()
                .find(|value| name(*value) == text)
                .ok_or_else(|| format!("must be one of {}", names().join(", ")).into())
        },
    )
}

/// A calendar date, `YYYY-MM-DD` (RFC 3339 `full-date`).
pub fn date() -> Rule<Date> {
    Rule::new(
        || json!({ "type": "string", "format": "date" }),
        |raw| {
            let text = string(raw)?;
            // jiff would also take a date with a time, or without dashes.
            Some(text)
                .filter(|text| text.len() == 10 && text.as_bytes().get(4) == Some(&b'-'))
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| "must be a date that exists, as YYYY-MM-DD".into())
        },
    )
}

/// An instant, as RFC 3339; what is finer than a millisecond is cut off.
pub fn instant() -> Rule<Timestamp> {
    Rule::new(
        || json!({ "type": "string", "format": "date-time" }),
        |raw| {
            let text = string(raw)?;
            // jiff would also take a space for the T, no seconds, and a zone in brackets.
            Some(text)
                .filter(|text| text.len() >= 20 && !text.contains([' ', '[']))
                .and_then(|text| text.parse().ok())
                .map(whole_millis)
                .ok_or_else(|| {
                    "must be a time with its offset, such as 2026-03-13T10:00:00Z".into()
                })
        },
    )
}

/// An instant, or a date for its beginning in UTC.
pub fn instant_or_date() -> Rule<Timestamp> {
    let (instant, date) = (instant(), date());
    let schema = json!({ "anyOf": [instant.schema(), date.schema()] });
    Rule::new(
        move || schema.clone(),
        move |raw| {
            let mut ignored = Report::default();
            instant
                .read(raw, &mut ignored)
                .or_else(|Invalid| {
                    let date = date.read(raw, &mut ignored)?;
                    Ok(Zone::utc().instant(date, 0))
                })
                .map_err(|Invalid| {
                    "must be a date, or a time with its offset, such as 2026-03-13T10:00:00Z".into()
                })
        },
    )
}

/// Any JSON.
pub fn anything() -> Rule<Value> {
    Rule::new(
        || json!({}),
        |raw| match raw {
            Raw::Json(value) => Ok(value.clone()),
            Raw::Text(text) => Ok(text.into()),
        },
    )
}

/// An object with fields of its own.
pub fn object<T: FromFields + 'static>() -> Rule<T> {
    Rule {
        read: Box::new(|raw, report| match raw {
            Raw::Json(Value::Object(object)) => report.object(object),
            _ => Err(report.problem("must be an object")),
        }),
        schema: Box::new(|| schema_of::<T>().into_value()),
    }
}

/// An object of a batch: what is wrong with it is its own, and the request goes on without it (decision 9). Beside it what was sent, to name
/// it by in the answer.
pub fn each_by_itself<T: FromFields + 'static>() -> Rule<(Value, Result<T, Vec<Problem>>)> {
    Rule {
        read: Box::new(|raw, _| {
            let sent = match raw {
                Raw::Json(value) => value.clone(),
                Raw::Text(text) => text.into(),
            };
            let read = read_alone(Some(&sent));
            Ok((sent, read))
        }),
        schema: Box::new(|| schema_of::<T>().into_value()),
    }
}

/// Bytes in base64 (RFC 4648): either alphabet, padded or not, in lines or not.
pub fn bytes() -> Rule<Vec<u8>> {
    Rule::new(
        || json!({ "type": "string", "contentEncoding": "base64" }),
        |raw| {
            let text: String = string(raw)?
                .chars()
                .filter(|c| !matches!(c, '\r' | '\n'))
                .map(|c| match c {
                    '-' => '+',
                    '_' => '/',
                    other => other,
                })
                .collect();
            LENIENT
                .decode(text.trim_end_matches('='))
                .map_err(|_| "must be base64".into())
        },
    )
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// One value, or a list with so many.
pub fn one_or_many<T: 'static>(
    length: RangeInclusive<usize>,
    rule: impl Fn() -> Rule<T> + 'static,
) -> Rule<Vec<T>> {
    let (one, many) = (rule(), list(length, rule()));
    let Rule { read, schema } = many;
    Rule {
        schema: Box::new(move || json!({ "anyOf": [one.schema(), schema()] })),
        read: Box::new(move |raw, report| match raw {
            Raw::Json(Value::Array(_)) => read(raw, report),
            _ => rule().read(raw, report).map(|value| vec![value]),
        }),
    }
}

/// A list with so many items, each by the same rule. The problems of all items are noted.
pub fn list<T: 'static>(length: RangeInclusive<usize>, rule: Rule<T>) -> Rule<Vec<T>> {
    let (min, max) = (*length.start(), *length.end());
    let Rule { read, schema } = rule;
    Rule {
        read: Box::new(move |raw, report| {
            let Raw::Json(Value::Array(items)) = raw else {
                return Err(report.problem("must be a list"));
            };
            if !length.contains(&items.len()) {
                return Err(report.problem(format!("must have {min} to {max} items")));
            }
            // All are read before the first bad one ends it.
            let items: Vec<_> = items
                .iter()
                .enumerate()
                .map(|(index, item)| report.item(index, |report| read(Raw::Json(item), report)))
                .collect();
            items.into_iter().collect()
        }),
        schema: Box::new(
            move || json!({ "type": "array", "items": schema(), "minItems": min, "maxItems": max }),
        ),
    }
}
