//! A user's counters: how many accounts and API keys there are.
//!
//! They change in the transaction that creates or deletes, conditionally, so that parallel requests cannot pass a plan's limit
//! (decision 10). The item also carries the events of deletions: a deleted item has no new image to carry its own.

use agentwarm_core::audit::Event;
use agentwarm_core::ids::UserId;

use super::expression::Expression;
use super::transaction::Part;
use crate::codec::{self, CodecError};
use crate::keys;

/// What is counted, by its attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    Accounts,
    ApiKeys,
}

impl Counter {
    pub(super) const fn attribute(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::ApiKeys => "apiKeys",
        }
    }

    /// Counts one more, if that is at most `max`.
    pub(super) fn one_more(self, user: UserId, max: Option<u32>) -> Part {
        let name = self.attribute();
        let update = Expression::new(format!("ADD #{name} :one REMOVE #events, #eventVersion"))
            .value("one", codec::number(1));
        let below = max.map(|max| {
            // A counter that was never written is 0.
            let text = if max > 0 {
                format!("attribute_not_exists(#{name}) OR #{name} < :max")
            } else {
                format!("#{name} < :max")
            };
            Expression::new(text).value("max", codec::number(max))
        });
        Part::Update(keys::counters(user), update, below)
    }

    /// Counts one less and reports `event`.
    pub(super) fn one_less(self, user: UserId, event: Event) -> Result<Part, CodecError> {
        self.reporting(user, -1, event)
    }

    /// Counts the same and reports `event`: of something whose place another took.
    pub(super) fn unchanged(self, user: UserId, event: Event) -> Result<Part, CodecError> {
        self.reporting(user, 0, event)
    }

    /// Counts so many more and reports `event`, under a version of the counters' own.
    fn reporting(self, user: UserId, more: i32, event: Event) -> Result<Part, CodecError> {
        let name = self.attribute();
        let next = "if_not_exists(#version, :none) + :one";
        let update = Expression::new(format!(
            "SET #version = {next}, #eventVersion = {next}, #events = :events ADD #{name} :more"
        ))
        .value("none", codec::number(0))
        .value("one", codec::number(1))
        .value("more", codec::number(more))
        .value("events", codec::encode_events(&[event])?);
        Ok(Part::Update(keys::counters(user), update, None))
    }
}
