//! `agentwarm_fuzz_parsers::mail_content`, under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentwarm_fuzz_parsers::mail_content::check(bytes));
