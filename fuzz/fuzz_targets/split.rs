//! Input cut into lines: any bytes as a whole log.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    jotmill_test_harness::fuzz_bodies::split(data);
});
