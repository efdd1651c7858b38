//! What a component finds of its imports, and what it is told to lack.

use wasmtime::component::Linker;
use wasmtime::{Config, Engine};

use super::{CLOCK, ENVIRONMENT, FILES, Guest, POLL, STDIO, compile, component, engine, plain};
use crate::grants::Grants;
use crate::limits::Limits;
use crate::linker::{WasiNeed, linker_for};
use crate::missing::{import_hint, missing_imports};
use crate::state::State;
use crate::wasi::Face;

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

#[tokio::test]
async fn wasi_0_3_is_linked_where_it_is_imported() {
    let text = component(
        r#"(import "wasi:random/random@0.3.0" (instance $random (export "get-random-u64" (func (result u64)))))"#,
        &[("random", "$random", "get-random-u64")],
        r#"(import "" "random" (func $random (result i64)))
        (func (export "run") (result i32) (i64.eqz (i64.or (call $random) (call $random))))"#,
    );
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config).unwrap();
    let mut guest = Guest::on(
        &engine,
        &text,
        Face::Async,
        Limits::default(),
        &Grants::none(),
    );
    assert_eq!(guest.run_async().await.unwrap(), 0);
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
            ..WasiNeed::default()
        }
    );
    let p3 = r#"(component (import "wasi:random/random@0.3.0" (instance)))"#;
    assert_eq!(
        need(p3),
        WasiNeed {
            p3: true,
            ..WasiNeed::default()
        }
    );
}

fn missing(
    imports: &str,
    add: impl FnOnce(&mut Linker<State<()>>) -> wasmtime::Result<()>,
) -> Vec<String> {
    let component = compile(&engine(), &format!("(component {imports})"));
    let linker = linker_for(&component, Face::Blocking, add).unwrap();
    match linker.instantiate_pre(&component) {
        Ok(_) => Vec::new(),
        Err(_) => missing_imports(&component, &linker),
    }
}

#[test]
fn wasi_is_there_in_any_release_of_0_2() {
    for version in ["0.2.0", "0.2.3", "0.2.99"] {
        let imports = format!("{POLL}{CLOCK}{STDIO}{ENVIRONMENT}").replace("0.2.0", version);
        assert_eq!(missing(&imports, |_| Ok(())), [""; 0]);
    }
}

/// The interfaces of WASI 0.2 by something of each, without sockets and with them.
#[test]
fn all_of_wasi_0_2_is_there() {
    let plain = r#"
        (import "wasi:clocks/wall-clock@0.2.0" (instance
            (type $time (record (field "seconds" u64) (field "nanoseconds" u32)))
            (export "datetime" (type $t (eq $time)))
            (export "now" (func (result $t)))))
        (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64)))))
        (import "wasi:random/insecure@0.2.0" (instance
            (export "get-insecure-random-u64" (func (result u64)))))
        (import "wasi:random/insecure-seed@0.2.0" (instance
            (export "insecure-seed" (func (result (tuple u64 u64))))))
        (import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "status" (result))))))
        (import "wasi:cli/stderr@0.2.0" (instance
            (alias outer 1 $out (type $s0))
            (export "output-stream" (type $s (eq $s0)))
            (export "get-stderr" (func (result (own $s))))))
        (import "wasi:cli/terminal-input@0.2.0" (instance $terminal-input
            (export "terminal-input" (type (sub resource)))))
        (import "wasi:cli/terminal-output@0.2.0" (instance $terminal-output
            (export "terminal-output" (type (sub resource)))))
        (alias export $terminal-input "terminal-input" (type $terminal-in))
        (alias export $terminal-output "terminal-output" (type $terminal-out))
        (import "wasi:cli/terminal-stdin@0.2.0" (instance
            (alias outer 1 $terminal-in (type $t0))
            (export "terminal-input" (type $t (eq $t0)))
            (export "get-terminal-stdin" (func (result (option (own $t)))))))
        (import "wasi:cli/terminal-stdout@0.2.0" (instance
            (alias outer 1 $terminal-out (type $t0))
            (export "terminal-output" (type $t (eq $t0)))
            (export "get-terminal-stdout" (func (result (option (own $t)))))))
        (import "wasi:cli/terminal-stderr@0.2.0" (instance
            (alias outer 1 $terminal-out (type $t0))
            (export "terminal-output" (type $t (eq $t0)))
            (export "get-terminal-stderr" (func (result (option (own $t)))))))"#;
    let sockets = ["network", "tcp", "udp", "ip-name-lookup"].map(|name| {
        let resource = match name {
            "network" => "network",
            "tcp" => "tcp-socket",
            "udp" => "udp-socket",
            _ => "resolve-address-stream",
        };
        format!(
            r#"(import "wasi:sockets/{name}@0.2.0" (instance (export "{resource}" (type (sub resource)))))"#
        )
    });
    let whole = format!("{POLL}{CLOCK}{STDIO}{FILES}{ENVIRONMENT}{plain}");
    for imports in [whole.clone(), format!("{whole}{}", sockets.concat())] {
        let component = compile(&engine(), &format!("(component {imports})"));
        for face in [Face::Blocking, Face::Async] {
            let linker = linker_for::<()>(&component, face, |_| Ok(())).unwrap();
            let linked = linker.instantiate_pre(&component);
            let missing = missing_imports(&component, &linker);
            assert!(linked.is_ok(), "{face:?}: {missing:?}");
        }
    }
}

#[test]
fn every_missing_import_is_named() {
    let imports = r#"
        (import "host:log/sink@1.0.0" (instance
            (export "line" (type (sub resource)))
            (export "[constructor]line" (func (result (own 0))))
            (export "[method]line.end" (func (param "self" (borrow 0)) (result u32)))
            (export "flush" (func))))
        (import "wasi:http/types@0.2.0" (instance $http
            (export "fields" (type (sub resource)))
            (export "[constructor]fields" (func (result (own 0))))))
        (alias export $http "fields" (type $fields))
        (import "wasi:http/outgoing-handler@0.2.0" (instance
            (alias outer 1 $fields (type $f0))
            (export "fields" (type $f (eq $f0)))
            (export "handle" (func (param "f" (own $f))))))
        (import "wasi:cli/environment@0.2.4" (instance
            (export "get-environment" (func (result (list (tuple string string)))))
            (export "get-moon-phase" (func (result u32)))))
        (import "wasi:keyvalue/store@0.2.0-draft" (instance (export "open" (func))))
        (import "wasi:random/random@0.3.0" (instance (export "get-random-u64" (func (result u64)))))
        (import "now" (func (result u64)))
        (import "given" (func (param "x" string)))"#;
    let missing = missing(imports, |linker| {
        linker
            .root()
            .func_wrap("given", |_, (_,): (String,)| Ok(()))?;
        linker
            .instance("host:log/sink@1.2.0")?
            .func_wrap("flush", |_, (): ()| Ok(()))
    });
    assert_eq!(
        missing,
        [
            "host:log/sink@1.0.0#[constructor]line",
            "host:log/sink@1.0.0#[method]line.end",
            "host:log/sink@1.0.0#line",
            "now",
            "wasi:cli/environment@0.2.4#get-moon-phase",
            "wasi:http/outgoing-handler@0.2.0",
            "wasi:http/types@0.2.0",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:random/random@0.3.0",
        ]
    );
    let hints: std::collections::BTreeSet<_> =
        missing.iter().map(|name| import_hint(name)).collect();
    assert_eq!(hints.len(), 5);
}

#[test]
fn a_wrong_type_is_not_missing() {
    let imports = r#"(import "given" (func (param "x" u32)))"#;
    let add = |linker: &mut Linker<_>| {
        linker
            .root()
            .func_wrap("given", |_, (_,): (String,)| Ok(()))
    };
    let component = compile(&engine(), &format!("(component {imports})"));
    let linker = linker_for::<()>(&component, Face::Blocking, add).unwrap();
    linker.instantiate_pre(&component).err().unwrap();
    assert_eq!(missing_imports(&component, &linker), [""; 0]);
}
