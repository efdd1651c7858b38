//! wasmtime-wasi-http's own reuse of instances, `ProxyHandler`, which `wasmtime serve` has.
//!
//! It is a library, but for HTTP alone: a call is a request of `wasi:http` with the text as its body. So
//! here a call pays also for the types of `http`, for streams as the guest's resources, and for a tokio
//! task that owns the instance; it does not pay for a socket, a parser of HTTP or a server, since
//! requests are handed over in memory. What it costs beside the other rivals is what HTTP costs, not what
//! reuse does.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use tokio::runtime::Runtime;
use wasmtime::component::{Component, GuestTaskId, Linker, ResourceTable};
use wasmtime::error::Context as _;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, Result, Store, StoreContextMut, ensure,
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState,
    WorkerStatus,
};
use wasmtime_wasi_http::p2::bindings::ProxyPre as ProxyPreP2;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::clock::now;
use crate::job::{Answer, Job};
use crate::rival::{Caller, Life, Rival};
use crate::turn::Turn;

/// How long an instance may be idle: that of `wasmtime serve`.
const IDLE: Duration = Duration::from_secs(1);

/// `ProxyHandler` with a guest of `wasi:http`.
pub struct Proxy {
    engine: Engine,
    pre: Arc<ProxyPre<State>>,
}

impl Proxy {
    /// Compiles it.
    ///
    /// # Errors
    ///
    /// Where the component is no guest of `wasi:http`.
    pub fn new(file: &Path) -> Result<Self> {
        let mut config = Config::new();
        config.allocation_strategy(InstanceAllocationStrategy::pooling());
        let engine = Engine::new(&config)?;
        let component = Component::from_file(&engine, file)?;
        component.initialize_copy_on_write_image()?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi_http::p2::add_to_linker_async(&mut linker)?;
        let pre = ProxyPreP2::new(linker.instantiate_pre(&component)?)?;
        Ok(Self {
            engine,
            pre: Arc::new(ProxyPre::P2(pre)),
        })
    }
}

impl Rival for Proxy {
    fn name(&self) -> &'static str {
        "wasi-http"
    }

    fn settings(&self) -> String {
        "ProxyHandler of wasmtime-wasi-http 48 on pooling as it comes (concurrency support on, no epochs, no \
         limits), requests handed over in memory, one handler and tokio runtime for each caller; fresh is one \
         request for each instance"
            .to_owned()
    }

    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let requests = match life {
            Life::Warm => usize::MAX,
            Life::Fresh => 1,
        };
        let server = Server {
            engine: self.engine.clone(),
            pre: Arc::clone(&self.pre),
            requests,
        };
        Ok(Box::new(Client {
            handler: ProxyHandler::new(server),
            runtime,
        }))
    }
}

struct Client {
    handler: ProxyHandler<Server>,
    runtime: Runtime,
}

impl Client {
    async fn ask(&self, job: &Job) -> Result<Answer> {
        let body = Full::new(Bytes::copy_from_slice(job.text.as_bytes()));
        let request = http::Request::builder()
            .method("POST")
            .uri(format!("http://localhost/{}", job.work.name()))
            .body(body.map_err(|never| match never {}).boxed_unsync())?;
        let response = self.handler.handle((), request).await?;
        ensure!(response.status().is_success(), "{}", response.status());
        let body = response.into_body().collect().await;
        let body = body.ok().context("a response breaks off")?;
        Answer::of_bytes(&body.to_bytes())
    }
}

impl Caller for Client {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        self.runtime.block_on(self.ask(job))
    }

    /// Within one task, as a server would.
    fn take(&mut self, job: &Job, turn: &mut Turn) -> Result<()> {
        self.runtime.block_on(async {
            while turn.begin() {
                turn.end(self.ask(job).await?);
            }
            Ok(())
        })
    }
}

struct Server {
    engine: Engine,
    pre: Arc<ProxyPre<State>>,
    /// How many an instance serves.
    requests: usize,
}

impl HandlerState for Server {
    type StoreData = State;
    type WorkerExpiration = Idle;
    type WorkerState = Requests;

    async fn instantiate(&self) -> Result<Instance<State, Idle, Requests>> {
        let mut store = Store::new(&self.engine, State::default());
        let proxy = self.pre.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Idle(None),
            state: Requests(self.requests),
        })
    }
}

/// Ends an instance that nobody has asked for a while.
struct Idle(Option<Pin<Box<tokio::time::Sleep>>>);

impl WorkerExpiration for Idle {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        loop {
            // Not a timer for each call: one is made anew only when it is due.
            let left = IDLE.saturating_sub(now().saturating_duration_since(start));
            let timer = self
                .0
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(left)));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.0 = None;
            if left.is_zero() {
                return Poll::Ready(());
            }
        }
    }
}

/// How many requests an instance serves, one at a time.
struct Requests(usize);

impl WorkerState for Requests {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.0 {
            ShouldAccept::Never
        } else if concurrent == 0 {
            ShouldAccept::Yes
        } else {
            ShouldAccept::No
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        // No deadline.
        Box::pin(std::future::pending())
    }

    fn drop(&self, _: Store<State>, outcome: Result<()>) {
        // The caller is told of a failure.
        drop(outcome);
    }
}

struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    hooks: Hooks,
}

impl Default for State {
    fn default() -> Self {
        Self {
            wasi: WasiCtxBuilder::new().build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            hooks: Hooks,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Requests do not leave the house.
struct Hooks;

type Outgoing = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Outgoing), Error>> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}
