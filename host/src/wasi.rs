//! Grants turned into what WASI sees.
//!
//! A [`WasiPlan`] is made once per pool, and opens the granted directories; [`WasiPlan::build`]
//! makes one instance's WASI from it, and cannot fail. Knows grants and WASI; knows nothing of
//! stores and linkers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsCtx};
use wasmtime_wasi::{
    Deterministic, FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder,
};

use crate::grants::{DirGrant, GrantError, Grants};
use crate::meter::Meter;
use crate::network::{Network, Use};
use crate::output::Port;
use crate::stdio::{Input, Output};

/// Whether the calls of a pool run on the caller's thread or as futures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// Host functions block the thread.
    Blocking,
    /// Host functions are awaited.
    Async,
}

/// What the instances of one pool see of WASI.
pub(crate) struct WasiPlan {
    env: Vec<(String, String)>,
    args: Vec<String>,
    stdin: Stdin,
    stdout: Output,
    stderr: Output,
    filesystem: WasiFilesystemCtx,
    sockets: WasiSocketsCtx,
    random: Option<Vec<u8>>,
}

enum Stdin {
    Empty,
    Bytes(Bytes),
    Inherit,
}

impl WasiPlan {
    /// Opens what `grants` names.
    ///
    /// # Errors
    ///
    /// [`GrantError`] for the first directory that does not open.
    pub(crate) fn new(grants: &Grants, face: Face) -> Result<Self, GrantError> {
        let Grants {
            env,
            args,
            dirs,
            stdin,
            stdout,
            stderr,
            network,
            seed,
        } = grants;
        let mut builder = WasiCtxBuilder::new();
        // On the blocking face, handing a file operation to another thread only adds two switches.
        builder.allow_blocking_current_thread(face == Face::Blocking);
        for dir in dirs {
            open(&mut builder, dir)?;
        }
        allow(&mut builder, network);
        let mut opened = builder.build();
        Ok(Self {
            env: env.clone(),
            args: args.clone(),
            stdin: match stdin {
                Input::Empty => Stdin::Empty,
                Input::Bytes(bytes) => Stdin::Bytes(Bytes::from_owner(bytes.clone())),
                Input::Inherit => Stdin::Inherit,
            },
            stdout: stdout.clone(),
            stderr: stderr.clone(),
            filesystem: opened.filesystem().clone(),
            sockets: opened.sockets().clone(),
            random: seed.map(random_bytes),
        })
    }

    /// WASI for one instance. `meter` counts its output.
    pub(crate) fn build(&self, meter: Arc<Meter>) -> Wasi {
        let stdout = Port::stdout(&self.stdout, &meter);
        let stderr = Port::stderr(&self.stderr, &meter);
        let mut builder = WasiCtxBuilder::new();
        builder
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .envs(&self.env)
            .args(&self.args);
        match &self.stdin {
            Stdin::Empty => {}
            Stdin::Bytes(bytes) => _ = builder.stdin(MemoryInputPipe::new(bytes.clone())),
            Stdin::Inherit => _ = builder.inherit_stdin(),
        }
        if let Some(bytes) = &self.random {
            builder
                .secure_random(Deterministic::new(bytes.clone()))
                .insecure_random(Deterministic::new(bytes.clone()))
                .insecure_random_seed(
                    bytes
                        .iter()
                        .take(16)
                        .fold(0, |seed, byte| seed << 8 | u128::from(*byte)),
                )
                .wall_clock(SteppingClock::default())
                .monotonic_clock(SteppingClock::default());
        }
        let mut wasi = builder.build();
        wasi.filesystem().clone_from(&self.filesystem);
        wasi.sockets().clone_from(&self.sockets);
        Wasi {
            wasi,
            stdout,
            stderr,
            meter,
        }
    }
}

/// One instance's WASI.
pub(crate) struct Wasi {
    pub(crate) wasi: WasiCtx,
    stdout: Port,
    stderr: Port,
    /// The output streams hold clones of it.
    pub(crate) meter: Arc<Meter>,
}

impl Wasi {
    /// WASI that touches nothing, for a guest that was taken not to need any.
    pub(crate) fn none(meter: Arc<Meter>) -> Self {
        let stdout = Port::stdout(&Output::Null, &meter);
        let stderr = Port::stderr(&Output::Null, &meter);
        let wasi = WasiCtxBuilder::new()
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .build();
        Self {
            wasi,
            stdout,
            stderr,
            meter,
        }
    }

    /// Passes on lines that have no end yet, and sets the meter back.
    pub(crate) fn begin_call(&self) {
        self.meter.reset();
        self.stdout.end_line();
        self.stderr.end_line();
    }
}

fn open(builder: &mut WasiCtxBuilder, dir: &DirGrant) -> Result<(), GrantError> {
    let DirGrant {
        host,
        guest,
        writable,
    } = dir;
    let permissions = if *writable {
        FsPerms::ReadWrite
    } else {
        FsPerms::ReadOnly
    };
    match builder.preopened_dir(host, guest, permissions) {
        Ok(_) => Ok(()),
        Err(error) => Err(GrantError {
            directory: host.clone(),
            source: error
                .downcast::<io::Error>()
                .unwrap_or_else(io::Error::other),
        }),
    }
}

fn allow(builder: &mut WasiCtxBuilder, network: &Network) {
    builder
        .allow_tcp(network.allows_tcp())
        .allow_udp(network.allows_udp())
        .allow_ip_name_lookup(network.allows_name_lookup());
    if network.allows_tcp() || network.allows_udp() {
        let network = network.clone();
        builder.socket_addr_check(move |address, to| {
            let allowed = network.allows(address, use_of(to));
            Box::pin(std::future::ready(allowed))
        });
    }
}

fn use_of(to: SocketAddrUse) -> Use {
    match to {
        SocketAddrUse::TcpBind => Use::TcpBind,
        SocketAddrUse::TcpListen => Use::TcpListen,
        SocketAddrUse::TcpAccept => Use::TcpAccept,
        SocketAddrUse::TcpConnect => Use::TcpConnect,
        SocketAddrUse::UdpBind => Use::UdpBind,
        SocketAddrUse::UdpSend => Use::UdpSend,
        SocketAddrUse::UdpReceive => Use::UdpReceive,
    }
}

fn random_bytes(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// A clock that starts at zero and moves a millisecond with each reading.
#[derive(Default)]
struct SteppingClock {
    milliseconds: AtomicU64,
}

impl SteppingClock {
    fn step(&self) -> Duration {
        Duration::from_millis(self.milliseconds.fetch_add(1, Ordering::Relaxed))
    }
}

impl HostWallClock for SteppingClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.step()
    }
}

impl HostMonotonicClock for SteppingClock {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.step().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_does_not_open_is_named() {
        let grants = Grants::none().dir_read_only("no/such/directory", "/data");
        let error = WasiPlan::new(&grants, Face::Async).err().unwrap();
        assert_eq!(
            error.to_string(),
            "directory `no/such/directory` cannot be granted"
        );
        assert_eq!(error.source.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn random_bytes_follow_from_the_seed() {
        assert_eq!(random_bytes(1), random_bytes(1));
        assert_ne!(random_bytes(1), random_bytes(2));
    }
}
