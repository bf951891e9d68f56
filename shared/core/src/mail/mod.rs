//! Mail as warmup sees it: the life of one mail, what names it, and what servers say about it.
//!
//! - [`slot`]: the sender's half of a mail's life, from the claim to its settled fate.
//! - [`receipt`]: the receiver's half, from arrival to the reply.
//! - [`message_id`], [`token`]: how both halves recognise the message.
//! - [`bounce`]: what a server's reply, a delivery report or a complaint means.

pub mod bounce;
pub mod message_id;
pub mod receipt;
pub mod slot;
pub mod token;
