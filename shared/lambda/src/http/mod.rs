//! The HTTP kit: everything that is the same for all routes.
//!
//! Read [`serve`] first: it is the life of a request. A function adds a table of [`Route`]s and handlers of the form
//! parse → one use case → answer; `docs/adding-an-endpoint.md` shows one whole.
//!
//! | module | answers |
//! |---|---|
//! | [`route`], [`router`] | what operations are there, and which one is meant |
//! | [`auth`] | who is asking |
//! | [`rate`] | not too often? |
//! | [`body`], [`fields`], [`rules`], [`paging`] | what do they want, and what is wrong with it |
//! | [`idempotency`], [`sealed`] | did they ask before |
//! | [`response`], [`batch`], [`error`], [`cors`] | what do they get |
//! | [`links`] | what to ask next |
//! | [`gateway`] | how does it come in and go out |
//! | [`openapi`], [`manifest`] | what is written about all of that |

mod auth;
pub mod batch;
mod body;
mod cors;
mod digest;
pub mod error;
pub mod fields;
mod gateway;
mod idempotency;
mod links;
pub mod manifest;
pub mod openapi;
pub mod paging;
mod rate;
mod request;
mod response;
mod route;
mod router;
pub mod rules;
mod sealed;
mod serve;
#[cfg(test)]
mod testing;

pub use auth::Caller;
pub use batch::{AccountIds, Batch, ItemFailure, PartialFailure, partial_failure_example};
pub use body::DEFAULT_MAX_BODY;
pub use error::ApiError;
pub use fields::{Fields, FromFields, Invalid, Patch};
pub use gateway::HttpTask;
pub use links::Endpoint;
pub use paging::{PageInfo, Paging, Wanted};
pub use rate::RateLimit;
pub use request::{Incoming, Request};
pub use response::{Answer, Response};
pub use route::{Access, BoundRoute, Route, RouteSpec, Routes};
pub use router::RouteError;
pub use serve::{HttpApp, HttpPorts};
