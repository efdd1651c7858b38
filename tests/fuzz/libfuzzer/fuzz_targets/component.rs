//! See `prewarm_fuzz::component`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| prewarm_fuzz::component::target(data));
