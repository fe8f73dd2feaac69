//! Whole tokens: any bytes as a line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    jotmill_test_harness::fuzz_bodies::token(data);
});
