//! What a snapshot is found by: everything that its outcome depends on, hashed.
//!
//! Knows what can be known of that, and when it cannot: what lies in a granted folder, what a socket
//! or a host function answers.

use std::fmt;

use super::SnapshotConfig;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::stdio::Input;

/// Changes whenever the same recipe would make another component: with this crate and with wizer.
const MAKER: &str = concat!("prewarm ", env!("CARGO_PKG_VERSION"), ", wizer 48.0.8");

/// The hash of the recipe, or `None` where the outcome may depend on what is not in it.
///
/// `component` is the hash of its bytes, `imports` says whether the embedder adds host functions.
pub(super) fn recipe(
    component: &str,
    function: &str,
    imports: bool,
    config: &SnapshotConfig,
) -> Option<blake3::Hash> {
    let SnapshotConfig {
        init: _,
        params,
        wasm: _,
        depends_on,
        limits,
        grants,
    } = config;
    let Grants {
        env,
        args,
        dirs,
        stdin,
        // What is printed is no part of the guest.
        stdout: _,
        stderr: _,
        network,
        seed,
    } = grants;
    let outside = imports
        || !dirs.is_empty()
        || network.allows_tcp()
        || network.allows_udp()
        || network.allows_name_lookup()
        || matches!(stdin, Input::Inherit);
    if outside && depends_on.is_none() {
        return None;
    }
    let Limits {
        memory_bytes,
        table_elements,
        instances,
        memories,
        tables,
        handles,
        output_bytes,
        hostcall_bytes,
        // How long it may take does not change what comes out.
        fuel: _,
        deadline: _,
    } = limits;

    let mut recipe = Recipe(blake3::Hasher::new());
    recipe.add(&MAKER);
    recipe.add(&component);
    recipe.add(&function);
    recipe.add(params);
    recipe.add(depends_on);
    recipe.add(env);
    recipe.add(args);
    recipe.add(dirs);
    match stdin {
        Input::Empty => recipe.add(&"empty"),
        Input::Bytes(bytes) => recipe.add(&blake3::hash(bytes)),
        Input::Inherit => recipe.add(&"inherit"),
    }
    recipe.add(network);
    recipe.add(seed);
    recipe.add(&[memory_bytes, output_bytes, hostcall_bytes]);
    recipe.add(&[table_elements]);
    recipe.add(&[instances, memories, tables, handles]);
    Some(recipe.0.finalize())
}

struct Recipe(blake3::Hasher);

impl Recipe {
    /// Adds a value as it is printed for programmers, with its length before it, so that no two
    /// values run together.
    fn add(&mut self, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Val;

    use super::*;
    use crate::network::{AddressRange, Network};

    fn of(set: impl FnOnce(&mut SnapshotConfig)) -> Option<blake3::Hash> {
        let mut config = SnapshotConfig::new("prepare");
        set(&mut config);
        recipe("c0ffee", "prepare", false, &config)
    }

    #[test]
    fn whatever_the_outcome_depends_on_makes_another_recipe() {
        let plain = of(|_| {});
        assert_eq!(plain, of(|_| {}));
        let others = [
            recipe("c0ffef", "prepare", false, &SnapshotConfig::new("prepare")),
            recipe("c0ffee", "prepar", false, &SnapshotConfig::new("prepar")),
            of(|c| c.params = vec![Val::U32(1)]),
            of(|c| c.params = vec![Val::S32(1)]),
            of(|c| c.params = vec![Val::String("1, 2".into())]),
            of(|c| c.params = vec![Val::String("1".into()), Val::String("2".into())]),
            of(|c| c.depends_on = Some(String::new())),
            of(|c| c.depends_on = Some("1".into())),
            of(|c| c.grants = Grants::none().env("A", "1")),
            of(|c| c.grants = Grants::none().env("A", "2")),
            of(|c| c.grants = Grants::none().arg("A")),
            of(|c| c.grants = Grants::none().stdin(Input::bytes("A"))),
            of(|c| c.grants = Grants::none().stdin(Input::bytes("B"))),
            of(|c| c.grants = Grants::none().deterministic(1)),
            of(|c| c.limits.memory_bytes = 1 << 20),
            of(|c| c.limits.handles = 1),
        ];
        let mut all = vec![plain];
        all.extend(others);
        for (at, one) in all.iter().enumerate() {
            assert!(one.is_some(), "{at}");
            assert!(!all[at + 1..].contains(one), "{at}");
        }
    }

    #[test]
    fn the_time_it_may_take_makes_no_other() {
        let hurried = of(|c| c.limits.deadline = std::time::Duration::from_secs(1));
        assert_eq!(of(|_| {}), hurried);
    }

    #[test]
    fn what_comes_from_outside_needs_a_word_for_it() {
        let lan: AddressRange = "10.0.0.0/8:443".parse().unwrap();
        let outside: [&dyn Fn(&mut SnapshotConfig); 4] = [
            &|c| c.grants = Grants::none().dir_read_only("/", "/data"),
            &|c| c.grants = Grants::none().stdin(Input::Inherit),
            &|c| c.grants = Grants::none().network(Network::none().tcp(lan.clone())),
            &|c| c.grants = Grants::none().network(Network::none().name_lookup()),
        ];
        for (at, set) in outside.iter().enumerate() {
            assert_eq!(of(|c| set(c)), None, "{at}");
            let told = of(|c| {
                set(c);
                c.depends_on = Some("monday".into());
            });
            assert!(told.is_some(), "{at}");
        }
        let mut config = SnapshotConfig::new("prepare");
        assert_eq!(recipe("c0ffee", "prepare", true, &config), None);
        config.depends_on = Some("monday".into());
        assert!(recipe("c0ffee", "prepare", true, &config).is_some());
    }
}
