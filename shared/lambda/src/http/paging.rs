//! Lists in pages: `limit` and `offset` as documented, and a cursor that is stable under writes (decision 12).
//!
//! A cursor is the sort key to go on after, and the list it belongs to, as base64url of JSON. It is opaque, not secret: it holds no
//! partition key, which always comes from the authenticated user, so a forged one can only skip within the forger's own list.

use agentwarm_app::ports::{PageOf, PageRequest, PageStart};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;

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
    pub fn read(self, fields: &mut Fields<'_>) -> Result<PageRequest, Invalid> {
        let limit = fields.or("limit", self.default, integer(1..=self.max));
        let offset = fields.optional("offset", offset());
        let cursor = fields.optional("cursor", self.cursor());
        let from = match (offset?, cursor?) {
            (Some(offset), Some(_)) if offset > 0 => {
                return Err(fields.problem("cursor", "cannot be combined with offset"));
            }
            (_, Some(key)) => PageStart::After(key),
            (offset, None) => PageStart::Offset(offset.unwrap_or(0)),
        };
        Ok(PageRequest {
            limit: limit?,
            from,
        })
    }

    /// What the answer says about `page`, which was the answer to `request`.
    pub fn info<T>(self, request: &PageRequest, page: &PageOf<T>) -> PageInfo {
        PageInfo {
            total: page.total,
            limit: request.limit,
            offset: match request.from {
                PageStart::Offset(offset) => offset,
                PageStart::After(_) => 0,
            },
            next_cursor: page.next.as_deref().map(|key| self.encode(key)),
            total_is_lower_bound: page.total_is_lower_bound,
        }
    }

    fn cursor(self) -> Rule<String> {
        text(1..=MAX_CURSOR)
            .check(move |cursor| {
                self.decode(&cursor)
                    .ok_or("must be a nextCursor of this list")
            })
            .about("The nextCursor of the page before.")
    }

    fn encode(self, key: &str) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::json!([self.list, key]).to_string())
    }

    fn decode(self, cursor: &str) -> Option<String> {
        let json = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (list, key): (String, String) = serde_json::from_slice(&json).ok()?;
        let plausible = !key.is_empty() && !key.chars().any(char::is_control);
        (list == self.list && plausible).then_some(key)
    }
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
