//! prewarm

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the host, which comes next, is what uses it")
)]
mod cache;

pub use cache::{CacheConfig, CacheStats};
