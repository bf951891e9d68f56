//! `agentwarm_fuzz_parsers::cursor`, under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentwarm_fuzz_parsers::cursor::check(bytes));
