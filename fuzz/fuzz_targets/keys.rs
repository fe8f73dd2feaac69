//! Files of keys: any bytes as a JWK Set, as PEM, as DER and as a secret.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    jotmill_test_harness::fuzz_bodies::keys(data);
});
