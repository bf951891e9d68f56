//! Reading mailboxes (RFC 3501 and the extensions below), from servers that users choose.
//!
//! The client is our own, over units that the guard has framed. async-imap with imap-proto was the obvious choice and was measured
//! (0.12, 0.17): imap-proto panics on `* OK [ALERT]ü` and on `INTERNALDATE NIL` and overflows a 2 MB stack at 100 nested parentheses;
//! async-imap parses a growing response again at each read, logs `LOGIN user password` at TRACE, and ends a FETCH or SEARCH
//! that the server answered with `NO` as one that found nothing, which here would advance a cursor over unread mail, or declare a
//! sent one lost. What warmup needs of the grammar is six responses: a lexer without recursion ([`lex`]) and their interpretation
//! ([`response`]) are smaller than the care that the libraries would take, and what they do not know they skip.
//!
//! Used where offered: SASL-IR (RFC 4959), SPECIAL-USE (RFC 6154) with LIST-EXTENDED (RFC 5258), MOVE (RFC 6851), UIDPLUS (RFC 4315), ID (RFC 2971).
//! Messages are asked for in bounded parts, without setting `\Seen`, and never for their structure.

mod browse;
mod command;
mod connection;
mod file;
mod find;
mod folders;
mod lex;
mod login;
mod read;
mod relocate;
mod response;
mod session;
mod utf7;

pub(crate) use login::{begin, open};
pub(crate) use session::Settings;
