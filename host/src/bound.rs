//! A component linked for one pool, on the engine whose slots are reset as it had better be.
//!
//! Knows engines and linkers; knows no instance.

use std::sync::Arc;

use parking_lot::RwLock;
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
    now: RwLock<Arc<Bound<W, S>>>,
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
        let bound = bind(component, face, &imports, wanted)?;
        Ok(Self {
            component: component.clone(),
            face,
            imports,
            fixed,
            now: RwLock::new(Arc::new(bound)),
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
    pub(crate) fn now(&self) -> Arc<Bound<W, S>> {
        let wanted = self.reset();
        let now = Arc::clone(&self.now.read());
        if now.reset == wanted {
            return now;
        }
        // Several threads may do this at once, which does no harm and happens once in a pool's life.
        match bind(&self.component, self.face, &self.imports, wanted) {
            Ok(bound) if bound.reset == wanted => {
                let bound = Arc::new(bound);
                *self.now.write() = Arc::clone(&bound);
                bound
            }
            failed => {
                if let Err(error) = failed {
                    tracing::warn!("slots are reset as before: {error}");
                }
                self.component.0.learner.keep(now.reset);
                now
            }
        }
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
