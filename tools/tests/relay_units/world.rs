//! One run: a user, the gateway and another user on a simulated network, from a seed to rest and to the end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use colloquy_gateway::app::{AppCounters, GatewayApp};
use colloquy_gateway::assemble;
use colloquy_gateway::config::{Config, ListenerApplication, ListenerConfig, Profile, TargetConfig};
use colloquy_gateway::record::{Record, RecordEvent};
use colloquy_session::{FunctionalUnits, Session, SessionConfig, State};
use colloquy_shard::{
    Application, ConnectTarget, Context, ListenerConfig as ShardListenerConfig, Shard, ShardConfig,
};
use colloquy_transport::class0::Class0Config;
use colloquy_transport::driver::ConnectOptions;
use colloquy_transport::driver::sim::{Random, SimConfig, SimDriver, SimFaults, SimHostConfig, SimNet};

use crate::plan::Plan;
use crate::user::{End, User};

const GATEWAY: &str = "10.0.0.1:102";
const RESPONDER: &str = "10.0.0.2:102";
const INITIATOR: &str = "10.0.0.3";
/// Requests that the users try.
const TRIES: u64 = 400;
/// More turns than any run takes.
const TURNS_MAX: usize = 200_000;
/// Rounds of answers until both users are at rest: each answer may make the other user wait for one.
const ANSWERS_MAX: usize = 1_000;

/// What a run brought.
pub(crate) struct Outcome {
    pub(crate) steps: u64,
    pub(crate) told: BTreeMap<String, u64>,
}

struct World {
    net: SimNet,
    gateway: Shard<SimDriver, GatewayApp>,
    users: [Shard<SimDriver, User>; 2],
    records: Rc<RefCell<Vec<Record>>>,
}

/// Runs the schedule of `seed`.
///
/// # Errors
/// What went wrong, with what both users saw last.
pub(crate) fn run(seed: u64) -> Result<Outcome, String> {
    let mut random = Random::new(seed);
    let plan = Plan::draw(&mut random);
    let mut world = World::new(&mut random, plan);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.play(&mut random, plan)));
    let result = result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
    });
    result.map_err(|what| format!("{what}\n{plan:?}\n{}", world.history()))?;
    let mut told = BTreeMap::new();
    for user in world.users.iter().map(|shard| shard.app()) {
        for (name, count) in &user.told {
            *told.entry(name.clone()).or_default() += count;
        }
    }
    Ok(Outcome { steps: world.users.iter().map(|shard| shard.app().steps).sum(), told })
}

impl World {
    fn new(random: &mut Random, plan: Plan) -> World {
        let window_octets = 1 << (9 + random.below(8));
        let faults = match random.below(4) {
            _ if plan.hostile => SimFaults::HOSTILE,
            0 => SimFaults::NONE,
            _ => SimFaults::ROUGH,
        };
        let net = SimNet::new(SimConfig { seed: random.bits(), faults, window_octets });
        let host = |at: &str| {
            let ip = at.parse::<SocketAddr>().map_or_else(|_| at.parse().expect("an address"), |at| at.ip());
            SimDriver::new(&net, ip, SimHostConfig::default())
        };
        let records = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&records);
        let gateway = assemble(
            host(GATEWAY),
            &Arc::new(config(plan)),
            0,
            Arc::new(AppCounters::default()),
            Box::new(move |record| sink.borrow_mut().push(record)),
            [net.bind(address(GATEWAY)).expect("free")],
        )
        .expect("listens");
        let shard = ShardConfig { virtual_time: true, ..ShardConfig::default() };
        let mut responder = Shard::new(host(RESPONDER), User::new(plan), shard);
        let listener = ShardListenerConfig {
            session: session_config(),
            transport: Class0Config { expedited: plan.expedited[1], ..Class0Config::default() },
            ..ShardListenerConfig::default()
        };
        responder.listen(net.bind(address(RESPONDER)).expect("free"), 0, listener).expect("listens");
        let initiator = Shard::new(host(INITIATOR), User::new(plan), shard);
        World { net, gateway, users: [initiator, responder], records }
    }

    fn play(&mut self, random: &mut Random, plan: Plan) -> Result<(), String> {
        let target = ConnectTarget {
            wire: None,
            address: address(GATEWAY),
            options: ConnectOptions::default(),
            calling_tsap: None,
            called_tsap: None,
            transport: Class0Config { expedited: plan.expedited[0], ..Class0Config::default() },
            session: session_config(),
            connect: plan.connect(),
        };
        let id = self.users[0].with(|_, ctx| ctx.connect(&target)).map_err(|error| error.to_string())?;
        self.users[0].app_mut().session = Some(id);
        self.until_quiet()?;
        if !self.users.iter().all(|user| user.app().open) {
            if plan.hostile {
                return Ok(());
            }
            return Err("no session came about".to_owned());
        }
        for _ in 0..TRIES {
            let side = random.below(2) as usize;
            self.users[side].with(|user, ctx| user.act(ctx, random));
            for _ in 0..random.below(3) {
                self.round()?;
            }
        }
        self.come_to_rest(random)?;
        self.agree()?;
        let side = random.below(2) as usize;
        self.users[side].with(|user, ctx| user.finish(ctx));
        for _ in 0..ANSWERS_MAX {
            self.until_quiet()?;
            if self.users.iter().all(|user| !user.app().open) {
                break;
            }
            for user in &mut self.users {
                user.with(|user, ctx| user.answer(ctx, random));
            }
            let waits = self.users.iter_mut().any(|user| state(user) == Some(State::Sta09));
            if !waits && self.users.iter_mut().all(|user| state(user) == Some(State::Sta713)) {
                // A negative answer: the session goes on, and ends by an abort.
                self.users[side].with(|user, ctx| {
                    user.aborted = true;
                    let id = user.session.expect("open");
                    ctx.abort_request(id, b"").expect("an open session can be aborted");
                });
            }
        }
        self.nothing_given_up()
    }

    /// Answers what is waited for until nothing is.
    fn come_to_rest(&mut self, random: &mut Random) -> Result<(), String> {
        for _ in 0..ANSWERS_MAX {
            self.until_quiet()?;
            let states = self.users.each_mut().map(state);
            if self.users.iter().any(|user| user.app().end == Some(End::Lost)) {
                return Ok(());
            }
            if states == [Some(State::Sta713); 2] || self.users.iter().all(|user| !user.app().open) {
                return Ok(());
            }
            for user in &mut self.users {
                user.with(|user, ctx| user.answer(ctx, random));
            }
        }
        Err(format!("no rest: {:?}", self.users.each_mut().map(state)))
    }

    /// Tokens, numbers and content at rest.
    fn agree(&mut self) -> Result<(), String> {
        self.nothing_given_up()?;
        let views = self.users.each_mut().map(|shard| {
            shard.with(|user, ctx| {
                let machine = user.session.and_then(|id| ctx.machine(id)).filter(|_| user.open)?;
                Some((
                    machine.tokens_owned(),
                    machine.tokens_available(),
                    machine.serial_numbers(),
                    machine.activity_in_progress(),
                ))
            })
        });
        let [Some(initiator), Some(responder)] = views else { return Ok(()) };
        if initiator.1 != responder.1
            || initiator.0.intersects(responder.0)
            || initiator.0 | responder.0 != initiator.1
        {
            return Err(format!("tokens: {initiator:?} {responder:?}"));
        }
        let exceptions = self.units().contains(FunctionalUnits::EXCEPTIONS);
        let (one, other) = (initiator.2, responder.2);
        // Confirmations that cross an exception count at one end only (X.225 Annex A, STA20 and STA19).
        let confirmed = exceptions || one.lowest_unconfirmed == other.lowest_unconfirmed;
        // Between activities the numbers are nothing: each activity begins with its own.
        let counts = !self.units().contains(FunctionalUnits::ACTIVITY) || initiator.3;
        let differ = one.next != other.next || one.lowest_restart != other.lowest_restart || !confirmed;
        if counts && differ {
            return Err(format!("serial numbers: {initiator:?} {responder:?}"));
        }
        if initiator.3 != responder.3 {
            return Err(format!("activity: {initiator:?} {responder:?}"));
        }
        for (from, to) in [(0, 1), (1, 0)] {
            let (from, to) = (self.users[from].app(), self.users[to].app());
            for (sent, arrivals) in from.sent.iter().zip(&to.arrivals) {
                if !arrivals.is_complete(*sent) {
                    return Err(format!("{sent} sent, arrived: {arrivals:?}"));
                }
            }
        }
        Ok(())
    }

    fn units(&mut self) -> FunctionalUnits {
        let units = |user: &mut User, ctx: &mut Context<'_, SimDriver, User>| {
            user.session.and_then(|id| ctx.machine(id)).map(Session::functional_units)
        };
        self.users[0].with(units).unwrap_or(FunctionalUnits::empty())
    }

    fn nothing_given_up(&self) -> Result<(), String> {
        let given_up = |record: &Record| {
            matches!(record.event, RecordEvent::NotCarried(_) | RecordEvent::Fault(_)).then_some(record.event)
        };
        match self.records.borrow().iter().find_map(given_up) {
            Some(event) => Err(format!("the relay gave up: {event:?}")),
            None => Ok(()),
        }
    }

    fn round(&mut self) -> Result<(), String> {
        turn(&mut self.users[0])?;
        turn(&mut self.gateway)?;
        turn(&mut self.users[1])?;
        if let Some(next) = self.net.next_event() {
            self.net.advance_to(next);
        }
        Ok(())
    }

    /// Turns until nothing is under way.
    fn until_quiet(&mut self) -> Result<(), String> {
        let mut quiet = 0;
        for _ in 0..TURNS_MAX {
            let under_way = self.net.next_event().is_some();
            self.round()?;
            quiet = if under_way { 0 } else { quiet + 1 };
            if quiet > 4 {
                return Ok(());
            }
        }
        Err("never quiet".to_owned())
    }

    fn history(&self) -> String {
        let lines = |user: &User| {
            let from = user.history.len().saturating_sub(40);
            user.history[from..].join("\n    ")
        };
        let records = format!("{:#?}", self.records.borrow());
        format!(
            "initiator:\n    {}\nresponder:\n    {}\ngateway: {records}",
            lines(self.users[0].app()),
            lines(self.users[1].app())
        )
    }
}

fn state(user: &mut Shard<SimDriver, User>) -> Option<State> {
    user.with(|user, ctx| user.session.and_then(|id| ctx.machine(id)).map(Session::state))
}

fn session_config() -> SessionConfig {
    SessionConfig {
        functional_units: FunctionalUnits::all() - FunctionalUnits::SYMMETRIC_SYNC,
        ..SessionConfig::default()
    }
}

fn config(plan: Plan) -> Config {
    let relay = ListenerApplication::Relay { target: 0 };
    let listener = ListenerConfig {
        functional_units: FunctionalUnits::all(),
        transport_expedited: plan.expedited[0],
        ..ListenerConfig::new("front", address(GATEWAY), relay)
    };
    let target = TargetConfig {
        profile: Profile::Transparent,
        transport_expedited: true,
        ..TargetConfig::new("back", address(RESPONDER))
    };
    Config { listeners: vec![listener], targets: vec![target], ..Config::default() }
}

fn turn<A: Application>(shard: &mut Shard<SimDriver, A>) -> Result<(), String> {
    shard.turn(Some(Duration::ZERO)).map(drop).map_err(|error| error.to_string())
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}
