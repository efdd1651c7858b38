//! See `prewarm_fuzz::values`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| prewarm_fuzz::values::target(data));
