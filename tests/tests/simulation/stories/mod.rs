//! One thing goes wrong, and what becomes of it.

mod plain;
