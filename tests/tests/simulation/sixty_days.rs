//! From the start to graduation.
