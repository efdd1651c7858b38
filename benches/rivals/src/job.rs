//! What is asked, and the answer that all must give.

use std::path::Path;

use rivals_work::KINDS;
use wasmtime::error::Context as _;
use wasmtime::{Result, ensure};

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Says the same: what a call costs.
    Echo,
    /// Hides secrets: that of the world `example:logs/logs`.
    Redact,
}

impl Work {
    /// The function's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Redact => "redact",
        }
    }
}

/// One question, asked again and again.
#[derive(Clone, Debug)]
pub struct Job {
    pub name: &'static str,
    pub work: Work,
    pub text: String,
}

/// What comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// How often each kind of secret was hidden.
    pub counts: [u32; KINDS],
}

impl Answer {
    /// One without secrets.
    pub fn of_text(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// From the bytes of `rivals_work::answer`.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let (head, text) = bytes
            .split_at_checked(4 * KINDS)
            .context("an answer is cut short")?;
        let mut counts = [0; KINDS];
        for (count, bytes) in counts.iter_mut().zip(head.chunks_exact(4)) {
            *count = u32::from_le_bytes(bytes.try_into()?);
        }
        let text = std::str::from_utf8(text)?.to_owned();
        Ok(Self { text, counts })
    }
}

impl Job {
    /// Every job: five bytes said back, one line of the log redacted, and one page of it.
    pub fn all(log: &Path) -> Result<Vec<Self>> {
        let log = std::fs::read_to_string(log)
            .with_context(|| format!("{} cannot be read", log.display()))?;
        let line = log.lines().nth(1).context("the log has no second line")?;
        ensure!(
            log.is_ascii() && log.len() >= 4096,
            "the log is not what it was"
        );
        let job = |name, work, text: &str| Self {
            name,
            work,
            text: text.to_owned(),
        };
        Ok(vec![
            job("echo-5B", Work::Echo, "hello"),
            job("redact-line", Work::Redact, line),
            job("redact-4KiB", Work::Redact, &log[..4096]),
        ])
    }

    /// A short line with one secret.
    pub fn address() -> Self {
        Self {
            name: "redact-address",
            work: Work::Redact,
            text: "from 10.0.0.1".to_owned(),
        }
    }

    /// The right answer: that of the function without anything around it.
    pub fn expected(&self) -> Result<Answer> {
        let bytes = rivals_work::answer(self.work.name(), &self.text);
        Answer::of_bytes(&bytes.context("there is no such work")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_survives_as_bytes() {
        let job = Job {
            name: "",
            work: Work::Redact,
            text: "from 10.0.0.1 at 10:20:30".to_owned(),
        };
        let expected = Answer {
            text: "from ******** at ********".to_owned(),
            counts: [1, 0, 1, 0, 0],
        };
        assert_eq!(job.expected().unwrap(), expected);
        assert!(Answer::of_bytes(&[0; 19]).is_err());
    }
}
