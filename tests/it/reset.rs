//! How slots are made new between instances: learned, kept, set, and in no case a leak.

use prewarm::{Component, HostConfig, PoolConfig, Reset, Reuse, Val, blocking};

use crate::support::{AnyPool, FACES, config, host, host_with, load, number};

/// Writes so many pages of 4 KiB, so far apart, and gives the sum of what it found there.
const WRITER: &str = r#"(component
    (core module $m
        (memory (export "memory") 16)
        (func (export "write") (param $pages i32) (param $apart i32) (result i32)
            (local $at i32) (local $sum i32)
            (loop $next
                (if (i32.gt_s (local.get $pages) (i32.const 0)) (then
                    (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
                    (i32.store (local.get $at) (i32.const 1))
                    (local.set $at (i32.add (local.get $at)
                        (i32.mul (local.get $apart) (i32.const 4096))))
                    (local.set $pages (i32.sub (local.get $pages) (i32.const 1)))
                    (br $next))))
            (local.get $sum)))
    (core instance $i (instantiate $m))
    (func (export "write") (param "pages" u32) (param "apart" u32) (result u32)
        (canon lift (core func $i "write"))))"#;

/// More than the host needs to see, twice.
const CALLS: usize = 200;

/// Calls it so often; every call must find all pages clean.
fn write(pool: &AnyPool, pages: u32, apart: u32) {
    for call in 0..CALLS {
        let params = [Val::U32(pages), Val::U32(apart)];
        let found = number(pool.invoke("write", &params).unwrap());
        assert_eq!(found, 0, "call {call} found what another one wrote");
    }
}

fn fresh() -> PoolConfig {
    config(2, Reuse::Never)
}

#[test]
#[cfg(target_os = "linux")]
fn the_first_calls_show_how_slots_are_to_be_reset() {
    let cases = [
        (1, 1, Reset::Dirty),
        (120, 1, Reset::Dirty),
        (120, 2, Reset::Whole),
    ];
    for face in FACES {
        for (pages, apart, expected) in cases {
            let component = load(&host(), WRITER);
            let pool = AnyPool::new(face, &component, fresh());
            assert_eq!(component.reset(), None);
            assert_eq!(pool.stats().reset, Some(Reset::Dirty));
            write(&pool, pages, apart);
            let case = format!("{face:?}: {pages} pages, {apart} apart");
            assert_eq!(component.reset(), Some(expected), "{case}");
            assert_eq!(pool.stats().reset, Some(expected), "{case}");
            // A pool that is made later knows it from the start.
            let later = AnyPool::new(face, &component, fresh());
            assert_eq!(later.stats().reset, Some(expected), "{case}");
            write(&later, pages, apart);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_learned_is_kept_in_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let caching = || {
        let cache = folder.path().to_owned();
        move |config: &mut HostConfig| {
            config.cache.enabled = true;
            config.cache.dir = Some(cache);
        }
    };
    let first = load(&host_with(caching()), WRITER);
    write(&AnyPool::new(FACES[1], &first, fresh()), 120, 2);
    assert_eq!(first.reset(), Some(Reset::Whole));

    let second = load(&host_with(caching()), WRITER);
    assert_eq!(second.origin(), prewarm::Origin::Cache);
    assert_eq!(second.reset(), Some(Reset::Whole));
    write(&AnyPool::new(FACES[0], &second, fresh()), 120, 2);
}

#[test]
fn an_embedder_sets_it_for_a_pool() {
    for face in FACES {
        for reset in [Reset::Dirty, Reset::Whole] {
            let component = load(&host(), WRITER);
            let mut config = fresh();
            config.reset = Some(reset);
            let pool = AnyPool::new(face, &component, config);
            write(&pool, 120, 2);
            assert_eq!(pool.stats().reset, Some(reset), "{face:?}");
        }
    }
}

#[test]
fn a_large_memory_is_new_as_well_where_it_is_not_rewritten() {
    // 32 MiB, twice what is rewritten at most.
    let wat = WRITER.replace(r#""memory") 16"#, r#""memory") 512"#);
    for reset in [Reset::Dirty, Reset::Whole] {
        let component = load(&host(), &wat);
        let mut config = fresh();
        config.reset = Some(reset);
        let pool = AnyPool::new(FACES[1], &component, config);
        write(&pool, 64, 128);
    }
}

#[test]
fn without_slots_there_is_nothing_to_reset() {
    let host = host_with(|config| config.allocation = prewarm::Allocation::OnDemand);
    let component: Component = load(&host, WRITER);
    let pool = blocking::Pool::<()>::new(&component, fresh()).unwrap();
    assert_eq!(pool.stats().reset, None);
    assert_eq!(component.reset(), None);
}
