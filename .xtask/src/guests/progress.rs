//! What the person who waits can see: one line for each guest.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// All lines.
pub(crate) struct Progress(MultiProgress);

/// The line of one guest.
pub(crate) struct Line {
    name: &'static str,
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(MultiProgress::new())
    }

    pub(crate) fn line(&self, name: &'static str) -> Line {
        let bar = self.0.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {prefix:21} {msg} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(120));
        Line { name, bar }
    }
}

impl Line {
    /// Says what is going on.
    pub(crate) fn say(&self, what: impl Into<String>) {
        let what = what.into();
        if self.bar.is_hidden() {
            println!("{}: {what}", self.name);
        }
        self.bar.set_message(what);
    }

    /// Says how it ended.
    pub(crate) fn done(&self, how: &'static str) {
        self.bar.finish_with_message(how);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.bar.is_finished() {
            self.bar.abandon_with_message("failed");
        }
    }
}
