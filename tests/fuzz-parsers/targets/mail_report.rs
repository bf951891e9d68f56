//! `agentwarm_fuzz_parsers::mail_report`, under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentwarm_fuzz_parsers::mail_report::check(bytes));
