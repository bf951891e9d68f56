//! `agentwarm_fuzz_parsers::guarded_stream`, under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentwarm_fuzz_parsers::guarded_stream::check(bytes));
