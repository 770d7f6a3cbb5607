//! One run: initiators, the gateway and responders on a simulated network, from a seed to the last timer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use colloquy_gateway::app::{AppCounters, GatewayApp};
use colloquy_gateway::config::check_str;
use colloquy_gateway::plan::Plan;
use colloquy_shard::{Application, ListenerConfig, Shard, ShardConfig};
use colloquy_transport::buf::PoolConfig;
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::sim::{
    Random, SimConfig, SimDriver, SimFaultCounts, SimFaults, SimHostConfig, SimNet,
};

use crate::initiator::{self, Initiators};
use crate::ledger::{End, Entry, Ledger};
use crate::responder::{self, Responders};

const GATEWAY: &str = "10.0.0.1:102";
const RESPONDER: &str = "10.0.0.2:102";
const INITIATOR: &str = "10.0.0.3";
/// No plan and no timer lasts longer; a run that does is stuck.
const VIRTUAL_TIME_MAX: Duration = Duration::from_secs(1800);
/// Rounds that bring nothing, in a row, after which nothing can happen any more.
const QUIET_ROUNDS: usize = 3;
/// Turns of one run; one that needs more spins.
const TURNS_MAX: usize = 200_000;

/// What a run gives to be compared and judged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What both ends of each session saw.
    pub(crate) entries: Vec<Entry>,
    /// Digest of everything on the network.
    pub(crate) digest: u64,
    /// Faults that happened.
    pub(crate) faults: SimFaultCounts,
    /// Sessions that ended in each way.
    pub(crate) ends: [usize; 5],
}

struct World {
    net: SimNet,
    gateway: Shard<SimDriver, GatewayApp>,
    responders: Shard<SimDriver, Responders>,
    initiators: Shard<SimDriver, Initiators>,
}

/// Runs the schedule of `seed`.
///
/// # Errors
/// What was lost, doubled, stuck or left behind.
pub(crate) fn run(seed: u64) -> Result<Outcome, String> {
    let mut random = Random::new(seed);
    let sessions = 1 + random.below(4) as u32;
    let ledger = Ledger::new(sessions as usize);
    let mut world = World::new(&mut random, &ledger, sessions);
    let mut starts: Vec<(Duration, u32)> =
        (0..sessions).map(|session| (Duration::from_millis(random.below(50)), session)).collect();
    starts.sort();
    world.turn_until_over(&starts)?;
    world.leaves_nothing()?;
    let ends = ledger.judge()?;
    let faults = world.net.fault_counts();
    let unbroken = faults.resets + faults.eofs + faults.connects_refused + faults.connect_timeouts == 0;
    if unbroken && ends[End::Lost as usize] > 0 {
        return Err(format!("sessions were lost although no connection was: {:#?}", ledger.entries()));
    }
    let (entries, digest) = (ledger.entries(), world.net.digest());
    Ok(Outcome { entries, digest, faults: world.net.fault_counts(), ends })
}

impl World {
    fn new(random: &mut Random, ledger: &Ledger, sessions: u32) -> World {
        let faults = if random.below(2) == 0 { SimFaults::ROUGH } else { SimFaults::HOSTILE };
        let window_octets = 1 << (9 + random.below(8));
        let net = SimNet::new(SimConfig { seed: random.bits(), faults, window_octets });
        let mut gateway = Shard::new(host(&net, GATEWAY, random), gateway_app(random), shard_config());
        gateway
            .listen(net.bind(address(GATEWAY)).expect("free"), 0, ListenerConfig::default())
            .expect("listens");
        let plans = (0..sessions).map(|_| responder::Plan::draw(random)).collect();
        let app = Responders { ledger: ledger.clone(), plans };
        let mut responders = Shard::new(host(&net, RESPONDER, random), app, shard_config());
        let listener = net.bind(address(RESPONDER)).expect("free");
        responders.listen(listener, 0, ListenerConfig::default()).expect("listens");
        let plans = (0..sessions).map(|_| initiator::Plan::draw(random)).collect();
        let app = Initiators { ledger: ledger.clone(), plans, gateway: address(GATEWAY) };
        let driver =
            SimDriver::new(&net, INITIATOR.parse::<IpAddr>().expect("an address"), SimHostConfig::default());
        let initiators = Shard::new(driver, app, shard_config());
        World { net, gateway, responders, initiators }
    }

    /// Turns all shards, and time with them, until nothing can happen any more.
    fn turn_until_over(&mut self, starts: &[(Duration, u32)]) -> Result<(), String> {
        let mut starts = starts.iter().copied().peekable();
        let mut quiet_rounds = 0;
        for _ in 0..TURNS_MAX {
            while let Some((_, session)) = starts.next_if(|(at, _)| *at <= self.net.now()) {
                self.initiators.with(|app, ctx| app.open(ctx, session));
            }
            turn(&mut self.initiators)?;
            turn(&mut self.gateway)?;
            turn(&mut self.responders)?;
            let next = [
                self.net.next_event(),
                starts.peek().map(|(at, _)| *at),
                self.initiators.next_deadline(),
                self.gateway.next_deadline(),
                self.responders.next_deadline(),
            ];
            let Some(next) = next.into_iter().flatten().min() else {
                // What one shard asked of its driver at the end of its turn shows in the round after.
                quiet_rounds += 1;
                if quiet_rounds == QUIET_ROUNDS {
                    return Ok(());
                }
                continue;
            };
            quiet_rounds = 0;
            if next > VIRTUAL_TIME_MAX {
                return Err(format!("not over after {VIRTUAL_TIME_MAX:?}"));
            }
            self.net.advance_to(next);
        }
        Err(format!("not over after {TURNS_MAX} turns, at {:?}", self.net.now()))
    }

    fn leaves_nothing(&self) -> Result<(), String> {
        empty("initiators", &self.initiators)?;
        empty("gateway", &self.gateway)?;
        empty("responders", &self.responders)?;
        if self.gateway.app().live_count() != 0 {
            return Err(format!("the gateway knows {} sessions", self.gateway.app().live_count()));
        }
        match self.net.open_sockets() {
            0 => Ok(()),
            count => Err(format!("{count} sockets are open")),
        }
    }
}

fn turn<A: Application>(shard: &mut Shard<SimDriver, A>) -> Result<(), String> {
    shard.turn(Some(Duration::ZERO)).map(drop).map_err(|error| error.to_string())
}

fn empty<A: Application>(name: &str, shard: &Shard<SimDriver, A>) -> Result<(), String> {
    let stats = shard.driver().stats();
    if shard.connection_count() != 0 || stats.connections != 0 {
        return Err(format!("{name}: connections are left: {:#?}", shard.inspect()));
    }
    if stats.octets_pinned != 0 {
        return Err(format!("{name}: {} octets of blocks are held", stats.octets_pinned));
    }
    Ok(())
}

fn gateway_app(random: &mut Random) -> GatewayApp {
    // The plain MMS shape never segments upstream, so what comes in segments from downstream is joined.
    let profile = if random.below(3) == 0 { "mms" } else { "transparent" };
    let text = format!(
        "schema_version = 1\n\n[[listener]]\nname = \"front\"\naddress = \"{GATEWAY}\"\napplication = \"relay\"\n\
         target = \"back\"\n\n[[target]]\nname = \"back\"\naddress = \"{RESPONDER}\"\nprofile = \"{profile}\"\n"
    );
    let config = check_str("simulation.toml", &text).unwrap_or_else(|faults| panic!("{faults}"));
    GatewayApp::new(
        Arc::new(Plan::new(Arc::new(config))),
        0,
        Arc::new(AppCounters::default()),
        Box::new(drop),
    )
}

fn shard_config() -> ShardConfig {
    // Low marks, so that backpressure is common and not the exception.
    ShardConfig {
        virtual_time: true,
        send_high_octets: 20_000,
        send_low_octets: 5_000,
        ..ShardConfig::default()
    }
}

fn host(net: &SimNet, at: &str, random: &mut Random) -> SimDriver {
    let pool =
        PoolConfig { block_count: 2 + random.below(8) as usize, block_octets: 4096 << random.below(4) };
    SimDriver::new(net, address(at).ip(), SimHostConfig { pool, ..SimHostConfig::default() })
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}
