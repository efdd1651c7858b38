//! The linker of a component: WASI as far as it is imported, then what the embedder adds.
//!
//! Made once per pool, at about 85 µs with WASI, and needed no more when
//! [`Linker::instantiate_pre`] has taken what the component imports from it. Knows import names;
//! knows nothing of grants, which come with the store's [`State`].

use wasmtime::component::{Component, Linker};
use wasmtime::{Error, Result};
use wasmtime_wasi::{p2, p3};

use crate::state::State;
use crate::waits;
use crate::wasi::Face;

/// Which WASI a component imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct WasiNeed {
    /// WASI 0.2 or a draft of it.
    pub(crate) p2: bool,
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
            false => Self { p2: true, ..self },
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
    match face {
        Face::Blocking if need.p2 => {
            p2::add_to_linker_sync(&mut linker)?;
            waits::add_to_linker(&mut linker)?;
        }
        Face::Async => {
            if need.p2 {
                p2::add_to_linker_async(&mut linker)?;
            }
            if need.p3 {
                p3::add_to_linker(&mut linker)?;
            }
        }
        Face::Blocking => {}
    }
    imports(&mut linker)?;
    Ok(linker)
}
