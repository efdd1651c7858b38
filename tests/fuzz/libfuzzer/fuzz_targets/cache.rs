//! See `prewarm_fuzz::cache`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| prewarm_fuzz::cache::target(data));
