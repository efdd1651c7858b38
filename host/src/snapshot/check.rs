//! What wizer cannot snapshot and does not say so, and whether what it made is what was wanted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::component::Component;
use crate::error::SnapshotError;
use crate::fault;

/// What one core module has.
#[derive(Default)]
struct Module {
    state: bool,
    exports: bool,
}

/// Refuses what wizer would panic on, or make into an invalid component.
///
/// What it refuses itself, and says so, is not looked for here.
pub(super) fn refuse(binary: &[u8]) -> Result<(), SnapshotError> {
    let mut within: Vec<Option<Module>> = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload.map_err(|error| refused(error.to_string()))?;
        match payload {
            Payload::Version { encoding, .. } => {
                within.push((encoding == Encoding::Module).then(Module::default));
                continue;
            }
            Payload::End(_) => {
                if let Some(Some(module)) = within.pop()
                    && module.state
                    && !module.exports
                {
                    return Err(refused(
                        "a core module has state and exports nothing, so that nothing can be read of it",
                    ));
                }
                continue;
            }
            _ => {}
        }
        let Some(Some(module)) = within.last_mut() else {
            continue;
        };
        match payload {
            Payload::MemorySection(section) => {
                module.state = true;
                for memory in section.into_iter().flatten() {
                    if memory.memory64 {
                        return Err(refused("it has a memory of 64 bits"));
                    }
                    if memory.shared {
                        return Err(refused("it has a shared memory"));
                    }
                    if memory.maximum == Some(memory.initial) {
                        return Err(refused(
                            "it has a memory that cannot grow, which reading it needs: declare no maximum",
                        ));
                    }
                }
            }
            Payload::GlobalSection(section) => {
                module.state |= section
                    .into_iter()
                    .flatten()
                    .any(|global| global.ty.mutable);
            }
            Payload::TagSection(_) => return Err(refused("it uses exceptions")),
            Payload::ExportSection(_) => module.exports = true,
            _ => {}
        }
    }
    Ok(())
}

/// Runs a step of wizer, which says by an error what it does not support, and by a panic what it did
/// not think of.
pub(super) fn step<R>(step: impl FnOnce() -> wasmtime::Result<R>) -> Result<R, SnapshotError> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(refused(format!("{error:#}"))),
        Err(panic) => Err(refused(format!(
            "wizer gave up: {}",
            fault::panic_message(&*panic)
        ))),
    }
}

/// That a snapshot is a valid component at all.
pub(super) fn valid(snapshot: &[u8]) -> Result<(), SnapshotError> {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(snapshot)
        .map(drop)
        .map_err(|error| SnapshotError::Broken {
            problem: "it is not a valid component",
            source: Some(error.into()),
        })
}

/// That a snapshot imports and exports what its source does.
pub(super) fn alike(source: &Component, snapshot: &Component) -> Result<(), SnapshotError> {
    if source.lane() != snapshot.lane() || source.wit().wit() != snapshot.wit().wit() {
        return Err(SnapshotError::Broken {
            problem: "its imports or exports are not those of the component",
            source: None,
        });
    }
    Ok(())
}

pub(super) fn refused(reason: impl Into<String>) -> SnapshotError {
    SnapshotError::Refused {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wizer_would_panic_on_is_refused() {
        let around =
            |module: &str| wat::parse_str(format!("(component (core module {module}))")).unwrap();
        let cases = [
            (r#"(memory i64 1) (func (export "f"))"#, "64 bits"),
            (r#"(memory 1 2 shared) (func (export "f"))"#, "shared"),
            (r#"(memory 1 1) (func (export "f"))"#, "cannot grow"),
            ("(memory 1)", "exports nothing"),
            ("(global (mut i32) (i32.const 0))", "exports nothing"),
            (r#"(tag) (func (export "f"))"#, "exceptions"),
        ];
        for (module, reason) in cases {
            let error = refuse(&around(module)).unwrap_err().to_string();
            assert!(error.contains(reason), "{module}: {error}");
        }
        for module in [
            "",
            "(global i32 (i32.const 0))",
            r#"(memory 1) (func (export "f"))"#,
            r#"(memory (export "m") 1 2)"#,
        ] {
            refuse(&around(module)).unwrap();
        }
        assert!(refuse(b"\0asm\x0d\0\x01\0\xff").is_err());
    }

    /// Only bytes with the right hash come so far, but nothing here may rely on that.
    #[test]
    fn damaged_bytes_are_refused_or_harmless() {
        let whole = wat::parse_str(
            r#"(component (core module $m (memory 1) (global (mut i32) (i32.const 0))
                (func (export "f")) (data (i32.const 0) "x"))
                (core instance $i (instantiate $m))
                (func (export "f") (canon lift (core func $i "f"))))"#,
        )
        .unwrap();
        let try_it = |bytes: &[u8]| {
            if refuse(bytes).is_ok() {
                let wizer = wasmtime_wizer::Wizer::new();
                let _ = step(|| wizer.instrument_component(bytes).map(drop));
            }
        };
        for at in 0..whole.len() {
            try_it(&whole[..at]);
            let mut damaged = whole.clone();
            for bit in [1, 4, 0x80] {
                damaged[at] = whole[at] ^ bit;
                try_it(&damaged);
            }
        }
    }

    #[test]
    fn a_panic_is_a_refusal() {
        let error = step::<()>(|| panic!("not implemented")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this component cannot be snapshotted: wizer gave up: not implemented"
        );
    }

    #[test]
    fn what_is_invalid_or_another_component_is_broken() {
        let is_broken = |error| matches!(error, SnapshotError::Broken { .. });
        assert!(is_broken(valid(b"\0asm\x0d\0\x01\0\xff").unwrap_err()));
        let host = crate::Host::new(crate::HostConfig::default()).unwrap();
        let load = |wat: &str| host.load_blocking(crate::Wasm::wat(wat)).unwrap();
        let one = load(
            r#"(component (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))"#,
        );
        alike(&one, &one).unwrap();
        assert!(is_broken(alike(&one, &load("(component)")).unwrap_err()));
    }
}
