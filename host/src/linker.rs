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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::Grants;
    use crate::guests::{CLOCK, ENVIRONMENT, Guest, POLL, compile, component, engine, plain};
    use crate::limits::Limits;

    /// Answers how many variables and arguments it sees: 10 for each variable, 1 for each argument.
    fn environment() -> String {
        component(
            ENVIRONMENT,
            &[
                ("env", "$environment", "get-environment"),
                ("args", "$environment", "get-arguments"),
            ],
            r#"(import "" "memory" (memory 1))
            (import "" "env" (func $env (param i32)))
            (import "" "args" (func $args (param i32)))
            (func (export "run") (result i32)
                (call $env (i32.const 0))
                (call $args (i32.const 8))
                (i32.add
                    (i32.mul (i32.const 10) (i32.load (i32.const 4)))
                    (i32.load (i32.const 12))))"#,
        )
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let grants = Grants::none().env("LANG", "C").env("HOME", "/").arg("tool");
        for (grants, seen) in [(Grants::none(), 0), (grants, 21)] {
            let mut guest = Guest::new(&environment(), Face::Blocking, Limits::default(), &grants);
            assert_eq!(guest.run().unwrap(), seen);
        }
    }

    #[tokio::test]
    async fn both_faces_give_the_same() {
        let grants = Grants::none().arg("tool").arg("--help");
        let mut guest = Guest::new(&environment(), Face::Async, Limits::default(), &grants);
        assert_eq!(guest.run_async().await.unwrap(), 2);
    }

    #[test]
    fn a_deterministic_guest_reads_a_stepping_clock() {
        let text = component(
            &format!("{POLL}{CLOCK}"),
            &[("now", "$clock", "now")],
            r#"(import "" "now" (func $now (result i64)))
            (func (export "run") (result i32)
                (drop (call $now))
                (drop (call $now))
                (i32.wrap_i64 (call $now)))"#,
        );
        let grants = Grants::none().deterministic(1);
        let mut guest = Guest::new(&text, Face::Blocking, Limits::default(), &grants);
        assert_eq!(guest.run().unwrap(), 2_000_000);
    }

    #[test]
    fn an_embedder_may_replace_what_is_there() {
        let mut guest = Guest::blocking(&environment(), Limits::default());
        let linker = linker_for(&guest.component, Face::Blocking, |linker| {
            let mut environment = linker.instance("wasi:cli/environment@0.2.12")?;
            environment.func_wrap("get-arguments", |_, (): ()| Ok((vec!["a".to_owned(); 3],)))
        });
        guest.linker = linker.unwrap();
        assert_eq!(guest.run().unwrap(), 3);
    }

    #[test]
    fn only_what_is_imported_is_needed() {
        let need = |text: &str| WasiNeed::of(&compile(&engine(), text));
        let run = r#"(func (export "run") (result i32) i32.const 0)"#;
        assert_eq!(need(&plain(run)), WasiNeed::default());
        assert_eq!(
            need(&environment()),
            WasiNeed {
                p2: true,
                p3: false
            }
        );
        let p3 = r#"(component (import "wasi:random/random@0.3.0" (instance)))"#;
        assert_eq!(
            need(p3),
            WasiNeed {
                p2: false,
                p3: true
            }
        );
    }
}
