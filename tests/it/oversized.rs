//! Components and values that are larger or stranger than anybody needs.

use std::fmt::Write as _;

use prewarm::{
    CallError, LimitHit, Limited, Limits, LoadError, PoolError, Reuse, Val, Wasm, blocking,
};

use crate::support::{AnyPool, FACES, chain, config, host, load};

#[track_caller]
fn is_limit(error: &CallError, limited: Limited, limit: u64) {
    let hit: Option<&LimitHit> = match error {
        CallError::Limit(hit) => Some(hit),
        CallError::Start(source) => match &**source {
            CallError::Limit(hit) => Some(hit),
            _ => None,
        },
        _ => None,
    };
    let hit = hit.unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!((hit.limited, hit.limit), (limited, limit), "{error:?}");
}

/// So many copies of `part` in one component, and an export.
fn many(count: usize, part: &str) -> String {
    let mut wat = String::from("(component\n");
    for at in 0..count {
        let _ = writeln!(
            wat,
            "(core module $m{at} {part}) (core instance (instantiate $m{at}))"
        );
    }
    wat + r#"(core module $m (func (export "f") (result i32) i32.const 1))
        (core instance $i (instantiate $m))
        (func (export "f") (result u32) (canon lift (core func $i "f"))))"#
}

#[test]
fn hundreds_of_memories_or_tables_give_no_pool() {
    for (part, limit) in [
        ("(memory 0)", "Limits::memories"),
        ("(table 0 funcref)", "Limits::tables"),
    ] {
        let component = load(&host(), &many(900, part));
        let error = blocking::Pool::<()>::new(&component, config(1, Reuse::Never)).unwrap_err();
        match error {
            PoolError::Config { setting, .. } => assert_eq!(setting, limit),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn hundreds_of_instances_do_not_start() {
    for face in FACES {
        let component = load(&host(), &many(900, ""));
        let pool = AnyPool::new(face, &component, config(1, Reuse::Never));
        let error = pool.number("f").unwrap_err();
        let limit = Limits::default().instances;
        is_limit(&error, Limited::Instances, limit.into());
        let stats = pool.until("the slot is free", |stats| stats.starting == 0);
        assert_eq!((stats.idle, stats.leased, stats.dying), (0, 0, 0));
    }
}

#[test]
fn more_than_the_format_allows() {
    let host = host();
    let error = host
        .load_blocking(Wasm::wat(many(3000, "(memory 0)")))
        .unwrap_err();
    assert!(matches!(error, LoadError::Compile(_)), "{error:?}");
}

/// An empty component in so many others, each of which holds nothing else.
fn nested(depth: usize) -> Vec<u8> {
    const PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    let mut component = PREAMBLE.to_vec();
    for _ in 0..depth {
        let mut outer = PREAMBLE.to_vec();
        // A section that holds a component, and its length in groups of seven bits.
        outer.push(4);
        let mut length = component.len();
        while length >= 0x80 {
            outer.push(u8::try_from(length % 0x80).unwrap() | 0x80);
            length /= 0x80;
        }
        outer.push(u8::try_from(length).unwrap());
        outer.extend(component);
        component = outer;
    }
    component
}

#[test]
fn components_in_components() {
    let host = host();
    for depth in [1, 50, 100] {
        let component = host.load_blocking(Wasm::from(nested(depth)));
        let component = component.unwrap_or_else(|error| panic!("{depth}: {:?}", chain(&error)));
        assert_eq!(component.exports().iter().len(), 0);
    }
    for depth in [101, 1_000, 100_000] {
        let error = host.load_blocking(Wasm::from(nested(depth))).unwrap_err();
        assert!(matches!(error, LoadError::Compile(_)), "{depth}: {error:?}");
    }
}

/// Answers a list of as many bytes as it is asked for, and takes lists.
const LISTS: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "give") (param $bytes i32) (result i32)
            (drop (memory.grow (i32.const 16385)))
            (i32.store (i32.const 0) (i32.const 65536))
            (i32.store (i32.const 4) (local.get $bytes))
            (i32.const 0))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (if (i32.eq (i32.const -1) (memory.grow
                (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16)))))
                (then unreachable))
            (i32.const 65536))
        (func (export "take") (param i32 i32) (result i32) (local.get 1)))
    (core instance $i (instantiate $m))
    (alias core export $i "memory" (core memory $memory))
    (func (export "give") (param "bytes" u32) (result (list u8))
        (canon lift (core func $i "give") (memory $memory)))
    (func (export "take") (param "bytes" (list u8)) (result u32)
        (canon lift (core func $i "take") (memory $memory) (realloc (core func $i "realloc")))))"#;

#[test]
fn a_gibibyte_that_the_guest_answers() {
    let component = load(&host(), LISTS);
    for face in FACES {
        let mut config = config(1, Reuse::Never);
        config.limits.memory_bytes = 2 << 30;
        let hostcall = config.limits.hostcall_bytes;
        let pool = AnyPool::new(face, &component, config);
        let error = pool.invoke("give", &[Val::U32(1 << 30)]).unwrap_err();
        is_limit(&error, Limited::Hostcall, hostcall);
        assert_eq!(
            pool.invoke("give", &[Val::U32(3)]).unwrap(),
            Some(Val::List(vec![Val::U8(0); 3]))
        );
    }
}

#[test]
fn a_list_that_the_guest_has_no_room_for() {
    let component = load(&host(), LISTS);
    for face in FACES {
        let mut config = config(1, Reuse::Never);
        config.limits.memory_bytes = 4 << 20;
        let memory = config.limits.memory_bytes;
        let pool = AnyPool::new(face, &component, config);
        let large = [Val::List(vec![Val::U8(7); 5 << 20])];
        let error = pool.invoke("take", &large).unwrap_err();
        is_limit(&error, Limited::Memory, memory);
        let small = [Val::List(vec![Val::U8(7); 1 << 20])];
        assert_eq!(
            pool.invoke("take", &small).unwrap(),
            Some(Val::U32(1 << 20))
        );
    }
}
