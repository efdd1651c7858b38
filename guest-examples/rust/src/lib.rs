//! The world `example:logs/logs` in Rust: sums up and redacts a log of dpkg.

mod line;
mod reader;
mod redact;

use std::cell::RefCell;

use exports::example::logs::sessions;
use reader::Reader;

wit_bindgen::generate!({ path: "../../wit/logs" });

struct Logs;

impl Guest for Logs {
    fn analyze(log: String, options: Options) -> Result<Summary, ParseError> {
        let mut reader = Reader::new(options);
        reader.feed(&log);
        reader.finish()
    }

    fn redact(text: String, what: Secrets, mask: char) -> Redacted {
        redact::redact(&text, what, mask)
    }
}

impl sessions::Guest for Logs {
    type Session = RefCell<Reader>;
}

impl sessions::GuestSession for RefCell<Reader> {
    fn new(options: Options) -> Self {
        Self::new(Reader::new(options))
    }

    fn settings(&self) -> Options {
        self.borrow().options
    }

    fn feed(&self, text: String) -> u64 {
        self.borrow_mut().feed(&text)
    }

    fn finish(&self) -> Result<Summary, ParseError> {
        self.borrow_mut().finish()
    }
}

export!(Logs);
