//! Gateway and echo responder in this process, ready for load.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use colloquy_bench::run::choose;
use colloquy_bench::{DriverChoice, Go, LoadPlan, Progress, Report, run as run_plan};
use colloquy_gateway::config::check_str;
use colloquy_gateway::{Gateway, StartOptions};
use colloquy_transport::driver::select::Backend;

use super::layout::Layout;
use super::watch::{Spent, Watch};
use crate::descriptors;

/// Descriptors beside those of sessions.
const DESCRIPTORS_SPARE: u64 = 256;
/// How long the gateways may take to end after the last session.
const DRAIN: Duration = Duration::from_secs(5);

/// The parts that load can be put on.
pub(crate) struct Stand {
    gateway: Gateway,
    responder: Gateway,
    /// Why the driver.
    pub(crate) driver_reason: String,
    /// Who runs where.
    pub(crate) layout: Layout,
}

impl Stand {
    /// Starts the parts and fills address, driver and threads of the plan in.
    pub(crate) fn start(plan: &mut LoadPlan) -> anyhow::Result<Stand> {
        let (backend, driver_reason) = choose(plan.driver)?;
        // One choice for all three parts: gateway, responder and load.
        plan.driver = match backend {
            Backend::IoUring => DriverChoice::IoUring,
            Backend::Mio => DriverChoice::Mio,
        };
        descriptors::raise(descriptors_needed(plan.sessions, backend)).map_err(anyhow::Error::msg)?;
        let mut layout = Layout::of_machine();
        if backend == Backend::IoUring {
            layout = layout.with_room(plan.sessions, descriptors::limit());
        }
        let config = echo_config(plan, layout.responder_shards);
        let responder = start("echo", &config, &layout.responder_cores)?;
        let config = relay_config(plan, layout.gateway_shards, address_of(&responder)?);
        let gateway = start("relay", &config, &layout.gateway_cores)?;
        plan.to = vec![address_of(&gateway)?];
        plan.threads = layout.load_threads.min(plan.sessions as usize) as u32;
        plan.cores.clone_from(&layout.load_cores);
        Ok(Stand { gateway, responder, driver_reason, layout })
    }

    /// Puts load on it; tells what the generator reports and what the gateway spent.
    pub(crate) fn run(
        &self,
        plan: &LoadPlan,
        progress: &mut dyn FnMut(&Progress) -> Go,
    ) -> anyhow::Result<(Report, Spent)> {
        let mut watch = Watch::new(self.gateway.vitals().clone());
        let report = run_plan(plan, &mut |look| {
            watch.look(look);
            progress(look)
        })?;
        Ok((report, watch.finish()))
    }

    /// Ends the parts.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let parts = [self.gateway, self.responder];
        parts.iter().for_each(|part| part.drain(DRAIN));
        parts.into_iter().try_for_each(|part| part.join().context("a shard failed"))
    }
}

/// Each relayed session has four ends in this process. With io_uring connections are no open files but
/// places in the table of their ring, which [`Layout::with_room`] deals with.
fn descriptors_needed(sessions: u32, backend: Backend) -> u64 {
    match backend {
        Backend::IoUring => DESCRIPTORS_SPARE,
        Backend::Mio => u64::from(sessions) * 4 + DESCRIPTORS_SPARE,
    }
}

fn start(name: &str, text: &str, cores: &[usize]) -> anyhow::Result<Gateway> {
    let config = check_str(name, text)
        .map_err(|diagnostics| anyhow::anyhow!("{}", diagnostics.render(false)))
        .context("configuration of the demo")?;
    let options =
        StartOptions { cores: Some(cores.to_vec()), name: Some(name.to_owned()), ..StartOptions::default() };
    Gateway::start_with(config, &options).with_context(|| name.to_owned())
}

fn address_of(gateway: &Gateway) -> anyhow::Result<SocketAddr> {
    Ok(gateway.addresses().first().context("no listener")?.address)
}

/// The parts of a configuration that responder and gateway share.
fn engine_config(plan: &LoadPlan, shards: usize, ends: u32) -> String {
    let sessions_max = (plan.sessions * ends).max(2);
    let ssdu_octets_max = plan.ssdu_octets.max(1 << 20);
    // SO_REUSEPORT does not share evenly, so that each shard must have room for all.
    format!(
        "schema_version = 1\n[engine]\ndriver = \"{}\"\nshards = {shards}\nsessions_max = {sessions_max}\n\
         ssdu_octets_max = {ssdu_octets_max}\n",
        plan.driver.as_str()
    )
}

/// Keys that every listener of the demo has.
fn listener_config(plan: &LoadPlan) -> String {
    let sessions = plan.sessions;
    format!(
        "[[listener]]\nname = \"demo\"\naddress = \"127.0.0.1:0\"\nsessions_max = {sessions}\n\
         connections_not_established_max = {sessions}\ntsdu_octets_max = {}\n",
        tsdu_octets_max(plan)
    )
}

/// SSDU, and the GT and DT headers in front of it.
fn tsdu_octets_max(plan: &LoadPlan) -> u32 {
    plan.ssdu_octets.saturating_add(64).max(1 << 20)
}

fn echo_config(plan: &LoadPlan, shards: usize) -> String {
    let engine = engine_config(plan, shards, 1);
    format!("{engine}{}application = \"echo\"\n", listener_config(plan))
}

fn relay_config(plan: &LoadPlan, shards: usize, to: SocketAddr) -> String {
    let engine = engine_config(plan, shards, 2);
    let listener = listener_config(plan);
    format!(
        "{engine}{listener}application = \"relay\"\ntarget = \"echo\"\n[[target]]\nname = \"echo\"\n\
         address = \"{to}\"\ntpdu_octets_max = 8192\ntsdu_octets_max = {}\n",
        tsdu_octets_max(plan)
    )
}
