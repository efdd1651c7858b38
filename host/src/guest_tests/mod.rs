//! Tests of the machine floor with real guests, written as WebAssembly text. Here is how such a
//! guest is put together, started and called.

mod files;
mod limits;
mod linking;
mod waits;

use std::time::Instant;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Result, Store};

use crate::clock::Clock;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::linker::{WasiNeed, linker_for};
use crate::state::{State, Terms};
use crate::wasi::{Face, WasiPlan};

/// `wasi:io/poll`, named `$poll`, and its `$pollable`.
const POLL: &str = r#"
    (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $p (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $p))))
        (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
    (alias export $poll "pollable" (type $pollable))"#;

/// `wasi:clocks/monotonic-clock`, named `$clock`. Needs [`POLL`].
const CLOCK: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer 1 $pollable (type $p0))
        (export "pollable" (type $p (eq $p0)))
        (export "now" (func (result u64)))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))"#;

/// `wasi:io/error` and `wasi:io/streams`, named `$streams`, their `$in` and `$out`, and
/// `wasi:cli/stdin` and `stdout`, named `$stdin` and `$stdout`.
const STDIO: &str = r#"
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $error-resource))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (alias outer 1 $error-resource (type $e0))
        (export "error" (type $e (eq $e0)))
        (type $failure (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $f (eq $failure)))
        (export "input-stream" (type $in (sub resource)))
        (export "output-stream" (type $out (sub resource)))
        (export "[method]input-stream.blocking-read" (func
            (param "self" (borrow $in)) (param "len" u64) (result (result (list u8) (error $f)))))
        (export "[method]output-stream.blocking-write-and-flush" (func
            (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $f)))))))
    (alias export $streams "input-stream" (type $in))
    (alias export $streams "output-stream" (type $out))
    (import "wasi:cli/stdin@0.2.0" (instance $stdin
        (alias outer 1 $in (type $s0))
        (export "input-stream" (type $s (eq $s0)))
        (export "get-stdin" (func (result (own $s))))))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer 1 $out (type $s0))
        (export "output-stream" (type $s (eq $s0)))
        (export "get-stdout" (func (result (own $s))))))"#;

/// `wasi:filesystem/types` and `preopens`, named `$files` and `$preopens`.
const FILES: &str = r#"
    (import "wasi:filesystem/types@0.2.0" (instance $files
        (export "descriptor" (type $d (sub resource)))
        (type $code (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota"
            "exist" "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io"
            "is-directory" "loop" "too-many-links" "message-size" "name-too-long" "no-device"
            "no-entry" "no-lock" "insufficient-memory" "insufficient-space" "not-directory"
            "not-empty" "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow"
            "not-permitted" "pipe" "read-only" "invalid-seek" "text-file-busy" "cross-device"))
        (export "error-code" (type $e (eq $code)))
        (export "[method]descriptor.create-directory-at" (func
            (param "self" (borrow $d)) (param "path" string) (result (result (error $e)))))))
    (alias export $files "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
        (alias outer 1 $descriptor (type $d0))
        (export "descriptor" (type $d (eq $d0)))
        (export "get-directories" (func (result (list (tuple (own $d) string)))))))"#;

/// `wasi:cli/environment`, named `$environment`.
const ENVIRONMENT: &str = r#"
    (import "wasi:cli/environment@0.2.0" (instance $environment
        (export "get-environment" (func (result (list (tuple string string)))))
        (export "get-arguments" (func (result (list string))))))"#;

/// A component with the given imports that exports `run: func() -> u32`.
///
/// `lowered` names core functions and what they call: `("block", "$poll", "[method]pollable.block")`.
/// `body` is the core module's text: it finds them under `""`, with a memory of one page, of
/// which the first 16 KiB are theirs to use.
fn component(imports: &str, lowered: &[(&str, &str, &str)], body: &str) -> String {
    let mut cores = String::new();
    let mut given = String::new();
    for (core, instance, func) in lowered {
        cores += &format!(
            r#"(core func ${core} (canon lower (func {instance} "{func}") (memory $memory) (realloc $realloc)))"#
        );
        given += &format!(r#"(export "{core}" (func ${core}))"#);
    }
    format!(
        r#"(component {imports}
            (core module $libc
                (memory (export "memory") 1)
                (global $next (mut i32) (i32.const 16384))
                (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
                    (global.get $next)
                    (global.set $next (i32.and (i32.const -8)
                        (i32.add (i32.const 7) (i32.add (global.get $next) (local.get $size)))))))
            (core instance $libc (instantiate $libc))
            (alias core export $libc "memory" (core memory $memory))
            (alias core export $libc "realloc" (core func $realloc))
            {cores}
            (core module $main {body})
            (core instance $main (instantiate $main
                (with "" (instance (export "memory" (memory $memory)) {given}))))
            (func (export "run") (result u32) (canon lift (core func $main "run"))))"#
    )
}

/// The plain component of a core module that imports nothing and exports `run: func() -> u32`.
fn plain(body: &str) -> String {
    component("", &[], body)
}

/// An engine for tests, without what only the asynchronous lane needs.
fn engine() -> Engine {
    let mut config = Config::new();
    config.concurrency_support(false);
    Engine::new(&config).unwrap()
}

/// Compiles `text`.
fn compile(engine: &Engine, text: &str) -> Component {
    Component::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

/// A component, linked, with a store for one instance of it.
struct Guest {
    component: Component,
    linker: Linker<State<()>>,
    store: Store<State<()>>,
    /// What its deadlines count from.
    start: Instant,
}

impl Guest {
    fn new(text: &str, face: Face, limits: Limits, grants: &Grants) -> Self {
        Self::on(&engine(), text, face, limits, grants)
    }

    fn on(engine: &Engine, text: &str, face: Face, limits: Limits, grants: &Grants) -> Self {
        let component = compile(engine, text);
        let linker = linker_for(&component, face, |_| Ok(())).unwrap();
        let plan = WasiNeed::of(&component)
            .any()
            .then(|| WasiPlan::new(grants, face).unwrap());
        let clock = Clock::system();
        let start = clock.now();
        let terms = Terms::new(limits, plan, clock, start);
        Self {
            component,
            linker,
            store: State::new((), &terms.into()).into_store(engine),
            start,
        }
    }

    /// A guest of the blocking face, without grants.
    fn blocking(text: &str, limits: Limits) -> Self {
        Self::new(text, Face::Blocking, limits, &Grants::none())
    }

    /// Starts it and calls `run`.
    fn run(&mut self) -> Result<u32> {
        let instance = self.linker.instantiate(&mut self.store, &self.component)?;
        let run = instance.get_typed_func::<(), (u32,)>(&mut self.store, "run")?;
        Ok(run.call(&mut self.store, ())?.0)
    }

    /// The same on the asynchronous face.
    async fn run_async(&mut self) -> Result<u32> {
        let instance = self
            .linker
            .instantiate_async(&mut self.store, &self.component)
            .await?;
        let run = instance.get_typed_func::<(), (u32,)>(&mut self.store, "run")?;
        Ok(run.call_async(&mut self.store, ()).await?.0)
    }
}
