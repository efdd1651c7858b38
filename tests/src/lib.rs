//! What the tests of prewarm share with the programs that run their long forms.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(
    clippy::result_large_err,
    clippy::type_complexity,
    reason = "helpers of tests pass errors and closures on as they are"
)]
#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "nobody else uses them"
)]
#![allow(
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "helpers of tests panic where a test fails"
)]

pub mod support;
pub mod hostile;
pub mod flood;
pub mod misbehaviour;
pub mod soak;
