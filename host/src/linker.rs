//! The linker of a component: WASI as far as it is imported, then what the embedder adds.
//!
//! Made once per pool, and needed no more when [`Linker::instantiate_pre`] has taken what the
//! component imports from it. Sockets are half of WASI 0.2 and few guests import them, so they are
//! linked for those alone. Knows import names; knows nothing of grants, which come with the store's
//! [`State`].

use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime::{Error, Result};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi::random::{WasiRandom, WasiRandomView as _};
use wasmtime_wasi::{p2, p3};

use crate::state::State;
use crate::waits;
use crate::wasi::Face;

/// Which WASI a component imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct WasiNeed {
    /// WASI 0.2 or a draft of it.
    pub(crate) p2: bool,
    /// The sockets of WASI 0.2.
    pub(crate) sockets: bool,
    /// WASI 0.3, which only the asynchronous face can give.
    pub(crate) p3: bool,
}

impl WasiNeed {
    /// What `component` imports.
    pub(crate) fn of(component: &Component) -> Self {
        let ty = component.component_type();
        ty.imports(component.engine())
            .fold(Self::default(), |need, (name, _)| need.with(name))
    }

    /// Whether instances need a WASI plan at all.
    pub(crate) fn any(self) -> bool {
        self.p2 || self.p3
    }

    fn with(self, import: &str) -> Self {
        if !import.starts_with("wasi:") {
            return self;
        }
        let version = import.rsplit_once('@').map_or("", |(_, version)| version);
        match version.starts_with("0.3.") {
            true => Self { p3: true, ..self },
            false => Self {
                p2: true,
                sockets: self.sockets || import.starts_with("wasi:sockets/"),
                ..self
            },
        }
    }
}

/// The linker for `component` on one face. `imports` comes last and may replace what is there.
///
/// On the blocking face a wait in `wasi:io` ends with [`DeadlinePassed`](crate::limits::DeadlinePassed)
/// at the state's deadline; on the asynchronous face the caller drops the call's future then. A
/// host function of the embedder's that blocks its thread is stopped by neither.
///
/// # Errors
///
/// What `imports` returned, or a name defined twice.
pub(crate) fn linker_for<S: Send + 'static>(
    component: &Component,
    face: Face,
    imports: impl FnOnce(&mut Linker<State<S>>) -> Result<()>,
) -> Result<Linker<State<S>>, Error> {
    let need = WasiNeed::of(component);
    let mut linker = Linker::new(component.engine());
    linker.allow_shadowing(true);
    if need.p2 {
        match (face, need.sockets) {
            (Face::Blocking, true) => {
                p2::add_to_linker_sync(&mut linker)?;
                waits::add_to_linker(&mut linker)?;
            }
            (Face::Async, true) => p2::add_to_linker_async(&mut linker)?,
            (_, false) => add_without_sockets(&mut linker, face)?,
        }
    }
    if need.p3 && face == Face::Async {
        p3::add_to_linker(&mut linker)?;
    }
    imports(&mut linker)?;
    Ok(linker)
}

/// All that [`p2::add_to_linker_async`] and [`waits`] add, but for sockets: in wasmtime-wasi that is
/// one function, and these are its parts.
fn add_without_sockets<S: Send + 'static>(linker: &mut Linker<State<S>>, face: Face) -> Result<()> {
    use wasi::{cli, clocks, filesystem, io, random};

    /// What has only the table of resources.
    struct Table;

    impl HasData for Table {
        type Data<'a> = &'a mut ResourceTable;
    }

    type T<S> = State<S>;
    let l = linker;
    io::error::add_to_linker::<_, Table>(l, T::<S>::resources)?;
    match face {
        Face::Blocking => {
            waits::add_to_linker(l)?;
            wasi::sync::filesystem::types::add_to_linker::<_, WasiFilesystem>(l, T::filesystem)?;
        }
        Face::Async => {
            io::poll::add_to_linker::<_, Table>(l, T::<S>::resources)?;
            io::streams::add_to_linker::<_, Table>(l, T::<S>::resources)?;
            filesystem::types::add_to_linker::<_, WasiFilesystem>(l, T::filesystem)?;
        }
    }
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, T::filesystem)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, T::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, T::clocks)?;
    random::random::add_to_linker::<_, WasiRandom>(l, T::random)?;
    random::insecure::add_to_linker::<_, WasiRandom>(l, T::random)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(l, T::random)?;
    cli::exit::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::environment::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, T::cli)
}
