//! Not tests but measurements: `cargo test --release -p prewarm cache::tests::figures -- --ignored --nocapture`.
