//! Properties of everything that reads what strangers write, as functions of bytes that libFuzzer makes up.
//!
//! Each module is one target: its `check` takes any bytes, hands them to the product's own reader through its public API, and panics when a
//! promise is broken: not only "does not panic", but what comes out is bounded, well-formed, and the same when it is read again. The
//! targets stand in `targets/`, what they begin with in `corpus/TARGET/`; `make fuzz-parsers` runs them, `tests/corpus.rs` reads each
//! file of the corpus once with every `make test`. An input that broke something is kept there as `found-…`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken promise is a panic, which libFuzzer reports"
)]

pub mod address;
#[cfg(feature = "http")]
pub mod api_key;
#[cfg(feature = "http")]
pub mod cursor;
pub mod guarded_stream;
#[cfg(feature = "http")]
mod http_app;
#[cfg(feature = "http")]
pub mod idempotency_key;
pub mod imap_session;
pub mod mail_content;
pub mod mail_report;
#[cfg(feature = "http")]
pub mod request_body;
#[cfg(feature = "http")]
pub mod request_query;
mod server;
pub mod smtp_session;
pub mod spintax;

/// A target: its name and its property.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("address", address::check),
    #[cfg(feature = "http")]
    ("api_key", api_key::check),
    #[cfg(feature = "http")]
    ("cursor", cursor::check),
    ("guarded_stream", guarded_stream::check),
    #[cfg(feature = "http")]
    ("idempotency_key", idempotency_key::check),
    ("imap_session", imap_session::check),
    ("mail_content", mail_content::check),
    ("mail_report", mail_report::check),
    #[cfg(feature = "http")]
    ("request_body", request_body::check),
    #[cfg(feature = "http")]
    ("request_query", request_query::check),
    ("smtp_session", smtp_session::check),
    ("spintax", spintax::check),
];
