//! Times in logs: any bytes as a text and as a field.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    jotmill_test_harness::fuzz_bodies::times(data);
});
