//! Lists in pages: `limit` and `offset` as documented, and a cursor that is stable under writes (decision 12).
//!
//! A cursor is the sort key to go on after, and the list it belongs to, as base64url of JSON. A list is its name and what it was filtered by:
//! with other filters it may be another index, where the key means another place or none. A cursor is opaque, not secret: it holds no
//! partition key, which always comes from the authenticated user, so a forged one can only skip within the forger's own list.

use agentwarm_app::ports::{PageOf, PageRequest, PageStart};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;

use super::digest::sha256;
use super::fields::{Fields, Invalid};
use super::rules::{Rule, integer, text};

/// The furthest that `offset` reaches (decision 12).
pub const MAX_OFFSET: u32 = 10_000;

/// The longest cursor: far above the longest sort key.
const MAX_CURSOR: usize = 2_048;

/// How a list is paged.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// Its name: a cursor of one list is refused by others.
    pub list: &'static str,
    /// The page size unless asked for.
    pub default: u32,
    /// The largest page.
    pub max: u32,
}

/// Which page was asked for, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The page.
    pub page: PageRequest,
    /// What the list was filtered by: its cursors go on there alone.
    filters: String,
}

/// The parameters that say which page of a list is wanted, rather than which list.
const OF_PAGE: [&str; 3] = ["limit", "offset", "cursor"];

/// Hexadecimal digits that tell the filters of one user's lists apart.
const FILTER_DIGITS: usize = 16;

/// What a list says about its pages, beside its items: flatten it into the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = super::openapi::schema::ours(&["nextCursor"]))]
pub struct PageInfo {
    /// How many items there are in all, exact up to 10,000.
    pub total: u32,
    /// The page size.
    pub limit: u32,
    /// How many items were skipped; 0 with a cursor.
    pub offset: u32,
    /// Asks for the next page, as `?cursor=`; null on the last one.
    pub next_cursor: Option<String>,
    /// Present and true if there are more than `total`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub total_is_lower_bound: bool,
}

impl Paging {
    /// Reads `limit`, `offset` and `cursor`.
    pub fn read(self, fields: &mut Fields<'_>) -> Result<Wanted, Invalid> {
        let filters = filters_of(fields);
        let limit = fields.or("limit", self.default, integer(1..=self.max));
        let offset = fields.optional("offset", offset());
        let cursor = fields.optional("cursor", self.cursor(filters.clone()));
        let from = match (offset?, cursor?) {
            (Some(offset), Some(_)) if offset > 0 => {
                return Err(fields.problem("cursor", "cannot be combined with offset"));
            }
            (_, Some(key)) => PageStart::After(key),
            (offset, None) => PageStart::Offset(offset.unwrap_or(0)),
        };
        let limit = limit?;
        Ok(Wanted {
            page: PageRequest { limit, from },
            filters,
        })
    }

    /// What the answer says about `page`, which was the answer to `wanted`.
    pub fn info<T>(self, wanted: &Wanted, page: &PageOf<T>) -> PageInfo {
        PageInfo {
            total: page.total,
            limit: wanted.page.limit,
            offset: match wanted.page.from {
                PageStart::Offset(offset) => offset,
                PageStart::After(_) => 0,
            },
            next_cursor: page
                .next
                .as_deref()
                .map(|key| self.encode(&wanted.filters, key)),
            total_is_lower_bound: page.total_is_lower_bound,
        }
    }

    fn cursor(self, filters: String) -> Rule<String> {
        text(1..=MAX_CURSOR)
            .check(move |cursor| {
                self.decode(&filters, &cursor)
                    .ok_or("must be a nextCursor of this list with the same filters")
            })
            .about("The nextCursor of the page before.")
    }

    fn encode(self, filters: &str, key: &str) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::json!([self.list, filters, key]).to_string())
    }

    fn decode(self, filters: &str, cursor: &str) -> Option<String> {
        let json = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (list, of, key): (String, String, String) = serde_json::from_slice(&json).ok()?;
        let plausible = !key.is_empty() && !key.chars().any(char::is_control);
        (list == self.list && of == filters && plausible).then_some(key)
    }
}

/// What a list is filtered by, whatever the order in which that was said; nothing where it is not.
fn filters_of(fields: &Fields<'_>) -> String {
    let mut filters = fields.query_without(&OF_PAGE);
    if filters.is_empty() {
        return String::new();
    }
    filters.sort();
    let mut digest = sha256(serde_json::json!(filters).to_string().as_bytes());
    digest.truncate(FILTER_DIGITS);
    digest
}

fn offset() -> Rule<u32> {
    integer(0..=u32::MAX)
        .check(|offset| {
            if offset <= MAX_OFFSET {
                Ok(offset)
            } else {
                Err("must be at most 10000; follow nextCursor to go further")
            }
        })
        .schema_with("maximum", || MAX_OFFSET.into())
        .schema_with("default", || 0.into())
        .about("How many items to skip. Prefer the cursor.")
}

#[cfg(test)]
mod tests;
