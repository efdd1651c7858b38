//! The initialisation as a call of an instrumented component, and its state read afterwards.
//!
//! The guest is as little trusted as in any call: it runs in a pool of one instance, under limits,
//! deadline and grants.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::component::{Lift, Linker, Val, WasmList};
use wasmtime_wizer::{ComponentContext, ComponentInstanceState, Wizer};

use super::check;
use crate::clock::Due;
use crate::error::SnapshotError;
use crate::exports::ExportedFunc;
use crate::instance::Instance;
use crate::lending::Lending;
use crate::limits::Limits;
use crate::receipt::{Begun, answered};
use crate::state::State;

/// Room for what reading adds to each memory: a page, twice.
const READING_BYTES: u64 = 2 << 16;
/// Core instances beyond the guest's own: what reads it, and the probe.
const OUR_INSTANCES: u32 = 2;

/// `limits` for the instrumented component.
pub(super) fn with_room(limits: &Limits) -> Limits {
    let mut limits = limits.clone();
    limits.instances = limits.instances.saturating_add(OUR_INSTANCES);
    limits
}

/// Calls the initialisation on a new instance and gives the snapshotted component.
pub(super) fn initialise<S: Send + 'static>(
    pool: &Lending<(), S>,
    function: &ExportedFunc,
    params: &[Val],
    wizer: &Wizer,
    instrumented: &ComponentContext<'_>,
) -> Result<Vec<u8>, SnapshotError> {
    let (mut guard, begun) =
        Lending::lend_direct(pool, false, None).map_err(SnapshotError::Init)?;
    let (_, instance) = guard.begin().map_err(SnapshotError::Init)?;
    let answers = answered(pool.maker.call_direct(instance, &begun, |instance| {
        instance.invoke_direct(function, params)
    }))
    .map_err(SnapshotError::Init)?;
    if let Some(answer @ Val::Result(Err(_))) = answers.into_iter().next() {
        return Err(SnapshotError::Answered { answer });
    }
    // From here on no code of the guest runs.
    let reading = Begun {
        due: Due::NEVER,
        measured: None,
    };
    answered(pool.maker.call_direct(instance, &reading, |instance| {
        let state = instance.store.data_mut();
        let memories = u64::from(state.limits().memories);
        state.allow_more_memory(memories * READING_BYTES);
        instance.store.set_hostcall_fuel(usize::MAX);
        if holds_resources(instance)? {
            return Ok(Err(SnapshotError::Open));
        }
        Ok(read(instance, wizer, instrumented))
    }))
    .map_err(SnapshotError::Init)?
}

/// Makes and drops a resource of its own.
const PROBE: &str = r#"(component
    (type $r (resource (rep i32)))
    (core func $new (canon resource.new $r))
    (core func $drop (canon resource.drop $r))
    (core module $m
        (import "" "new" (func $new (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "probe") (call $drop (call $new (i32.const 0)))))
    (core instance $i (instantiate $m (with "" (instance
        (export "new" (func $new)) (export "drop" (func $drop))))))
    (func (export "probe") (canon lift (core func $i "probe"))))"#;

/// Whether any resource is held by handle, by the guest or of it.
///
/// The engine counts handles over a store and tells nobody, but it keeps to a limit: so with a limit
/// of one, somebody else in the store can make one only where there is none.
fn holds_resources<S: Send + 'static>(instance: &mut Instance<(), S>) -> wasmtime::Result<bool> {
    let store = &mut instance.store;
    let probe = wat::parse_str(PROBE).map_err(wasmtime::Error::new)?;
    let probe = wasmtime::component::Component::from_binary(store.engine(), &probe)?;
    let linker = Linker::<State<S>>::new(store.engine());
    let probe = linker.instantiate(&mut *store, &probe)?;
    let probe = probe.get_typed_func::<(), ()>(&mut *store, "probe")?;
    store.set_max_component_handles(1);
    Ok(probe.call(store, ()).is_err())
}

fn read<S: Send + 'static>(
    instance: &mut Instance<(), S>,
    wizer: &Wizer,
    instrumented: &ComponentContext<'_>,
) -> Result<Vec<u8>, SnapshotError> {
    let mut reading = Reading {
        instance,
        failed: None,
    };
    let snapshot = check::step(|| {
        let snapshot = pin!(wizer.snapshot_component(instrumented, &mut reading));
        // Reading waits for nothing.
        match snapshot.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(snapshot) => snapshot,
            Poll::Pending => Err(wasmtime::Error::msg("wizer waits for something")),
        }
    });
    match reading.failed {
        None => snapshot,
        Some(error) if error.is::<wasmtime::Trap>() => Err(check::refused(
            "a memory is as large as it can be, and reading it needs one page more",
        )),
        Some(error) => Err(SnapshotError::Broken {
            problem: "the guest's state could not be read",
            source: Some(error.into()),
        }),
    }
}

/// Wizer's way to the state of the guest: functions that instrumenting added.
struct Reading<'a, S: Send + 'static> {
    instance: &'a mut Instance<(), S>,
    /// Why what was read so far is worth nothing: wizer's trait has no errors.
    failed: Option<wasmtime::Error>,
}

impl<S: Send + 'static> Reading<'_, S> {
    fn call<R: Lift + 'static>(&mut self, interface: &str, name: &str) -> wasmtime::Result<R> {
        let Instance { store, raw, .. } = &mut *self.instance;
        let missing = || wasmtime::Error::msg("the instrumented component lacks an export");
        let interface = raw
            .get_export_index(&mut *store, None, interface)
            .ok_or_else(missing)?;
        let function = raw
            .get_export_index(&mut *store, Some(&interface), name)
            .ok_or_else(missing)?;
        let function = raw.get_typed_func::<(), (R,)>(&mut *store, function)?;
        Ok(function.call(store, ())?.0)
    }

    fn number<R: Lift + Default + 'static>(&mut self, interface: &str, name: &str) -> R {
        self.call(interface, name).unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            R::default()
        })
    }
}

impl<S: Send + 'static> ComponentInstanceState for Reading<'_, S> {
    async fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        func: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        match self.call::<WasmList<u8>>(instance, func) {
            Ok(bytes) => contents(bytes.as_le_slice(&self.instance.store)),
            Err(error) => {
                self.failed.get_or_insert(error);
                contents(&[]);
            }
        }
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.number(instance, func)
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.number(instance, func)
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.number::<f32>(instance, func).to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.number::<f64>(instance, func).to_bits()
    }
}
