//! What a store holds for one instance: the embedder's value, resources, WASI and the meters.
//!
//! Made on the hot path, so WASI is built when the guest first uses it, and everything that does
//! not differ between instances is shared as [`Terms`]. Knows what one instance has and has used;
//! knows nothing of pools, linkers and clocks: time comes in as a parameter.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::{Engine, Error, Store};
use wasmtime_wasi::{ResourceTable, WasiCtxView, WasiView};

use crate::blame::limit_of;
use crate::limits::{LimitHit, Limits};
use crate::meter::Meter;
use crate::usage::Usage;
use crate::wasi::{Wasi, WasiPlan};

/// What every instance of a pool runs under.
pub(crate) struct Terms {
    limits: Limits,
    wasi: Option<WasiPlan>,
}

impl Terms {
    /// `wasi` may be left out for a component that imports none.
    pub(crate) fn new(limits: Limits, wasi: Option<WasiPlan>) -> Self {
        Self { limits, wasi }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Why a running guest must stop at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its call's deadline came.
    Deadline,
    /// Its caller went away, or its output passed the limit.
    Cancelled,
}

/// The data of a store: one instance's share of the host, around the embedder's own `S`.
///
/// Host functions meet it as `store.data_mut()`, and find their own value with
/// [`embedder_mut`](Self::embedder_mut).
pub struct State<S> {
    embedder: S,
    table: ResourceTable,
    wasi: Option<Box<Wasi>>,
    terms: Arc<Terms>,
    usage: Usage,
    meter: Arc<Meter>,
    deadline: Option<Instant>,
}

impl<S> State<S> {
    pub(crate) fn new(embedder: S, terms: &Arc<Terms>) -> Self {
        let limits = &terms.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles as usize);
        Self {
            embedder,
            table,
            wasi: None,
            terms: terms.clone(),
            usage: Usage::new(limits),
            meter: Arc::new(Meter::new(limits.output_bytes)),
            deadline: None,
        }
    }

    /// The embedder's value.
    pub fn embedder(&self) -> &S {
        &self.embedder
    }

    /// The embedder's value, to change.
    pub fn embedder_mut(&mut self) -> &mut S {
        &mut self.embedder
    }

    /// The resources that the guest holds, for host functions that hand out their own.
    pub fn resources(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// Both at once, for host functions over resources that need the embedder's value too.
    pub fn embedder_and_resources(&mut self) -> (&mut S, &mut ResourceTable) {
        (&mut self.embedder, &mut self.table)
    }

    /// When the running call must have ended, if it must. A host function that blocks should give
    /// up then.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Sets the meters back and the deadline for the next call, or for the start.
    pub(crate) fn begin_call(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
        self.usage.begin_call();
        self.meter.reset();
        if let Some(wasi) = &self.wasi {
            wasi.end_lines();
        }
    }

    /// Why the guest must stop, if it must.
    pub(crate) fn stop(&self, now: Instant) -> Option<Stop> {
        if self.meter.is_cancelled() {
            return Some(Stop::Cancelled);
        }
        self.deadline
            .filter(|deadline| *deadline <= now)
            .map(|_| Stop::Deadline)
    }

    /// The part that other threads may hold, to cancel the call.
    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// What memory the instance uses.
    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// The limit that the guest ran into since the call began, whether or not it minded.
    pub(crate) fn limit_hit(&self) -> Option<LimitHit> {
        self.meter.output_hit().or(self.usage.hit())
    }

    /// The limit behind `error`, with which a start or a call of this instance ended: the one that
    /// it names, or else the one that the guest ran into before.
    pub(crate) fn limit_behind(&self, error: &Error) -> Option<LimitHit> {
        limit_of(error, self.limits()).or_else(|| self.limit_hit())
    }

    /// The limits it runs under.
    pub(crate) fn limits(&self) -> &Limits {
        &self.terms.limits
    }
}

impl<S: Send + 'static> State<S> {
    /// A store around this state, its limits set. Fuel and epoch are the caller's to set.
    pub(crate) fn into_store(self, engine: &Engine) -> Store<Self> {
        let handles = self.limits().handles as usize;
        let hostcall = usize::try_from(self.limits().hostcall_bytes).unwrap_or(usize::MAX);
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.usage);
        store.set_hostcall_fuel(hostcall);
        store.set_max_component_handles(handles);
        store
    }
}

impl<S: Send + 'static> WasiView for State<S> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.get_or_insert_with(|| {
            Box::new(match &self.terms.wasi {
                Some(plan) => plan.build(&self.meter),
                None => Wasi::none(&self.meter),
            })
        });
        WasiCtxView {
            ctx: &mut wasi.wasi,
            table: &mut self.table,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for State<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("embedder", &self.embedder)
            .field("usage", &self.usage)
            .field("meter", &self.meter)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guests::{CLOCK, Guest, POLL, STDIO, component, plain};
    use crate::limits::Limited;

    const PAGE: u64 = 65_536;

    fn limits(set: impl FnOnce(&mut Limits)) -> Limits {
        let mut limits = Limits::default();
        set(&mut limits);
        limits
    }

    /// Runs a guest that must end in an error, and says which limit was behind it.
    fn hit(text: &str, set: impl FnOnce(&mut Limits)) -> (Limited, u64, Option<u64>) {
        let mut guest = Guest::blocking(text, limits(set));
        let error = guest.run().unwrap_err();
        let hit = guest.store.data().limit_behind(&error);
        let LimitHit {
            limited,
            limit,
            needed,
        } = hit.unwrap_or_else(|| panic!("{error:?}"));
        (limited, limit, needed)
    }

    /// Repeats `step`, which answers -1 at the end, and counts how often it did not.
    fn repeated(declared: &str, step: &str) -> String {
        format!(
            r#"{declared} (func (export "run") (result i32) (local $n i32)
                (block $full (loop $more
                    (br_if $full (i32.eq (i32.const -1) {step}))
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br $more)))
                (local.get $n))"#
        )
    }

    #[test]
    fn memories_are_counted_together() {
        let memories = "(memory $a 1) (memory $b 2)";
        for memory in ["$a", "$b"] {
            let text = plain(&repeated(
                memories,
                &format!("(memory.grow {memory} (i32.const 1))"),
            ));
            let mut guest =
                Guest::blocking(&text, limits(|limits| limits.memory_bytes = 10 * PAGE));
            // One page is libc's.
            assert_eq!(guest.run().unwrap(), 6);
            let state = guest.store.data();
            assert_eq!(
                (state.usage().bytes(), state.usage().peak_bytes()),
                (10 * PAGE, 10 * PAGE)
            );
            assert_eq!(
                state.limit_hit(),
                Some(LimitHit::new(Limited::Memory, 10 * PAGE, Some(11 * PAGE)))
            );
        }
    }

    #[test]
    fn a_declared_maximum_is_no_limit_of_ours() {
        let text = plain(&repeated("(memory 1 3)", "(memory.grow (i32.const 1))"));
        let mut guest = Guest::blocking(&text, Limits::default());
        assert_eq!(guest.run().unwrap(), 2);
        let state = guest.store.data();
        assert_eq!((state.usage().bytes(), state.limit_hit()), (4 * PAGE, None));
    }

    #[test]
    fn tables_count_elements_and_bytes() {
        let tables = "(table $a 3 funcref) (table $b 4 funcref)";
        let text = plain(&repeated(
            tables,
            "(table.grow $b (ref.null func) (i32.const 5))",
        ));
        let mut guest = Guest::blocking(&text, limits(|limits| limits.table_elements = 20));
        assert_eq!(guest.run().unwrap(), 2);
        let state = guest.store.data();
        assert_eq!(state.usage().bytes(), PAGE + 8 * 17);
        assert_eq!(
            state.limit_hit(),
            Some(LimitHit::new(Limited::TableElements, 20, Some(22)))
        );

        let mut guest =
            Guest::blocking(&text, limits(|limits| limits.memory_bytes = PAGE + 8 * 20));
        assert_eq!(guest.run().unwrap(), 2);
        let hit = guest.store.data().limit_hit();
        assert_eq!(
            hit,
            Some(LimitHit::new(
                Limited::Memory,
                PAGE + 8 * 20,
                Some(PAGE + 8 * 22)
            ))
        );
    }

    #[test]
    fn a_growth_that_overflows_takes_nothing_back() {
        let text = plain(
            r#"(table $t i64 0 funcref)
            (func (export "run") (result i32) (local $n i32)
                (loop $more
                    (drop (table.grow $t (ref.null func) (i64.const 100)))
                    (drop (table.grow $t (ref.null func) (i64.const -1)))
                    (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5))))
                (i32.wrap_i64 (table.size $t)))"#,
        );
        let mut guest = Guest::blocking(&text, limits(|limits| limits.table_elements = 350));
        assert_eq!(guest.run().unwrap(), 300);
        assert_eq!(guest.store.data().usage().bytes(), PAGE + 8 * 300);
    }

    #[test]
    fn what_does_not_fit_at_the_start_names_its_limit() {
        let run = r#"(func (export "run") (result i32) i32.const 0)"#;
        let memory = plain(&format!("(memory 9) {run}"));
        assert_eq!(
            hit(&memory, |limits| limits.memory_bytes = 4 * PAGE),
            (Limited::Memory, 4 * PAGE, Some(10 * PAGE))
        );
        let table = plain(&format!("(table 9 funcref) {run}"));
        assert_eq!(
            hit(&table, |limits| limits.table_elements = 8),
            (Limited::TableElements, 8, Some(9))
        );
        assert_eq!(
            hit(&plain(run), |limits| limits.instances = 1),
            (Limited::Instances, 1, Some(2))
        );
        assert_eq!(
            hit(&memory, |limits| limits.memories = 1),
            (Limited::Memories, 1, Some(2))
        );
        assert_eq!(
            hit(&table, |limits| limits.tables = 0),
            (Limited::Tables, 0, Some(1))
        );
    }

    #[test]
    fn handles_are_counted() {
        let text = component(
            &format!("{POLL}{CLOCK}"),
            &[("subscribe", "$clock", "subscribe-duration")],
            r#"(import "" "subscribe" (func $subscribe (param i64) (result i32)))
            (func (export "run") (result i32)
                (loop $more (drop (call $subscribe (i64.const 1))) (br $more))
                unreachable)"#,
        );
        assert_eq!(
            hit(&text, |limits| limits.handles = 40),
            (Limited::Handles, 40, None)
        );
    }

    /// Writes `len` bytes to stdout `times` times.
    fn printing(len: u32, times: u32) -> String {
        component(
            STDIO,
            &[
                ("stdout", "$stdout", "get-stdout"),
                (
                    "write",
                    "$streams",
                    "[method]output-stream.blocking-write-and-flush",
                ),
            ],
            &format!(
                r#"(import "" "stdout" (func $stdout (result i32)))
                (import "" "write" (func $write (param i32 i32 i32 i32)))
                (func (export "run") (result i32) (local $out i32) (local $n i32)
                    (local.set $out (call $stdout))
                    (loop $more
                        (call $write (local.get $out) (i32.const 0) (i32.const {len}) (i32.const 8192))
                        (br_if $more (i32.lt_u
                            (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const {times}))))
                    (local.get $n))"#
            ),
        )
    }

    #[test]
    fn output_is_counted_wherever_it_goes() {
        use crate::grants::Grants;
        use crate::stdio::{Output, OutputBuffer};
        use crate::wasi::Face;

        let buffer = OutputBuffer::default();
        for output in [
            Output::Null,
            Output::Buffer(buffer.clone()),
            Output::lines(|_| {}),
        ] {
            let grants = Grants::none().stdout(output);
            let limits = limits(|limits| limits.output_bytes = 2500);
            let mut guest = Guest::new(&printing(1000, 9), Face::Blocking, limits, &grants);
            let error = guest.run().unwrap_err();
            let state = guest.store.data();
            assert_eq!(
                state.limit_behind(&error),
                Some(LimitHit::new(Limited::Output, 2500, Some(3000)))
            );
            assert_eq!(state.meter().output_bytes(), 2500);
        }
        assert_eq!(buffer.take().len(), 2500);
        assert_eq!(
            Guest::blocking(&printing(1000, 2), Limits::default())
                .run()
                .unwrap(),
            2
        );
    }

    #[test]
    fn what_crosses_to_the_host_is_bounded() {
        let (limited, limit, _) = hit(&printing(4096, 1), |limits| limits.hostcall_bytes = 1000);
        assert_eq!((limited, limit), (Limited::Hostcall, 1000));
    }

    #[test]
    fn each_call_starts_its_own_account() {
        let mut guest = Guest::blocking(
            &printing(1000, 9),
            limits(|limits| limits.output_bytes = 2500),
        );
        guest.run().unwrap_err();
        let state = guest.store.data_mut();
        state.meter().cancel();
        state.begin_call(None);
        assert_eq!((state.limit_hit(), state.meter().output_bytes()), (None, 0));
        assert_eq!((state.usage().peak_bytes(), state.deadline()), (PAGE, None));
    }

    #[test]
    fn a_guest_stops_at_its_deadline_or_when_cancelled() {
        let now = tokio::time::Instant::now().into_std();
        let mut state = State::new((), &Arc::new(Terms::new(Limits::default(), None)));
        assert_eq!(state.stop(now), None);
        state.begin_call(Some(now + std::time::Duration::from_millis(1)));
        assert_eq!(state.stop(now), None);
        assert_eq!(
            state.stop(now + std::time::Duration::from_millis(1)),
            Some(Stop::Deadline)
        );
        state.meter().cancel();
        assert_eq!(state.stop(now), Some(Stop::Cancelled));
    }
}
