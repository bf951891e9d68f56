//! The guarded connector: where we may connect, and how much a peer may send.
//!
//! Users choose the hosts that we connect to, so every address is judged and every peer is assumed hostile. Both judgements are
//! pure and stand apart from the sockets that carry them out:
//!
//! - [`address`]: which endpoints and which IP addresses may be connected to.
//! - `rules`: the same for users' input, as the port that use cases know.
//! - [`resolve`]: names to addresses.
//! - [`connect`]: resolves, filters and connects to the very address that was judged: no second look-up in between.
//! - [`tls`]: certificates are always verified.
//! - [`guard`]: reads whole protocol units within limits of bytes, depth and time.
//!
//! What went wrong is told apart here, for logs. Who answers a client must not tell it apart: otherwise testing a connection
//! would be a port scanner.

pub mod address;
pub mod connect;
pub mod guard;
pub mod resolve;
mod rules;
pub mod tls;
