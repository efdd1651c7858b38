//! The work as a plugin of Extism, written as its development kit wants it.

use extism_pdk::{FnResult, plugin_fn};

/// Says the same.
#[plugin_fn]
pub fn echo(text: String) -> FnResult<String> {
    Ok(text)
}

/// Hides every secret. The answer is bytes: see `rivals_work::answer`.
#[plugin_fn]
pub fn redact(text: String) -> FnResult<Vec<u8>> {
    Ok(rivals_work::answer("redact", &text).unwrap_or_default())
}
