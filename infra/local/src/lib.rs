//! The local stack's runner: placeholder docs.

pub mod deploy;
pub mod emulator;
pub mod invoke;
pub mod policy;
pub mod template;
pub mod triggers;
