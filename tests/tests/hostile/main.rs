//! What a hostile mail server may cost: the real clients in a process of their own, which is measured.
//!
//! Each behaviour is a server on a real socket in the test's process, so that its own memory does not count, and a child process
//! ([`child`]) that works through a batch as a function does, by the engine's use cases: the hostile mailbox, a good one beside it, and one
//! operation straight on the client, whose typed error is compared. [`measure`] says what must hold of each:
//!
//! - the process lives and ends by itself;
//! - its memory grows by no more than 32 MiB: the peak of its resident set while the batch runs, above what it held after the same work with good
//!   servers;
//! - the batch ends within 30 s;
//! - the error is the right one, the good mailbox is done with, and the account (or, where a mail was in somebody's hands, the mail)
//!   says what is wrong.
//!
//! The tables: [`imap_steps`], [`imap_floods`] and [`imap_lies`]; [`smtp`]; [`tls`]; [`messages`] for what lies in a mailbox. What single
//! answers mean is in `shared/mail/tests/hostile`, without measuring.
//!
//! The clients run with the product's own time limits but for two that are longer than a test should be, both of them data
//! (`TimeLimits`): a session, 90 s, and the answer to a mail's content, 60 s, because RFC 5321 §4.5.3.2.6 wants servers to be given time.
//!
//! Not here, because the product has none of it: HTTP clients (and with them redirects; what comes closest, IMAP's referrals, is tried) and
//! decompression (gzip in mails and COMPRESS=DEFLATE are tried: nobody unpacks).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that is surprised should stop"
)]

mod behaviour;
mod child;
mod imap_floods;
mod imap_lies;
mod imap_server;
mod imap_steps;
mod measure;
mod messages;
mod smtp;
mod smtp_server;
mod tls;
