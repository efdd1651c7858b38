//! Joins the bindings that wasmtime's `bindgen!` makes to a pool.

use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};

/// A WIT world, as wasmtime's `bindgen!` made it, or `()` for calls without generated code.
///
/// Implemented by [`world!`](crate::world) in one line.
pub trait World: Sized + Send + Sync + 'static {
    /// The world's exports, looked up once per component.
    type Indices: Send + Sync + 'static;

    /// Looks the exports up.
    ///
    /// # Errors
    ///
    /// Where the component does not export what the world does.
    fn indices<T: 'static>(component: &InstancePre<T>) -> Result<Self::Indices>;

    /// Finds the exports in one instance.
    ///
    /// # Errors
    ///
    /// Where the instance's exports have other types than the world's.
    fn load<T: 'static>(
        indices: &Self::Indices,
        store: &mut Store<T>,
        instance: &Instance,
    ) -> Result<Self>;
}

impl World for () {
    type Indices = ();

    fn indices<T: 'static>(_: &InstancePre<T>) -> Result<()> {
        Ok(())
    }

    fn load<T: 'static>((): &(), _: &mut Store<T>, _: &Instance) -> Result<()> {
        Ok(())
    }
}

/// Joins a world that wasmtime's `bindgen!` made to pools: give it the world's type and the
/// `Indices` type beside it.
///
/// ```
/// wasmtime::component::bindgen!({
///     inline: "package demo:text; world text-tools { export shout: func(text: string) -> string; }",
///     exports: { default: async },
/// });
///
/// prewarm::world!(TextTools, TextToolsIndices);
/// ```
#[macro_export]
macro_rules! world {
    ($world:ty, $indices:ty) => {
        impl $crate::World for $world {
            type Indices = $indices;

            fn indices<T: 'static>(
                component: &$crate::wasmtime::component::InstancePre<T>,
            ) -> $crate::wasmtime::Result<Self::Indices> {
                <$indices>::new(component)
            }

            fn load<T: 'static>(
                indices: &Self::Indices,
                store: &mut $crate::wasmtime::Store<T>,
                instance: &$crate::wasmtime::component::Instance,
            ) -> $crate::wasmtime::Result<Self> {
                indices.load(store, instance)
            }
        }
    };
}
