//! The connections of a pump, and what happens to each of them.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Poll, Token};

use super::alarm::Alarm;
use super::connection::{Connection, End, Requests};
use super::error::PumpError;
use super::opening::{Opening, Progress};
use super::plan::PumpPlan;
use super::tally::Tally;

/// Octets read at one time.
const BUFFER_OCTETS: usize = 256 << 10;
/// Events taken from the system at one time.
const EVENTS_MAX: usize = 1024;
/// How often openings are looked through for those that take too long.
const OVERDUE_CHECK: Duration = Duration::from_millis(50);
/// Below it tokens are positions of connections.
const ALARM: Token = Token(usize::MAX >> 1);

/// Open connections that carry load when told to. Dropping it resets them.
#[derive(Debug)]
pub struct Pump {
    pub(super) plan: PumpPlan,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    pub(super) alarm: Alarm,
    origin: Instant,
    pub(super) requests: Requests,
    /// `None` once gone.
    pub(super) connections: Vec<Option<Connection>>,
    /// Positions of those that carry load and are not gone.
    pub(super) active: Vec<usize>,
    /// Requests without an answer, on all connections.
    pub(super) in_flight: usize,
    /// Answers are followed by requests.
    pub(super) following: bool,
    pub(super) tally: Tally,
    pub(super) gone: Gone,
}

/// Connections that ended since the last report.
#[derive(Debug, Default)]
pub(super) struct Gone {
    pub(super) closed_by_peer: u64,
    pub(super) given_up: u64,
    pub(super) fault: Option<String>,
}

impl Pump {
    /// Opens all connections of a plan.
    ///
    /// # Errors
    /// [`PumpError`] with address, step and what came instead, as soon as one connection cannot be opened.
    pub fn open(plan: &PumpPlan) -> Result<Pump, PumpError> {
        plan.check().map_err(PumpError::Plan)?;
        let poll = Poll::new().map_err(PumpError::system("epoll"))?;
        let alarm = Alarm::new(poll.registry(), ALARM).map_err(PumpError::system("timer"))?;
        let exchange = &plan.exchange;
        let mut pump = Pump {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            buffer: vec![0; BUFFER_OCTETS],
            alarm,
            origin: Instant::now(),
            requests: Requests::new(&exchange.request, exchange.answer_octets, plan.verify),
            connections: Vec::with_capacity(plan.connections),
            active: Vec::with_capacity(plan.active),
            in_flight: 0,
            following: false,
            tally: Tally::new(false),
            gone: Gone::default(),
            plan: plan.clone(),
        };
        pump.open_all()?;
        Ok(pump)
    }

    /// Takes in what peers did meanwhile, and tells how many connections are open.
    ///
    /// # Errors
    /// As [`Pump::run`].
    pub fn look(&mut self) -> Result<usize, PumpError> {
        loop {
            self.turn(Some(Duration::ZERO))?;
            if self.events.is_empty() {
                break;
            }
        }
        Ok(self.connections.iter().flatten().count())
    }

    fn open_all(&mut self) -> Result<(), PumpError> {
        let count = self.plan.connections;
        let exchange = &self.plan.exchange;
        let opening = exchange.opening.clone();
        // The first connection learns how long an answer is.
        let learns = self.plan.active > 0 && exchange.answer_octets == 0;
        let learning = [&opening[..], std::slice::from_ref(&exchange.request)].concat();
        let steps_of = |index| if learns && index == 0 { &learning } else { &opening };
        let mut openings: HashMap<usize, Opening> = HashMap::with_capacity(self.plan.opening_max);
        let mut checked = Instant::now();
        self.connections.resize_with(count, || None);
        let mut begun = 0;
        while begun < count || !openings.is_empty() {
            while begun < count && openings.len() < self.plan.opening_max {
                openings.insert(begun, self.begin(begun)?);
                begun += 1;
            }
            wait(&mut self.poll, &mut self.events, Some(OVERDUE_CHECK))?;
            for event in &self.events {
                let index = event.token().0;
                let Some(opening) = openings.get_mut(&index) else { continue };
                if opening.advance(steps_of(index), &mut self.buffer)? == Progress::Done {
                    let done = openings.remove(&index).expect("it is among them");
                    if learns && index == 0 {
                        self.requests.answer_octets = done.answer_octets();
                    }
                    let active = self.plan.is_active(index);
                    let (stream, peer) = done.into_stream();
                    self.connections[index] = Some(Connection::new(stream, peer, active));
                }
            }
            if checked.elapsed() >= OVERDUE_CHECK {
                checked = Instant::now();
                for (index, opening) in &mut openings {
                    if let Some(error) = opening.overdue(steps_of(*index), self.plan.opening_timeout) {
                        return Err(error.into());
                    }
                }
            }
        }
        self.active.extend((0..count).filter(|index| self.plan.is_active(*index)));
        Ok(())
    }

    fn begin(&self, index: usize) -> Result<Opening, PumpError> {
        let plan = &self.plan;
        let source = (!plan.sources.is_empty()).then(|| plan.sources[index % plan.sources.len()]);
        let to = plan.to[index % plan.to.len()];
        Ok(Opening::begin(self.poll.registry(), Token(index), to, source)?)
    }

    /// Nanoseconds since the pump was made.
    pub(super) fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// Waits for events, at most so long, and acts upon all of them.
    pub(super) fn turn(&mut self, timeout: Option<Duration>) -> Result<(), PumpError> {
        wait(&mut self.poll, &mut self.events, timeout)?;
        // Without capacity it allocates nothing.
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let result = events.iter().try_for_each(|event| self.act(event));
        self.events = events;
        result
    }

    fn act(&mut self, event: &Event) -> Result<(), PumpError> {
        let index = event.token().0;
        let Some(Some(connection)) = self.connections.get_mut(index) else { return Ok(()) };
        if event.is_writable()
            && let Err(end) = connection.write(&self.requests)
        {
            self.end(index, end);
            return Ok(());
        }
        if event.is_readable() || event.is_error() {
            self.receive(index, event.is_read_closed() || event.is_error())?;
        }
        Ok(())
    }

    fn receive(&mut self, index: usize, at_end: bool) -> Result<(), PumpError> {
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        let received = connection.read(&self.requests, &mut self.buffer, at_end)?;
        let now = self.origin.elapsed().as_nanos() as u64;
        self.tally.answers(&mut connection.times, received.answers, received.octets, now);
        self.in_flight -= received.answers;
        match received.end {
            Some(end) => self.end(index, end),
            None if self.following && received.answers > 0 => self.ask(index, received.answers, now),
            None => {}
        }
        Ok(())
    }

    /// Sends `count` requests that count from `time`.
    pub(super) fn ask(&mut self, index: usize, count: usize, time: u64) {
        let Some(connection) = &mut self.connections[index] else { return };
        self.in_flight += count;
        if let Err(end) = connection.ask(count, time, &self.requests) {
            self.end(index, end);
        }
    }

    /// Takes a connection out.
    pub(super) fn end(&mut self, index: usize, end: End) {
        let Some(connection) = self.connections[index].take() else { return };
        self.in_flight -= connection.times.len();
        self.tally.lose(&connection.times);
        if connection.active {
            self.active.retain(|active| *active != index);
        }
        let fault = match end {
            End::Peer(fault) => {
                self.gone.closed_by_peer += 1;
                fault
            }
            End::Own(fault) => {
                self.gone.given_up += 1;
                fault
            }
        };
        self.gone.fault.get_or_insert(fault);
    }
}

/// Waits; a signal is no event.
pub(super) fn wait(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> Result<(), PumpError> {
    match poll.poll(events, timeout) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        result => result.map_err(PumpError::system("epoll")),
    }
}
