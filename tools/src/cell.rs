//! `colloquy cell`: a gateway's shard and its peers on one thread, which ends by itself.
//!
//! Made for `colloquy compare`, which runs it under valgrind: allocations and instructions can be counted to the last one
//! where nothing runs beside the shard and nobody has to stop it.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use colloquy_bench::micro::flat::{Stand, Turn};
use colloquy_bench::pump::Exchange;
use colloquy_gateway::app::AppCounters;
use colloquy_gateway::assemble;
use colloquy_gateway::config::{Config, ListenerApplication, ListenerConfig, TargetConfig};
use colloquy_transport::buf::copies;
use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::net::{ListenOptions, listen};

use crate::{descriptors, say};

/// Descriptors beside those of connections.
const DESCRIPTORS_SPARE: u64 = 64;
/// Largest TPDU proposed upstream: as large as the listeners agree to, so that bodies stay whole.
const TPDU_OCTETS_MAX: u32 = 8192;

/// One cell of a comparison on one thread.
#[derive(Debug, Args)]
pub(crate) struct CellArgs {
    /// Relay to an echo on the same thread, instead of echoing.
    #[arg(long)]
    relay: bool,
    /// Octets of each SSDU.
    #[arg(long, default_value_t = 64)]
    octets: usize,
    /// SSDUs of a session in flight.
    #[arg(long, default_value_t = 1)]
    depth: usize,
    /// Sessions.
    #[arg(long, default_value_t = 10)]
    sessions: usize,
    /// Sessions with SSDUs in flight at a time.
    #[arg(long, default_value_t = 10)]
    at_once: usize,
    /// SSDUs that count.
    #[arg(long, default_value_t = 1000)]
    ssdus: u64,
    /// SSDUs before those that count: what grows with load has grown then.
    #[arg(long, default_value_t = 1000)]
    warm_up: u64,
    /// On mio instead of io_uring.
    #[arg(long)]
    mio: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &CellArgs) -> ExitCode {
    match cell(args) {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("colloquy: {fault:#}");
            ExitCode::from(1)
        }
    }
}

fn cell(args: &CellArgs) -> anyhow::Result<String> {
    // Connections of the io_uring driver are direct descriptors, which are not files of the process.
    let ends = if args.mio { 2 } else { 1 };
    let needed = DESCRIPTORS_SPARE + ends * args.sessions as u64;
    descriptors::raise(needed).map_err(anyhow::Error::msg)?;
    let (mut shards, address) = shards(args)?;
    let exchange = Exchange::echo_burst(args.octets, args.depth.max(1));
    let mut stand = Stand::open(&mut shards, address, exchange, args.sessions)?;
    let depth = args.depth.max(1) as u64;
    stand.carry(&mut shards, args.warm_up.div_ceil(depth), args.at_once, false)?;
    let before = copies::of_this_thread();
    let requests = stand.carry(&mut shards, args.ssdus.div_ceil(depth), args.at_once, true)?;
    let after = copies::of_this_thread();
    Ok(format!(
        "{{\"ssdus\":{},\"copies_large\":{},\"copies_small\":{}}}\n",
        requests * depth,
        after.large_count - before.large_count,
        after.small_count - before.small_count,
    ))
}

/// The shards, each with a listener of its own, and where sessions go.
fn shards(args: &CellArgs) -> anyhow::Result<(Vec<Box<dyn Turn>>, SocketAddr)> {
    let (echo, mut address) = shard(args, ListenerApplication::Echo, None)?;
    let mut shards = vec![echo];
    if args.relay {
        let (relay, at) = shard(args, ListenerApplication::Relay { target: 0 }, Some(address))?;
        shards.insert(0, relay);
        address = at;
    }
    Ok((shards, address))
}

fn shard(
    args: &CellArgs,
    application: ListenerApplication,
    target: Option<SocketAddr>,
) -> anyhow::Result<(Box<dyn Turn>, SocketAddr)> {
    let socket = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default())?;
    let address = socket.local_addr()?;
    let mut config = Config {
        listeners: vec![ListenerConfig::new("cell", address, application)],
        targets: target.into_iter().map(echo_target).collect(),
        ..Config::default()
    };
    // A relayed session counts twice.
    config.engine.sessions_max = config.engine.sessions_max.max(2 * args.sessions + 16);
    config.listeners[0].sessions_max = config.engine.sessions_max;
    let config = Arc::new(config);
    let counters = Arc::new(AppCounters::default());
    let sink = Box::new(|_| ());
    #[cfg(target_os = "linux")]
    if !args.mio {
        use colloquy_transport::driver::uring::{UringConfig, UringDriver};
        let engine = &config.engine;
        let driver = UringDriver::new(UringConfig {
            pool: engine.pool(),
            files_max: engine.connections_max(),
            ..UringConfig::default()
        })?;
        let shard = assemble(driver, &config, 0, counters, sink, [socket])?;
        return Ok((Box::new(shard), address));
    }
    let pool = config.engine.pool();
    let connections_max = config.engine.connections_max();
    let driver = MioDriver::new(MioConfig { pool, connections_max, ..MioConfig::default() })?;
    Ok((Box::new(assemble(driver, &config, 0, counters, sink, [socket])?), address))
}

fn echo_target(address: SocketAddr) -> TargetConfig {
    TargetConfig { tpdu_octets_max: TPDU_OCTETS_MAX, ..TargetConfig::new("echo", address) }
}
