//! The guest of the benches, in WebAssembly text, and its bindings without and with futures.

/// Echoes a string of up to a page, adds two numbers, and never returns.
pub const TOOLS: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (i32.const 1024))
        (func (export "echo") (param $text i32) (param $len i32) (result i32)
            (i32.store (i32.const 0) (local.get $text))
            (i32.store (i32.const 4) (local.get $len))
            (i32.const 0))
        (func (export "add") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1)))
        (func (export "spin") (loop (br 0))))
    (core instance $i (instantiate $m))
    (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32)
        (canon lift (core func $i "add")))
    (func (export "spin") (canon lift (core func $i "spin"))))"#;

/// The same with a memory in which a string of so many bytes has room.
#[must_use]
pub fn tools_with_room(bytes: usize) -> String {
    // The string lies behind the first KiB.
    let pages = (bytes + 1024).div_ceil(64 << 10);
    let memory = format!(r#"(memory (export "memory") {pages})"#);
    TOOLS.replacen(r#"(memory (export "memory") 1)"#, &memory, 1)
}

/// A string of so many bytes.
#[must_use]
pub fn string_of(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// What the benches have it echo.
pub const HELLO: &str = "hello";

/// Bindings for threads.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::missing_errors_doc,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "generated"
)]
pub mod direct {
    wasmtime::component::bindgen!({
        inline: "package bench:tools; world tools {
            export echo: func(text: string) -> string;
            export add: func(a: u32, b: u32) -> u32;
            export spin: func();
        }",
    });
    prewarm::world!(Tools, ToolsIndices);
}

/// Bindings for tasks.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::missing_errors_doc,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "generated"
)]
pub mod task {
    wasmtime::component::bindgen!({
        inline: "package bench:tools; world tools {
            export echo: func(text: string) -> string;
            export add: func(a: u32, b: u32) -> u32;
            export spin: func();
        }",
        exports: { default: async },
    });
    prewarm::world!(Tools, ToolsIndices);
}
