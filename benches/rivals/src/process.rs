//! What people do without components: a process for each call, or one that stays and is spoken to
//! over pipes.

use std::io::{BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use wasmtime::error::Context as _;
use wasmtime::{Result, bail, ensure};

use crate::job::{Answer, Job};
use crate::memory;
use crate::rival::{Caller, Life, Rival};

/// The Rust source as a program of its own.
pub struct Native {
    program: PathBuf,
}

impl Native {
    /// The program, which must be there.
    ///
    /// # Errors
    ///
    /// Where it is not.
    pub fn new(program: PathBuf) -> Result<Self> {
        ensure!(program.is_file(), "{} is not built", program.display());
        Ok(Self { program })
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = Command::new(&self.program);
        command.args([job.work.name(), &job.text]);
        command
    }
}

impl Rival for Native {
    fn name(&self) -> &'static str {
        "process"
    }

    fn settings(&self) -> String {
        "the same Rust source as a native program for each call: text as argument, answer from its output".to_owned()
    }

    fn does(&self, _: &Job, life: Life) -> bool {
        life == Life::Fresh
    }

    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>> {
        ensure!(
            life == Life::Fresh,
            "a process for each call is always fresh"
        );
        Ok(Box::new(PerCall(|job: &Job| self.command(job))))
    }

    fn resident(&self, job: &Job) -> Result<Option<u64>> {
        let mut command = self.command(job);
        // With one more argument it waits.
        command
            .arg("wait")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = Killed(command.spawn()?);
        let out = child.0.stdout.as_mut().context("no output")?;
        out.read_exact(&mut [0])?;
        Ok(memory::of_process(child.0.id()))
    }
}

/// The Python guest's source, in a Python process for each call or in one that stays.
pub struct Python {
    python: PathBuf,
    version: String,
    script: PathBuf,
    app: PathBuf,
}

impl Python {
    /// The Python that `python3` is.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn new(script: PathBuf, app: PathBuf) -> Result<Self> {
        // Itself and not a script that looks for it, as version managers install.
        let code = "import sys; print(sys.executable); print(sys.version.split()[0])";
        let output = Command::new("python3").args(["-c", code]).output();
        let output = output.context("there is no python3")?;
        let text = String::from_utf8(output.stdout)?;
        let Some((python, version)) = text.trim_end().split_once('\n') else {
            bail!("python3 says {text:?}");
        };
        Ok(Self {
            python: python.into(),
            version: version.to_owned(),
            script,
            app,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(&self.script).arg(&self.app);
        command
    }

    fn start(&self) -> Result<Piped> {
        let mut command = self.command();
        command
            .arg("pipe")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = Killed(command.spawn()?);
        Ok(Piped {
            ask: child.0.stdin.take().context("no input")?,
            hear: BufReader::new(child.0.stdout.take().context("no output")?),
            buffer: Vec::new(),
            child,
        })
    }
}

impl Rival for Python {
    fn name(&self) -> &'static str {
        "python-process"
    }

    fn settings(&self) -> String {
        format!(
            "Python {}, the Python guest's source: warm is one process for each caller, asked over pipes; fresh \
             is a process for each call",
            self.version
        )
    }

    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>> {
        Ok(match life {
            Life::Warm => Box::new(self.start()?),
            Life::Fresh => Box::new(PerCall(|job: &Job| {
                let mut command = self.command();
                command.args(["once", job.work.name(), &job.text]);
                command
            })),
        })
    }

    fn resident(&self, job: &Job) -> Result<Option<u64>> {
        let mut piped = self.start()?;
        piped.call(job)?;
        Ok(memory::of_process(piped.child.0.id()))
    }
}

/// Starts a process for each call.
struct PerCall<F>(F);

impl<F: Fn(&Job) -> Command> Caller for PerCall<F> {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        let output = self.0(job).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Answer::of_bytes(&output.stdout)
    }
}

/// A process that answers until it is dropped.
struct Piped {
    ask: ChildStdin,
    hear: BufReader<ChildStdout>,
    buffer: Vec<u8>,
    child: Killed,
}

impl Caller for Piped {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        let work = job.work.name();
        self.buffer.clear();
        for part in [work, &job.text] {
            self.buffer.extend(u32::try_from(part.len())?.to_le_bytes());
        }
        for part in [work, &job.text] {
            self.buffer.extend(part.as_bytes());
        }
        self.ask.write_all(&self.buffer)?;
        let mut length = [0; 4];
        self.hear.read_exact(&mut length)?;
        self.buffer.resize(u32::from_le_bytes(length) as usize, 0);
        self.hear.read_exact(&mut self.buffer)?;
        Answer::of_bytes(&self.buffer)
    }
}

/// A process that does not outlive this.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
