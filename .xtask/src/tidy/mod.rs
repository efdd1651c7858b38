//! Rules that no compiler knows. Each is a pure function over the text of the repository.

mod tree;
mod code;
mod shape;
mod floors;
mod links;
mod promises;
mod versions;
mod unsafety;

use std::fmt;

use anyhow::{Result, bail};

use self::tree::{File, Tree};
use crate::paths::Paths;

/// One place that breaks a rule.
#[derive(Debug, PartialEq)]
struct Problem {
    path: String,
    /// Counted from 1; 0 for the file as a whole.
    line: usize,
    message: String,
}

impl Problem {
    fn new(file: &File, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: file.path.clone(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Checks the whole repository.
pub(crate) fn run(paths: &Paths) -> Result<()> {
    let tree = Tree::read(&paths.root)?;
    let mut problems = Vec::new();
    for rule in [
        shape::check,
        floors::check,
        links::check,
        promises::check,
        versions::check,
        unsafety::check,
    ] {
        problems.extend(rule(&tree));
    }
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        count => bail!("{count} places are not tidy"),
    }
}

/// The problems that a rule finds in these files, as a person sees them.
#[cfg(test)]
fn found(rule: fn(&Tree) -> Vec<Problem>, files: &[(&str, &str)]) -> Vec<String> {
    let file = |(path, text): &(&str, &str)| File {
        path: (*path).into(),
        text: (*text).into(),
    };
    let tree = Tree {
        files: files.iter().map(file).collect(),
    };
    rule(&tree).iter().map(Problem::to_string).collect()
}
