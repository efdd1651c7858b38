//! See `prewarm_fuzz::pool`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| prewarm_fuzz::pool::target(data));
