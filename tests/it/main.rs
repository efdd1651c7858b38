//! Integration tests of prewarm: one binary, tests that read as tables.

mod smoke;
