//! Who waits for a load, and for how long.

use super::*;

#[test]
fn the_deadline_covers_the_load() {
    for face in FACES {
        let host = host();
        let gate = Arc::new(Barrier::default());
        let link = Arc::clone(&gate);
        let mut short = config(1, always());
        short.limits.deadline = Duration::from_millis(20);
        let it = Any::with(
            face,
            &host,
            numbered(4),
            short,
            Arc::new(move || link.pass()),
        );
        let error = it.number().unwrap_err();
        assert!(
            matches!(
                error,
                CallError::Deadline {
                    phase: Phase::Load,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.is_retryable());
        gate.open();
        until("the load has ended", || match it.is_loaded() {
            true => Ok(()),
            false => Err(host.stats()),
        });
        assert_eq!(it.number().unwrap(), 4);
        assert_eq!(host.stats().loads, 1);
    }
}

#[tokio::test]
async fn who_leaves_takes_nothing_along() {
    let host = host();
    let gate = Arc::new(Barrier::default());
    let gated = |n| {
        let gate = Arc::clone(&gate);
        Registered::<()>::builder(&host, numbered(n), config(1, always()), || ())
            .imports(move |_| {
                gate.pass();
                Ok(())
            })
            .build()
            .unwrap()
    };
    let busy: Vec<_> = (0..).take(processors()).map(gated).collect();
    let mut calls: Vec<_> = busy
        .iter()
        .map(|it| Box::pin(it.invoke("number", &[])))
        .collect();
    for call in &mut calls {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    gate.came(processors());
    let late = gated(99);
    let mut waiting = Box::pin(late.invoke("number", &[]));
    assert!(poll_once(waiting.as_mut()).is_pending());
    // Nobody waits for this any more before it has begun, and for the others after.
    drop(waiting);
    drop(calls);
    gate.open();
    until("the loads that had begun ended", || {
        let stats = host.stats();
        match stats.loads == processors() as u64 && stats.loading == 0 {
            true => Ok(()),
            false => Err(stats),
        }
    });
    assert!(!late.is_loaded());
    assert_eq!(number(late.invoke("number", &[]).await.unwrap()), 99);
    assert_eq!(number(busy[0].invoke("number", &[]).await.unwrap()), 0);
    assert_eq!(host.stats().loads, processors() as u64 + 1);
}

#[test]
fn only_so_many_wait_for_a_load() {
    let host = host();
    let gate = Arc::new(Barrier::default());
    let link = Arc::clone(&gate);
    let mut few = config(1, always());
    few.max_queue = 1;
    let it = Any::with(
        Face::Async,
        &host,
        numbered(1),
        few,
        Arc::new(move || link.pass()),
    );
    let Any::Async(it) = it else { unreachable!() };
    let mut calls = [(); 3].map(|()| Box::pin(it.invoke("number", &[])));
    let _runtime = RUNTIME.enter();
    let [first, second, third] = &mut calls;
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    assert!(matches!(
        RUNTIME.block_on(third.as_mut()),
        Err(CallError::Busy { waiting: 2, .. })
    ));
    gate.open();
    for call in calls.into_iter().take(2) {
        assert_eq!(number(RUNTIME.block_on(call).unwrap()), 1);
    }
}

/// As many loads at once as there are processors; all but one of those are held up here, so that
/// the last shows the order.
#[test]
fn a_burst_of_first_calls_is_served_in_order() {
    const BURST: u32 = 1000;
    let host = host_with(|config| config.max_loaded = 20 + processors());
    let gate = Arc::new(Barrier::default());
    let order = Arc::new(Mutex::new(Vec::new()));
    let (loading, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let registered = |n: u32, held: bool| {
        let (gate, order) = (Arc::clone(&gate), Arc::clone(&order));
        let (loading, most) = (Arc::clone(&loading), Arc::clone(&most));
        let mut config = config(1, always());
        // The first and the last wait for all that lies between.
        config.limits.deadline = LONG;
        Registered::<()>::builder(&host, numbered(n), config, || ())
            .imports(move |_| {
                let now = loading.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                match held {
                    true => gate.pass(),
                    false => order.lock().push(n),
                }
                loading.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
            .build()
            .unwrap()
    };
    RUNTIME.block_on(async {
        let held = (BURST + 1..)
            .take(processors() - 1)
            .map(|n| registered(n, true));
        let held: Vec<_> = held
            .map(|it| tokio::spawn(async move { it.invoke("number", &[]).await }))
            .collect();
        tokio::task::block_in_place(|| gate.came(processors() - 1));
        let burst: Vec<_> = (0..BURST).map(|n| registered(n, false)).collect();
        let mut calls = Vec::new();
        for it in burst {
            let mut call = Box::pin(async move { it.invoke("number", &[]).await });
            // Some are loaded before they wait.
            match poll_once(call.as_mut()) {
                std::task::Poll::Ready(answer) => drop(answer.unwrap()),
                std::task::Poll::Pending => calls.push(tokio::spawn(call)),
            }
        }
        for call in calls {
            assert!(matches!(call.await.unwrap().unwrap(), Some(Val::U32(n)) if n < BURST));
        }
        assert_eq!(*order.lock(), (0..BURST).collect::<Vec<_>>());
        gate.open();
        for call in held {
            call.await.unwrap().unwrap();
        }
    });
    assert!(most.load(Ordering::SeqCst) <= processors());
    assert!(host.stats().loaded <= 20 + processors());
}

/// Calls that come while a component is unloaded load it again and never fail.
#[test]
fn calls_meet_no_unloading() {
    for face in FACES {
        let host = host_with(|config| config.max_loaded = 2);
        let all = some(face, &host, 5);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let all = &all;
                scope.spawn(move || {
                    for round in 0..60 {
                        let which = (round * (thread + 1)) % all.len();
                        assert_eq!(all[which].number().unwrap() as usize, which);
                    }
                });
            }
        });
        drop(all);
        until_gone(&host);
    }
}

#[test]
fn state_imports_and_warm_up_are_used_at_each_load() {
    let host = host_with(|config| config.max_loaded = 1);
    let states = Arc::new(AtomicUsize::new(0));
    let made = Arc::clone(&states);
    let it = blocking::Registered::<(), usize>::builder(
        &host,
        numbered(5),
        config(1, always()),
        move || made.fetch_add(1, Ordering::SeqCst),
    )
    .warm_up_invoke("number", &[])
    .build()
    .unwrap();
    let other = Any::new(Face::Blocking, &host, numbered(6), config(1, always()));
    for round in 0..3 {
        assert_eq!(it.lease().unwrap().embedder(), Some(&round));
        other.number().unwrap();
        assert!(!it.is_loaded());
    }
    let wrong = blocking::Registered::<()>::builder(&host, numbered(5), config(1, always()), || ())
        .warm_up_invoke("nmber", &[])
        .build()
        .unwrap();
    let CallError::Load(error) = wrong.invoke("number", &[]).unwrap_err() else {
        panic!("it loaded");
    };
    assert!(matches!(&*error, Error::Pool(PoolError::World(_))));
}
