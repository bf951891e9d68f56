//! `agentwarm_fuzz_parsers::api_key`, under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentwarm_fuzz_parsers::api_key::check(bytes));
