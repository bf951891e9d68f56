//! Reading what clients send, all problems at once (decision 6), and describing it from the same lines.
//!
//! A request type says what it reads:
//!
//! ```ignore
//! struct CreatePool { name: String, description: Option<String> }
//!
//! impl FromFields for CreatePool {
//!     fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid> {
//!         let name = fields.required("name", line(NAME_MAX_CHARS));
//!         let description = fields.nullable("description", line(DESCRIPTION_MAX_CHARS));
//!         Ok(Self { name: name?, description: description? })
//!     }
//! }
//! ```
//!
//! Every field is read *before* the first `?`: a bad one leaves a problem behind and an [`Invalid`], reading goes on, and the request is
//! refused with all of them. serde would stop at the first. The same function, run over nothing, yields the JSON Schema of the OpenAPI
//! document: what is documented is what is checked, because it is the same line. For that it must read the same fields whatever it finds in
//! them; rules between fields come after the reading ([`Fields::problem`]).
//!
//! Bodies and query strings are read alike. Unknown names are ignored, as clients of a growing API expect; a known name with a wrong
//! type, an unknown enum value or an out-of-range number never is, and nothing is clamped. Messages never repeat the value.

use std::borrow::Cow;

use agentwarm_app::error::Problem;
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::rules::Rule;

/// A value could not be read; what is wrong with it has been noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

/// Something that a request carries as named fields.
pub trait FromFields: Sized {
    /// Reads all fields, then builds `Self`.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Invalid>;
}

/// A field of a partial update: leaving it out and setting it to nothing are different wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch<T> {
    /// Left out: keep what is there.
    Absent,
    /// `null`: remove it.
    Null,
    /// Set it.
    Value(T),
}

/// One value as the client sent it.
#[derive(Debug, Clone, Copy)]
pub enum Raw<'a> {
    /// Part of a JSON body.
    Json(&'a Value),
    /// Part of a query string: text, whatever it means.
    Text(&'a str),
}

/// The named fields of a body, of an object in it, or of a query string.
pub struct Fields<'a> {
    source: Source<'a>,
    report: &'a mut Report,
}

enum Source<'a> {
    Json(&'a Map<String, Value>),
    Query(&'a [(String, String)]),
    /// Nothing is read: what would be read is noted.
    Nothing(&'a mut ObjectSchema),
}

/// Problems, and where reading is right now.
#[derive(Debug, Default)]
pub struct Report {
    path: String,
    problems: Vec<Problem>,
}

/// The fields that an object may have.
#[derive(Debug, Default)]
pub(super) struct ObjectSchema {
    pub(super) properties: Map<String, Value>,
    pub(super) required: Vec<String>,
    /// What holds of the object as a whole.
    further: Map<String, Value>,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "rules are made where they are used"
)]
impl<'a> Fields<'a> {
    /// A field that must be there.
    pub fn required<T>(&mut self, name: &'static str, rule: Rule<T>) -> Result<T, Invalid> {
        self.describe(name, true, || rule.schema())?;
        match self.find(name)? {
            Some(raw) => self.report.field(name, |report| rule.read(raw, report)),
            None => Err(self.problem(name, "is required")),
        }
    }

    /// A field that may be left out, but is not `null`.
    pub fn optional<T>(&mut self, name: &'static str, rule: Rule<T>) -> Result<Option<T>, Invalid> {
        self.describe(name, false, || rule.schema())?;
        match self.find(name)? {
            Some(raw) => self
                .report
                .field(name, |report| rule.read(raw, report))
                .map(Some),
            None => Ok(None),
        }
    }

    /// A field that may be left out and then has this value.
    pub fn or<T: Into<Value> + Clone>(
        &mut self,
        name: &'static str,
        default: T,
        rule: Rule<T>,
    ) -> Result<T, Invalid> {
        self.describe(name, false, || {
            with_keyword(rule.schema(), "default", default.clone().into())
        })?;
        match self.find(name)? {
            Some(raw) => self.report.field(name, |report| rule.read(raw, report)),
            None => Ok(default),
        }
    }

    /// A field that may be left out or `null`, which mean the same.
    pub fn nullable<T>(&mut self, name: &'static str, rule: Rule<T>) -> Result<Option<T>, Invalid> {
        self.patch(name, rule).map(|field| match field {
            Patch::Value(value) => Some(value),
            Patch::Absent | Patch::Null => None,
        })
    }

    /// A field that may be left out or `null`, which mean different things.
    pub fn patch<T>(&mut self, name: &'static str, rule: Rule<T>) -> Result<Patch<T>, Invalid> {
        self.describe(name, false, || or_null(rule.schema()))?;
        match self.find(name)? {
            None => Ok(Patch::Absent),
            Some(Raw::Json(Value::Null)) => Ok(Patch::Null),
            Some(raw) => self
                .report
                .field(name, |report| rule.read(raw, report))
                .map(Patch::Value),
        }
    }

    /// Says in the document what holds of the object as a whole, such as `anyOf`: for rules between fields.
    pub fn schema_with(&mut self, keyword: &'static str, value: Value) {
        if let Source::Nothing(described) = &mut self.source {
            described.further.insert(keyword.to_owned(), value);
        }
    }

    /// Notes a problem with a field, found by comparing it with others.
    pub fn problem(&mut self, name: &str, message: impl Into<Cow<'static, str>>) -> Invalid {
        self.report.field(name, |report| report.problem(message))
    }

    /// When only describing: notes the field and reads nothing.
    fn describe(
        &mut self,
        name: &str,
        required: bool,
        schema: impl FnOnce() -> Value,
    ) -> Result<(), Invalid> {
        let Source::Nothing(described) = &mut self.source else {
            return Ok(());
        };
        described.properties.insert(name.to_owned(), schema());
        if required {
            described.required.push(name.to_owned());
        }
        Err(Invalid)
    }

    /// The query string without these; empty where there is none.
    pub(super) fn query_without(&self, names: &[&str]) -> Vec<&'a (String, String)> {
        let Source::Query(pairs) = self.source else {
            return Vec::new();
        };
        pairs
            .iter()
            .filter(|(name, _)| !names.contains(&name.as_str()))
            .collect()
    }

    fn find(&mut self, name: &str) -> Result<Option<Raw<'a>>, Invalid> {
        match self.source {
            Source::Json(object) => Ok(object.get(name).map(Raw::Json)),
            Source::Query(pairs) => {
                let mut values = pairs.iter().filter(|(key, _)| key == name);
                let first = values.next();
                if values.next().is_some() {
                    return Err(self.problem(name, "is given more than once"));
                }
                Ok(first.map(|(_, value)| Raw::Text(value)))
            }
            Source::Nothing(_) => Err(Invalid),
        }
    }
}

impl Report {
    /// Notes a problem with what is being read.
    pub fn problem(&mut self, message: impl Into<Cow<'static, str>>) -> Invalid {
        self.problems
            .push(Problem::new(self.path.clone(), message.into().into_owned()));
        Invalid
    }

    fn field<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.inside(&format!("{dot}{name}"), read)
    }

    pub(super) fn item<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.inside(&format!("[{index}]"), read)
    }

    fn inside<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outside = self.path.len();
        self.path.push_str(step);
        let result = read(self);
        self.path.truncate(outside);
        result
    }

    pub(super) fn object<T: FromFields>(
        &mut self,
        object: &Map<String, Value>,
    ) -> Result<T, Invalid> {
        T::read(&mut Fields {
            source: Source::Json(object),
            report: self,
        })
    }

    fn pairs<T: FromFields>(&mut self, pairs: &[(String, String)]) -> Result<T, Invalid> {
        T::read(&mut Fields {
            source: Source::Query(pairs),
            report: self,
        })
    }

    /// What was read, unless anything was wrong.
    fn conclude<T>(self, read: Result<T, Invalid>) -> Result<T, Vec<Problem>> {
        match read {
            Ok(value) if self.problems.is_empty() => Ok(value),
            _ => Err(self.problems),
        }
    }
}

/// Reads a body.
pub(super) fn read_body<T: FromFields>(body: Option<&Value>) -> Result<T, ApiError> {
    let Some(Value::Object(_)) = body else {
        return Err(ApiError::invalid_at("body", "must be a JSON object"));
    };
    read_alone(body).map_err(ApiError::invalid)
}

/// Reads an object that stands alone: its fields' paths begin with it.
pub(super) fn read_alone<T: FromFields>(object: Option<&Value>) -> Result<T, Vec<Problem>> {
    let mut report = Report::default();
    let read = match object {
        Some(Value::Object(object)) => report.object(object),
        _ => Err(report.problem("must be an object")),
    };
    report.conclude(read)
}

/// Reads a query string.
pub(super) fn read_query<T: FromFields>(pairs: &[(String, String)]) -> Result<T, ApiError> {
    let mut report = Report::default();
    let read = report.pairs(pairs);
    report.conclude(read).map_err(ApiError::invalid)
}

/// Reads the parameters of a path and a query string, the problems of both at once.
pub(super) fn read_path_and_query<P: FromFields, Q: FromFields>(
    path: &[(String, String)],
    query: &[(String, String)],
) -> Result<(P, Q), ApiError> {
    let mut report = Report::default();
    let (path, query) = (report.pairs(path), report.pairs(query));
    let both = path.and_then(|path| Ok((path, query?)));
    report.conclude(both).map_err(ApiError::invalid)
}

/// What `T` reads.
pub(super) fn schema_of<T: FromFields>() -> ObjectSchema {
    let mut schema = ObjectSchema::default();
    // Describing reads nothing, so there is nothing to build `T` from: the result is always `Invalid`, unless `T` has no fields.
    let _ = T::read(&mut Fields {
        source: Source::Nothing(&mut schema),
        report: &mut Report::default(),
    });
    schema
}

impl ObjectSchema {
    /// As JSON Schema 2020-12.
    pub(super) fn into_value(self) -> Value {
        let mut schema = json!({ "type": "object", "properties": self.properties });
        if !self.required.is_empty() {
            schema = with_keyword(schema, "required", self.required.into());
        }
        for (keyword, value) in self.further {
            schema = with_keyword(schema, &keyword, value);
        }
        schema
    }
}

/// `schema` with one more word of JSON Schema.
pub(super) fn with_keyword(mut schema: Value, keyword: &str, value: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(keyword.to_owned(), value);
    }
    schema
}

/// The same schema, or `null`.
fn or_null(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(Value::String(name)) => {
            if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                values.push(Value::Null);
            }
            with_keyword(schema, "type", json!([name, "null"]))
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

#[cfg(test)]
mod tests;
