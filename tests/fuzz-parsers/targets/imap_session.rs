//! `agentwarm_fuzz_parsers::imap_session`, under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentwarm_fuzz_parsers::imap_session::check(bytes));
