//! Payloads laid out alike: one, and what becomes of it by single bytes, in one log.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    jotmill_test_harness::fuzz_bodies::layouts(data);
});
