//! prewarm
