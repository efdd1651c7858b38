//! What is looked at beside tests: the public API, the dependencies, every order of threads.

pub(crate) mod api;
pub(crate) mod deny;
pub(crate) mod floors;
pub(crate) mod licences;
