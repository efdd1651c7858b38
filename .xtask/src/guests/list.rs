//! All guests.

use super::{
    Guest, assemblyscript, c, cpp, go, javascript, python, rust, starlingmonkey, typescript, zig,
};

/// The text of these files of this folder.
macro_rules! files {
    ($($file:literal),+) => { concat!($(include_str!($file)),+) };
}

const RUST: &str = files!("rust.rs", "debian.rs", "component.rs");
/// With the package of `go` that `go-kinds` builds on.
const GO: &str = files!(
    "go.rs",
    "component.rs",
    "venv.rs",
    "../../../guest-examples/go/gc/gc.go"
);
const STARLINGMONKEY: &str = files!("starlingmonkey.rs", "npm.rs");
const PYTHON: &str = files!("python.rs", "venv.rs");

/// In the order in which tables show them.
pub(super) const GUESTS: &[Guest] = &[
    Guest::new("rust", RUST, rust::build).tools(rust::tools),
    Guest::new("rust-lean", RUST, rust::lean)
        .folder("rust")
        .tools(rust::lean_tools),
    Guest::new("c", files!("c.rs", "ziglang.rs", "component.rs"), c::build),
    Guest::new(
        "cpp",
        files!("cpp.rs", "ziglang.rs", "component.rs"),
        cpp::build,
    ),
    Guest::new(
        "zig",
        files!("zig.rs", "ziglang.rs", "component.rs"),
        zig::build,
    ),
    Guest::new("go", GO, go::build).tools(go::tools),
    Guest::new(
        "javascript",
        files!("javascript.rs", "npm.rs"),
        javascript::build,
    ),
    Guest::new("starlingmonkey", STARLINGMONKEY, starlingmonkey::build).folder("javascript"),
    Guest::new(
        "typescript",
        files!("typescript.rs", "starlingmonkey.rs", "npm.rs"),
        typescript::build,
    ),
    Guest::new("python", PYTHON, python::build),
    Guest::new("python-pip", PYTHON, python::build),
    Guest::new(
        "assemblyscript",
        files!("assemblyscript.rs", "component.rs", "npm.rs"),
        assemblyscript::build,
    ),
    Guest::new("rust-outside", RUST, rust::outside)
        .folder("rust-kinds")
        .tools(rust::tools),
    Guest::new("rust-dictionary", RUST, rust::dictionary)
        .folder("rust-kinds")
        .tools(rust::tools),
    Guest::new(
        "javascript-outside",
        STARLINGMONKEY,
        starlingmonkey::outside,
    )
    .folder("javascript-kinds"),
    Guest::new(
        "javascript-dictionary",
        STARLINGMONKEY,
        starlingmonkey::dictionary,
    )
    .folder("javascript-kinds"),
    Guest::new("python-outside", PYTHON, python::outside).folder("python-kinds"),
    Guest::new("python-dictionary", PYTHON, python::dictionary).folder("python-kinds"),
    Guest::new(
        "c-outside",
        files!("c.rs", "ziglang.rs", "component.rs"),
        c::outside,
    )
    .folder("c-kinds"),
    Guest::new(
        "cpp-outside",
        files!("cpp.rs", "ziglang.rs", "component.rs"),
        cpp::outside,
    )
    .folder("cpp-kinds"),
    Guest::new(
        "zig-outside",
        files!("zig.rs", "ziglang.rs", "component.rs"),
        zig::outside,
    )
    .folder("zig-kinds"),
    Guest::new("go-outside", GO, go::outside)
        .folder("go-kinds")
        .tools(go::tools),
];
