//! The work as a component.

use rivals_work::Guest;
use rivals_work::example::logs::types::{Redacted, Secrets};

struct Work;

impl Guest for Work {
    fn echo(text: String) -> String {
        // A copy more would be work that nobody asked for.
        text
    }

    fn redact(text: String, what: Secrets, mask: char) -> Redacted {
        rivals_work::redact(&text, what, mask)
    }
}

rivals_work::bindings::export!(Work);
