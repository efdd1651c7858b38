//! A fresh instance for each call that writes to so many pages of its memory, one after the other or
//! scattered. What the pages cost is paid twice: once when the guest touches them, once when they are
//! reset for the next instance.
//!
//! `prewarm` chooses how slots are reset, as by default; the other two are told. `bare-lane` is wasmtime
//! tuned as prewarm tunes it; `bare-default` maps memory for each instance.

use criterion::{Criterion, criterion_group, criterion_main};
use prewarm::Reset;
use prewarm_benches::cases::{criterion, measure, whole};
use prewarm_benches::dirt::{BareDirty, Dirty, Layout};
use prewarm_benches::{bare, pools};
use wasmtime::Result;

fn dirt(criterion: &mut Criterion) {
    run(criterion).expect("the guest that dirties memory runs");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    for layout in Layout::ALL {
        let mut group = criterion.benchmark_group(format!("dirt-{}", layout.name()));
        for &pages in layout.pages() {
            // New for each case: a slot remembers how much was once dirty in it.
            let resets = [
                ("prewarm", None),
                ("prewarm-dirty", Some(Reset::Dirty)),
                ("prewarm-whole", Some(Reset::Whole)),
            ];
            let pools = resets.map(|(who, reset)| {
                let mut config = pools::fresh(32);
                config.reset = reset;
                let pool = Dirty::new(&pools::host(None)?, layout, config)?;
                Ok::<_, wasmtime::Error>((who, pool))
            });
            let pools = pools.into_iter().collect::<Result<Vec<_>>>()?;
            let engines = [
                ("bare-lane", BareDirty::new(bare::lane()?, layout)?),
                (
                    "bare-default",
                    BareDirty::new(bare::default_engine()?, layout)?,
                ),
                (
                    "bare-default-pooling",
                    BareDirty::new(bare::default_pooling()?, layout)?,
                ),
            ];
            let ours = pools
                .iter()
                .map(|(who, pool)| whole(who, move |calls| pool.run(pages, calls)));
            let bare = engines
                .iter()
                .map(|(who, bare)| whole(who, move |calls| bare.run(pages, calls)));
            measure(&mut group, pages, ours.chain(bare));
        }
        group.finish();
    }
    Ok(())
}

criterion_group! { name = benches; config = criterion(); targets = dirt }
criterion_main!(benches);
