//! From the file on the command line to a component.

use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use prewarm::{Component, Host, HostConfig, LoadError, Progress, Wasm};

use crate::options::File;
use crate::text;

/// One call runs at a time, on one instance, while others are made or dropped.
pub(crate) const INSTANCES: usize = 4;

impl File {
    /// Whether the component comes from stdin.
    pub(crate) fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    /// The file as messages name it.
    pub(crate) fn name(&self) -> String {
        if self.is_stdin() {
            "the component on stdin".to_owned()
        } else {
            self.path.display().to_string()
        }
    }
}

/// Settings for a program that runs one component.
pub(crate) fn host(cache: bool, fuel: bool) -> Result<Host> {
    let mut config = HostConfig::default();
    config.cache.enabled = cache;
    config.fuel = fuel;
    config.max_instances = u32::try_from(INSTANCES)?;
    Ok(Host::new(config)?)
}

/// A component and the size of the file that it came from.
pub(crate) struct Loaded {
    pub(crate) component: Component,
    pub(crate) file_bytes: u64,
    /// The component itself, where it came from stdin and cannot be read again.
    pub(crate) stdin: Option<Wasm>,
}

/// Loads the component. While it compiles a spinner says so, if somebody watches stderr.
pub(crate) fn load(host: &Host, file: &File) -> Result<Loaded> {
    let (wasm, stdin) = if file.is_stdin() {
        let mut bytes = Vec::new();
        io::stdin()
            .read_to_end(&mut bytes)
            .context("stdin cannot be read")?;
        let size = bytes.len() as u64;
        let wasm = Wasm::from(bytes);
        (wasm.clone(), Some((wasm, size)))
    } else {
        (Wasm::from(&*file.path), None)
    };
    let spinner = Spinner::new();
    let component = host
        .load_blocking_with(wasm, |progress| spinner.show(file, progress))
        .map_err(|error| match error {
            LoadError::Read { .. } => error.into(),
            _ => anyhow::Error::new(error).context(format!("{} cannot be loaded", file.name())),
        })?;
    let file_bytes = match &stdin {
        Some((_, size)) => *size,
        None => std::fs::metadata(&file.path)
            .with_context(|| format!("{} is gone", file.name()))?
            .len(),
    };
    Ok(Loaded {
        component,
        file_bytes,
        stdin: stdin.map(|(wasm, _)| wasm),
    })
}

/// Hidden until something takes time, and gone when dropped.
struct Spinner(ProgressBar);

impl Spinner {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self(bar)
    }

    fn show(&self, file: &File, progress: Progress) {
        match progress {
            Progress::Compiling { bytes, .. } => {
                let size = text::size(bytes as u64);
                self.0
                    .set_message(format!("compiling {} of {size}", file.name()));
                if !self.0.is_hidden() {
                    self.0.enable_steady_tick(Duration::from_millis(120));
                }
            }
            Progress::Storing => self.0.set_message("writing it to the cache"),
            _ => {}
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
