//! What more than one of the test binaries beside this library knows.

pub mod documented;
pub mod operations;
pub mod owned;
pub mod reference;
