//! What more than one of the test binaries beside this library knows.

pub mod operations;
