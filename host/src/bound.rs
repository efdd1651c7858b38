//! A component linked for one pool, on the engine whose slots are reset as it had better be.
//!
//! Knows engines and linkers; knows no instance.

use std::sync::{Arc, OnceLock};

use wasmtime::component::{ComponentExportIndex, InstancePre, Linker};

use crate::component::Component;
use crate::error::{MissingImport, PoolError};
use crate::linker::linker_for;
use crate::missing::{import_hint, missing_imports};
use crate::reset::Reset;
use crate::state::State;
use crate::wasi::Face;
use crate::world::World;

/// What an embedder adds to a linker.
pub(crate) type Imports<S> =
    Box<dyn Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> + Send + Sync>;

/// A component ready to be instantiated.
pub(crate) struct Bound<W: World, S: 'static> {
    pub(crate) pre: InstancePre<State<S>>,
    pub(crate) indices: W::Indices,
    pub(crate) reset: Reset,
    /// Where functions are in this copy of the code, where their own index does not say.
    pub(crate) away: Option<Arc<[ComponentExportIndex]>>,
}

/// See the module.
pub(crate) struct Binding<W: World, S: 'static> {
    component: Component,
    face: Face,
    imports: Vec<Imports<S>>,
    /// What the embedder set.
    fixed: Option<Reset>,
    first: Bound<W, S>,
    /// On the engine that resets the other way, once that is wanted. `None` where it cannot be had.
    other: OnceLock<Option<Bound<W, S>>>,
}

impl<W: World, S: Send + 'static> Binding<W, S> {
    /// Links it, and lists what is missing.
    pub(crate) fn new(
        component: &Component,
        face: Face,
        imports: Vec<Imports<S>>,
        fixed: Option<Reset>,
    ) -> Result<Self, PoolError> {
        let wanted = fixed.unwrap_or_else(|| component.0.learner.reset());
        let first = bind(component, face, &imports, wanted)?;
        Ok(Self {
            component: component.clone(),
            face,
            imports,
            fixed,
            first,
            other: OnceLock::new(),
        })
    }

    pub(crate) fn component(&self) -> &Component {
        &self.component
    }

    /// How the slots of the next instances are reset.
    pub(crate) fn reset(&self) -> Reset {
        self.fixed
            .unwrap_or_else(|| self.component.0.learner.reset())
    }

    /// What the next instance is made from.
    pub(crate) fn now(&self) -> &Bound<W, S> {
        let wanted = self.reset();
        if self.first.reset == wanted {
            return &self.first;
        }
        let other = self.other.get_or_init(|| {
            if self.component.0.on(wanted).is_some() {
                match bind(&self.component, self.face, &self.imports, wanted) {
                    Ok(bound) => return Some(bound),
                    Err(error) => tracing::warn!("slots are reset as before: {error}"),
                }
            }
            self.component.0.learner.keep(self.first.reset);
            None
        });
        other.as_ref().unwrap_or(&self.first)
    }
}

/// Links `component` on the engine that resets as `wanted`, or else on the one that it is on.
fn bind<W: World, S: Send + 'static>(
    component: &Component,
    face: Face,
    imports: &[Imports<S>],
    wanted: Reset,
) -> Result<Bound<W, S>, PoolError> {
    let (raw, away, reset) = match component.0.on(wanted) {
        Some((raw, away)) => (raw, away.map(|away| Arc::clone(&away.indices)), wanted),
        None => (&component.0.raw, None, wanted.other()),
    };
    let linker = linker_for(raw, face, |linker| {
        imports.iter().try_for_each(|link| link(linker))
    })
    .map_err(|error| PoolError::Link(error.into()))?;
    let pre = linker
        .instantiate_pre(raw)
        .map_err(|error| match missing(raw, &linker) {
            missing if missing.is_empty() => PoolError::Link(error.into()),
            missing => PoolError::MissingImports { missing },
        })?;
    let indices = W::indices(&pre).map_err(|error| PoolError::World(error.into()))?;
    Ok(Bound {
        pre,
        indices,
        reset,
        away,
    })
}

fn missing<S: Send + 'static>(
    raw: &wasmtime::component::Component,
    linker: &Linker<State<S>>,
) -> Vec<MissingImport> {
    let told = |name: String| MissingImport {
        hint: import_hint(&name),
        name,
    };
    missing_imports(raw, linker).into_iter().map(told).collect()
}
