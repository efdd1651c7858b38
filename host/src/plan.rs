//! A pool that is being set up: everything checked and linked once, before the first call.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use wasmtime::component::Val;

use crate::bound::{Binding, Imports};
use crate::component::Component;
use crate::config::{Allocation, HostConfig, PoolConfig, Reuse};
use crate::engine::TABLE_SLOT_ELEMENTS;
use crate::error::PoolError;
use crate::instance::{Maker, WarmUp};
use crate::lending::{Lending, Owner};
use crate::linker::WasiNeed;
use crate::state::Terms;
use crate::wasi::{Face, WasiPlan};
use crate::world::World;

/// Longer than any process runs: a hundred years.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// See the module.
pub(crate) struct Plan<W: World, S: Send + 'static> {
    component: Component,
    config: PoolConfig,
    state: Box<dyn Fn() -> S + Send + Sync>,
    pub(crate) imports: Vec<Imports<S>>,
    pub(crate) warm_up: WarmUp<W, S>,
}

impl<W: World, S: Send + 'static> Plan<W, S> {
    pub(crate) fn new(
        component: &Component,
        config: PoolConfig,
        state: Box<dyn Fn() -> S + Send + Sync>,
    ) -> Self {
        Self {
            component: component.clone(),
            config,
            state,
            imports: Vec::new(),
            warm_up: WarmUp::None,
        }
    }

    pub(crate) fn warm_up_invoke(&mut self, name: &str, params: &[Val]) -> Result<(), PoolError> {
        let function = self
            .component
            .exports()
            .find(name)
            .map_err(|error| PoolError::World(error.into()))?;
        function
            .check_params(params)
            .map_err(|error| PoolError::World(error.into()))?;
        let call = (Arc::clone(function), params.to_vec());
        self.warm_up = WarmUp::Invoke(Box::new(call));
        Ok(())
    }

    pub(crate) fn lending(
        self,
        face: Face,
        runtime: Option<tokio::runtime::Handle>,
    ) -> Result<Owner<W, S>, PoolError> {
        let Self {
            component,
            mut config,
            state,
            imports,
            warm_up,
        } = self;
        // Later an instant is added to them, and "never" is no instant.
        config.idle_ttl = config.idle_ttl.min(FOREVER);
        config.max_age = config.max_age.map(|age| age.min(FOREVER));
        let host = Arc::clone(&component.0.host);
        check(&config, &component)?;

        // A store of an engine that counts fuel has none until it is given some.
        if host.config.fuel {
            config.limits.fuel.get_or_insert(u64::MAX);
        }

        let binding = Binding::new(&component, face, imports, config.reset)?;
        let wasi = WasiNeed::of(&component.0.raw)
            .any()
            .then(|| WasiPlan::new(&config.grants, face))
            .transpose()
            .map_err(PoolError::Grant)?;

        // Without an import nothing a guest does can suspend it.
        let closed = component.is_closed();
        let direct = face == Face::Blocking || (closed && !matches!(warm_up, WarmUp::Async(_)));
        let maker = Maker {
            binding,
            terms: Arc::new(Terms::new(
                config.limits.clone(),
                wasi,
                host.config.clock.clone(),
                host.ticker.instant(0),
            )),
            reuse: config.reuse.clone(),
            max_age: config.max_age,
            state,
            warm_up,
            direct,
            seed: AtomicU64::new(seed()),
        };
        Ok(Lending::owned(maker, host, &config, runtime))
    }
}

/// Whether a pool with this config can be, of whatever component.
pub(crate) fn check_config(config: &PoolConfig, host: &HostConfig) -> Result<(), PoolError> {
    let wrong = |setting, problem: String| Err(PoolError::Config { setting, problem });
    if config.max_instances == 0 {
        return wrong(
            "PoolConfig::max_instances",
            "is 0: a pool needs at least one instance".into(),
        );
    }
    if config.min_warm > config.max_instances {
        let problem = format!(
            "is {}, more than max_instances, which is {}",
            config.min_warm, config.max_instances
        );
        return wrong("PoolConfig::min_warm", problem);
    }
    if let Reuse::Calls(range) = &config.reuse
        && (range.is_empty() || *range.start() == 0)
    {
        return wrong(
            "PoolConfig::reuse",
            format!("is {range:?}: it must start at 1 or more and not be empty"),
        );
    }
    if config.limits.fuel.is_some() && !host.fuel {
        let problem =
            "is set, but this host's code counts no fuel: set HostConfig::fuel".to_owned();
        return wrong("Limits::fuel", problem);
    }
    let slot = TABLE_SLOT_ELEMENTS.into();
    if host.allocation != Allocation::OnDemand && config.limits.table_elements > slot {
        let problem = format!(
            "is {}, but a slot holds at most {slot}",
            config.limits.table_elements
        );
        return wrong("Limits::table_elements", problem);
    }
    Ok(())
}

fn check(config: &PoolConfig, component: &Component) -> Result<(), PoolError> {
    check_config(config, &component.0.host.config)?;
    if let Some(needs) = component.needs() {
        let least = [
            (
                "Limits::memory_bytes",
                config.limits.memory_bytes,
                needs.memory_bytes,
            ),
            (
                "Limits::table_elements",
                config.limits.table_elements,
                needs.table_elements,
            ),
            (
                "Limits::memories",
                config.limits.memories.into(),
                needs.memories.into(),
            ),
            (
                "Limits::tables",
                config.limits.tables.into(),
                needs.tables.into(),
            ),
        ];
        for (setting, limit, need) in least {
            if limit < need {
                let problem = format!("is {limit}, but this component starts with {need}");
                return Err(PoolError::Config { setting, problem });
            }
        }
    }
    Ok(())
}

/// Any number that differs from pool to pool.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}
