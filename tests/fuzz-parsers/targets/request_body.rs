//! `agentwarm_fuzz_parsers::request_body`, under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentwarm_fuzz_parsers::request_body::check(bytes));
