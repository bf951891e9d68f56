//! The rules of mailbox warmup, without the world.
//!
//! Everything here is a pure function of its arguments: time, time zone and seed come in, decisions and their reasons go out. No
//! clock, no I/O, no async, no randomness of its own, no map that iterates in a random order. So any day of any mailbox can be
//! computed twice with the same result, simulated in milliseconds and explained to its owner.
//!
//! - [`ids`], [`email`], [`rate`], [`time`]: the vocabulary, parsed once at the edge and valid from then on.
//! - [`account`], [`pool`], [`plan`]: what a user owns and what the plan allows.
//! - [`crm`]: what links accounts to the records of a CRM.
//! - [`advice`]: what a user should know of their accounts, and do next.
//! - [`warmup`]: ramp, phases, day planning, partners, engagement, reputation, judgement.
//! - [`mail`]: what a mail's life can be, Message-IDs, tokens, and what an SMTP reply means.
//! - [`content`]: what the mails say.
//! - [`audit`], [`error`]: the vocabularies of events and of errors.

pub mod account;
pub mod advice;
pub mod audit;
pub mod content;
pub mod crm;
pub mod email;
pub mod error;
pub mod ids;
pub mod mail;
mod names;
pub mod plan;
pub mod pool;
pub mod rate;
pub mod seed;
pub mod time;
pub mod warmup;
