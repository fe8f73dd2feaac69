//! The claims: any bytes as the payload of a token that is signed correctly.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    jotmill_test_harness::fuzz_bodies::claims(data);
});
