//! Running other programs.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

/// A program to run, and what to tell a person who does not have it.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    hint: &'static str,
}

impl Program {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            command: Command::new(program),
            hint: "",
        }
    }

    /// The cargo that runs us, without what it told us about our own build.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// What to install if the program is not there.
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, names: &[&str]) -> Self {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs it where its output can be seen.
    pub(crate) fn run(mut self) -> Result<()> {
        let line = self.line();
        let status = self.command.status();
        let status = status.map_err(|error| self.not_started(error, &line))?;
        if !status.success() {
            bail!("`{line}` failed: {status}");
        }
        Ok(())
    }

    /// Runs it quietly. What it wrote is in the error if it fails, else its stdout is returned.
    pub(crate) fn output(mut self) -> Result<String> {
        let line = self.line();
        let output = self.command.stdin(Stdio::null()).output();
        let Output {
            status,
            stdout,
            stderr,
        } = output.map_err(|error| self.not_started(error, &line))?;
        if !status.success() {
            let mut text = String::from_utf8_lossy(&stderr).into_owned();
            text += &String::from_utf8_lossy(&stdout);
            bail!("`{line}` failed: {status}\n{}", excerpt(&text));
        }
        String::from_utf8(stdout).with_context(|| format!("`{line}` does not write UTF-8"))
    }

    /// Runs it with all that it writes in a file. Whether it ended well.
    pub(crate) fn logged(mut self, log: &Path) -> Result<bool> {
        let line = self.line();
        let unwritable = || format!("{} cannot be written", log.display());
        let out = File::create(log).with_context(unwritable)?;
        let err = out.try_clone().with_context(unwritable)?;
        self.command.stdin(Stdio::null()).stdout(out).stderr(err);
        let status = self.command.status();
        let status = status.map_err(|error| self.not_started(error, &line))?;
        Ok(status.success())
    }

    /// The command as it would be typed.
    fn line(&self) -> String {
        let mut line = self.command.get_program().to_string_lossy().into_owned();
        for arg in self.command.get_args() {
            let arg = arg.to_string_lossy();
            let quote = if arg.contains([' ', '"', '*']) {
                "'"
            } else {
                ""
            };
            write!(line, " {quote}{arg}{quote}").expect("writing to a String does not fail");
        }
        line
    }

    fn not_started(&self, error: std::io::Error, line: &str) -> anyhow::Error {
        if error.kind() == ErrorKind::NotFound && !self.hint.is_empty() {
            anyhow::anyhow!("`{line}` is not there: {}", self.hint)
        } else {
            anyhow::Error::new(error).context(format!("`{line}` does not start"))
        }
    }
}

/// The text, or its beginning and its end if it is long.
fn excerpt(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    match lines.len() {
        0..=60 => lines.join("\n"),
        count => {
            let (head, tail) = (lines[..40].join("\n"), lines[count - 15..].join("\n"));
            format!("{head}\n[{} lines left out]\n{tail}", count - 55)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_the_command_and_its_output() {
        let error = Program::new("sh")
            .args(["-c", "echo one two; exit 3"])
            .output()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh -c 'echo one two; exit 3'` failed: exit status: 3\none two"
        );
    }

    #[test]
    fn a_long_output_keeps_its_beginning_and_its_end() {
        assert_eq!(excerpt("a\nb\n"), "a\nb");
        let text: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
        let lines: Vec<String> = excerpt(&text.join("\n"))
            .lines()
            .map(str::to_owned)
            .collect();
        assert_eq!(lines[39..42], ["40", "[45 lines left out]", "86"]);
        assert_eq!(lines.last().unwrap(), "100");
    }

    #[test]
    fn a_missing_program_says_what_to_install() {
        let error = Program::new("no-such-program")
            .hint("install it")
            .output()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`no-such-program` is not there: install it"
        );
    }
}
